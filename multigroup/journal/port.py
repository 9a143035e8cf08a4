"""The plain operations that a store gives; what they are for is said in `rules`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum, IntEnum, auto
from typing import NamedTuple, TypeAlias

from ..consent import Block, Wish
from ..events import DeliveryUpdated, Event, EventKey, MessageReceived
from ..models import ConversationId, LineId, Number, SendId
from ..records import SendRecord
from .owners import gone
from .traces import Traces

__all__ = ["Access", "Hold", "Listed", "Members", "Name", "Port", "Slip", "State"]

Name: TypeAlias = tuple[str, str, str]
"""Namespace, account, and what the carrier calls a message there."""


class Access(Enum):
    """What a transaction is for.

    What was written in a `DURABLE` one outlives a power cut from the moment it ends,
    in a `WRITE` one at least the process.
    """

    READ = auto()
    WRITE = auto()
    DURABLE = auto()


class State(IntEnum):
    """How far an event has come; the numbers stand in stores."""

    OPEN = 0
    SETTLED = 1
    PARKED = 2


class Hold(NamedTuple):
    """Who has an event: *owner* until a time, unless it is over.

    *tries* counts how often it was handled.
    """

    state: State = State.OPEN
    until: float = 0.0
    owner: str = ""
    tries: int = 0

    def taken(self, now: float) -> bool:
        """Tell whether somebody is handling the event."""
        return self.until > now and not gone(self.owner)

    def rests(self, now: float) -> bool:
        """Tell whether the event was given back, and is not to be run again yet."""
        return self.until > now and not self.owner


Members: TypeAlias = frozenset[Number]

Listed: TypeAlias = tuple[ConversationId, LineId, datetime, Members | None]
"""A conversation, the line of its last activity, when, and who is in it if noted."""


class Slip(NamedTuple):
    """What a store knows of an event without reading it; *n* is its order there."""

    n: int
    key: EventKey
    at: datetime
    state: State
    blank: bool = False


class Port(ABC):
    """What a store must be able to look up and to keep, within a transaction."""

    __slots__ = ()

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
    def _open(self, namespace: str) -> Iterable[SendRecord]:
        """Look up the sends that are not closed, the oldest first."""

    @abstractmethod
    def _in_doubt(self, namespace: str, since: datetime) -> Iterable[SendRecord]:
        """Look up the closed sends begun after *since* with an `Unknown` leg."""

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
        self,
        namespace: str,
        conversation: ConversationId,
        line: LineId,
        at: datetime,
        members: Members | None,
    ) -> None:
        """Note the conversation's last line, and who is in it if that is known."""

    @abstractmethod
    def _next_turn(self, line: LineId) -> float:
        """Look up from when on the line may send again; 0 if it never did."""

    @abstractmethod
    def _set_next_turn(self, line: LineId, at: float) -> None:
        """Note from when on the line may send again."""

    @abstractmethod
    def _blocks(self, namespace: str, subjects: Sequence[str]) -> Iterable[Block]:
        """Look up which of *subjects* must not be texted."""

    @abstractmethod
    def _consent(self, namespace: str, wish: Wish) -> None:
        """Note a wish, unless a later one of the same subject is known."""

    @abstractmethod
    def _lift_groups(self, namespace: str, line: LineId, at: datetime) -> None:
        """Forget what was held against groups on *line* before *at*."""

    @abstractmethod
    def _memo(self, namespace: str, key: str) -> str | None:
        """Look up what was noted under *key*."""

    @abstractmethod
    def _set_memo(self, namespace: str, key: str, value: str) -> None:
        """Note *value* under *key*."""

    @abstractmethod
    def _hold(self, namespace: str, key: EventKey) -> Hold | None:
        """Tell who has an event; `None` if it was never kept."""

    @abstractmethod
    def _set_hold(self, namespace: str, key: EventKey, hold: Hold) -> None:
        """Note who has an event."""

    @abstractmethod
    def _unsettled(self, namespace: str) -> Iterable[tuple[Event, Hold]]:
        """Look up the events that are not over, the oldest first."""

    @abstractmethod
    def _keep(self, namespace: str, event: Event, early: Iterable[Name]) -> None:
        """Keep an event that is new, to be found under the names *early* too."""

    @abstractmethod
    def _take_early(self, name: Name) -> Sequence[DeliveryUpdated]:
        """Return what was kept under *name*, in its order; it waits no more."""

    @abstractmethod
    def _sends_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterable[tuple[int, SendRecord]]:
        """Look up sends of a conversation by time and order, the newest first."""

    @abstractmethod
    def _messages_of(
        self,
        namespace: str,
        conversation: ConversationId,
        before: tuple[datetime, int],
        limit: int,
    ) -> Iterable[tuple[int, MessageReceived]]:
        """Look up messages of a conversation by time and order, the newest first."""

    @abstractmethod
    def _listed(
        self, namespace: str, before: tuple[datetime, str], limit: int
    ) -> Iterable[Listed]:
        """Look up conversations by time of last activity, the newest first."""

    @abstractmethod
    def _sends_from(
        self, namespace: str, n: int, limit: int
    ) -> Sequence[tuple[int, SendRecord]]:
        """Look up the next *limit* sends after *n*, in their order."""

    @abstractmethod
    def _events_from(self, namespace: str, n: int, limit: int) -> Sequence[Slip]:
        """Look up the next *limit* events after *n*, in their order."""

    @abstractmethod
    def _sends_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[int, SendRecord]]:
        """Look up the sends in which *traces* are."""

    @abstractmethod
    def _events_with(
        self, namespace: str, traces: Traces
    ) -> Sequence[tuple[Slip, frozenset[ConversationId]]]:
        """Look up events with *traces* in them, and the conversations they name."""

    @abstractmethod
    def _drop_send(self, n: int, record: SendRecord) -> None:
        """Erase a send; its reference is free again."""

    @abstractmethod
    def _blank_send(self, n: int, old: SendRecord, new: SendRecord) -> None:
        """Keep *new*, which has neither attempts nor news, in the place of *old*."""

    @abstractmethod
    def _drop_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        """Erase events and their keys."""

    @abstractmethod
    def _blank_events(self, namespace: str, slips: Iterable[Slip]) -> None:
        """Erase events but for their keys, settled, without a number in them."""

    @abstractmethod
    def _bare_event(self, namespace: str, key: EventKey) -> None:
        """Erase what was said in an event."""

    @abstractmethod
    def _drop_lines(self, namespace: str, before: datetime) -> None:
        """Forget the conversations whose last activity was before *before*."""

    @abstractmethod
    def _unlist(self, namespace: str, conversations: Iterable[ConversationId]) -> None:
        """Forget *conversations*."""

    def _wipe(self, *, thorough: bool) -> None:
        """Leave nothing of what was erased where the store lies.

        What takes long is only done if *thorough*. Called outside of a transaction.
        """
        del thorough

    def _make_room_for(self, namespace: str, events: Sequence[Event]) -> None:
        """Forget what has to go before *events* can be kept; most stores grow."""
        del namespace, events
