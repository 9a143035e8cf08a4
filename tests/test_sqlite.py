"""The journal in a file: what outlives a process, who may share it, what is refused."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as some

from multigroup import AsyncClient, Client, Telnyx, UncertainError
from multigroup.errors import ConfigError, JournalError
from multigroup.journal import MemoryJournal, SQLiteJournal, open_journal
from multigroup.journal.files import connect, file_system, networked, supported
from multigroup.journal.rows import event_text
from multigroup.journal.schema import MARK, STEPS, upgrade
from multigroup.models import (
    ConversationId,
    DeliveryStatus,
    Leg,
    Media,
    Message,
    NotSent,
    Outcome,
    Reason,
    Refused,
    Scope,
    Unknown,
    conversation_id,
)
from multigroup.records import (
    Change,
    Closed,
    Foiled,
    Lease,
    Moved,
    Reported,
    Round,
    receipt,
)
from multigroup.wire import Request
from tests.helpers.values import (
    ANA,
    LINE,
    ME,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    money,
    received,
    record,
    refused,
    update,
)

HERE: Final = "default"
ACCEPTED: Final = b'{"data":{"id":"m-1"}}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file that is not there yet."""
    return tmp_path / "sends.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SQLiteJournal]:
    """Give an empty journal."""
    made = SQLiteJournal(path)
    yield made
    made.close()


@pytest.fixture
def again(path: Path, journal: SQLiteJournal) -> Iterator[Callable[[], SQLiteJournal]]:
    """Give what closes the journal and opens its file anew."""
    opened: list[SQLiteJournal] = []

    def reopen() -> SQLiteJournal:
        journal.close()
        opened.append(SQLiteJournal(path))
        return opened[-1]

    yield reopen
    for each in opened:
        each.close()


def _kept(journal: SQLiteJournal, *changes: Change) -> None:
    journal.reserve(record())
    for change in changes:
        journal.write(RED, change)


# What outlives the process


OUTCOMES: Final[tuple[Outcome, ...]] = (
    accepted("m-1", money("0.0800")),
    accepted("m-1"),
    Refused("40305", Reason.SPAM, Scope.LINE, "said “no” \ud800"),
    NotSent("asked to slow down", 1.5),
    NotSent("the conversation is gone", stale=True),
    Unknown("ReadTimeout"),
)


@pytest.mark.parametrize(
    "outcome",
    OUTCOMES,
    ids=["priced", "accepted", "refused", "unsent", "stale", "unknown"],
)
def test_a_send_is_read_back_as_it_was_written(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal], outcome: Outcome
) -> None:
    """Message, frozen bytes, attempts and news come back equal in every field."""
    message = Message(
        "día 👋 \ud83d", (Media("https://m.example/a", "image/png", 9, "f"),)
    )
    request = Request("POST", "https://carrier.example", {"a": "b"}, b"\x00\xff")
    journal.reserve(record(message=message, notes=("a note",)))
    story: tuple[Change, ...] = (
        Foiled(LINE, f"{RED}.0", NotSent("no rail"), at(0.000001)),
        begun(Leg(f"{RED}.1", PEOPLE, request)),
        ended(outcome, f"{RED}.1"),
        Moved((f"{RED}.1",), "stopped"),
        Reported(update(token=f"{RED}.1", cost=money("0.0040", "EUR"), raw=b"\xff{")),
        Closed(),
    )
    written = [journal.write(RED, change) for change in story][-1]

    assert again().recall(HERE, "dinner") == written


@settings(max_examples=30, deadline=None)
@given(some.text(), some.text(), some.binary(), some.integers(-(2**50), 2**50))
def test_any_text_any_bytes_and_any_time_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    text: str,
    subject: str,
    body: bytes,
    ticks: int,
) -> None:
    """Nothing is lost on the way to the file, half characters included."""
    path = tmp_path_factory.mktemp("any") / "sends.db"
    zone = timezone(timedelta(hours=-7))
    when = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks)
    ).astimezone(zone)
    first = SQLiteJournal(path)
    first.reserve(record(message=Message(text, subject=subject), began_at=when))
    frozen = Leg(f"{RED}.0", PEOPLE, Request("POST", text, {subject: text}, body))
    written = first.write(RED, begun(frozen))
    first.close()

    second = SQLiteJournal(path)
    assert second.recall(HERE, "dinner") == written
    second.close()


def test_an_attempt_in_flight_is_unknown_after_a_restart(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal]
) -> None:
    """Nobody is left who could hear its answer."""
    _kept(journal, begun())

    held = again().recall(HERE, "dinner")

    assert held is not None
    assert {d.outcome.word for d in receipt(held).deliveries.values()} == {"UNKNOWN"}
    assert not held.closed
    assert held.legs == {f"{RED}.0": leg()}


@pytest.mark.parametrize(
    "outcome", [accepted(), refused(), Unknown("lost")], ids=lambda known: known.word
)
def test_a_reference_gives_its_first_outcome_after_a_restart(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal], outcome: Outcome
) -> None:
    """A job that runs again after a deployment texts nobody twice."""
    _kept(journal, begun(), ended(outcome), Closed())

    reserved = again().reserve(record("second"))

    assert not reserved.ours
    assert reserved.record.id == RED
    assert reserved.record.attempts[0].outcome == outcome


def test_the_last_line_outlives_a_restart(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal]
) -> None:
    """A conversation stays in its thread."""
    _kept(journal, begun(), ended(accepted()), Closed())
    assert again().last_line(HERE, conversation_id(PEOPLE)) == (LINE, at(2))


def test_a_settled_event_is_not_handled_again_after_a_restart(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal]
) -> None:
    """What was taken stays taken, what was settled stays settled."""
    journal.store(HERE, [received("done"), received("taken"), received("new")])
    for name in ("done", "taken"):
        journal.claim(HERE, received(name).key, ME, 100, 160)
    journal.settle(HERE, received("done").key, done=True)

    reopened = again()

    (stored,) = reopened.store(HERE, [received("done")])
    answers = [
        reopened.claim(HERE, received(name).key, ME, 101, 161)
        for name in ("done", "taken", "new")
    ]
    assert not stored.fresh
    assert answers == [None, False, True]


def test_early_news_waits_through_a_restart(
    journal: SQLiteJournal, again: Callable[[], SQLiteJournal]
) -> None:
    """News that overtook the reply is merged by whichever process has the reply."""
    _kept(journal, begun())
    journal.store(HERE, [update(DeliveryStatus.SENT), update()])

    after = again().write(RED, ended(accepted()))

    assert receipt(after).deliveries[ANA].status == DeliveryStatus.DELIVERED


def test_early_news_leaves_nothing_behind_once_it_is_merged(
    journal: SQLiteJournal, path: Path
) -> None:
    """Nobody looks for it again."""
    _kept(journal, begun())
    journal.store(HERE, [update(also_known_as=("m-2",))])
    assert _rows(path, "SELECT message_id FROM early") == [("m-1",), ("m-2",)]
    journal.write(RED, ended(accepted()))
    assert _rows(path, "SELECT message_id FROM early") == [("m-2",)]


def test_a_subject_is_no_number_in_the_file(journal: SQLiteJournal, path: Path) -> None:
    """Forgetting a number keeps the opt-out; each file has a key of its own."""
    journal.store(HERE, [received(text="stop")])
    other = SQLiteJournal(path.with_name("other.db"))
    other.store(HERE, [received(text="stop")])
    other.close()

    asked = "SELECT subject FROM consent"
    ((mine,),), ((theirs,),) = _rows(path, asked), _rows(other.path, asked)

    assert len(mine) == len(theirs) == 64
    assert mine != theirs
    assert ANA[2:] not in mine


def _rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as seen:
        return seen.execute(query).fetchall()


def test_a_closed_journal_opens_itself_again(journal: SQLiteJournal) -> None:
    """One client's end is not the end of another on the same journal."""
    _kept(journal)
    journal.close()
    assert journal.recall(HERE, "dinner") == record()


def test_the_file_is_for_its_owner_alone(journal: SQLiteJournal, path: Path) -> None:
    """It holds what people wrote and their numbers; its repr holds neither."""
    _kept(journal)
    modes = {p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
    assert modes == {0o600}
    assert repr(journal) == f"SQLiteJournal({str(path)!r})"
    assert journal.path == path


@pytest.mark.parametrize(
    ("act", "level"),
    [
        (lambda journal: journal.write(RED, begun()), 2),
        (lambda journal: journal.store(HERE, [received()]), 2),
        (lambda journal: journal.write(RED, Closed()), 1),
    ],
    ids=["intent", "events", "others"],
)
def test_an_intent_and_events_are_on_the_disk_before_anything_else(
    journal: SQLiteJournal, act: Callable[[SQLiteJournal], object], level: int
) -> None:
    """They are committed with synchronous=FULL; what explains is with NORMAL."""
    _kept(journal)
    said: list[str] = []
    assert journal._connection is not None
    journal._connection.set_trace_callback(said.append)

    act(journal)

    (now,) = journal._connection.execute("PRAGMA synchronous").fetchone()
    assert said.count("COMMIT") == 1
    assert now == level


# Many at once


def test_two_journals_on_one_file_see_each_others_changes(
    journal: SQLiteJournal, path: Path
) -> None:
    """What one remembers of a send is not older than what the other wrote."""
    other = SQLiteJournal(path)
    _kept(journal, begun())
    other.write(RED, ended(accepted()))
    after = journal.write(RED, Closed())

    assert after.attempts[0].outcome == accepted()
    assert other.recall(HERE, "dinner") == after
    other.close()


def test_a_transaction_that_fails_leaves_no_trace(journal: SQLiteJournal) -> None:
    """A webhook is stored whole or not at all, and memory knows no better."""
    _kept(journal, begun(), ended(accepted()))
    before = journal.recall(HERE, "dinner")

    with pytest.raises(JournalError):
        journal.store(HERE, [update(), received(account="\ud800")])

    assert journal.recall(HERE, "dinner") == before
    assert journal.store(HERE, [update()])[0].fresh


def _run(code: str, *given: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, given)]
    return subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


RACE: Final = """
import sys
from multigroup.journal import SQLiteJournal
from tests.helpers.values import ME, received, record

path, me, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
journal = SQLiteJournal(path)
for n in range(rounds):
    won = journal.reserve(record(f"{me}-{n}", f"dinner-{n}")).ours
    journal.store("default", [received(f"in-{n}")])
    took = journal.claim("default", received(f"in-{n}").key, ME, 100, 160)
    print(int(won), int(took is True), flush=True)
journal.close()
"""


def test_processes_reserve_a_reference_once_and_claim_an_event_once(
    path: Path,
) -> None:
    """Of all that race for a new file, its references and its events one wins each."""
    rounds = 25
    racers = [_run(RACE, path, me, rounds) for me in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(len(racers)) as pool:
        told = list(pool.map(lambda racer: racer.communicate("go\n")[0], racers))

    wins = [[line.split() for line in one.splitlines()] for one in told]
    assert [len(one) for one in wins] == [rounds] * len(racers)
    for n in range(rounds):
        assert [one[n][0] for one in wins].count("1") == 1
        assert [one[n][1] for one in wins].count("1") == 1


KILLED: Final = """
import sys
import httpx
from multigroup import Client, Telnyx

path, reference = sys.argv[1:]

def carry(request):
    print("left", flush=True)
    sys.stdin.readline()

client = Client(
    lines=[Telnyx(api_key="KEY").line("+12125550100")],
    journal=f"sqlite:///{path}",
    http=httpx.Client(transport=httpx.MockTransport(carry)),
)
client.group("+14155550101", "+14155550102").send("Hi", reference=reference)
"""


def test_a_process_killed_while_the_request_is_out_leaves_an_unknown(
    path: Path,
) -> None:
    """No intent is lost, nobody is texted again, and the file is sound."""
    references = [f"dinner-{n}" for n in range(4)]
    for reference in references:
        with _run(KILLED, path, reference) as sender:
            assert sender.stdout is not None
            assert sender.stdout.readline() == "left\n"
            sender.kill()

    client = _client(path)
    for reference in references:
        told = client.receipt(reference)
        assert told is not None
        assert [a.outcome.word for a in told.attempts] == ["UNKNOWN"]
        with pytest.raises(UncertainError):
            client.group(*PEOPLE[:2]).send("Hi", reference=reference, deadline=0)
    client.close()


BUSY: Final = """
import sys
from itertools import count
from multigroup.journal import SQLiteJournal
from multigroup.records import Closed
from tests.helpers.values import accepted, begun, ended, leg, received, record

journal = SQLiteJournal(sys.argv[1])
for n in count():
    send = f"{sys.argv[2]}-{n}"
    journal.reserve(record(send, send))
    journal.write(send, begun(leg(f"{send}.0")))
    print("begun", send, flush=True)
    journal.write(send, ended(accepted(send), f"{send}.0"))
    journal.write(send, Closed())
    journal.store("default", [received(send)])
    print("stored", send, flush=True)
"""


def test_what_was_written_before_a_kill_is_there_after_it(path: Path) -> None:
    """Killed anywhere, a writer leaves every intent and event it was told of."""
    told: list[str] = []
    for life in range(4):
        with _run(BUSY, path, f"life{life}") as writer:
            assert writer.stdout is not None
            told += [writer.stdout.readline() for _ in range(30 + 7 * life)]
            writer.kill()
            told += [line for line in writer.stdout if line.endswith("\n")]

    journal = SQLiteJournal(path)
    for what, send in map(str.split, told):
        if what == "begun":
            held = journal.recall(HERE, send)
            assert held is not None
            assert held.attempts[0].outcome in {
                accepted(send),
                Unknown("no answer yet"),
            }
        else:
            assert journal.claim(HERE, received(send).key, ME, 1, 2) is True
    journal.close()


FORK: Final = """
import os, sys
from multigroup.journal import SQLiteJournal
from tests.helpers.values import record

journal = SQLiteJournal(sys.argv[1])
journal.reserve(record("parent", "before"))
child = os.fork()
me = "parent" if child else "child"
for n in range(20):
    journal.reserve(record(f"{me}-{n}", f"{me}-{n}"))
if child:
    assert os.waitpid(child, 0)[1] == 0
    assert all(journal.recall("default", f"{w}-{n}")
               for w in ("parent", "child") for n in range(20))
    print("sound")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_uses_the_journal_too(path: Path) -> None:
    """A server that loads the application and then forks its workers is safe."""
    assert _run(FORK, path).communicate()[0] == "sound\n"


# What is refused


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "not a file"),
        (lambda path: path.write_bytes(b"no database " * 99), "not an SQLite file"),
        (_foreign, "another program's"),
        (lambda path: path.symlink_to("/proc/self/sends.db"), "cannot be opened"),
    ],
    ids=["directory", "other file", "other database", "no place for it"],
)
def test_a_file_that_cannot_be_a_journal_is_refused(
    path: Path, make: Callable[[Path], object], told: str
) -> None:
    """The client is not made, and the error names the file and the way out."""
    make(path)
    with pytest.raises(ConfigError, match=told) as caught:
        SQLiteJournal(path)
    assert str(path) in str(caught.value) or "/proc" in str(caught.value)


@pytest.mark.parametrize(
    "given", ["", ":memory:", ".", "nowhere/sends.db", "a\0b"], ids=repr
)
def test_what_is_no_path_of_a_file_is_refused(given: str) -> None:
    """A misspelt setting is told when the client is made."""
    with pytest.raises(ConfigError, match="journal"):
        SQLiteJournal(given)


@pytest.mark.parametrize(
    "url", ["sqlite:", "sqlite://", "sqlite:///", "sqlite://h/a.db", "sqlite:///a?b=c"]
)
def test_a_url_without_a_plain_path_is_refused(url: str) -> None:
    """Neither host nor options are understood, so neither is passed over."""
    with pytest.raises(ConfigError, match=r"sqlite:///sends\.db|sends\.db"):
        open_journal(url)


def test_a_url_is_relative_or_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three slashes begin at the working directory, four at the root."""
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///near.db", f"sqlite:///{tmp_path}/far.db"):
        open_journal(url).close()
    assert {p.name for p in tmp_path.iterdir()} == {"near.db", "far.db"}


MOUNTS: Final = """\
/dev/vda / ext4 rw 0 0
host:/x /srv nfs4 rw 0 0
//host/y /srv/my\\040files cifs rw 0 0
tmpfs /srv/local tmpfs rw 0 0
tmpfs /deep tmpfs rw 0 0
me@host: /deep fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        ("/var/a.db", "ext4"),
        ("/srv/a.db", "nfs4"),
        ("/srv/my files/a.db", "cifs"),
        ("/srv/local/a.db", "tmpfs"),
        ("/srvother/a.db", "ext4"),
        ("/deep/a.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(where: str, kind: str) -> None:
    """Spaces are unescaped, a later mount hides an earlier one."""
    assert file_system(Path(where), MOUNTS) == kind


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        *((kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs")),
        *((kind, False) for kind in ("ext4", "xfs", "tmpfs", "overlay", "fuse", "")),
    ],
)
def test_a_network_file_system_is_known_by_its_type(
    kind: str, *, refused: bool
) -> None:
    """Locks that do not hold between machines would text people twice."""
    assert networked(kind) is refused


def test_a_full_disk_stops_a_send_before_it_begins(journal: SQLiteJournal) -> None:
    """The intent that has no room is an error; what was there stays readable."""
    _kept(journal)
    assert journal._connection is not None
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    heavy = Leg(
        f"{RED}.0", PEOPLE, Request("POST", "https://c.example", (), b"x" * 9999)
    )

    with pytest.raises(JournalError, match="no room left") as caught:
        journal.write(RED, begun(heavy))

    assert journal.recall(HERE, "dinner") == record()
    assert "Dinner" not in str(caught.value)
    journal._connection.execute(f"PRAGMA max_page_count = {pages + 99}")
    assert journal.write(RED, begun(heavy)).attempts


def test_a_file_held_by_another_program_is_told(journal: SQLiteJournal) -> None:
    """Who waited in vain may try again, and nothing is half written."""
    assert journal._connection is not None
    journal._connection.execute("PRAGMA busy_timeout = 0")
    with sqlite3.connect(journal.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="held by another process"):
            journal.reserve(record())
        other.execute("ROLLBACK")
    other.close()

    assert journal.recall(HERE, "dinner") is None
    assert journal.reserve(record()).ours


def test_a_damaged_row_is_an_error_and_no_guess(journal: SQLiteJournal) -> None:
    """A send that cannot be read is not taken for one that is not there."""
    _kept(journal, begun())
    journal.close()
    with sqlite3.connect(journal.path) as hand:
        hand.execute("UPDATE attempts SET state = 'MAYBE'")
    hand.close()
    with pytest.raises(JournalError, match="unreadable"):
        journal.reserve(record("second"))


def test_a_file_that_went_away_is_a_journal_error(
    journal: SQLiteJournal, path: Path
) -> None:
    """A directory in its place later on is told as the store's failure."""
    journal.close()
    path.unlink()
    path.mkdir()
    with pytest.raises(JournalError, match="cannot be opened"):
        journal.recall(HERE, "dinner")


@pytest.mark.parametrize("reference", ["\ud800", "a\0b", "é" * 5000])
def test_a_strange_reference_is_kept_or_refused(
    journal: SQLiteJournal, reference: str
) -> None:
    """Half a character cannot be stored and is told; everything else is a name."""
    try:
        assert journal.reserve(record(reference=reference)).ours
    except JournalError as error:
        assert "surrogate" in str(error)  # noqa: PT017 - either answer is right
        assert reference == "\ud800"
    else:
        assert journal.recall(HERE, reference) == record(reference=reference)


# The history of its tables


FIRST: Final = (
    """INSERT INTO sends VALUES
    (1, 'open', 'default', 'open', 'f', 'c1_g', '["+14155550101"]',
     '{"text":"Hi","subject":null,"media":[]}', '[]', 1000000, 0),
    (2, 'lost', 'default', 'lost', 'f', 'c1_g', '["+14155550101"]',
     '{"text":"Hi","subject":null,"media":[]}', '[]', 2000000, 1),
    (3, 'done', 'default', 'done', 'f', 'c1_g', '["+14155550101"]',
     '{"text":"Hi","subject":null,"media":[]}', '[]', 3000000, 1)""",
    """INSERT INTO attempts VALUES
    (2, 0, 'red', '+12125550100', 'lost.0', '["+14155550101"]', 2000000, 'UNKNOWN',
     '["ReadTimeout"]', 2000001, '', '["POST","https://c.example",[]]', x'00ff'),
    (3, 0, 'red', '+12125550100', 'done.0', '["+14155550101"]', 3000000, 'ACCEPTED',
     '["m-1",null]', 3000001, '', '["POST","https://c.example",[]]', x'00ff')""",
    """INSERT INTO lines VALUES
    ('default', 'c1_g', 'red', '+12125550100', 3000001)""",
)
"""What the first version of the tables holds of three sends."""


def _of_the_first_version(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    upgrade(connection, path, STEPS[:1])
    for statement in FIRST:
        connection.execute(statement)
    heard, told = received("new"), update(id="old")
    for event, settled in ((heard, 0), (told, 1)):
        connection.execute(
            "INSERT INTO events VALUES (NULL, 'default', ?,?,?,?, 5, ?, 0, ?)",
            (*event.key, settled, event_text(event)),
        )
    connection.close()


def test_a_file_of_the_first_version_is_upgraded_in_place(path: Path) -> None:
    """Its sends and events are found by what this version looks for."""
    _of_the_first_version(path)

    journal = SQLiteJournal(path)

    lost = journal.recall(HERE, "lost")
    assert lost is not None
    assert lost.legs["lost.0"].request.body == b"\x00\xff"
    assert (lost.lease, lost.round, lost.halted) == (
        Lease(),
        Round(members=(ANA,)),
        None,
    )
    assert [send.id for send in journal.orphans(HERE, 0)] == ["open"]
    assert journal.doubtful(HERE, lost.began_at) == ()
    assert journal.doubtful(HERE, datetime.fromtimestamp(0, UTC)) == (lost,)
    assert journal.waiting(HERE, 0, 9) == (received("new"),)
    assert journal.claim(HERE, update(id="old").key, ME, 1, 2) is None
    assert journal.last_line(HERE, ConversationId("c1_g")) is not None
    journal.close()
    with sqlite3.connect(path) as seen:
        where = seen.execute("SELECT conversation FROM events ORDER BY n").fetchall()
    seen.close()
    assert where == [(conversation_id(PEOPLE),), (None,)]


def test_a_later_release_adds_its_steps(journal: SQLiteJournal, path: Path) -> None:
    """It finds the sends of the earlier one, and a second time nothing is to do."""
    _kept(journal)
    journal.close()
    connection = connect(path)
    later = (*STEPS, ("ALTER TABLE sends ADD COLUMN later TEXT",), ("SELECT 1",))

    upgrade(connection, path, later)
    upgrade(connection, path, later)

    row = connection.execute("SELECT reference, later FROM sends").fetchone()
    assert row == ("dinner", None)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    connection.close()


def test_an_upgrade_that_fails_changes_nothing(
    journal: SQLiteJournal, path: Path
) -> None:
    """Half an upgrade would be a file that no release understands."""
    journal.close()
    connection = connect(path)
    broken = (*STEPS, ("ALTER TABLE sends ADD COLUMN later TEXT", "NONSENSE"))

    with pytest.raises(sqlite3.OperationalError):
        upgrade(connection, path, broken)

    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(sends)")}
    assert "later" not in columns
    connection.close()


@pytest.mark.parametrize("version", [(3, 7, 17), (3, 34, 1)])
def test_an_sqlite_that_is_too_old_is_told(version: tuple[int, ...]) -> None:
    """It could not answer an insert with the row it made."""
    supported((3, 35, 0))
    with pytest.raises(ConfigError, match=r"too old .* needs 3\.35"):
        supported(version)


def test_a_newer_file_is_left_alone(journal: SQLiteJournal, path: Path) -> None:
    """An old release does not write into tables that it does not know."""
    journal.close()
    with sqlite3.connect(path) as later:
        later.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    later.close()
    with pytest.raises(ConfigError, match="install the later multigroup"):
        SQLiteJournal(path)


def test_a_journal_bears_our_mark(journal: SQLiteJournal) -> None:
    """So it is never taken for another program's file, nor the other way round."""
    with sqlite3.connect(journal.path) as seen:
        (mark,) = seen.execute("PRAGMA application_id").fetchone()
    seen.close()
    assert mark == MARK


# Clients


def _client(path: Path, **more: Any) -> Client:
    carrier = httpx.MockTransport(lambda _: httpx.Response(200, content=ACCEPTED))
    return Client(
        lines=[Telnyx(api_key="KEY").line("+12125550100")],
        journal=f"sqlite:///{path}",
        http=httpx.Client(transport=carrier),
        **more,
    )


def test_a_client_gives_the_first_receipt_after_a_restart(path: Path) -> None:
    """The same reference and message text nobody again."""
    first = _client(path)
    told = first.group(*PEOPLE).send("Dinner at 7?", reference="dinner")
    first.close()

    second = _client(path)
    assert second.receipt("dinner") == told
    assert second.group(*PEOPLE).send("Dinner at 7?", reference="dinner") == told
    second.close()


def _awaiting(journal: MemoryJournal | SQLiteJournal | str, reply: Any) -> AsyncClient:
    return AsyncClient(
        lines=[Telnyx(api_key="KEY").line("+12125550100")],
        journal=journal,
        http=httpx.AsyncClient(transport=httpx.MockTransport(reply)),
    )


def test_an_async_client_keeps_its_sends_too(path: Path) -> None:
    """What the awaiting client wrote the next one reads."""

    async def once() -> object:
        async with _awaiting(
            f"sqlite:///{path}", lambda _: httpx.Response(200, content=ACCEPTED)
        ) as client:
            return await client.group(*PEOPLE).send("Hi", reference="dinner")

    assert asyncio.run(once()) == asyncio.run(once())


class Slow(SQLiteJournal):
    """Waits before the intent is written until it is told to go on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.began, self.go = threading.Event(), threading.Event()

    def reserve(self, record: Any, begun: Any = None) -> Any:
        """Wait, once."""
        if not self.began.is_set():
            self.began.set()
            assert self.go.wait(10)
        return super().reserve(record, begun)


async def _until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


def test_a_slow_disk_does_not_hold_the_event_loop(path: Path) -> None:
    """While one send waits for the journal others go on."""

    async def scenario() -> str:
        journal = Slow(path)
        async with _awaiting(
            journal, lambda _: httpx.Response(200, content=ACCEPTED)
        ) as client:
            sending = asyncio.create_task(client.group(*PEOPLE).send("Hi"))
            await _until(journal.began)
            assert not sending.done()
            journal.go.set()
            return (await sending).attempts[0].outcome.word

    assert asyncio.run(scenario()) == "ACCEPTED"


def test_a_send_cancelled_while_its_intent_is_written_did_not_leave(
    path: Path,
) -> None:
    """The intent is on the disk, then the legs are noted as never sent."""
    left: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        left.append(request)
        return httpx.Response(200, content=ACCEPTED)

    async def scenario() -> list[Outcome]:
        journal = Slow(path)
        async with _awaiting(journal, reply) as client:
            group = client.group(*PEOPLE)
            sending = asyncio.create_task(group.send("Hi", reference="dinner"))
            await _until(journal.began)
            sending.cancel()
            journal.go.set()
            with pytest.raises(asyncio.CancelledError):
                await sending
            told = await client.receipt("dinner")
            assert told is not None
            again = await group.send("Hi", reference="dinner")
            return [a.outcome for a in (*told.attempts, *again.attempts)]

    first, same, second = asyncio.run(scenario())
    assert isinstance(first, NotSent)
    assert (same, second) == (first, accepted("m-1"))
    assert len(left) == 1


def test_a_memory_journal_and_a_file_hold_the_same(journal: SQLiteJournal) -> None:
    """One story told to both stores gives one record."""
    memory = MemoryJournal()
    for each in (memory, journal):
        each.reserve(record())
        each.write(RED, begun())
        each.store(HERE, [update(), evolve(update(), id="x", message_id="other")])
        each.write(RED, ended(accepted()))
        each.store(HERE, [update(DeliveryStatus.SENT, id="y")])
        each.write(RED, Closed())
    journal._known.clear()
    assert journal.recall(HERE, "dinner") == memory.recall(HERE, "dinner")
