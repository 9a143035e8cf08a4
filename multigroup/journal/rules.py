"""What every store does alike: the rules of a journal over a few plain operations.

A store says how to look up and how to keep (`journal/port.py`). When a send is taken up
anew or taken over, whom news concerns, what follows from it, where news waits that came
before the reply, which line was the last, who opted out and when an event may be
claimed is said here, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import evolve

from ..consent import Block, Wish, refusals, wishes
from ..effects import Reserved, Stored
from ..errors import JournalError, TakenOverError
from ..events import DeliveryUpdated, Event, EventKey, MessageReceived
from ..models import Accepted, Attempt, ConversationId, LineId, Refused, SendId
from ..records import (
    FACTS,
    Begun,
    Change,
    Ended,
    Reopened,
    Reported,
    SendRecord,
    Taken,
    Wording,
    apply,
    consequences,
    owner,
    retriable,
    spent,
)
from .archived import ArchivedRules
from .owners import gone
from .port import Access, Hold, Members, Name, State

__all__ = ["TRIES", "RuledJournal", "changed", "names"]

TRIES: Final = 10
"""How often an event's handlers may fail before it is parked."""

PAUSE: Final = 15.0
"""Seconds until an event whose handler failed is run again; twice as long each time."""

LONGEST: Final = 3600.0
"""Seconds of the longest of these pauses."""

_TELLING: Final = (Ended, Reported)  # the changes that may bring a carrier's id


class RuledJournal(ArchivedRules):
    """A journal but for its store: whole methods, each one transaction."""

    __slots__ = ()

    def reserve(self, record: SendRecord, begun: Begun | None = None) -> Reserved:
        """Put *record* under its reference, or return the send that holds it."""
        with self._transaction(Access.DURABLE if begun else Access.WRITE):
            held = self._under(record.namespace, record.reference)
            if held is None:
                self._add(record)
                new = self._change(record, begun) if begun else record
                return Reserved(new, ours=True)
            if held.fingerprint != record.fingerprint or not retriable(held):
                return Reserved(held, ours=False)
            again = apply(held, _again(record))
            self._replace(held, again)
            return Reserved(again, ours=True)

    def take_over(
        self, send: SendId, owner: str, now: float, until: float
    ) -> SendRecord | None:
        """Give a send that is open and abandoned to *owner*, or return `None`."""
        with self._transaction(Access.DURABLE):
            record = self._send(send)
            if record is None or not abandoned(record, now):
                return None
            at = datetime.fromtimestamp(now, UTC)
            return self._change(record, Taken(owner, until, at))

    def write(
        self, send: SendId, change: Change, fence: int | None = None
    ) -> SendRecord:
        """Apply *change* to a send and return the send after it."""
        acts = isinstance(change, Begun | Reopened)
        with self._transaction(Access.DURABLE if acts else Access.WRITE):
            record = self._send(send)
            if record is None:
                raise JournalError(f"send {send} is not in the journal")
            if fence not in (None, record.lease.fence) and not isinstance(
                change, FACTS
            ):
                raise TakenOverError(
                    f"send {send} was taken over by another process: it goes on there"
                )
            after = self._change(record, change)
            if isinstance(change, Ended):  # news that came before it tells more
                for own in consequences(record, after, change.at):
                    self._keep_own(record.namespace, own)
            return after

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Return the send under *reference*."""
        with self._transaction(Access.READ):
            return self._under(namespace, reference)

    def orphans(self, namespace: str, now: float) -> tuple[SendRecord, ...]:
        """Return the open sends whose owner is gone or whose lease ran out."""
        with self._transaction(Access.READ):
            found = self._open(namespace)
            return tuple(record for record in found if abandoned(record, now))

    def doubtful(self, namespace: str, since: datetime) -> tuple[SendRecord, ...]:
        """Return the closed sends begun after *since* of which a leg is `Unknown`."""
        with self._transaction(Access.READ):
            return tuple(self._in_doubt(namespace, since))

    def last_line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Return the line of the last activity in either direction, and when."""
        with self._transaction(Access.READ):
            return self._line(namespace, conversation)

    def turn(
        self,
        line: LineId,
        copies: int,
        rate: float,
        now: float,
        limit: float = math.inf,
    ) -> float:
        """Reserve the next *copies* of *rate* per second; return seconds to wait.

        The generic cell rate algorithm: the line remembers when its next turn is.
        """
        with self._transaction(Access.WRITE):
            start = max(self._next_turn(line), now)
            if start - now <= limit:
                self._set_next_turn(line, start + copies / rate)
            return start - now

    def blocked(self, namespace: str, subjects: Sequence[str]) -> tuple[Block, ...]:
        """Return which of *subjects* must not be texted."""
        with self._transaction(Access.READ):
            return tuple(self._blocks(namespace, subjects))

    def standing(
        self, namespace: str, subjects: Sequence[str], conversation: ConversationId
    ) -> tuple[tuple[Block, ...], tuple[LineId, datetime] | None]:
        """Return what `blocked` and `last_line` do, in one transaction."""
        with self._transaction(Access.READ):
            blocks = tuple(self._blocks(namespace, subjects))
            return blocks, self._line(namespace, conversation)

    def memo(self, namespace: str, key: str) -> str | None:
        """Return what was noted under *key*."""
        with self._transaction(Access.READ):
            return self._memo(namespace, key)

    def memorize(self, namespace: str, key: str, value: str) -> None:
        """Note *value* under *key*, in the place of what was there."""
        with self._transaction(Access.WRITE):
            self._set_memo(namespace, key, value)

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to."""
        with self._transaction(Access.DURABLE):
            self._make_room_for(namespace, events)
            return tuple(
                [stored for event in events for stored in self._store(namespace, event)]
            )

    def claim(
        self, namespace: str, key: EventKey, owner: str, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if it is over."""
        with self._transaction(Access.WRITE):
            hold = self._hold(namespace, key)
            if hold is None:
                raise JournalError(f"event {key} is not in the journal")
            if hold.state is not State.OPEN:
                return None
            if hold.taken(now):
                return False
            self._set_hold(namespace, key, hold._replace(until=until, owner=owner))
            return True

    def settle(
        self,
        namespace: str,
        key: EventKey,
        *,
        done: bool,
        shed: bool = False,
        now: float = 0.0,
        claim: float | None = None,
    ) -> None:
        """End a claim: *done* for good, otherwise so that it can be claimed again."""
        with self._transaction(Access.WRITE):
            hold = self._hold(namespace, key)
            if hold is None or hold.state is not State.OPEN:
                return
            if not done and claim not in (None, hold.until):  # in other hands by now
                return
            tries = hold.tries + 1
            over = State.SETTLED if done else State.PARKED
            state = over if done or tries >= TRIES else State.OPEN
            rests = 0.0 if state else now + min(PAUSE * (1 << hold.tries), LONGEST)
            self._set_hold(namespace, key, Hold(state, rests, tries=tries))
            if done and shed:
                self._bare_event(namespace, key)

    def waiting(self, namespace: str, now: float, limit: int) -> tuple[Event, ...]:
        """Return up to *limit* events that nobody handles, the oldest first."""
        with self._transaction(Access.READ):
            free = (
                event
                for event, hold in self._unsettled(namespace)
                if not hold.taken(now) and not hold.rests(now)
            )
            return tuple(event for event, _ in zip(free, range(limit), strict=False))

    def _change(self, old: SendRecord, change: Change) -> SendRecord:
        new = apply(old, change)
        if isinstance(change, _TELLING):
            new = self._index(old, new)
        if new.closed:
            new = spent(new)
        self._replace(old, new)
        return new

    def _index(self, old: SendRecord, new: SendRecord) -> SendRecord:
        """Note the ids, the line and the opt-outs that are new; merge early news."""
        for _, attempt in changed(old.attempts, new.attempts):
            at = attempt.ended_at or attempt.began_at
            if isinstance(attempt.outcome, Refused):
                self._wish(new.namespace, refusals(new, attempt, at))
            if isinstance(attempt.outcome, Accepted):
                self._active(new, attempt.line, at)
                name = (new.namespace, attempt.line.account, attempt.outcome.message_id)
                self._call(name, new.id)
                for event in self._take_early(name):
                    new = apply(new, Reported(event))
        return new

    def _active(self, record: SendRecord, line: LineId, at: datetime) -> None:
        members = frozenset(record.members)
        self._move(record.namespace, record.conversation, line, at, members)

    def _move(
        self,
        namespace: str,
        conversation: ConversationId,
        line: LineId,
        at: datetime,
        members: Members | None,
    ) -> None:
        last = self._line(namespace, conversation)
        if last is None or last[1] <= at:
            self._set_line(namespace, conversation, line, at, members)

    def _store(self, namespace: str, event: Event) -> Iterator[Stored]:
        """Keep one event; yield it, and what follows from it."""
        fresh = self._hold(namespace, event.key) is None
        early: tuple[Name, ...] = ()
        following: tuple[Event, ...] = ()
        if isinstance(event, DeliveryUpdated):
            record = self._concerned(namespace, event)
            if record is None:
                early = tuple(_called(namespace, event))
            else:
                after = self._change(record, Reported(event))
                following = consequences(record, after, event.received_at)
                event = evolve(event, reference=record.reference)
        if fresh:
            self._heard(namespace, event)
            self._keep(namespace, event, early)
        yield Stored(event, fresh)
        for own in following:
            self._keep_own(namespace, own)
            yield Stored(own, fresh=True)

    def _keep_own(self, namespace: str, event: Event) -> None:
        """Keep an event of ours: it follows from news, and is handled like it."""
        if self._hold(namespace, event.key) is None:
            self._keep(namespace, event, ())

    def _heard(self, namespace: str, event: Event) -> None:
        """Note the line an event came to, and what it says of consent."""
        self._wish(namespace, wishes(event))
        if (
            isinstance(event, MessageReceived)
            and event.conversation is not None
            and event.line is not None
        ):
            line = LineId(event.account, event.line)
            at, members = event.received_at, event.members
            self._move(namespace, event.conversation, line, at, members)

    def _wish(self, namespace: str, news: Iterable[Wish]) -> None:
        for wish in news:
            if not self._said_before(namespace, wish):
                self._consent(namespace, wish)
            if not wish.blocked and wish.line is not None:
                self._lift_groups(namespace, wish.line, wish.at)

    def _said_before(self, namespace: str, wish: Wish) -> bool:
        """Tell whether the same moment blocked them already: it said how, too."""
        known = self._blocks(namespace, (wish.subject,)) if wish.blocked else ()
        return any(block.since == wish.at for block in known)

    def _concerned(self, namespace: str, event: DeliveryUpdated) -> SendRecord | None:
        """Return the send *event* tells of: our token says it, else a carrier's id."""
        if event.token is not None:
            record = self._send(owner(event.token))
            if (
                record is not None
                and record.namespace == namespace
                and event.token in record.legs
            ):
                return record
        named = map(self._called, _called(namespace, event))
        return next((record for record in named if record is not None), None)


def abandoned(record: SendRecord, now: float) -> bool:
    """Tell whether *record* is open and its owner gone, or its lease run out."""
    lease = record.lease
    return not record.closed and (lease.until <= now or gone(lease.owner))


def _again(wanted: SendRecord) -> Reopened:
    return Reopened(
        members=wanted.members,
        line=wanted.round.line,
        via=wanted.round.via,
        left=wanted.round.left,
        owner=wanted.lease.owner,
        until=wanted.lease.until,
        at=wanted.began_at,
        anew=Wording(wanted.message, wanted.members, wanted.notes),
    )


def changed(
    old: Sequence[Attempt], new: Sequence[Attempt]
) -> Iterator[tuple[int, Attempt]]:
    """Yield the attempts of *new* that *old* has not, each with its place."""
    for place, attempt in enumerate(new):
        if place >= len(old) or old[place] is not attempt:
            yield place, attempt


def names(record: SendRecord) -> Iterator[Name]:
    """Yield what carriers call the messages of *record*."""
    for attempt in record.attempts:
        if isinstance(attempt.outcome, Accepted):
            yield (record.namespace, attempt.line.account, attempt.outcome.message_id)


def _called(namespace: str, event: DeliveryUpdated) -> Iterator[Name]:
    """Yield what a carrier calls the message that *event* is about."""
    for name in (event.message_id, *event.also_known_as):
        if name is not None:
            yield (namespace, event.account, name)
