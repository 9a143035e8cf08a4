"""Forgetting somebody: what goes, what has to stay, and that nothing is left behind."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from attrs import evolve

from multigroup import (
    Accepted,
    ConversationId,
    DeliveryStatus,
    Erased,
    Event,
    InvalidNumberError,
    JournalError,
    Message,
    Number,
    OptedOutError,
    Reason,
    Refused,
    Scope,
    SendId,
    TakenOverError,
    ThreadMoved,
    Unrecognized,
    conversation_id,
    models,
    phone,
)
from multigroup.archive import Cut
from multigroup.consent import at_group
from multigroup.explain import explain
from multigroup.journal import Journal, SQLiteJournal
from multigroup.journal.traces import Traces, plain
from multigroup.models import Leg, Media
from multigroup.records import FORGOTTEN, Closed, receipt
from multigroup.wire import Request
from tests.helpers.stores import STORES
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    LINE,
    ME,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    received,
    record,
    update,
)
from tests.helpers.world import World

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
OTHERS: Final = (BEN, CLEO)
SPELLINGS: Final = (
    "+14155550101",
    "14155550101",
    "4155550101",
    "415-555-0101",
    "(415) 555-0101",
    "415.555.0101",
    "+1 415 555 0101",
    "1 (415)555-0101",
    "415\u00a0555\u00a00101",
    "%2B14155550101",
    "0014155550101",
)


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give an empty journal of each kind."""
    made = STORES[request.param](tmp_path)
    yield made.open()
    made.drop()


def _said(
    journal: Journal,
    name: str = RED,
    members: tuple[Number, ...] = PEOPLE,
    reference: str = "dinner",
    text: str = "Dinner at 7?",
) -> None:
    """Have a send carried out, and its first copy delivered."""
    body = f'{{"to":{list(map(str, members))},"text":"{text}"}}'.encode()
    request = Request("POST", "https://carrier.example/messages", {}, body)
    key = f"{name}.0"
    message = Message(text, ["https://m.example/door.jpg"], "the subject")
    journal.reserve(record(name, reference, members=members, message=message))
    journal.write(SendId(name), begun(Leg(key, members, request)))
    journal.write(SendId(name), ended(accepted(f"of {name}"), key))
    journal.write(SendId(name), Closed())
    news = update(
        member=members[0],
        message_id=f"of {name}",
        id=f"news of {name}",
        raw=f"{{'text': '{text}', 'to': '{members[0]}'}}".encode(),
    )
    journal.store(HERE, [news])


def _over(journal: Journal, event: Event) -> None:
    journal.claim(HERE, event.key, ME, 0, 1)
    journal.settle(HERE, event.key, done=True)


def test_everything_of_a_member_goes(journal: Journal) -> None:
    """Sends, messages and the conversation, which nobody finds any more."""
    _said(journal)
    heard = received(text="my code is 4711")
    journal.store(HERE, [heard])

    assert journal.forget(HERE, ANA) == Erased(1, 2)

    held = journal.recall(HERE, "dinner")
    assert held is not None
    assert (held.members, held.message, held.legs) == ((), Message(), {})
    assert (held.conversation, held.fingerprint, held.notes) == ("", "", (FORGOTTEN,))
    assert (held.attempts, held.reports, held.closed) == ((), {}, True)
    assert receipt(held).deliveries == {}
    assert FORGOTTEN in explain(held)
    assert journal.history(HERE, GROUP, None, 9) == ()
    assert journal.threads(HERE, None, 9) == ()
    assert journal.last_line(HERE, GROUP) is None
    assert journal.waiting(HERE, 0, 9) == ()
    assert journal.forget(HERE, ANA) == Erased()


def test_others_are_left_alone(journal: Journal) -> None:
    """Their own conversations, and other applications, lose nothing."""
    _said(journal, "ab12", OTHERS, "lunch")
    heard = received("in-2", sender=BEN, members=frozenset(OTHERS), text="yes")
    heard = evolve(heard, conversation=conversation_id(OTHERS))
    journal.store(HERE, [heard])
    journal.store("other", [received()])
    before = journal.recall(HERE, "lunch")

    assert journal.forget(HERE, ANA) == Erased()

    assert journal.recall(HERE, "lunch") == before
    assert len(journal.history(HERE, conversation_id(OTHERS), None, 9)) == 2
    assert len(journal.threads(HERE, None, 9)) == 1
    assert len(journal.history("other", GROUP, None, 9)) == 1
    assert len(journal.waiting("other", 0, 9)) == 1


def test_a_reference_stays_taken(journal: Journal) -> None:
    """A job that runs again texts nobody who was forgotten."""
    _said(journal)
    journal.forget(HERE, ANA)

    again = journal.reserve(record("second"))

    assert (again.ours, again.record.id) == (False, RED)
    assert again.record.fingerprint != record().fingerprint


def test_a_reference_with_the_number_in_it_goes(journal: Journal) -> None:
    """It would tell of the one who was forgotten, and is free again."""
    _said(journal, reference="welcome (415) 555-0101")
    _said(journal, "ab12", OTHERS, "about 415-555-0101")

    assert journal.forget(HERE, ANA).sends == 2

    assert journal.recall(HERE, "welcome (415) 555-0101") is None
    assert journal.recall(HERE, "about 415-555-0101") is None
    assert journal.recall(HERE, f"forgotten:{RED}") is not None


def test_an_opt_out_outlives_its_number(journal: Journal) -> None:
    """Whoever said STOP and was forgotten is not texted, nor is their group."""
    group = at_group(LINE, GROUP)
    journal.store(HERE, [received(text="STOP")])
    journal.reserve(record())
    journal.write(RED, begun())
    refusal = Refused("40300", Reason.OPTED_OUT, Scope.MEMBER)
    journal.write(RED, ended(refusal))
    blocked = journal.blocked(HERE, [*PEOPLE, group])

    journal.forget(HERE, ANA)

    assert [block.subject for block in blocked] == [ANA, group]
    assert journal.blocked(HERE, [*PEOPLE, group]) == blocked


def test_a_webhook_delivered_again_is_still_known(journal: Journal) -> None:
    """Its key stays, settled: a carrier's late retry brings nothing back."""
    _said(journal)
    news = update(message_id=f"of {RED}", id="late news")
    heard = received(text="my code is 4711")
    journal.store(HERE, [heard, news])
    _over(journal, heard)

    journal.forget(HERE, ANA)

    for event in (heard, news):
        (again,) = journal.store(HERE, [event])
        assert not again.fresh
        assert journal.claim(HERE, event.key, ME, 0, 1) is None
        journal.settle(HERE, event.key, done=False)
        assert journal.claim(HERE, event.key, ME, 9, 10) is None
    assert journal.history(HERE, GROUP, None, 9) == ()
    assert journal.threads(HERE, None, 9) == ()


def test_news_that_waits_for_a_reply_is_heard_no_more(journal: Journal) -> None:
    """It is erased like any other, and the reply comes to no harm."""
    journal.store(HERE, [update(message_id="m-7"), update(id="2", message_id="m-7")])
    journal.forget(HERE, ANA)
    journal.reserve(record(members=OTHERS))
    journal.write(RED, begun(leg(members=OTHERS)))

    after = journal.write(RED, ended(Accepted("m-7")))

    assert after.reports == {}
    assert receipt(after).deliveries[BEN].status is DeliveryStatus.ACCEPTED


def test_a_send_under_way_is_ended_by_it(journal: Journal) -> None:
    """Whoever carries it out is fenced off; an answer that comes in is no trace."""
    journal.reserve(record())
    journal.write(RED, begun())
    fence = 0

    journal.forget(HERE, ANA)

    with pytest.raises(TakenOverError):
        journal.write(RED, begun(leg(f"{RED}.1")), fence)
    after = journal.write(RED, ended(accepted()), fence)
    assert (after.attempts, after.members, after.closed) == ((), (), True)
    assert journal.orphans(HERE, 1e12) == ()
    assert journal.threads(HERE, None, 9) == ()


def test_news_that_only_names_the_conversation_goes(journal: Journal) -> None:
    """The id is made of the numbers, and stands for them."""
    moved = ThreadMoved(
        id="m",
        provider="multigroup",
        account="red",
        occurred_at=at(1),
        received_at=at(1),
        raw=b"",
        conversation=conversation_id(OTHERS),
        previous=GROUP,
        send_id=RED,
        left=LINE,
        joined=LINE,
        why="a member who opted out was left out",
    )
    unrelated = evolve(moved, id="n", previous=None)
    _said(journal)
    journal.store(HERE, [moved, unrelated])

    assert journal.forget(HERE, ANA) == Erased(1, 2)

    assert journal.waiting(HERE, 0, 9) == (unrelated,)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_number_is_found_however_it_is_spelled(
    journal: Journal, spelling: str
) -> None:
    """Also where a carrier's body or somebody's text names it to others."""
    odd = Unrecognized(
        id="odd",
        provider="red",
        account="red",
        occurred_at=at(1),
        received_at=at(1),
        raw=f'{{"who":"{spelling}"}}'.encode(),
        why="a new word",
    )
    _said(journal, "ab12", OTHERS, "lunch", f"call Ana: {spelling}, ok?")
    journal.store(HERE, [odd])

    assert journal.forget(HERE, ANA).sends == 1

    held = journal.recall(HERE, "lunch")
    assert held is not None
    assert held.message == Message()
    assert odd not in journal.waiting(HERE, 0, 9)


@pytest.mark.parametrize(
    "text", ["", "4155550102", "41555501010", "415555010", "4 1 5", "415 5550 101 x"]
)
def test_other_digits_are_not_the_number(text: str) -> None:
    """What is longer, shorter or another is somebody else's."""
    assert not Traces.of(ANA).found(plain(text))


@pytest.mark.parametrize("number", ["28228", "+447700900123", "a_b%c!123"])
def test_whoever_is_no_member_can_be_forgotten(journal: Journal, number: str) -> None:
    """Carriers hand on short codes and foreign senders as they are."""
    strange = received("in-2", sender=Number(number), members=None, conversation=None)
    usual = received("in-3", sender=Number("12345"), members=None, conversation=None)
    journal.store(HERE, [strange, usual])

    assert journal.forget(HERE, Number(number)) == Erased(0, 1)
    assert journal.waiting(HERE, 0, 9) == (usual,)


# Nothing is left in the file


def _bytes(path: Path) -> bytes:
    """Return all that lies on the disk of a journal."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def _spelled(left: bytes) -> list[str]:
    """Return how Ana's number can still be read in it."""
    return [each for each in (*SPELLINGS, "5550101") if each.encode() in left]


def _crowded(journal: Journal) -> tuple[set[ConversationId], list[str]]:
    """Fill a journal so that its pages split; return what must not be left of Ana."""
    chance = random.Random(7)  # noqa: S311 - the same pages every time
    crowd = [Number(f"+141555501{n}") for n in range(10, 99)]
    groups: set[ConversationId] = set()
    words: list[str] = []
    for n in range(150):
        friends = tuple(chance.sample(crowd, 3))
        members = (ANA, *friends) if n % 3 == 0 else friends
        word = f"secret{n}" if n % 3 == 0 else f"public{n}"
        name = f"{chance.getrandbits(64):016x}"
        text = f"{word} " * chance.randrange(1, 90)
        _said(journal, name, members, f"job {name}", text)
        heard = received(
            f"in-{n}",
            when=n,
            sender=members[0],
            members=frozenset(members),
            conversation=conversation_id(members),
            text=text,
            subject=f"{word} subject",
            media=(Media(f"https://m.example/{word}.jpg"),),
            raw=f"{{'text': '{text}', 'from': '{members[0]}'}}".encode(),
        )
        journal.store(HERE, [heard])
        if n % 3 == 0:
            groups.add(conversation_id(members))
            words.append(word)
    return groups, words


def test_no_byte_of_it_is_left_in_the_files(tmp_path: Path) -> None:
    """Neither in a table nor in free pages, gaps of pages or the write-ahead log."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    groups, words = _crowded(journal)
    mentions = "call Ana: (415) 555-0101 or 415.555.0101"
    _said(journal, "ab12", OTHERS, "lunch", mentions)
    journal.store(HERE, [received("stop", text="STOP")])
    journal.reserve(record())
    journal.write(RED, begun())
    refusal = Refused("40300", Reason.OPTED_OUT, Scope.MEMBER)
    journal.write(RED, ended(refusal))  # held against the group, which has an id
    assert all(word.encode() in _bytes(path) for word in words)

    erased = journal.forget(HERE, ANA)

    left = _bytes(path)
    assert erased == Erased(52, 102)
    assert _spelled(left) == []
    assert [word for word in words if word.encode() in left] == []
    assert [group for group in {*groups, GROUP} if group.encode() in left] == []
    assert b"public1 " in left
    assert [block.subject for block in journal.blocked(HERE, [ANA])] == [ANA]
    journal.close()
    assert _spelled(_bytes(path)) == []


def test_free_room_of_an_earlier_version_is_cleared(tmp_path: Path) -> None:
    """What was freed without being overwritten goes with the rest."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    assert journal._connection is not None
    journal._connection.execute("PRAGMA secure_delete = OFF")
    _said(journal, text="4711 " * 3000)
    journal.prune(HERE, Cut(at(1e9), at(1e9)), (0, 0), 9)
    assert b"4711" in _bytes(path)

    assert journal.forget(HERE, ANA) == Erased(0, 1)

    assert b"4711" not in _bytes(path)
    assert _spelled(_bytes(path)) == []
    journal.close()


def test_a_log_that_others_hold_is_told(tmp_path: Path) -> None:
    """While another process reads, the log cannot go: forgetting again ends it."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    _said(journal)
    journal._connection.execute("PRAGMA busy_timeout = 1")  # type: ignore[union-attr]
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM sends").fetchall()

    with pytest.raises(JournalError, match="another process"):
        journal.forget(HERE, ANA)
    reader.execute("ROLLBACK")
    reader.close()

    assert journal.forget(HERE, ANA) == Erased()
    assert _spelled(_bytes(path)) == []
    journal.close()


def test_what_was_pruned_is_overwritten(tmp_path: Path) -> None:
    """Room that is free again holds nothing of what was in it."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    _said(journal, text="4711 " * 3000)
    (news,) = journal.waiting(HERE, 0, 9)
    _over(journal, news)
    later = at(timedelta(days=400).total_seconds())

    swept = journal.prune(HERE, Cut(later, later), (0, 0), 9)

    assert (swept.sends, swept.events) == (1, 1)
    assert b"4711" not in _bytes(path)
    journal.close()


def test_a_prune_waits_for_nobody(tmp_path: Path) -> None:
    """Others that read or write at the moment have the log cleared the next time."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    _said(journal, text="4711 " * 3000)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM sends").fetchall()

    journal.prune(HERE, Cut(at(1e9), at(1e9)), (0, 0), 9)
    assert b"4711" in _bytes(path)
    reader.execute("ROLLBACK")
    reader.close()
    journal.prune(HERE, Cut(at(1e9), at(1e9)), (0, 0), 9)

    assert b"dinner 4711" not in _bytes(path)
    assert journal._connection is not None
    (patience,) = journal._connection.execute("PRAGMA busy_timeout").fetchone()
    assert patience == 10_000
    journal.close()


@pytest.mark.parametrize("forgets", [True, False])
def test_a_file_that_cannot_be_cleared_is_told(
    tmp_path: Path, *, forgets: bool
) -> None:
    """By forgetting, which promised it; what a prune left in the log goes later."""
    journal = SQLiteJournal(tmp_path / "sends.db")
    assert journal._connection is not None
    forbidden = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_PRAGMA}

    def permit(action: int, first: str | None, *_: object) -> int:
        cleans = action in forbidden and first in ("", "wal_checkpoint")
        return sqlite3.SQLITE_DENY if cleans else sqlite3.SQLITE_OK

    journal._connection.set_authorizer(permit)
    if forgets:
        with pytest.raises(JournalError, match="SQLITE"):
            journal.forget(HERE, ANA)
    else:
        assert journal.prune(HERE, Cut(at(0), at(0)), (0, 0), 9).place is None
    journal._connection.set_authorizer(None)
    assert journal.forget(HERE, ANA) == Erased()
    journal.close()


# By a client


def test_a_client_forgets(world: World) -> None:
    """The number may be spelled as it likes; caches of the process let go as well."""
    world.send("Dinner at 7?", reference="dinner")
    world.phone(PEOPLE[1]).reply("STOP")
    world.network.run_due()
    assert phone.parse.cache_info().currsize > 0

    erased = world.wait(world.client.forget("(415) 555-0102"))

    assert erased.sends == 1
    assert erased.events >= 1
    assert phone.parse.cache_info().currsize == 0
    assert models._identity.cache_info().currsize == 0
    assert world.wait(world.client.conversations()).items == ()
    assert world.wait(world.client.group(*PEOPLE).history()).items == ()
    assert world.receipt("dinner").members == ()
    world.fail(OptedOutError, "Still there?")


@pytest.mark.parametrize("number", ["", "me", "12", "+12125550100"])
def test_only_people_can_be_forgotten(world: World, number: str) -> None:
    """Our own line is in everything, and no number at all might be."""
    world.send("Dinner at 7?", reference="dinner")

    with pytest.raises(InvalidNumberError):
        world.wait(world.client.forget(number))

    assert world.receipt("dinner").members == PEOPLE
