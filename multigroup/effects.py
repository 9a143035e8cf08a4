"""What a program may ask of the world: data that a driver answers.

A program is a generator. It asks with `answer = yield from Effect(...)`, which gives
the answer its type, and never yields bare. Only `_drive` carries effects out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any, Generic, Self, TypeAlias, TypeVar

from attrs import frozen

from .events import Event, EventKey
from .models import ConversationId, LineId, SendId
from .records import Change, SendRecord
from .wire import Reply, Request

__all__ = [
    "AnyEffect",
    "Claim",
    "Effect",
    "Exchange",
    "JournalEffect",
    "LastLine",
    "Notify",
    "Now",
    "Program",
    "Recall",
    "Reserve",
    "Reserved",
    "Settle",
    "Sleep",
    "Store",
    "Stored",
    "Token",
    "Write",
]

T = TypeVar("T")


class Effect(Generic[T]):
    """One request to the driver, answered by a *T*."""

    def __iter__(self) -> Generator[Self, T, T]:
        """Hand the effect to the driver and return its answer."""
        return (yield self)


@frozen
class Now(Effect[float]):
    """Tell the time, in seconds since the epoch."""


@frozen
class Token(Effect[str]):
    """Draw 128 random bits, in hexadecimal."""


@frozen
class Sleep(Effect[None]):
    """Wait *seconds*."""

    seconds: float


Landed: TypeAlias = Callable[[int, Reply, float], tuple[SendId, Change]]


@frozen
class Exchange(Effect[tuple[Reply, ...]]):
    """Send all *requests* at once and return the replies in their order.

    A transport's exception is a `Failure` among the replies, never raised. *landed* is
    called with index, reply and time as each reply comes in, and what it returns is
    written to the journal then and there: neither a crash nor a cancellation later in
    the batch forgets it.
    """

    requests: tuple[Request, ...]
    landed: Landed | None = None


@frozen
class Notify(Effect[tuple[Exception, ...]]):
    """Run the application's handlers of *event*; return what they raised."""

    event: Event


@frozen
class Reserved:
    """The send under a reference; *ours* is true if it is for us to carry out."""

    record: SendRecord
    ours: bool


@frozen
class Reserve(Effect[Reserved]):
    """Put *record* under its reference, or return the send that holds it already.

    A send of the same message of which nothing left is reopened: it is ours again.
    """

    record: SendRecord


@frozen
class Write(Effect[SendRecord]):
    """Commit *change* to a send and return the send after it."""

    send: SendId
    change: Change


@frozen
class Recall(Effect[SendRecord | None]):
    """Look a send up by its reference."""

    namespace: str
    reference: str


@frozen
class LastLine(Effect[tuple[LineId, datetime] | None]):
    """Tell the line of a conversation's last activity in either direction, and when."""

    namespace: str
    conversation: ConversationId


@frozen
class Stored:
    """An event as the journal has it; *fresh* is false for one it had before."""

    event: Event
    fresh: bool


@frozen
class Store(Effect[tuple[Stored, ...]]):
    """Keep the *events* of one webhook, in one transaction.

    Delivery news is merged into the send it belongs to, whose reference the event
    returned bears.
    """

    namespace: str
    events: tuple[Event, ...]


@frozen
class Claim(Effect[bool | None]):
    """Take an event for handling until *until* (seconds since the epoch).

    The answer is true if it is ours now, false if somebody else has it at this time,
    and `None` if it was settled before.
    """

    namespace: str
    key: EventKey
    now: float
    until: float


@frozen
class Settle(Effect[None]):
    """End a claim: *done* settles the event, otherwise it can be claimed again."""

    namespace: str
    key: EventKey
    done: bool


JournalEffect: TypeAlias = Reserve | Write | Recall | LastLine | Store | Claim | Settle
AnyEffect: TypeAlias = Now | Token | Sleep | Exchange | Notify | JournalEffect

Program: TypeAlias = Generator[AnyEffect, Any, T]
"""Our logic: asks with effects and returns a *T*."""
