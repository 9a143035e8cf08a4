"""What a journal must do, whatever it stores things in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol

from ..archive import Cut, Erased, Mark, Place, Swept, Thread, ThreadMark
from ..consent import Block
from ..effects import Reserved, Stored
from ..events import Event, EventKey, MessageReceived
from ..models import ConversationId, LineId, Number, SendId
from ..records import Begun, Change, SendRecord

__all__ = ["Journal"]


class Journal(Protocol):
    """The store of sends, attempts, events, claims and consent.

    Every method is one transaction, is safe to call from several threads, and raises
    `JournalError` when the store cannot do it. What is written is there after a
    crash, as far as the store is durable at all.

    *blocks* is true of a store that may wait, for a disk or for another process; the
    async client then uses a thread. *durable* is true of one that outlives the
    process: what it stored of a webhook is handled sooner or later.
    """

    blocks: ClassVar[bool]
    durable: ClassVar[bool]

    def reserve(self, record: SendRecord, begun: Begun | None = None) -> Reserved:
        """Put *record* under its reference, or return the send that holds it.

        A new one begins its first batch at once. A send of the same message that is
        `retriable` is reopened for the caller.
        """
        ...

    def take_over(
        self, send: SendId, owner: str, now: float, until: float
    ) -> SendRecord | None:
        """Give a send that is open and abandoned to *owner*, or return `None`."""
        ...

    def write(
        self, send: SendId, change: Change, fence: int | None = None
    ) -> SendRecord:
        """Apply *change* to a send and return the send after it.

        Raises:
            TakenOverError: *fence* is not that of the send's lease, and *change* not
                one of `FACTS`.
        """
        ...

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Return the send under *reference*."""
        ...

    def orphans(self, namespace: str, now: float) -> tuple[SendRecord, ...]:
        """Return the open sends whose owner is gone or whose lease ran out."""
        ...

    def doubtful(self, namespace: str, since: datetime) -> tuple[SendRecord, ...]:
        """Return the closed sends begun after *since* of which a leg is `Unknown`."""
        ...

    def last_line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Return the line of the last activity in either direction, and when."""
        ...

    def turn(
        self,
        line: LineId,
        copies: int,
        rate: float,
        now: float,
        limit: float = math.inf,
    ) -> float:
        """Reserve the next *copies* of *rate* per second; return seconds to wait.

        Nothing is reserved if that is longer than *limit*. The same for all
        namespaces: the line is one.
        """
        ...

    def blocked(self, namespace: str, subjects: Sequence[str]) -> tuple[Block, ...]:
        """Return which of *subjects* must not be texted."""
        ...

    def standing(
        self, namespace: str, subjects: Sequence[str], conversation: ConversationId
    ) -> tuple[tuple[Block, ...], tuple[LineId, datetime] | None]:
        """Return what `blocked` and `last_line` do, in one transaction."""
        ...

    def memo(self, namespace: str, key: str) -> str | None:
        """Return what was noted under *key*, an adapter's own name for something."""
        ...

    def memorize(self, namespace: str, key: str, value: str) -> None:
        """Note *value* under *key*, in the place of what was there."""
        ...

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to.

        News that comes before the send's own reply is kept and merged with it. What
        events tell of consent is noted in the same transaction.
        """
        ...

    def claim(
        self, namespace: str, key: EventKey, owner: str, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if it is over."""
        ...

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
        """End a claim: *done* for good, otherwise so that it can be claimed again.

        One that was given back at *now* is among the `waiting` only after a pause, the
        longer the oftener, and after `TRIES` times parked: nobody gets it any more.
        With *claim*, the time a claim held until, only that claim is given back. With
        *shed* what was said in an event goes as it is settled.
        """
        ...

    def waiting(self, namespace: str, now: float, limit: int) -> tuple[Event, ...]:
        """Return up to *limit* events that nobody handles, the oldest first."""
        ...

    def history(
        self,
        namespace: str,
        conversation: ConversationId,
        before: Mark | None,
        limit: int,
    ) -> tuple[tuple[Mark, SendRecord | MessageReceived], ...]:
        """Return up to *limit* sends and messages before a mark, the newest first."""
        ...

    def threads(
        self, namespace: str, before: ThreadMark | None, limit: int
    ) -> tuple[Thread, ...]:
        """Return up to *limit* conversations before a mark, the last active first."""
        ...

    def shed(self, namespace: str, reference: str) -> None:
        """Erase what was said in the send under *reference*, if it is settled."""
        ...

    def prune(self, namespace: str, cut: Cut, place: Place, limit: int) -> Swept:
        """Erase what is too old among the next *limit* sends and events.

        Open sends, unsettled events, consent, and claims that a carrier may still
        deliver again stay.
        """
        ...

    def forget(self, namespace: str, number: Number) -> Erased:
        """Erase every send and every event that *number* is in, and its conversations.

        Keys of events and opt-outs stay, as digests where they would name it.
        """
        ...

    def close(self) -> None:
        """Let go of what the store holds open."""
        ...
