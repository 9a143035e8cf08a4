"""The journal of a process that may forget: bounded, in memory, gone at exit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import Any, TypeAlias

from attrs import define, evolve, field

from ..effects import Reserved, Stored
from ..errors import JournalError
from ..events import DeliveryUpdated, Event, EventKey, MessageReceived
from ..models import Accepted, ConversationId, LineId, SendId
from ..records import (
    Change,
    Ended,
    Reported,
    SendRecord,
    apply,
    owner,
    retriable,
)

__all__ = ["MemoryJournal"]

Place: TypeAlias = tuple[str, EventKey]

_TELLING = (Ended, Reported)  # the changes that may bring a carrier's id

_EMPTY: Any = field(factory=dict[Any, Any], init=False, repr=False)


@define
class _Kept:
    """An event and its claim: settled, or taken until a time."""

    event: Event
    settled: bool = False
    taken_until: float = 0.0


@define(eq=False)
class MemoryJournal:
    """Keeps the last *max_sends* sends and *max_events* events.

    The oldest finished ones make room. When none is finished the journal is full and
    refuses new sends before a byte leaves.
    """

    max_sends: int = 20_000
    max_events: int = 100_000
    _lock: RLock = field(factory=RLock, init=False, repr=False)
    _sends: dict[SendId, SendRecord] = _EMPTY
    _references: dict[tuple[str, str], SendId] = _EMPTY
    _messages: dict[tuple[str, str, str], SendId] = _EMPTY
    _lines: dict[tuple[str, ConversationId], tuple[LineId, datetime]] = _EMPTY
    _events: dict[Place, _Kept] = _EMPTY
    _early: dict[tuple[str, str, str], list[DeliveryUpdated]] = _EMPTY

    def reserve(self, record: SendRecord) -> Reserved:
        """Put *record* under its reference, or return the send that holds it."""
        place = (record.namespace, record.reference)
        with self._lock:
            if place in self._references:
                return self._take_up(self._sends[self._references[place]], record)
            self._make_room()
            self._references[place] = record.id
            self._sends[record.id] = record
            return Reserved(record, ours=True)

    def write(self, send: SendId, change: Change) -> SendRecord:
        """Apply *change* to a send and return the send after it."""
        with self._lock:
            try:
                record = apply(self._sends[send], change)
            except KeyError:
                raise JournalError(f"send {send} is not in the journal") from None
            self._sends[send] = record
            if isinstance(change, _TELLING):
                record = self._index(record)
            return record

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Return the send under *reference*."""
        with self._lock:
            send = self._references.get((namespace, reference))
            return None if send is None else self._sends[send]

    def last_line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Return the line of the last activity in either direction, and when."""
        with self._lock:
            return self._lines.get((namespace, conversation))

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to."""
        with self._lock:
            self._make_room_for(namespace, events)
            return tuple(self._store(namespace, event) for event in events)

    def claim(
        self, namespace: str, key: EventKey, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if settled."""
        with self._lock:
            kept = self._events.get((namespace, key))
            if kept is None:
                raise JournalError(f"event {key} is not in the journal")
            if kept.settled:
                return None
            if kept.taken_until > now:
                return False
            kept.taken_until = until
            return True

    def settle(self, namespace: str, key: EventKey, *, done: bool) -> None:
        """End a claim: *done* for good, otherwise so that it can be claimed again."""
        with self._lock:
            kept = self._events.get((namespace, key))
            if kept is not None:
                kept.settled, kept.taken_until = kept.settled or done, 0.0

    def close(self) -> None:
        """Keep everything: another client may be using this journal."""

    def _take_up(self, held: SendRecord, wanted: SendRecord) -> Reserved:
        if held.fingerprint != wanted.fingerprint or not retriable(held):
            return Reserved(held, ours=False)
        self._sends[held.id] = evolve(held, closed=False, message=wanted.message)
        return Reserved(self._sends[held.id], ours=True)

    def _make_room(self) -> None:
        if len(self._sends) < self.max_sends:
            return
        oldest = next((r for r in self._sends.values() if r.closed), None)
        if oldest is None:
            raise JournalError(
                f"the memory journal is full: {self.max_sends} sends are in flight; "
                "raise max_sends or use a durable journal"
            )
        del self._sends[oldest.id]
        del self._references[oldest.namespace, oldest.reference]
        for place in _names(oldest):
            self._messages.pop(place, None)

    def _index(self, record: SendRecord) -> SendRecord:
        """Note the carrier's ids and the line, and merge news that came early."""
        for attempt in record.attempts:
            if isinstance(attempt.outcome, Accepted):
                place = (record.namespace, record.conversation)
                at = attempt.ended_at or attempt.began_at
                if place not in self._lines or self._lines[place][1] <= at:
                    self._lines[place] = (attempt.line, at)
        for name in _names(record):
            self._messages[name] = record.id
            for event in self._early.pop(name, ()):
                record = apply(record, Reported(event))
        self._sends[record.id] = record
        return record

    def _store(self, namespace: str, event: Event) -> Stored:
        fresh = (namespace, event.key) not in self._events
        if fresh and isinstance(event, MessageReceived):
            self._heard(namespace, event)
        if isinstance(event, DeliveryUpdated):
            event = self._merge(namespace, event, fresh=fresh)
        if fresh:
            self._events[namespace, event.key] = _Kept(event)
        return Stored(event, fresh)

    def _heard(self, namespace: str, event: MessageReceived) -> None:
        if event.conversation is not None and event.line is not None:
            line = LineId(event.account, event.line)
            place = (namespace, event.conversation)
            if place not in self._lines or self._lines[place][1] <= event.received_at:
                self._lines[place] = (line, event.received_at)

    def _merge(
        self, namespace: str, event: DeliveryUpdated, *, fresh: bool
    ) -> DeliveryUpdated:
        send = self._concerned(namespace, event)
        if send is not None:
            record = self.write(send, Reported(event))
            return evolve(event, reference=record.reference)
        if fresh and len(self._early) < self.max_sends:
            for place in _called(namespace, event):
                self._early.setdefault(place, []).append(event)
        return event

    def _concerned(self, namespace: str, event: DeliveryUpdated) -> SendId | None:
        if event.token is not None:
            record = self._sends.get(owner(event.token))
            if (
                record is not None
                and record.namespace == namespace
                and event.token in record.legs
            ):
                return record.id
        named = (self._messages.get(place) for place in _called(namespace, event))
        return next((send for send in named if send in self._sends), None)

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Forget as many settled events as *events* need, or none at all."""
        coming = {(namespace, event.key) for event in events} - self._events.keys()
        surplus = len(self._events) + len(coming) - self.max_events
        if surplus <= 0:
            return
        settled = (place for place, kept in self._events.items() if kept.settled)
        leaving = list(islice(settled, surplus))
        if len(leaving) < surplus:
            raise JournalError(
                f"the memory journal is full: {self.max_events} events are unsettled"
            )
        for place in leaving:
            del self._events[place]


def _called(namespace: str, event: DeliveryUpdated) -> Iterator[tuple[str, str, str]]:
    """Yield what a carrier calls the message that *event* is about."""
    for name in (event.message_id, *event.also_known_as):
        if name is not None:
            yield (namespace, event.account, name)


def _names(record: SendRecord) -> Iterator[tuple[str, str, str]]:
    """Yield what carriers call the messages of *record*."""
    for attempt in record.attempts:
        if isinstance(attempt.outcome, Accepted):
            yield (record.namespace, attempt.line.account, attempt.outcome.message_id)
