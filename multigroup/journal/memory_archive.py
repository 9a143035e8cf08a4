"""The archive's part of the journal in memory."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

from ..consent import Wish
from ..events import DeliveryUpdated, Event, EventKey, MessageReceived
from ..models import ConversationId, LineId, SendId
from ..records import SendRecord, bare
from .port import Hold, Listed, Members, Name, Slip, State
from .rows import event_text
from .rules import RuledJournal, names
from .traces import Traces, plain

__all__ = ["MemoryArchive", "Place"]

Place: TypeAlias = tuple[str, EventKey]


class MemoryArchive(RuledJournal):
    """What is read back, and what goes, of the journal in memory."""

    __slots__ = ()

    _sends: dict[SendId, SendRecord]
    _references: dict[tuple[str, str], SendId]
    _messages: dict[Name, SendId]
    _lines: dict[tuple[str, ConversationId], tuple[LineId, datetime, Members | None]]
    _wishes: dict[tuple[str, str], Wish]
    _events: dict[Place, Hold]
    _kept: dict[Place, Event]
    _early: dict[Name, list[DeliveryUpdated]]
    _order: dict[SendId | Place, int]
    _secret: bytes

    def _place(self, namespace: str, key: EventKey) -> Place:
        """Return where the event of *key* is, or would be."""
        place = (namespace, key)
        if place in self._events or not key.member:
            return place
        blind = (namespace, self._blind(key))
        return blind if blind in self._events else place

    def _blind(self, key: EventKey) -> EventKey:
        """Return *key* with a digest in the place of the member."""
        member = key.member.encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._secret, member, "sha256").hex()
        return key._replace(member=digest if member else "")

    def _sends_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterable[tuple[int, SendRecord]]:
        found = (
            (record.began_at, self._order[record.id], record)
            for record in self._sends.values()
            if (record.namespace, record.conversation) == (namespace, conversation)
        )
        return _newest(found, before, limit)

    def _messages_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterable[tuple[int, MessageReceived]]:
        found = (
            (event.received_at, self._order[place], event)
            for place, event in self._kept.items()
            if place[0] == namespace
            and isinstance(event, MessageReceived)
            and event.conversation == conversation
        )
        return _newest(found, before, limit)

    def _listed(
        self, namespace: str, before: tuple[datetime, str], limit: int
    ) -> Iterable[Listed]:
        found = (
            (conversation, *listed)
            for (where, conversation), listed in self._lines.items()
            if where == namespace and (listed[1], conversation) < before
        )
        newest = sorted(found, key=lambda each: (each[2], each[0]), reverse=True)
        return newest[:limit]

    def _sends_from(
        self, namespace: str, n: int, limit: int
    ) -> Sequence[tuple[int, SendRecord]]:
        found = (
            (self._order[record.id], record)
            for record in self._sends.values()
            if record.namespace == namespace and self._order[record.id] > n
        )
        return list(islice(found, limit))

    def _events_from(self, namespace: str, n: int, limit: int) -> Sequence[Slip]:
        return list(
            islice((slip for slip in self._slips(namespace) if slip.n > n), limit)
        )

    def _slips(self, namespace: str) -> Iterator[Slip]:
        for place, event in self._kept.items():
            if place[0] == namespace:
                yield self._slip(place, event)

    def _slip(self, place: Place, event: Event) -> Slip:
        state, blank = self._events[place].state, isinstance(event, Blank)
        return Slip(self._order[place], place[1], event.received_at, state, blank)

    def _sends_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[int, SendRecord]]:
        return [
            (self._order[record.id], record)
            for record in self._sends.values()
            if record.namespace == namespace and traces.found_in(record)
        ]

    def _events_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[Slip, frozenset[ConversationId]]]:
        found: list[tuple[Slip, frozenset[ConversationId]]] = []
        for place, event in self._kept.items():
            if place[0] == namespace and not isinstance(event, Blank):
                written = plain(event_text(event))
                if traces.found(written):
                    slip = self._slip(place, event)
                    found.append((slip, Traces.conversations(written)))
        return found

    def _drop_send(self, n: int, record: SendRecord) -> None:
        del n, self._sends[record.id], self._order[record.id]
        self._references.pop((record.namespace, record.reference), None)
        for name in names(record):
            if self._messages.get(name) == record.id:
                del self._messages[name]

    def _blank_send(self, n: int, old: SendRecord, new: SendRecord) -> None:
        del n
        for name in names(old):
            if self._messages.get(name) == old.id:
                del self._messages[name]
        del self._references[old.namespace, old.reference]
        self._references[new.namespace, new.reference] = new.id
        self._sends[new.id] = new

    def _drop_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        for slip in slips:
            place = (namespace, slip.key)
            self._hear_no_more(place)
            del self._events[place], self._kept[place], self._order[place]

    def _blank_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        for slip in slips:
            old = (namespace, slip.key)
            self._hear_no_more(old)
            new = (namespace, self._blind(slip.key))
            hold, n = self._events.pop(old), self._order.pop(old)
            event = self._kept.pop(old)
            self._events[new] = Hold(State.SETTLED, tries=hold.tries)
            self._order[new] = n
            self._kept[new] = Blank(
                id=event.id,
                provider=event.provider,
                account=event.account,
                occurred_at=event.received_at,
                received_at=event.received_at,
                raw=b"",
            )

    def _hear_no_more(self, place: Place) -> None:
        """Have delivery news wait no more for the reply it came before."""
        event = self._kept[place]
        if not isinstance(event, DeliveryUpdated):
            return
        for name in (event.message_id, *event.also_known_as):
            where = (place[0], event.account, name or "")
            left = [each for each in self._early.pop(where, ()) if each is not event]
            if left:
                self._early[where] = left

    def _bare_event(self, namespace: str, key: EventKey) -> None:
        place = self._place(namespace, key)
        self._kept[place] = bare(self._kept[place])

    def _drop_lines(self, namespace: str, before: datetime) -> None:
        for place, (_, at, _) in list(self._lines.items()):
            if place[0] == namespace and at < before:
                del self._lines[place]

    def _unlist(self, namespace: str, conversations: Iterable[ConversationId]) -> None:
        for conversation in conversations:
            self._lines.pop((namespace, conversation), None)


class Blank(Event):
    """What is left of an event that was erased: that it came, and when."""


def _newest(
    found: Iterable[tuple[datetime, int, Any]],
    before: tuple[datetime, int],
    limit: int,
) -> list[tuple[int, Any]]:
    earlier = [each for each in found if each[:2] < before]
    earlier.sort(key=lambda each: each[:2], reverse=True)
    return [(n, value) for _, n, value in earlier[:limit]]
