"""The journal of a process that may forget: bounded, in memory, gone at exit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count, islice
from secrets import token_bytes
from threading import RLock
from typing import Any, ClassVar

from attrs import define, field

from ..consent import Block, Wish, at_group
from ..errors import JournalError
from ..events import DeliveryUpdated, Event, EventKey
from ..models import ConversationId, LineId, SendId
from ..records import SendRecord, doubtful
from .memory_archive import MemoryArchive, Place
from .port import Access, Hold, Members, Name, State

__all__ = ["MemoryJournal"]

_EMPTY: Any = field(factory=dict[Any, Any], init=False, repr=False)


@define(eq=False)
class MemoryJournal(MemoryArchive):
    """Keeps the last *max_sends* sends and *max_events* events.

    The oldest finished ones make room. When none is finished the journal is full and
    refuses new sends before a byte leaves.
    """

    blocks: ClassVar[bool] = False
    durable: ClassVar[bool] = False

    max_sends: int = 20_000
    max_events: int = 100_000
    _lock: RLock = field(factory=RLock, init=False, repr=False)
    _sends: dict[SendId, SendRecord] = _EMPTY
    _references: dict[tuple[str, str], SendId] = _EMPTY
    _messages: dict[Name, SendId] = _EMPTY
    _lines: dict[
        tuple[str, ConversationId], tuple[LineId, datetime, Members | None]
    ] = _EMPTY
    _turns: dict[LineId, float] = _EMPTY
    _wishes: dict[tuple[str, str], Wish] = _EMPTY
    _memos: dict[tuple[str, str], str] = _EMPTY
    _events: dict[Place, Hold] = _EMPTY
    _kept: dict[Place, Event] = _EMPTY
    _early: dict[Name, list[DeliveryUpdated]] = _EMPTY
    _order: dict[SendId | Place, int] = _EMPTY
    _counter: count[int] = field(factory=lambda: count(1), init=False, repr=False)
    _secret: bytes = field(factory=lambda: token_bytes(32), init=False, repr=False)

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

    def _open(self, namespace: str) -> Iterable[SendRecord]:
        return [
            record
            for record in self._sends.values()
            if record.namespace == namespace and not record.closed
        ]

    def _in_doubt(self, namespace: str, since: datetime) -> Iterable[SendRecord]:
        return [
            record
            for record in self._sends.values()
            if record.namespace == namespace
            and record.closed
            and record.began_at > since
            and doubtful(record)
        ]

    def _add(self, record: SendRecord) -> None:
        self._make_room()
        self._references[record.namespace, record.reference] = record.id
        self._sends[record.id] = record
        self._order[record.id] = next(self._counter)

    def _replace(self, old: SendRecord, new: SendRecord) -> None:
        self._sends[old.id] = new

    def _line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        listed = self._lines.get((namespace, conversation))
        return None if listed is None else listed[:2]

    def _set_line(
        self,
        namespace: str,
        conversation: ConversationId,
        line: LineId,
        at: datetime,
        members: Members | None,
    ) -> None:
        self._lines.pop((namespace, conversation), None)  # the latest goes to the end
        self._lines[namespace, conversation] = (line, at, members)
        if len(self._lines) > self.max_events:
            del self._lines[next(iter(self._lines))]

    def _next_turn(self, line: LineId) -> float:
        return self._turns.get(line, 0.0)

    def _set_next_turn(self, line: LineId, at: float) -> None:
        self._turns[line] = at

    def _blocks(self, namespace: str, subjects: Sequence[str]) -> Iterable[Block]:
        if not self._wishes:
            return
        for subject in subjects:
            wish = self._wishes.get((namespace, subject))
            if wish is not None and wish.blocked:
                yield Block(subject, wish.at, wish.how)

    def _consent(self, namespace: str, wish: Wish) -> None:
        known = self._wishes.get((namespace, wish.subject))
        if known is None or known.at <= wish.at:
            self._wishes[namespace, wish.subject] = wish

    def _lift_groups(self, namespace: str, line: LineId, at: datetime) -> None:
        prefix = at_group(line, ConversationId(""))
        for place, wish in list(self._wishes.items()):
            if place[0] == namespace and place[1].startswith(prefix) and wish.at <= at:
                del self._wishes[place]

    def _memo(self, namespace: str, key: str) -> str | None:
        return self._memos.get((namespace, key))

    def _set_memo(self, namespace: str, key: str, value: str) -> None:
        self._memos[namespace, key] = value
        while len(self._memos) > self.max_sends:  # the oldest can be set up again
            del self._memos[next(iter(self._memos))]

    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        return self._events.get(self._place(namespace, key))

    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        self._events[self._place(namespace, key)] = hold

    def _unsettled(self, namespace: str) -> Iterable[tuple[Event, Hold]]:
        return [
            (self._kept[place], hold)
            for place, hold in self._events.items()
            if place[0] == namespace and hold.state is State.OPEN
        ]

    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        self._events[namespace, event.key] = Hold()
        self._kept[namespace, event.key] = event
        self._order[namespace, event.key] = next(self._counter)
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
        self._drop_send(self._order[oldest.id], oldest)

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Forget as many settled events as *events* need, or none at all."""
        places = {(namespace, event.key) for event in events}
        coming = [place for place in places if place not in self._events]
        surplus = len(self._events) + len(coming) - self.max_events
        if surplus <= 0:
            return
        settled = (place for place, hold in self._events.items() if hold.state)
        leaving = list(islice(settled, surplus))
        if len(leaving) < surplus:
            raise JournalError(
                f"the memory journal is full: {self.max_events} events are unsettled"
            )
        for place in leaving:
            del self._events[place], self._kept[place], self._order[place]
