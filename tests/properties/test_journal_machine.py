"""A journal under news in any order: what is known only ever grows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import evolve
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from multigroup import (
    Accepted,
    Attempt,
    DeliveryStatus,
    DeliveryUpdated,
    Journal,
    MemoryJournal,
    Message,
    Money,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    SendId,
    SQLiteJournal,
    Unknown,
    events,
)
from multigroup.models import Reason, Scope
from multigroup.records import Begun, Closed, Ended, Moved, SendRecord, receipt
from tests.helpers.values import (
    LINE,
    ME,
    OTHER_LINE,
    PEOPLE,
    at,
    leg,
    money,
    record,
    update,
)
from tests.properties.strategies import one_in

REFERENCES: Final = ("dinner", "lunch")
TEXTS: Final = ("Dinner at 7?", "Lunch at 1?")
OUTCOMES: Final[tuple[Outcome, ...]] = (
    Unknown("no answer"),
    NotSent("unreachable"),
    Refused("40305", Reason.OTHER, Scope.LINE),
)
COSTS: Final = (None, None, money("0.0100"), money("0.0200"), money("0.5000", "EUR"))
OURS: Final = (events.SendFailed, events.LateAcceptance)
NAMESPACE: Final = "default"
LEASE: Final = 60.0


class Life(RuleBasedStateMachine):
    """Sends, replies, webhooks and claims in any order, some of them twice."""

    legs: Bundle[tuple[SendId, str]] = Bundle("legs")
    told: Bundle[DeliveryUpdated] = Bundle("told")
    claimed: Bundle[events.EventKey] = Bundle("claimed")

    def opened(self) -> Journal:
        """Give a journal with nothing in it."""
        return MemoryJournal()

    @initialize()
    def open(self) -> None:
        self.journal = self.opened()
        self.now = 1000.0
        self.count = 0
        self.owners: dict[str, SendId] = {}
        self.seen: dict[SendId, SendRecord] = {}
        self.stored: dict[events.EventKey, DeliveryUpdated] = {}
        self.settled: set[events.EventKey] = set()
        self.taken: dict[events.EventKey, float] = {}

    @rule(reference=st.sampled_from(REFERENCES), text=st.sampled_from(TEXTS))
    def reserve(self, reference: str, text: str) -> None:
        """Ask for a reference: it is ours once, and again only if nothing left."""
        self.count += 1
        wanted = record(f"{self.count:04x}", reference, message=Message(text))
        before = self.journal.recall(NAMESPACE, reference)
        held = self.journal.reserve(wanted)

        if before is None:
            assert (held.ours, held.record) == (True, wanted)
            self.owners[reference] = wanted.id
            return
        nothing_left = all(
            isinstance(one.outcome, NotSent | Refused) for one in before.attempts
        )
        assert held.record.id == before.id
        if held.ours:
            assert before.closed
            assert nothing_left
            assert before.fingerprint == wanted.fingerprint
            assert not held.record.closed

    @rule(
        target=legs,
        reference=st.sampled_from(REFERENCES),
        line=st.sampled_from([LINE, OTHER_LINE]),
        whom=st.sampled_from([PEOPLE, PEOPLE[:1], PEOPLE[1:2]]),
    )
    def begin(self, reference: str, line: Any, whom: Any) -> tuple[SendId, str]:
        """Write an intent down."""
        if reference not in self.owners:
            self.reserve(reference, TEXTS[0])
        held = self._held(self.owners[reference])
        key = f"{held.id}.{len(held.attempts)}"
        self.now += 1
        self.journal.write(held.id, Begun(line, (leg(key, whom),), at(self.now)))
        return held.id, key

    @rule(
        which=legs,
        outcome=st.none() | st.sampled_from(OUTCOMES),
        cost=st.sampled_from(COSTS),
    )
    def end(
        self, which: tuple[SendId, str], outcome: Outcome | None, cost: Money | None
    ) -> None:
        """Write a reply down, an acceptance or not, perhaps one that came before."""
        send, key = which
        self.now += 1
        known = outcome or Accepted(_id_of(key), cost)
        self.journal.write(send, Ended(key, known, at(self.now)))

    @rule(which=legs)
    def close(self, which: tuple[SendId, str]) -> None:
        """End a sending program, which says what it did next."""
        self.journal.write(which[0], Moved((which[1],), "another line"))
        self.journal.write(which[0], Closed())

    @rule(
        target=told,
        which=legs,
        whom=st.sampled_from([*PEOPLE, None]),
        status=st.sampled_from(DeliveryStatus),
        cost=st.sampled_from(COSTS),
        by=st.sampled_from(["token", "id", "both", "neither"]),
        account=st.sampled_from([LINE.account, OTHER_LINE.account]),
    )
    def tell(self, which: tuple[SendId, str], **said: Any) -> DeliveryUpdated:
        """Store delivery news, by our token, the carrier's id, both or neither."""
        self.count += 1
        event = update(
            said["status"],
            said["whom"],
            id=f"event-{self.count}",
            cost=said["cost"],
            message_id=_id_of(which[1]) if said["by"] in {"id", "both"} else None,
            token=which[1] if said["by"] in {"token", "both"} else None,
            account=said["account"],
        )
        self._store(event)
        return event

    @rule(event=told, days=st.integers(0, 1))
    def tell_again(self, event: DeliveryUpdated, days: int) -> None:
        """Store news again, as it was or received later: it is fresh only once."""
        again = event.received_at + timedelta(days=days)
        self._store(evolve(event, received_at=again))

    def _store(self, event: DeliveryUpdated) -> None:
        kept, *following = self.journal.store(NAMESPACE, (event,))
        assert kept.fresh is (event.key not in self.stored)
        assert all(isinstance(each.event, OURS) for each in following)
        self.stored.setdefault(event.key, event)
        once = self._receipts()
        (kept,) = self.journal.store(NAMESPACE, (event,))
        assert not kept.fresh
        assert self._receipts() == once

    def _receipts(self) -> list[Receipt]:
        return [receipt(self._held(send)) for send in self.owners.values()]

    @rule(target=claimed, event=told, wait=st.sampled_from([0.0, 1.0, LEASE]))
    def claim(self, event: DeliveryUpdated, wait: float) -> events.EventKey:
        """Take an event: nobody else has it, and it was not settled before."""
        self.now += wait
        free = self.journal.claim(NAMESPACE, event.key, ME, self.now, self.now + LEASE)
        if event.key in self.settled:
            assert free is None
        else:
            assert free is (self.taken.get(event.key, 0.0) <= self.now)
        if free:
            self.taken[event.key] = self.now + LEASE
        return event.key

    @rule(key=consumes(claimed))
    def settle(self, key: events.EventKey) -> None:
        """End a claim for good."""
        self.journal.settle(NAMESPACE, key, done=True)
        self.settled.add(key)

    @rule(key=claimed)
    def give_back(self, key: events.EventKey) -> None:
        """End a claim so that the event can be tried again."""
        self.journal.settle(NAMESPACE, key, done=False)
        self.taken[key] = 0.0

    def _held(self, send: SendId) -> SendRecord:
        found = [
            held
            for name in REFERENCES
            if (held := self.journal.recall(NAMESPACE, name)) and held.id == send
        ]
        assert len(found) == 1
        return found[0]

    @invariant()
    def one_owner(self) -> None:
        """A reference has one send for ever."""
        for name, send in self.owners.items():
            assert self._held(send).reference == name

    @invariant()
    def what_is_known_only_grows(self) -> None:
        """An acceptance never falls, and a status never goes back."""
        for send in self.owners.values():
            new = self._held(send)
            old = self.seen.get(send)
            self.seen[send] = new
            if old is not None:
                _grew(old, new)

    @invariant()
    def a_cost_is_one_that_was_told(self) -> None:
        """A member's cost is one that a carrier named, never a sum of several."""
        for whole in self._receipts():
            for delivery in whole.deliveries.values():
                assert delivery.cost in COSTS

    @invariant()
    def no_news_is_lost_nor_misplaced(self) -> None:
        """News of an accepted leg counts, early or late, and news of no other does."""
        for send in self.owners.values():
            held = self._held(send)
            for attempt in held.attempts:
                told = [one for one in self.stored.values() if _about(one, attempt)]
                for member in attempt.members:
                    report = held.reports.get((attempt.leg, member))
                    best = max(
                        (
                            one.status.rank
                            for one in told
                            if _names(one, attempt, member)
                        ),
                        default=None,
                    )
                    assert (report and report.status.rank) == best


def _id_of(key: str) -> str:
    """Return what the carrier calls the message of a leg: no two are called alike."""
    return f"message of {key}"


def _about(event: DeliveryUpdated, attempt: Attempt) -> bool:
    """Tell whether *event* is of *attempt*'s account and names its leg or message."""
    known = isinstance(attempt.outcome, Accepted) and attempt.outcome.message_id
    return event.account == attempt.line.account and (
        event.token == attempt.leg or (bool(known) and event.message_id == known)
    )


def _names(event: DeliveryUpdated, attempt: Attempt, member: str) -> bool:
    """Tell whether *event* is of *member*: a leg to one alone needs no name."""
    return len(attempt.members) == 1 or event.member == member


def _grew(old: SendRecord, new: SendRecord) -> None:
    assert len(new.attempts) >= len(old.attempts)
    for was, now in zip(old.attempts, new.attempts, strict=False):
        assert (was.leg, was.line, was.members) == (now.leg, now.line, now.members)
        assert isinstance(now.outcome, Accepted) or not isinstance(
            was.outcome, Accepted
        )
    for place, report in old.reports.items():
        assert new.reports[place].status.rank >= report.status.rank
        assert new.reports[place].cost is not None or report.cost is None
    if len(old.attempts) == len(new.attempts) == 1:
        before, after = receipt(old).deliveries, receipt(new).deliveries
        for member, delivery in before.items():
            assert _rank(after[member].status) >= _rank(delivery.status)


def _rank(status: DeliveryStatus | None) -> int:
    return -1 if status is None else status.rank


class LifeInAFile(Life):
    """The same in a file, read anew at every step."""

    def opened(self) -> Journal:
        """Give a journal in a folder of its own."""
        self.folder = TemporaryDirectory()
        self.file = SQLiteJournal(Path(self.folder.name) / "life.db")
        return self.file

    @invariant()
    def nothing_is_known_by_heart(self) -> None:
        """What the next step finds is what stands in the file."""
        self.file._known.clear()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.file.close()
        self.folder.cleanup()


TestMemoryJournal = Life.TestCase
TestMemoryJournal.settings = settings(one_in(2), stateful_step_count=40)
TestSQLiteJournal = LifeInAFile.TestCase
TestSQLiteJournal.settings = settings(one_in(5), stateful_step_count=40)
