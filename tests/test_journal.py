"""The contract of every journal, and the bounds of the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from attrs import evolve

from multigroup.errors import ConfigError, JournalError
from multigroup.journal import Journal, MemoryJournal, SQLiteJournal, open_journal
from multigroup.models import (
    Accepted,
    DeliveryStatus,
    Message,
    NotSent,
    Outcome,
    Receipt,
    SendId,
    Unknown,
    conversation_id,
)
from multigroup.records import Closed, Reported, receipt
from tests.helpers.values import (
    ANA,
    BEN,
    LINE,
    OTHER_LINE,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    received,
    record,
    refused,
    update,
)

STORES: Final[Mapping[str, Callable[[Path], Journal]]] = {
    "memory": lambda _folder: MemoryJournal(),
    "sqlite": lambda folder: SQLiteJournal(folder / "journal.db"),
}
"""Every store has to keep the contract; another one joins by a line here."""

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
NO_ROUTE: Final = NotSent("no route")
LOST: Final = Unknown("no answer")


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give an empty journal of each kind."""
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def _sent(journal: Journal, outcome: Outcome, send: str = RED) -> None:
    """Carry a send of one leg out, up to its end."""
    reference = "dinner" if send == RED else send
    journal.reserve(record(send, reference))
    journal.write(SendId(send), begun(leg(f"{send}.0")))
    journal.write(SendId(send), ended(outcome, f"{send}.0"))
    journal.write(SendId(send), Closed())


def _receipt(journal: Journal, reference: str = "dinner") -> Receipt:
    held = journal.recall(HERE, reference)
    assert held is not None
    return receipt(held)


def _status(journal: Journal, reference: str = "dinner") -> DeliveryStatus | None:
    return _receipt(journal, reference).deliveries[ANA].status


def test_the_first_to_reserve_owns_the_send(journal: Journal) -> None:
    """A reference that nobody used is ours."""
    reserved = journal.reserve(record())
    assert reserved.ours
    assert reserved.record == record()
    assert journal.recall(HERE, "dinner") == record()


def test_a_reference_in_use_returns_its_holder(journal: Journal) -> None:
    """Whoever comes second is told of the first one's send."""
    journal.reserve(record("first"))
    reserved = journal.reserve(record("second"))
    assert not reserved.ours
    assert reserved.record.id == "first"
    assert journal.recall(HERE, "dinner") == record("first")


def test_a_send_of_which_nothing_left_is_taken_up_anew(journal: Journal) -> None:
    """The same message under the same reference is ours again, its history kept."""
    _sent(journal, NO_ROUTE)

    again = journal.reserve(record("second"))

    assert again.ours
    assert (again.record.id, again.record.closed) == (RED, False)
    assert [attempt.outcome for attempt in again.record.attempts] == [NO_ROUTE]
    assert not journal.reserve(record("third")).ours


@pytest.mark.parametrize(
    "outcome", [accepted(), LOST, refused()], ids=lambda outcome: outcome.word
)
def test_a_send_that_may_have_left_is_not_taken_up(
    journal: Journal, outcome: Outcome
) -> None:
    """A closed send that somebody took, refused or perhaps took stays as it is."""
    _sent(journal, outcome)
    again = journal.reserve(record("second"))
    assert not again.ours
    assert again.record.closed


def test_a_send_under_way_is_not_taken_up(journal: Journal) -> None:
    """Before it is closed a send belongs to whoever reserved it."""
    journal.reserve(record())
    journal.write(RED, begun())
    journal.write(RED, ended(NO_ROUTE))
    assert not journal.reserve(record("second")).ours


def test_another_message_does_not_take_a_send_up(journal: Journal) -> None:
    """Under a used reference other words are a conflict, even if nothing left."""
    _sent(journal, NO_ROUTE)

    other = journal.reserve(record("second", message=Message("Lunch at 12?")))

    assert not other.ours
    assert (other.record.id, other.record.closed) == (RED, True)
    assert other.record.fingerprint == record().fingerprint


def test_a_send_taken_up_anew_has_the_media_urls_of_this_time(
    journal: Journal,
) -> None:
    """A signed URL has run out by the retry, so the one given now is sent."""
    stale = Message("hi", ["https://media.example/a.jpg?sig=old"])
    fresh = Message("hi", ["https://media.example/a.jpg?sig=new"])
    journal.reserve(record(message=stale))
    journal.write(RED, Closed())

    again = journal.reserve(record("second", message=fresh))

    assert again.ours
    assert again.record.message == fresh


def test_namespaces_do_not_share_references(journal: Journal) -> None:
    """One reference in two namespaces is two sends."""
    here, there = record("first"), record("second", namespace="other")
    assert journal.reserve(here).ours
    assert journal.reserve(there).ours
    assert journal.recall(HERE, "dinner") == here
    assert journal.recall("other", "dinner") == there
    assert journal.recall("third", "dinner") is None


def test_an_unknown_reference_is_none(journal: Journal) -> None:
    """Asking for a send that never was is no error."""
    assert journal.recall(HERE, "never") is None
    assert journal.last_line(HERE, GROUP) is None


def test_a_write_returns_and_keeps_the_send_after_it(journal: Journal) -> None:
    """What `write` answers is what `recall` tells afterwards."""
    journal.reserve(record())
    after = journal.write(RED, begun())
    assert [attempt.outcome.word for attempt in after.attempts] == ["UNKNOWN"]
    assert journal.recall(HERE, "dinner") == after


def test_a_write_to_an_unknown_send_fails(journal: Journal) -> None:
    """An intent that cannot be kept stops the send before its first byte."""
    with pytest.raises(JournalError, match="never"):
        journal.write(SendId("never"), begun())


def test_eight_threads_that_reserve_one_reference_have_one_owner(
    journal: Journal,
) -> None:
    """Whoever loses the race is told of the winner's send."""
    barrier = Barrier(8)

    def reserve(number: int) -> tuple[str, bool]:
        barrier.wait(10)
        reserved = journal.reserve(record(f"send-{number}"))
        return reserved.record.id, reserved.ours

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(reserve, range(8)))

    assert [ours for _, ours in answers].count(True) == 1
    assert len({send for send, _ in answers}) == 1


def test_eight_threads_that_write_lose_nothing(journal: Journal) -> None:
    """Outcomes that land at the same time are all kept."""
    barrier = Barrier(8)
    legs = [leg(f"{RED}.{number}", (ANA,)) for number in range(8)]
    journal.reserve(record())
    journal.write(RED, begun(*legs))

    def land(number: int) -> None:
        barrier.wait(10)
        journal.write(RED, ended(accepted(f"m-{number}"), f"{RED}.{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(land, range(8)))

    outcomes = [attempt.outcome for attempt in _receipt(journal).attempts]
    assert outcomes == [Accepted(f"m-{number}") for number in range(8)]


def test_news_is_merged_into_its_send(journal: Journal) -> None:
    """Delivery news raises the member's status and bears the send's reference."""
    _sent(journal, accepted())

    (stored,) = journal.store(HERE, [update()])

    assert stored.fresh
    assert stored.event == update(reference="dinner")
    assert _status(journal) == DeliveryStatus.DELIVERED


def test_news_of_a_strange_message_is_kept_without_a_reference(
    journal: Journal,
) -> None:
    """News of what we did not send changes no send."""
    _sent(journal, accepted())
    (stored,) = journal.store(HERE, [update(message_id="m-9")])
    assert stored.event == update(message_id="m-9")
    assert _status(journal) == DeliveryStatus.ACCEPTED


def test_news_of_another_account_is_not_ours(journal: Journal) -> None:
    """Message ids are a carrier's own: another account's are other messages."""
    _sent(journal, accepted())
    (by_id,) = journal.store(HERE, [update(account="blue")])
    (by_token,) = journal.store(
        HERE, [update(account="blue", id="2", message_id=None, token=f"{RED}.0")]
    )
    assert _status(journal) == DeliveryStatus.ACCEPTED
    assert (by_id.event, by_token.event.key.id) == (update(account="blue"), "2")


def test_news_in_another_namespace_is_not_merged(journal: Journal) -> None:
    """What one namespace is told changes no send of another."""
    _sent(journal, accepted())
    (by_id,) = journal.store("other", [update()])
    (by_token,) = journal.store("other", [update(id="2", token=f"{RED}.0")])
    assert _status(journal) == DeliveryStatus.ACCEPTED
    assert by_id.event == update()
    assert by_token.event == update(id="2", token=f"{RED}.0")


@pytest.mark.parametrize("outcome", [accepted(), LOST], ids=lambda o: o.word)
def test_news_by_token_may_come_before_the_reply(
    journal: Journal, outcome: Outcome
) -> None:
    """The token names the leg, so such news needs no reply at all."""
    journal.reserve(record())
    journal.write(RED, begun())

    (stored,) = journal.store(HERE, [update(token=f"{RED}.0")])
    after = journal.write(RED, ended(outcome))

    assert stored.event == update(token=f"{RED}.0", reference="dinner")
    assert after.attempts[0].outcome == accepted()
    assert _status(journal) == DeliveryStatus.DELIVERED


def test_news_by_message_id_waits_for_the_reply(journal: Journal) -> None:
    """News that overtook the reply is merged once the reply names the message."""
    journal.reserve(record())
    journal.write(RED, begun())
    early = [update(DeliveryStatus.SENT), update(), update(member=BEN)]
    assert all(stored.fresh for stored in journal.store(HERE, early))
    assert _status(journal) is None

    after = journal.write(RED, ended(accepted()))

    assert _status(journal) == DeliveryStatus.DELIVERED
    assert receipt(after).deliveries[BEN].status == DeliveryStatus.DELIVERED


def test_early_news_is_found_by_its_further_names(journal: Journal) -> None:
    """The reply may give the one id and the webhook the other one first."""
    journal.reserve(record())
    journal.write(RED, begun())
    journal.store(HERE, [update(message_id="group-1", also_known_as=("m-1",))])

    journal.write(RED, ended(accepted("m-1")))

    assert _status(journal) == DeliveryStatus.DELIVERED


def test_late_news_is_found_by_its_further_names(journal: Journal) -> None:
    """After the reply any name of the message will do."""
    _sent(journal, accepted("m-1"))
    news = update(message_id="group-1", also_known_as=("m-1",))
    (stored,) = journal.store(HERE, [news])
    assert stored.event == evolve(news, reference="dinner")
    assert _status(journal) == DeliveryStatus.DELIVERED


def test_an_event_is_fresh_once(journal: Journal) -> None:
    """A webhook delivered again is known by its key, in one body or in two."""
    first = journal.store(HERE, [received("a"), received("b"), received("a")])
    again = journal.store(HERE, [received("b", when=9), received("c")])
    assert [stored.fresh for stored in first] == [True, True, False]
    assert [stored.fresh for stored in again] == [False, True]


def test_an_event_is_fresh_once_in_each_namespace(journal: Journal) -> None:
    """What one namespace has seen is news to another."""
    journal.store(HERE, [received()])
    (stored,) = journal.store("other", [received()])
    assert stored.fresh


def test_news_delivered_again_still_bears_its_reference(journal: Journal) -> None:
    """A handler that runs again is given the same event."""
    _sent(journal, accepted())
    journal.store(HERE, [update()])
    (again,) = journal.store(HERE, [update()])
    assert not again.fresh
    assert again.event == update(reference="dinner")


def test_an_event_is_claimed_by_one(journal: Journal) -> None:
    """While one has it nobody else does."""
    journal.store(HERE, [received()])
    key = received().key
    assert journal.claim(HERE, key, 100, 160) is True
    assert journal.claim(HERE, key, 101, 161) is False
    assert journal.claim(HERE, key, 159, 219) is False


def test_a_claim_runs_out(journal: Journal) -> None:
    """After the lease another may take what a dead worker held."""
    journal.store(HERE, [received()])
    key = received().key
    assert journal.claim(HERE, key, 100, 160) is True
    assert journal.claim(HERE, key, 160, 220) is True
    assert journal.claim(HERE, key, 219, 279) is False


def test_a_settled_event_is_claimed_no_more(journal: Journal) -> None:
    """What was handled is not handled again, however late it is delivered."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, 100, 160)
    journal.settle(HERE, key, done=True)
    assert journal.claim(HERE, key, 101, 161) is None
    assert journal.claim(HERE, key, 10_000, 10_060) is None


def test_an_event_whose_handler_failed_is_free_at_once(journal: Journal) -> None:
    """A claim given back does not have to run out."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, 100, 160)
    journal.settle(HERE, key, done=False)
    assert journal.claim(HERE, key, 101, 161) is True


def test_a_settled_event_stays_settled(journal: Journal) -> None:
    """A worker that lost its claim and fails late does not undo another's work."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, 100, 160)
    journal.claim(HERE, key, 160, 220)
    journal.settle(HERE, key, done=True)

    journal.settle(HERE, key, done=False)

    assert journal.claim(HERE, key, 161, 221) is None


def test_claims_of_one_event_do_not_touch_another(journal: Journal) -> None:
    """Keys and namespaces are claimed each by itself."""
    journal.store(HERE, [received("a"), received("b")])
    journal.store("other", [received("a")])
    journal.claim(HERE, received("a").key, 100, 160)
    journal.settle(HERE, received("a").key, done=True)
    assert journal.claim(HERE, received("b").key, 100, 160) is True
    assert journal.claim("other", received("a").key, 100, 160) is True


def test_an_event_that_was_never_stored_cannot_be_claimed(journal: Journal) -> None:
    """A claim on nothing is the store's failure, not a duplicate."""
    with pytest.raises(JournalError):
        journal.claim(HERE, received().key, 100, 160)


def test_eight_threads_that_claim_one_event_have_one_owner(journal: Journal) -> None:
    """A handler runs once, however many workers look."""
    journal.store(HERE, [received()])
    barrier = Barrier(8)

    def claim(_number: int) -> bool | None:
        barrier.wait(10)
        return journal.claim(HERE, received().key, 100, 160)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, range(8)))

    assert sorted(map(bool, answers)) == [False] * 7 + [True]


def test_the_last_line_is_that_of_the_last_send(journal: Journal) -> None:
    """A conversation is on the line that took the latest message."""
    _sent(journal, accepted())
    assert journal.last_line(HERE, GROUP) == (LINE, at(2))

    journal.reserve(record("second", "lunch"))
    journal.write(SendId("second"), begun(leg("second.0"), line=OTHER_LINE, when=3))
    journal.write(SendId("second"), ended(accepted("m-2"), "second.0", 4))

    assert journal.last_line(HERE, GROUP) == (OTHER_LINE, at(4))
    assert journal.last_line("other", GROUP) is None
    assert journal.last_line(HERE, conversation_id([ANA, BEN])) is None


@pytest.mark.parametrize(
    "outcome", [NO_ROUTE, refused(), LOST], ids=lambda outcome: outcome.word
)
def test_a_line_that_took_nothing_is_not_the_last(
    journal: Journal, outcome: Outcome
) -> None:
    """Only an accepted message makes a thread on a phone for sure."""
    _sent(journal, outcome)
    assert journal.last_line(HERE, GROUP) is None


def test_the_last_line_is_that_of_the_last_message_heard(journal: Journal) -> None:
    """A member who writes to another line of ours takes the conversation there."""
    _sent(journal, accepted())
    heard = received(account="blue", line=OTHER_LINE.number, when=5)

    journal.store(HERE, [heard])

    assert journal.last_line(HERE, GROUP) == (OTHER_LINE, at(5))
    assert journal.last_line("other", GROUP) is None


def test_a_message_to_nobody_in_particular_moves_no_line(journal: Journal) -> None:
    """Without a roster or a line there is no thread to follow."""
    journal.store(HERE, [received("a", conversation=None), received("b", line=None)])
    assert journal.last_line(HERE, GROUP) is None


def test_late_news_of_an_old_send_does_not_move_the_line(journal: Journal) -> None:
    """A receipt is no activity."""
    _sent(journal, accepted())
    heard = received(account="blue", line=OTHER_LINE.number, when=5)
    journal.store(HERE, [heard, update(received_at=at(9))])
    assert journal.last_line(HERE, GROUP) == (OTHER_LINE, at(5))


def test_a_message_delivered_again_does_not_move_the_line(journal: Journal) -> None:
    """A carrier that delivers a webhook twice has not heard from anybody again."""
    journal.store(HERE, [received(account="blue", line=OTHER_LINE.number, when=1)])
    _sent(journal, accepted())
    again = received(account="blue", line=OTHER_LINE.number, when=9)

    journal.store(HERE, [again])

    assert journal.last_line(HERE, GROUP) == (LINE, at(2))


def test_a_message_that_comes_late_does_not_move_the_line_back(
    journal: Journal,
) -> None:
    """Of two messages the later received one counts, in whatever order stored."""
    journal.store(HERE, [received("late", when=8)])
    older = received("early", account="blue", line=OTHER_LINE.number, when=6)
    journal.store(HERE, [older])
    assert journal.last_line(HERE, GROUP) == (LINE, at(8))


def test_the_oldest_closed_send_makes_room() -> None:
    """A full journal forgets what ended first, never what is under way."""
    journal = MemoryJournal(max_sends=2)
    journal.reserve(record("open", "open"))
    _sent(journal, accepted("m-1"), "closed")

    assert journal.reserve(record("third", "third")).ours

    assert journal.recall(HERE, "closed") is None
    assert journal.recall(HERE, "open") is not None
    assert journal.recall(HERE, "third") is not None


def test_a_journal_full_of_open_sends_refuses_another() -> None:
    """It is full before a byte leaves, and the send that is there stays."""
    journal = MemoryJournal(max_sends=1)
    journal.reserve(record())

    with pytest.raises(JournalError, match="full"):
        journal.reserve(record("second", "lunch"))

    assert journal.recall(HERE, "lunch") is None
    assert not journal.reserve(record("second")).ours


def test_a_full_journal_still_takes_a_send_up_anew() -> None:
    """A reference that is there already needs no room."""
    journal = MemoryJournal(max_sends=1)
    _sent(journal, NO_ROUTE)
    assert journal.reserve(record("second")).record.id == RED


def test_news_of_a_forgotten_send_is_an_event_like_any_other() -> None:
    """A carrier that reports late is answered, under every name it used."""
    journal = MemoryJournal(max_sends=1)
    journal.reserve(record())
    journal.write(RED, begun())
    journal.store(HERE, [update(message_id="m-0", token=f"{RED}.0")])
    journal.write(RED, ended(accepted("m-1")))
    journal.write(RED, Closed())
    journal.reserve(record("second", "lunch"))

    late = [update(id=name, message_id=name) for name in ("m-0", "m-1")]

    assert [stored.event for stored in journal.store(HERE, late)] == late


def test_the_oldest_settled_event_makes_room() -> None:
    """A full journal forgets what was handled first, never what waits."""
    journal = MemoryJournal(max_events=2)
    journal.store(HERE, [received("waits"), received("done")])
    journal.claim(HERE, received("done").key, 100, 160)
    journal.settle(HERE, received("done").key, done=True)

    journal.store(HERE, [received("new")])

    assert journal.claim(HERE, received("waits").key, 100, 160) is True
    assert journal.claim(HERE, received("new").key, 100, 160) is True
    with pytest.raises(JournalError):
        journal.claim(HERE, received("done").key, 100, 160)


def test_a_journal_full_of_waiting_events_refuses_another() -> None:
    """The carrier is asked to deliver later rather than an event be lost."""
    journal = MemoryJournal(max_events=1)
    journal.store(HERE, [received("waits")])
    with pytest.raises(JournalError, match="full"):
        journal.store(HERE, [received("new")])
    assert [stored.fresh for stored in journal.store(HERE, [received("waits")])] == [
        False
    ]


def test_a_webhook_is_stored_whole_or_not_at_all() -> None:
    """When the second event has no room the first is not kept either."""
    journal = MemoryJournal(max_events=1)
    with pytest.raises(JournalError, match="full"):
        journal.store(HERE, [received("one"), received("two")])
    (stored,) = journal.store(HERE, [received("one")])
    assert stored.fresh


def test_a_closed_memory_journal_keeps_everything() -> None:
    """Another client may be using it."""
    journal = MemoryJournal()
    _sent(journal, accepted())
    journal.close()
    assert journal.recall(HERE, "dinner") is not None


def test_a_journal_in_memory_shows_none_of_what_it_holds() -> None:
    """Its repr is its bounds."""
    journal = MemoryJournal(max_sends=5, max_events=6)
    _sent(journal, accepted())
    assert repr(journal) == "MemoryJournal(max_sends=5, max_events=6)"


def test_a_journal_is_opened_by_its_url() -> None:
    """`memory:` is a new journal, and one that is there already is used."""
    mine = MemoryJournal()
    assert open_journal(mine) is mine
    assert isinstance(open_journal("memory:"), MemoryJournal)
    assert open_journal("memory:") is not open_journal("memory:")


@pytest.mark.parametrize("url", ["redis://user:s3cret@host/0", "", "memory"])
def test_an_unknown_url_is_a_config_error(url: str) -> None:
    """The error names what can be used and shows no credentials."""
    with pytest.raises(ConfigError, match="memory:") as caught:
        open_journal(url)
    assert "s3cret" not in str(caught.value)


def test_a_proof_by_webhook_makes_the_line_the_last() -> None:
    """A lost send that a webhook proved is activity too."""
    journal = MemoryJournal()
    journal.reserve(record())
    journal.write(RED, begun())
    journal.write(RED, Reported(update(token=f"{RED}.0")))
    assert journal.last_line(HERE, GROUP) == (LINE, at(1))
