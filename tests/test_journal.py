"""The contract of every journal, and the bounds of the one in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup.consent import Block, at_group
from multigroup.errors import ConfigError, JournalError, TakenOverError
from multigroup.events import (
    DeliveryUpdated,
    LateAcceptance,
    OptedIn,
    OptedOut,
    SendFailed,
)
from multigroup.journal import Journal, MemoryJournal, open_journal
from multigroup.journal.owners import me
from multigroup.journal.rules import TRIES
from multigroup.models import (
    Accepted,
    DeliveryStatus,
    Leg,
    Media,
    Message,
    NotSent,
    Number,
    Outcome,
    Reason,
    Receipt,
    Refused,
    Scope,
    SendId,
    Unknown,
    conversation_id,
)
from multigroup.records import (
    IN_FLIGHT,
    Begun,
    Change,
    Closed,
    Foiled,
    Inquired,
    Kept,
    Lease,
    Moved,
    Reopened,
    Reported,
    Round,
    SendRecord,
    Taken,
    Wording,
    failure,
    receipt,
)
from multigroup.wire import Request
from tests.helpers.stores import STORES, Store
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    LINE,
    ME,
    OTHER_LINE,
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
    told,
    update,
)

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
NO_ROUTE: Final = NotSent("no route")
LOST: Final = Unknown("no answer")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Give a store of each kind, with nothing in it."""
    made = STORES[request.param](tmp_path)
    yield made
    made.drop()


@pytest.fixture
def journal(store: Store) -> Journal:
    """Give an empty journal of each kind."""
    return store.open()


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


def test_of_early_news_that_says_the_same_the_first_is_kept(journal: Journal) -> None:
    """It is merged in the order it came in, as it would have been after the reply."""
    journal.reserve(record(), begun())
    for key in ("z", "a"):
        journal.store(HERE, [update(id=key, detail=key)])
    after = journal.write(RED, ended(accepted()))
    assert receipt(after).deliveries[ANA].detail == "z"


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
    assert journal.claim(HERE, key, ME, 100, 160) is True
    assert journal.claim(HERE, key, ME, 101, 161) is False
    assert journal.claim(HERE, key, ME, 159, 219) is False


def test_a_claim_runs_out(journal: Journal) -> None:
    """After the lease another may take what a dead worker held."""
    journal.store(HERE, [received()])
    key = received().key
    assert journal.claim(HERE, key, ME, 100, 160) is True
    assert journal.claim(HERE, key, ME, 160, 220) is True
    assert journal.claim(HERE, key, ME, 219, 279) is False


def test_a_settled_event_is_claimed_no_more(journal: Journal) -> None:
    """What was handled is not handled again, however late it is delivered."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, ME, 100, 160)
    journal.settle(HERE, key, done=True)
    assert journal.claim(HERE, key, ME, 101, 161) is None
    assert journal.claim(HERE, key, ME, 10_000, 10_060) is None


def test_an_event_whose_handler_failed_is_free_at_once(journal: Journal) -> None:
    """A claim given back does not have to run out."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, ME, 100, 160)
    journal.settle(HERE, key, done=False)
    assert journal.claim(HERE, key, ME, 101, 161) is True


def test_a_settled_event_stays_settled(journal: Journal) -> None:
    """A worker that lost its claim and fails late does not undo another's work."""
    journal.store(HERE, [received()])
    key = received().key
    journal.claim(HERE, key, ME, 100, 160)
    journal.claim(HERE, key, ME, 160, 220)
    journal.settle(HERE, key, done=True)

    journal.settle(HERE, key, done=False)

    assert journal.claim(HERE, key, ME, 161, 221) is None


def test_claims_of_one_event_do_not_touch_another(journal: Journal) -> None:
    """Keys and namespaces are claimed each by itself."""
    journal.store(HERE, [received("a"), received("b")])
    journal.store("other", [received("a")])
    journal.claim(HERE, received("a").key, ME, 100, 160)
    journal.settle(HERE, received("a").key, done=True)
    assert journal.claim(HERE, received("b").key, ME, 100, 160) is True
    assert journal.claim("other", received("a").key, ME, 100, 160) is True


def test_an_event_that_was_never_stored_cannot_be_claimed(journal: Journal) -> None:
    """A claim on nothing is the store's failure, not a duplicate."""
    with pytest.raises(JournalError):
        journal.claim(HERE, received().key, ME, 100, 160)


def test_eight_threads_that_claim_one_event_have_one_owner(journal: Journal) -> None:
    """A handler runs once, however many workers look."""
    journal.store(HERE, [received()])
    barrier = Barrier(8)

    def claim(_number: int) -> bool | None:
        barrier.wait(10)
        return journal.claim(HERE, received().key, ME, 100, 160)

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


def _with(lease: Lease, send: str = RED, **more: Any) -> SendRecord:
    """Return a send that somebody carries out."""
    return record(send, "dinner" if send == RED else send, lease=lease, **more)


def _dead() -> str:
    """Return the name of a process of this machine that has ended."""
    tell = "from multigroup.journal.owners import me; print(me())"
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", tell], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


# A send and what it remembers


WHOLE: Final = record(
    message=Message(
        "día 👋 \ud83d\0", (Media("https://m.example/a", "image/png", 9, "f"),), "hé"
    ),
    notes=("a note", "another"),
    began_at=at(0.000001),
    lease=Lease(ME, 100.25, 3),
    round=Round(
        members=(BEN,),
        line=LINE,
        via=OTHER_LINE,
        left=OTHER_LINE,
        start=2,
        first=4,
        waits=3,
    ),
    halted=NotSent("budget", 1.5),
    inquiries=7,
    asked_at=at(9.000009),
)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"round": Round(members=())},
        {"round": Round(members=PEOPLE), "halted": NotSent("no line")},
        {"lease": Lease(), "inquiries": 0, "asked_at": None, "halted": None},
        {"closed": True},
        {"attempts": told(begun(), ended(LOST)).attempts, "legs": told(begun()).legs},
    ],
    ids=["all", "nobody", "everybody", "bare", "closed", "begun"],
)
def test_a_new_send_is_the_same_when_the_store_is_opened_again(
    store: Store, more: dict[str, Any]
) -> None:
    """Every field of it comes back."""
    written = evolve(WHOLE, **more)
    store.open().reserve(written)
    assert store.reopen().recall(HERE, "dinner") == written


def test_a_send_that_begins_at_once_is_kept_with_its_legs(store: Store) -> None:
    """One commit holds the send and its intent."""
    reserved = store.open().reserve(record(), begun())
    assert reserved.record == told(begun())
    assert store.reopen().recall(HERE, "dinner") == told(begun())


STORY: Final[tuple[Change, ...]] = (
    Foiled(LINE, f"{RED}.0", NotSent("no rail", 2.5), at(0.5)),
    Moved((f"{RED}.0",), "went on", OTHER_LINE),
    Begun(
        OTHER_LINE,
        (
            Leg(
                f"{RED}.1", PEOPLE[:2], Request("POST", "https://c.example", {}, b"\0")
            ),
            leg(f"{RED}.2", PEOPLE[2:]),
        ),
        at(1),
    ),
    Kept(500.5),
    ended(Accepted("m-1", money("0.0800")), f"{RED}.1"),
    ended(Refused("40", Reason.SPAM, Scope.LINE, "no \ud800", (CLEO,)), f"{RED}.2"),
    Reported(update(account=OTHER_LINE.account, cost=money("0.0040", "EUR"))),
    Inquired(at(7)),
    Closed(NotSent("opted out")),
    Taken("another", 700.0, at(8)),
    Reopened(members=(BEN,), line=LINE, via=LINE, owner=ME, until=900.0),
    Moved((), "waited", LINE),
    begun(leg(f"{RED}.3", (BEN,)), when=10),
    ended(LOST, f"{RED}.3", 11),
    Closed(),
    Closed(NotSent("no time left")),
    Reopened(
        members=(ANA, CLEO),
        line=OTHER_LINE,
        left=LINE,
        anew=Wording(Message("Lunch?"), (ANA, CLEO), ("Ben opted out",)),
    ),
)


@pytest.mark.parametrize("length", range(1, len(STORY) + 1))
def test_a_send_is_the_same_after_each_change_when_opened_again(
    store: Store, length: int
) -> None:
    """Whatever happened to it is in the store, and not in a memory beside it."""
    journal = store.open()
    journal.reserve(record())
    after = [journal.write(RED, change) for change in STORY[:length]][-1]
    assert after == told(*STORY[:length])
    assert store.reopen().recall(HERE, "dinner") == after


def test_another_process_sees_and_changes_the_same_send(store: Store) -> None:
    """What one of them knows of a send is not older than what the other wrote."""
    one, other = store.open(), store.open()
    one.reserve(record(), begun())
    other.write(RED, ended(accepted()))
    one.write(RED, Inquired(at(5)))
    after = other.write(RED, Closed())
    assert (after.attempts[0].outcome, after.inquiries) == (accepted(), 1)
    assert one.recall(HERE, "dinner") == after


# Whose send it is


ELSEWHERE: Final = "elsewhere/00000000/1/1"


def test_a_send_is_taken_over_when_its_lease_ran_out(journal: Journal) -> None:
    """Not a moment before; the new owner's fence is higher."""
    journal.reserve(_with(Lease(ELSEWHERE, 100.0)), begun())
    assert journal.take_over(RED, ME, 99.9, 160.0) is None

    taken = journal.take_over(RED, ME, 100.0, 160.0)

    assert taken is not None
    assert taken.lease == Lease(ME, 160.0, 1)
    assert journal.recall(HERE, "dinner") == taken
    assert journal.take_over(RED, ELSEWHERE, 101.0, 161.0) is None


def test_a_send_of_a_dead_process_is_taken_over_at_once(journal: Journal) -> None:
    """Of this machine we know who still lives; an own lease stands."""
    journal.reserve(_with(Lease(_dead(), 100.0)))
    taken = journal.take_over(RED, me(), 1.0, 61.0)
    assert taken is not None
    assert taken.lease == Lease(me(), 61.0, 1)
    assert journal.take_over(RED, ME, 2.0, 62.0) is None


def test_what_was_in_flight_at_a_take_over_is_uncertain(store: Store) -> None:
    """Nobody hears the answer any more; legs that ended keep their outcome."""
    journal = store.open()
    legs = leg(f"{RED}.0", PEOPLE[:1]), leg(f"{RED}.1", PEOPLE[1:])
    journal.reserve(_with(Lease(ELSEWHERE, 100.0)), begun(*legs))
    journal.write(RED, ended(accepted()))
    taken = journal.take_over(RED, ME, 100.0, 160.0)

    assert taken is not None
    done, lost = taken.attempts
    assert done.outcome == accepted()
    assert (lost.outcome.word, lost.ended_at) == (
        "UNKNOWN",
        datetime.fromtimestamp(100, UTC),
    )
    assert lost.outcome != IN_FLIGHT
    assert store.reopen().recall(HERE, "dinner") == taken


def test_a_send_that_ended_is_not_taken_over(journal: Journal) -> None:
    """There is nothing to go on with; nor with one that never was."""
    journal.reserve(_with(Lease("", 0.0), closed=True))
    assert journal.take_over(RED, ME, 100.0, 160.0) is None
    assert journal.take_over(SendId("never"), ME, 100.0, 160.0) is None


def test_eight_threads_that_take_a_send_over_have_one_owner(journal: Journal) -> None:
    """Nobody else goes on with it."""
    journal.reserve(_with(Lease(ELSEWHERE, 100.0)))
    barrier = Barrier(8)

    def take(number: int) -> bool:
        barrier.wait(10)
        owner = f"elsewhere/00000000/{number}/1"
        return journal.take_over(RED, owner, 100.0, 160.0) is not None

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(take, range(8))).count(True) == 1


ACTS: Final[tuple[Change, ...]] = (
    begun(leg(f"{RED}.1")),
    Foiled(LINE, f"{RED}.1", NO_ROUTE, at(3)),
    Moved((f"{RED}.0",), "went on"),
    Inquired(at(3)),
    Closed(),
    Kept(500.0),
    Taken("another", 500.0, at(3)),
    Reopened(members=PEOPLE, line=None),
)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
def test_an_owner_who_was_replaced_does_nothing_more(
    journal: Journal, act: Change
) -> None:
    """A process that was held for dead and is not must not send beside the new one."""
    journal.reserve(_with(Lease(ELSEWHERE, 100.0)), begun())
    taken = journal.take_over(RED, ME, 100.0, 160.0)

    with pytest.raises(TakenOverError, match=RED):
        journal.write(RED, act, fence=0)

    assert journal.recall(HERE, "dinner") == taken
    journal.write(RED, act, fence=1)


@pytest.mark.parametrize(
    "fact",
    [ended(accepted()), Reported(update(token=f"{RED}.0"))],
    ids=lambda fact: type(fact).__name__,
)
def test_news_of_the_world_is_kept_whoever_brings_it(
    journal: Journal, fact: Change
) -> None:
    """An answer that the old owner hears after all is true all the same."""
    journal.reserve(_with(Lease(ELSEWHERE, 100.0)), begun())
    journal.take_over(RED, ME, 100.0, 160.0)
    assert journal.write(RED, fact, fence=0).attempts[0].outcome == accepted()


def test_orphans_are_open_sends_that_nobody_carries_out(journal: Journal) -> None:
    """The oldest comes first; what is at work, over or another's is left out."""
    for lease, send in (
        (Lease(ELSEWHERE, 100.0), "ran out"),
        (Lease(ELSEWHERE, 100.5), "at work"),
        (Lease(_dead(), 900.0), "dead"),
        (Lease(me(), 900.0), "mine"),
        (Lease(), "nobody's"),
    ):
        journal.reserve(_with(lease, send))
    journal.reserve(_with(Lease(), "over", closed=True))
    journal.reserve(_with(Lease(), "theirs", namespace="other"))

    found = journal.orphans(HERE, 100.0)

    assert [orphan.id for orphan in found] == ["ran out", "dead", "nobody's"]
    assert found[0] == journal.recall(HERE, "ran out")
    assert [orphan.id for orphan in journal.orphans("other", 0)] == ["theirs"]


def test_an_orphan_that_was_taken_over_or_ended_is_none(journal: Journal) -> None:
    """Who looks next finds nothing to do."""
    for send in ("taken", "ended"):
        journal.reserve(_with(Lease(), send))
    journal.take_over(SendId("taken"), ME, 100.0, 160.0)
    journal.write(SendId("ended"), Closed())
    assert journal.orphans(HERE, 159.0) == ()
    assert [orphan.id for orphan in journal.orphans(HERE, 160.0)] == ["taken"]


def test_doubtful_sends_are_over_and_of_a_leg_nobody_knows(store: Store) -> None:
    """Those begun after the time given, the oldest first."""
    journal = store.open()
    outcomes: list[tuple[str, Outcome]] = [
        ("lost", LOST),
        ("fine", accepted()),
        ("unsent", NO_ROUTE),
        ("late", LOST),
    ]
    for place, (send, outcome) in enumerate(outcomes):
        journal.reserve(_with(Lease(), send, began_at=at(place)))
        journal.write(SendId(send), begun(leg(f"{send}.0")))
        journal.write(SendId(send), ended(outcome, f"{send}.0"))
        journal.write(SendId(send), Closed())
    journal.reserve(_with(Lease(), "open", began_at=at(9)), begun(leg("open.0")))
    journal = store.reopen()

    assert [send.id for send in journal.doubtful(HERE, at(-1))] == ["lost", "late"]
    assert [send.id for send in journal.doubtful(HERE, at(0))] == ["late"]
    assert journal.doubtful(HERE, at(3)) == ()
    assert journal.doubtful("other", at(-1)) == ()
    assert journal.doubtful(HERE, at(0))[0] == journal.recall(HERE, "late")


def test_a_proven_send_is_doubtful_no_more(journal: Journal) -> None:
    """A webhook with our token shows that the carrier took it."""
    _sent(journal, LOST)
    assert [send.id for send in journal.doubtful(HERE, at(-1))] == [RED]
    journal.store(HERE, [update(token=f"{RED}.0")])
    assert journal.doubtful(HERE, at(-1)) == ()


def test_a_doubtful_send_that_is_reopened_is_under_way(journal: Journal) -> None:
    """Nobody asks the carrier about it until it is over again."""
    _sent(journal, LOST)
    journal.write(RED, Reopened(members=PEOPLE, line=None))
    assert journal.doubtful(HERE, at(-1)) == ()
    assert [send.id for send in journal.orphans(HERE, 0)] == [RED]


# Turns


def test_turns_of_a_line_come_one_after_the_other(store: Store) -> None:
    """Each waits for all copies before it; where the store's clock counts, nearly."""
    journal = store.open()
    waits = [journal.turn(LINE, copies, 0.001, 5000.0) for copies in (1, 3, 1)]
    near = 60 if store.clock_of_its_own else 1e-6
    assert waits == [0, pytest.approx(1000, abs=near), pytest.approx(4000, abs=near)]


def test_a_line_that_was_idle_has_saved_nothing_up(store: Store) -> None:
    """A pause is no right to send faster afterwards."""
    journal = store.open()
    assert journal.turn(LINE, 1, 1000.0, 5000.0) == 0
    assert journal.turn(OTHER_LINE, 1, 0.001, 5000.0) == 0
    assert journal.turn(OTHER_LINE, 1, 0.001, 5000.0) > 900
    if not store.clock_of_its_own:
        assert journal.turn(LINE, 1, 0.5, 5009.0) == 0
        assert journal.turn(LINE, 1, 0.5, 5009.0) == 2.0


def test_turns_are_the_same_for_all_processes(store: Store) -> None:
    """The line is one, whoever sends on it."""
    store.open().turn(LINE, 1, 0.001, 5000.0)
    assert store.open().turn(LINE, 1, 0.001, 5000.0) > 900
    assert store.reopen().turn(LINE, 1, 0.001, 5000.0) > 1900


def test_eight_threads_that_want_a_turn_get_one_each(journal: Journal) -> None:
    """No two are told the same time."""
    barrier = Barrier(8)

    def take(_number: int) -> float:
        barrier.wait(10)
        return journal.turn(LINE, 1, 0.001, 5000.0)

    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(take, range(8)))

    assert waits == [pytest.approx(1000 * place, abs=60) for place in range(8)]


# Consent


def _blocked(journal: Journal, *subjects: str) -> list[str]:
    asked = subjects or PEOPLE
    return [block.subject for block in journal.blocked(HERE, asked)]


STOP: Final = received("stop", text=" Stop. ", when=10)
START: Final = received("start", text="START", when=20)


def test_who_writes_stop_is_blocked_until_they_write_start(journal: Journal) -> None:
    """On every line of the namespace, and in no other one."""
    journal.store(HERE, [STOP])
    assert journal.blocked(HERE, [BEN, ANA]) == (Block(ANA, at(10), "wrote STOP"),)
    assert journal.blocked(HERE, []) == ()
    assert journal.blocked("other", [ANA]) == ()

    journal.store(HERE, [START])
    assert journal.blocked(HERE, [BEN, ANA]) == ()


def test_consent_follows_what_was_said_last_not_what_came_last(
    store: Store,
) -> None:
    """A STOP delivered late does not undo the START after it, nor the other way."""
    journal = store.open()
    journal.store(HERE, [START])
    journal.store(HERE, [STOP])
    assert _blocked(store.reopen()) == []

    later = received("again", text="stop", when=30)
    store.open().store(HERE, [later, received("old", text="start", when=25)])
    assert _blocked(store.reopen()) == [ANA]


def test_a_stop_that_was_heard_before_says_nothing_new(journal: Journal) -> None:
    """A webhook delivered again after the START changes nothing."""
    journal.store(HERE, [STOP])
    journal.store(HERE, [START])
    journal.store(HERE, [evolve(STOP, occurred_at=at(30))])
    assert _blocked(journal) == []


def _opted(kind: type[OptedOut | OptedIn], when: float, account: str = "red") -> Any:
    return kind(
        id=f"{kind.__name__}-{when}",
        provider="red",
        account=account,
        occurred_at=at(when),
        received_at=at(when),
        raw=b"{}",
        member=BEN,
        line=LINE.number,
    )


def test_what_the_carrier_tells_of_consent_counts_too(journal: Journal) -> None:
    """Its own opt-outs and opt-ins, and a copy that failed for one."""
    journal.store(HERE, [_opted(OptedOut, 10)])
    (block,) = journal.blocked(HERE, PEOPLE)
    assert block == Block(BEN, at(10), "told by red")
    journal.store(HERE, [_opted(OptedIn, 20)])
    assert _blocked(journal) == []

    news = update(DeliveryStatus.FAILED, CLEO, reason=Reason.OPTED_OUT)
    journal.store(HERE, [news])
    assert _blocked(journal) == [CLEO]


OPTED_OUT: Final = refused(Scope.MEMBER, Reason.OPTED_OUT)


def test_a_refusal_blocks_whom_it_names(journal: Journal) -> None:
    """The members the carrier named, or the only one that the leg was to."""
    journal.reserve(record())
    journal.write(RED, begun(leg(f"{RED}.0", (ANA, BEN)), leg(f"{RED}.1", (CLEO,))))
    journal.write(RED, ended(evolve(OPTED_OUT, named=(BEN,)), f"{RED}.0"))
    assert _blocked(journal) == [BEN]
    journal.write(RED, ended(OPTED_OUT, f"{RED}.1"))
    assert _blocked(journal) == [BEN, CLEO]


def test_a_refusal_that_names_nobody_blocks_the_group_on_its_line(
    store: Store,
) -> None:
    """Nobody is blocked by a guess; elsewhere the group may be texted."""
    journal = store.open()
    _sent(journal, OPTED_OUT)

    here, there = at_group(LINE, GROUP), at_group(OTHER_LINE, GROUP)
    others = at_group(LINE, conversation_id([ANA, BEN]))
    (block,) = store.reopen().blocked(HERE, [*PEOPLE, there, others, here])

    assert block == Block(here, at(2), "refused by red (40305)")


@pytest.mark.parametrize(
    ("said", "lifted"),
    [
        ({"when": 9}, True),
        ({"when": 1}, False),
        ({"when": 9, "account": "blue", "line": OTHER_LINE.number}, False),
        ({"when": 9, "line": Number(f"{LINE.number[:-1]}1")}, False),
        ({"when": 9, "line": None}, False),
        ({"when": 9, "text": "Yes"}, False),
    ],
    ids=["start", "earlier", "another line", "a like line", "no line", "no keyword"],
)
def test_a_start_lifts_what_was_held_against_groups_on_its_line(
    journal: Journal, said: dict[str, Any], *, lifted: bool
) -> None:
    """Whoever it was that stopped, the group may be tried again there."""
    _sent(journal, OPTED_OUT)
    group = at_group(LINE, GROUP)
    journal.store(HERE, [received(**{"key": "start", "text": "start", **said})])
    assert _blocked(journal, group) == ([] if lifted else [group])
    assert journal.blocked("other", [group]) == ()


def test_a_start_lifts_no_groups_of_another_namespace(journal: Journal) -> None:
    """Each namespace is told by its own members."""
    _sent(journal, OPTED_OUT)
    journal.store("other", [received(text="start", when=9)])
    assert _blocked(journal, at_group(LINE, GROUP)) == [at_group(LINE, GROUP)]


# Events and who handles them


def test_an_event_is_parked_when_its_handlers_failed_ten_times(
    store: Store,
) -> None:
    """Nobody gets it any more, in this process or the next."""
    journal = store.open()
    journal.store(HERE, [received()])
    key = received().key
    for _ in range(TRIES):
        assert journal.claim(HERE, key, ME, 100, 160) is True
        journal.settle(HERE, key, done=False)

    journal = store.reopen()
    assert journal.claim(HERE, key, ME, 1000, 1060) is None
    assert journal.waiting(HERE, 1000, 9) == ()
    assert not journal.store(HERE, [received()])[0].fresh


def test_an_event_that_succeeds_at_the_last_try_is_settled(journal: Journal) -> None:
    """Nine failures are no end."""
    journal.store(HERE, [received()])
    key = received().key
    for _ in range(TRIES - 1):
        journal.settle(HERE, key, done=False)
    assert journal.claim(HERE, key, ME, 100, 160) is True
    journal.settle(HERE, key, done=True)
    assert journal.claim(HERE, key, ME, 100, 160) is None


def test_a_claim_does_not_forget_the_tries(journal: Journal) -> None:
    """A worker that died in between does not begin the count anew."""
    journal.store(HERE, [received()])
    key = received().key
    for turn in range(TRIES):
        journal.claim(HERE, key, ME, 100 * turn, 100 * turn + 60)
        journal.claim(HERE, key, ME, 100 * turn + 60, 100 * turn + 90)
        journal.settle(HERE, key, done=False)
    assert journal.claim(HERE, key, ME, 9000, 9060) is None


def test_what_a_dead_process_had_claimed_is_free_at_once(journal: Journal) -> None:
    """Its lease need not run out."""
    journal.store(HERE, [received()])
    key = received().key
    assert journal.claim(HERE, key, _dead(), 100, 160) is True
    assert journal.waiting(HERE, 101, 9) == (received(),)
    assert journal.claim(HERE, key, ME, 101, 161) is True
    assert journal.waiting(HERE, 102, 9) == ()


def test_events_wait_until_somebody_handles_them(store: Store) -> None:
    """The oldest come first, so many as are asked for; what is taken or over do not."""
    journal = store.open()
    names = ["taken", "a", "done", "b", "parked", "c"]
    journal.store(
        HERE, [received(name, when=place) for place, name in enumerate(names)]
    )
    journal.store("other", [received("theirs")])
    journal.claim(HERE, received("taken").key, ME, 100, 160)
    journal.settle(HERE, received("done").key, done=True)
    for _ in range(TRIES):
        journal.settle(HERE, received("parked").key, done=False)
    journal = store.reopen()

    def waiting(now: float, limit: int) -> list[str]:
        return [event.id for event in journal.waiting(HERE, now, limit)]

    assert waiting(159, 9) == ["a", "b", "c"]
    assert waiting(159, 2) == ["a", "b"]
    assert waiting(160, 9) == ["taken", "a", "b", "c"]
    assert waiting(160, 0) == []
    assert journal.waiting(HERE, 159, 1) == (received("a", when=1),)


def test_any_number_of_events_may_wait(journal: Journal) -> None:
    """More than are read at a time are found all, each once and in order."""
    several = [received(f"in-{n:03}") for n in range(250)]
    journal.store(HERE, several)
    assert journal.waiting(HERE, 0, 1000) == tuple(several)


# What follows from news


def _failing(member: Number, **more: Any) -> DeliveryUpdated:
    news: dict[str, Any] = {"scope": Scope.LINE, "reason": Reason.SPAM, **more}
    return update(DeliveryStatus.FAILED, member, **news)


def test_the_last_failure_of_a_send_is_told_once(store: Store) -> None:
    """`SendFailed` is stored with the news, and waits for its handlers as it does."""
    journal = store.open()
    _sent(journal, accepted())
    first = journal.store(HERE, [_failing(ANA), _failing(BEN)])
    news, failed = journal.store(HERE, [_failing(CLEO)])
    again = journal.store(HERE, [_failing(CLEO), _failing(CLEO, id="more")])

    assert [type(stored.event) for stored in (*first, news)] == [DeliveryUpdated] * 3
    assert isinstance(failed.event, SendFailed)
    assert (failed.fresh, failed.event.reference, failed.event.movable) == (
        True,
        "dinner",
        True,
    )
    assert [type(stored.event) for stored in again] == [DeliveryUpdated] * 2
    journal = store.reopen()
    assert failed.event in journal.waiting(HERE, 0, 99)
    assert journal.claim(HERE, failed.event.key, ME, 100, 160) is True


def test_news_of_a_failure_may_come_before_the_reply(journal: Journal) -> None:
    """`SendFailed` follows when the reply comes, and waits for its handlers."""
    journal.reserve(record(), begun())
    journal.store(HERE, [_failing(member) for member in PEOPLE])
    after = journal.write(RED, ended(accepted()))
    assert failure(after, at(2)) in journal.waiting(HERE, 0, 99)


def test_a_proof_after_a_second_text_is_told(store: Store) -> None:
    """`LateAcceptance` names whom it reached twice, and waits for its handlers."""
    journal = store.open()
    _sent(journal, LOST)
    journal.write(RED, Reopened(members=(ANA,), line=LINE))
    journal.write(RED, begun(leg(f"{RED}.1", (ANA,)), when=8))
    journal.write(RED, ended(accepted("m-2"), f"{RED}.1", 9))

    _, late = journal.store(HERE, [update(token=f"{RED}.0", message_id="m-1")])

    assert isinstance(late.event, LateAcceptance)
    assert late.event.members == {ANA}
    assert late.event in store.reopen().waiting(HERE, 0, 99)


def test_early_news_waits_until_the_next_process_has_the_reply(store: Store) -> None:
    """It is merged once, by whoever names the message."""
    journal = store.open()
    journal.reserve(record(), begun())
    journal.store(HERE, [update(DeliveryStatus.SENT), update()])
    after = store.reopen().write(RED, ended(accepted()))
    assert receipt(after).deliveries[ANA].status == DeliveryStatus.DELIVERED
    assert store.reopen().recall(HERE, "dinner") == after


# The bounds of the one in memory


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
    journal.claim(HERE, received("done").key, ME, 100, 160)
    journal.settle(HERE, received("done").key, done=True)

    journal.store(HERE, [received("new")])

    assert journal.claim(HERE, received("waits").key, ME, 100, 160) is True
    assert journal.claim(HERE, received("new").key, ME, 100, 160) is True
    with pytest.raises(JournalError):
        journal.claim(HERE, received("done").key, ME, 100, 160)


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


def test_what_an_adapter_noted_is_found_again(journal: Journal) -> None:
    """The last note under a key counts, each namespace has its own."""
    assert journal.memo(HERE, "twilio/c1_x") is None

    journal.memorize(HERE, "twilio/c1_x", "CH1")
    journal.memorize(HERE, "twilio/c1_x", "CH2")
    journal.memorize("other", "twilio/c1_x", "CH3")

    assert journal.memo(HERE, "twilio/c1_x") == "CH2"
    assert journal.memo("other", "twilio/c1_x") == "CH3"


def test_a_turn_that_is_too_far_away_is_not_taken(journal: Journal) -> None:
    """Who will not wait for it leaves it to the next, and is told how far it is."""
    now = at(0).timestamp()
    journal.turn(LINE, 60, 1.0, now)

    far = journal.turn(LINE, 30, 1.0, now, 5.0)
    still = journal.turn(LINE, 30, 1.0, now, 5.0)

    assert 50 < still <= far <= 60
    assert journal.turn(OTHER_LINE, 1, 1.0, now, 5.0) == 0.0


def test_an_event_given_back_waits_for_longer_each_time(journal: Journal) -> None:
    """Who looks for work finds it after a pause; the carrier may bring it at once."""
    key = received("in-1").key
    journal.store(HERE, [received("in-1")])
    for pause in (15.0, 30.0, 60.0):
        assert journal.claim(HERE, key, me(), 100.0, 160.0)
        journal.settle(HERE, key, done=False, now=100.0)

        assert journal.waiting(HERE, 99.0 + pause, 9) == ()
        assert [event.key for event in journal.waiting(HERE, 100.0 + pause, 9)] == [key]


def test_a_claim_that_ran_out_gives_nothing_back(journal: Journal) -> None:
    """Its event is in other hands; only that it was handled would still count."""
    key = received("in-1").key
    journal.store(HERE, [received("in-1")])
    assert journal.claim(HERE, key, me(), 100.0, 160.0)
    assert journal.claim(HERE, key, me(), 200.0, 260.0)

    journal.settle(HERE, key, done=False, claim=160.0)
    assert journal.claim(HERE, key, me(), 210.0, 270.0) is False

    journal.settle(HERE, key, done=True, claim=160.0)
    assert journal.claim(HERE, key, me(), 220.0, 280.0) is None
