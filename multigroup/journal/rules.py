"""What every store does alike: the rules of a journal over a few plain operations.

A store says how to look up and how to keep. When a send is taken up anew, whom news
concerns, where news waits that came before the reply, which line was the last and when
an event may be claimed is said here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from attrs import evolve

from ..effects import Reserved, Stored
from ..errors import JournalError
from ..events import DeliveryUpdated, Event, EventKey, MessageReceived
from ..models import Accepted, Attempt, ConversationId, LineId, SendId
from ..records import (
    Begun,
    Change,
    Ended,
    Reported,
    SendRecord,
    apply,
    owner,
    retriable,
)

__all__ = ["Access", "Hold", "Name", "RuledJournal", "changed", "names"]

Name: TypeAlias = tuple[str, str, str]
"""Namespace, account, and what the carrier calls a message there."""

_TELLING = (Ended, Reported)  # the changes that may bring a carrier's id


class Access(Enum):
    """What a transaction is for.

    What was written in a `DURABLE` one outlives a power cut from the moment it ends,
    in a `WRITE` one at least the process.
    """

    READ = auto()
    WRITE = auto()
    DURABLE = auto()


class Hold(NamedTuple):
    """Who has an event: nobody any more once *settled*, else somebody until a time."""

    settled: bool = False
    until: float = 0.0


class RuledJournal(ABC):
    """A journal but for its store: whole methods, each one transaction."""

    __slots__ = ()

    def reserve(self, record: SendRecord) -> Reserved:
        """Put *record* under its reference, or return the send that holds it."""
        with self._transaction(Access.WRITE):
            held = self._under(record.namespace, record.reference)
            if held is None:
                self._add(record)
                return Reserved(record, ours=True)
            if held.fingerprint != record.fingerprint or not retriable(held):
                return Reserved(held, ours=False)
            again = evolve(held, closed=False, message=record.message)
            self._replace(held, again)
            return Reserved(again, ours=True)

    def write(self, send: SendId, change: Change) -> SendRecord:
        """Apply *change* to a send and return the send after it."""
        begins = isinstance(change, Begun)
        with self._transaction(Access.DURABLE if begins else Access.WRITE):
            record = self._send(send)
            if record is None:
                raise JournalError(f"send {send} is not in the journal")
            return self._change(record, change)

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Return the send under *reference*."""
        with self._transaction(Access.READ):
            return self._under(namespace, reference)

    def last_line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Return the line of the last activity in either direction, and when."""
        with self._transaction(Access.READ):
            return self._line(namespace, conversation)

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to."""
        with self._transaction(Access.DURABLE):
            self._make_room_for(namespace, events)
            return tuple([self._store(namespace, event) for event in events])

    def claim(
        self, namespace: str, key: EventKey, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if settled."""
        with self._transaction(Access.WRITE):
            hold = self._hold(namespace, key)
            if hold is None:
                raise JournalError(f"event {key} is not in the journal")
            if hold.settled:
                return None
            if hold.until > now:
                return False
            self._set_hold(namespace, key, Hold(until=until))
            return True

    def settle(self, namespace: str, key: EventKey, *, done: bool) -> None:
        """End a claim: *done* for good, otherwise so that it can be claimed again."""
        with self._transaction(Access.WRITE):
            hold = self._hold(namespace, key)
            if hold is not None and not hold.settled:
                self._set_hold(namespace, key, Hold(settled=done))

    def _change(self, old: SendRecord, change: Change) -> SendRecord:
        new = apply(old, change)
        if isinstance(change, _TELLING):
            new = self._index(old, new)
        self._replace(old, new)
        return new

    def _index(self, old: SendRecord, new: SendRecord) -> SendRecord:
        """Note the ids and the line that are new; merge news that came early."""
        for _, attempt in changed(old.attempts, new.attempts):
            if isinstance(attempt.outcome, Accepted):
                at = attempt.ended_at or attempt.began_at
                self._active(new.namespace, new.conversation, attempt.line, at)
                name = (new.namespace, attempt.line.account, attempt.outcome.message_id)
                self._call(name, new.id)
                for event in self._take_early(name):
                    new = apply(new, Reported(event))
        return new

    def _active(
        self, namespace: str, conversation: ConversationId, line: LineId, at: datetime
    ) -> None:
        last = self._line(namespace, conversation)
        if last is None or last[1] <= at:
            self._set_line(namespace, conversation, line, at)

    def _store(self, namespace: str, event: Event) -> Stored:
        fresh = self._hold(namespace, event.key) is None
        early: tuple[Name, ...] = ()
        if isinstance(event, DeliveryUpdated):
            record = self._concerned(namespace, event)
            if record is None:
                early = tuple(_called(namespace, event))
            else:
                record = self._change(record, Reported(event))
                event = evolve(event, reference=record.reference)
        if fresh:
            self._heard(namespace, event)
            self._keep(namespace, event, early)
        return Stored(event, fresh)

    def _heard(self, namespace: str, event: Event) -> None:
        if (
            isinstance(event, MessageReceived)
            and event.conversation is not None
            and event.line is not None
        ):
            line = LineId(event.account, event.line)
            self._active(namespace, event.conversation, line, event.received_at)

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

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Forget what has to go before *events* can be kept; most stores grow."""
        del namespace, events

    @abstractmethod
    def _transaction(self, access: Access) -> AbstractContextManager[object]:
        """Begin; at the end of the block all is kept, or nothing if it raised."""

    @abstractmethod
    def _under(self, namespace: str, reference: str) -> SendRecord | None:
        """Look a send up by its reference."""

    @abstractmethod
    def _send(self, send: SendId) -> SendRecord | None:
        """Look a send up by its own id."""

    @abstractmethod
    def _called(self, name: Name) -> SendRecord | None:
        """Look a send up by what a carrier calls one of its messages."""

    @abstractmethod
    def _call(self, name: Name, send: SendId) -> None:
        """Note that *name* is a message of *send*."""

    @abstractmethod
    def _add(self, record: SendRecord) -> None:
        """Keep a send that is new."""

    @abstractmethod
    def _replace(self, old: SendRecord, new: SendRecord) -> None:
        """Keep *new*, in the place of *old*, which was just looked up."""

    @abstractmethod
    def _line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Look the conversation's last line up."""

    @abstractmethod
    def _set_line(
        self, namespace: str, conversation: ConversationId, line: LineId, at: datetime
    ) -> None:
        """Note the conversation's last line."""

    @abstractmethod
    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        """Tell who has an event; `None` if it was never kept."""

    @abstractmethod
    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        """Note who has an event."""

    @abstractmethod
    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        """Keep an event that is new, to be found under the names *early* too."""

    @abstractmethod
    def _take_early(self, name: Name) -> Sequence[DeliveryUpdated]:
        """Return what was kept under *name*, in its order; it waits no more."""


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
