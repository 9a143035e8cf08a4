"""What a journal must do, whatever it stores things in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol

from ..effects import Reserved, Stored
from ..events import Event, EventKey
from ..models import ConversationId, LineId, SendId
from ..records import Change, SendRecord

__all__ = ["Journal"]


class Journal(Protocol):
    """The store of sends, attempts, events and claims.

    Every method is one transaction, is safe to call from several threads, and raises
    `JournalError` when the store cannot do it. What is written is there after a
    crash, as far as the store is durable at all. *blocks* is true of a store that may
    wait, for a disk or for another process; the async client then uses a thread.
    """

    blocks: ClassVar[bool]

    def reserve(self, record: SendRecord) -> Reserved:
        """Put *record* under its reference, or return the send that holds it.

        A send of the same message that is `retriable` is reopened for the caller.
        """
        ...

    def write(self, send: SendId, change: Change) -> SendRecord:
        """Apply *change* to a send and return the send after it."""
        ...

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Return the send under *reference*."""
        ...

    def last_line(
        self, namespace: str, conversation: ConversationId
    ) -> tuple[LineId, datetime] | None:
        """Return the line of the last activity in either direction, and when."""
        ...

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Keep *events*; merge delivery news into the sends it belongs to.

        News that comes before the send's own reply is kept and merged with it.
        """
        ...

    def claim(
        self, namespace: str, key: EventKey, now: float, until: float
    ) -> bool | None:
        """Take an event: true if ours now, false if taken, `None` if settled."""
        ...

    def settle(self, namespace: str, key: EventKey, *, done: bool) -> None:
        """End a claim: *done* for good, otherwise so that it can be claimed again."""
        ...

    def close(self) -> None:
        """Let go of what the store holds open."""
        ...
