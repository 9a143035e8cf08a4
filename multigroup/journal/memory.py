"""The journal of a process that may forget: bounded, in memory, gone at exit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import Any, ClassVar, TypeAlias

from attrs import define, field

from ..errors import JournalError
from ..events import DeliveryUpdated, Event, EventKey
from ..models import ConversationId, LineId, SendId
from ..records import SendRecord
from .rules import Access, Hold, Name, RuledJournal, names

__all__ = ["MemoryJournal"]

Place: TypeAlias = tuple[str, EventKey]

_EMPTY: Any = field(factory=dict[Any, Any], init=False, repr=False)


@define(eq=False)
class MemoryJournal(RuledJournal):
    """Keeps the last *max_sends* sends and *max_events* events.

    The oldest finished ones make room. When none is finished the journal is full and
    refuses new sends before a byte leaves.
    """

    blocks: ClassVar[bool] = False

    max_sends: int = 20_000
    max_events: int = 100_000
    _lock: RLock = field(factory=RLock, init=False, repr=False)
    _sends: dict[SendId, SendRecord] = _EMPTY
    _references: dict[tuple[str, str], SendId] = _EMPTY
    _messages: dict[Name, SendId] = _EMPTY
    _lines: dict[tuple[str, ConversationId], tuple[LineId, datetime]] = _EMPTY
    _events: dict[Place, Hold] = _EMPTY
    _early: dict[Name, list[DeliveryUpdated]] = _EMPTY

    def close(self) -> None:
        """Keep everything: another client may be using this journal."""

    def _transaction(self, access: Access) -> RLock:
        """Take the lock: no operation fails once it has changed something."""
        del access
        return self._lock

    def _under(self, namespace: str, reference: str) -> SendRecord | None:
        send = self._references.get((namespace, reference))
        return None if send is None else self._sends[send]

    def _send(self, send: SendId) -> SendRecord | None:
        return self._sends.get(send)

    def _called(self, name: Name) -> SendRecord | None:
        send = self._messages.get(name)
        return None if send is None else self._sends.get(send)

    def _call(self, name: Name, send: SendId) -> None:
        self._messages[name] = send

    def _add(self, record: SendRecord) -> None:
        self._make_room()
        self._references[record.namespace, record.reference] = record.id
        self._sends[record.id] = record

    def _replace(self, old: SendRecord, new: SendRecord) -> None:
        self._sends[old.id] = new

    def _line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        return self._lines.get((namespace, conversation))

    def _set_line(
        self, namespace: str, conversation: ConversationId, line: LineId, at: datetime
    ) -> None:
        self._lines.pop((namespace, conversation), None)  # the latest goes to the end
        self._lines[namespace, conversation] = (line, at)
        if len(self._lines) > self.max_events:
            del self._lines[next(iter(self._lines))]

    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        return self._events.get((namespace, key))

    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        self._events[namespace, key] = hold

    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        self._events[namespace, event.key] = Hold()
        if isinstance(event, DeliveryUpdated):
            for name in early:
                self._early.setdefault(name, []).append(event)
            while len(self._early) > self.max_sends:  # the oldest was never ours
                del self._early[next(iter(self._early))]

    def _take_early(self, name: Name) -> Sequence[DeliveryUpdated]:
        return self._early.pop(name, ())

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
        for name in names(oldest):
            self._messages.pop(name, None)

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Forget as many settled events as *events* need, or none at all."""
        places = {(namespace, event.key) for event in events}
        coming = [place for place in places if place not in self._events]
        surplus = len(self._events) + len(coming) - self.max_events
        if surplus <= 0:
            return
        settled = (place for place, hold in self._events.items() if hold.settled)
        leaving = list(islice(settled, surplus))
        if len(leaving) < surplus:
            raise JournalError(
                f"the memory journal is full: {self.max_events} events are unsettled"
            )
        for place in leaving:
            del self._events[place]
