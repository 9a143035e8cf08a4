"""What a program may ask of the world: data that a driver answers.

A program is a generator. It asks with `answer = yield from Effect(...)`, which gives
the answer its type, and never yields bare. Only `_drive` carries effects out.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

from attrs import frozen

from .archive import Cut, Erased, Mark, Place, Swept, Thread, ThreadMark
from .consent import Block
from .events import Event, EventKey, MessageReceived
from .models import ConversationId, LineId, Number, SendId
from .records import Begun, Change, SendRecord
from .wire import Reply, Request

__all__ = [
    "AnyEffect",
    "ArchiveEffect",
    "Blocked",
    "Claim",
    "Doubtful",
    "Effect",
    "EventEffect",
    "Exchange",
    "Forget",
    "History",
    "JournalEffect",
    "Landing",
    "LastLine",
    "Memorize",
    "NoteEffect",
    "Notify",
    "Now",
    "Orphans",
    "Program",
    "Prune",
    "Recall",
    "Recollect",
    "Reserve",
    "Reserved",
    "SendEffect",
    "Settle",
    "Shed",
    "Sleep",
    "Standing",
    "Store",
    "Stored",
    "TakeOver",
    "Threads",
    "Token",
    "Turn",
    "Waiting",
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


class Landing(Protocol):
    """What is made of each reply of a batch, the moment it comes in."""

    def change(self, index: int, reply: Reply, at: float) -> tuple[SendId, Change]:
        """Return what the *index*-th reply, in at *at*, means for which send."""
        ...

    def kept(self, record: SendRecord) -> None:
        """Learn how the send stands, now that it is written."""
        ...


@frozen
class Exchange(Effect[tuple[Reply, ...]]):
    """Send all *requests* at once and return the replies in their order.

    A transport's exception is a `Failure` among the replies, never raised. What
    *landing* makes of a reply is written to the journal then and there: neither a crash
    nor a cancellation later in the batch forgets it. *within* is for how many seconds
    at most, where that is less than a request is given anyway.
    """

    requests: tuple[Request, ...]
    landing: Landing | None = None
    within: float = math.inf


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

    A new send begins its first batch in the same commit, if *begun* is given. A send
    of the same message of which nothing left is reopened: it is ours again.
    """

    record: SendRecord
    begun: Begun | None = None


@frozen
class TakeOver(Effect[SendRecord | None]):
    """Go on with a send whose owner is gone or let its lease run out.

    The answer is `None` while its owner is at work, or once it is closed.
    """

    send: SendId
    owner: str
    now: float
    until: float


@frozen
class Write(Effect[SendRecord]):
    """Commit *change* to a send and return the send after it.

    *fence* is that of the owner's lease: an act of an owner who was replaced is
    refused with `TakenOverError`, news of the world never is.
    """

    send: SendId
    change: Change
    fence: int | None = None


@frozen
class Recall(Effect[SendRecord | None]):
    """Look a send up by its reference."""

    namespace: str
    reference: str


@frozen
class Orphans(Effect[tuple[SendRecord, ...]]):
    """Find the sends under way whose owner is gone or let its lease run out."""

    namespace: str
    now: float


@frozen
class Doubtful(Effect[tuple[SendRecord, ...]]):
    """Find the closed sends begun after *since* of which a leg is `Unknown`."""

    namespace: str
    since: datetime


@frozen
class LastLine(Effect[tuple[LineId, datetime] | None]):
    """Tell the line of a conversation's last activity in either direction, and when."""

    namespace: str
    conversation: ConversationId


@frozen
class Turn(Effect[float]):
    """Reserve the next *copies* of a line's *rate* (copies per second).

    The answer is how long to wait for them, in seconds. If that is longer than *limit*
    nothing was reserved.
    """

    line: LineId
    copies: int
    rate: float
    now: float
    limit: float = math.inf


@frozen
class Blocked(Effect[tuple[Block, ...]]):
    """Tell which of *subjects* (see `consent`) must not be texted, and since when."""

    namespace: str
    subjects: tuple[str, ...]


@frozen
class Standing(Effect[tuple[tuple[Block, ...], tuple[LineId, datetime] | None]]):
    """Answer `Blocked` and `LastLine` in one look, as every send asks for both."""

    namespace: str
    subjects: tuple[str, ...]
    conversation: ConversationId


@frozen
class Recollect(Effect[str | None]):
    """Look up what an adapter noted under *key*."""

    namespace: str
    key: str


@frozen
class Memorize(Effect[None]):
    """Note *value* under *key*, for adapters that set something up at a carrier.

    What a carrier calls a conversation, for one: it need not be made again.
    """

    namespace: str
    key: str
    value: str


@frozen
class Stored:
    """An event as the journal has it; *fresh* is false for one it had before."""

    event: Event
    fresh: bool


@frozen
class Store(Effect[tuple[Stored, ...]]):
    """Keep the *events* of one webhook, in one transaction.

    Delivery news is merged into the send it belongs to, whose reference the event
    returned bears. What follows from it, such as `SendFailed`, is kept and returned
    after it.
    """

    namespace: str
    events: tuple[Event, ...]


@frozen
class Claim(Effect[bool | None]):
    """Take an event for handling until *until* (seconds since the epoch).

    The answer is true if it is ours now, false if somebody else has it at this time,
    and `None` if it was settled or parked before.
    """

    namespace: str
    key: EventKey
    owner: str
    now: float
    until: float


@frozen
class Settle(Effect[None]):
    """End a claim: *done* settles the event, otherwise it can be claimed again.

    One that was given back ten times is parked instead, and one that was given back at
    *now* is not `Waiting` at once. *claim* is the time the claim held until: who stood
    still for so long that another has the event now gives nothing back. With *shed*
    what was said in it goes once it is settled.
    """

    namespace: str
    key: EventKey
    done: bool
    shed: bool = False
    now: float = 0.0
    claim: float | None = None


@frozen
class Waiting(Effect[tuple[Event, ...]]):
    """Find up to *limit* events that nobody handles at this time, the oldest first."""

    namespace: str
    now: float
    limit: int


@frozen
class History(Effect[tuple[tuple[Mark, SendRecord | MessageReceived], ...]]):
    """Find up to *limit* entries of a conversation before a mark, the newest first."""

    namespace: str
    conversation: ConversationId
    before: Mark | None
    limit: int


@frozen
class Threads(Effect[tuple[Thread, ...]]):
    """Find up to *limit* conversations before a mark, the last active first."""

    namespace: str
    before: ThreadMark | None
    limit: int


@frozen
class Shed(Effect[None]):
    """Erase what was said in a send, if it is settled."""

    namespace: str
    reference: str


@frozen
class Prune(Effect[Swept]):
    """Erase what is too old among the next *limit* sends and events after *place*."""

    namespace: str
    cut: Cut
    place: Place
    limit: int


@frozen
class Forget(Effect[Erased]):
    """Erase whatever a number is in; see `Client.forget`."""

    namespace: str
    number: Number


SendEffect: TypeAlias = Reserve | Write | Recall | TakeOver | Orphans | Doubtful
EventEffect: TypeAlias = Store | Claim | Settle | Waiting
NoteEffect: TypeAlias = LastLine | Turn | Blocked | Standing | Recollect | Memorize
ArchiveEffect: TypeAlias = History | Threads | Shed | Prune | Forget
JournalEffect: TypeAlias = SendEffect | EventEffect | NoteEffect | ArchiveEffect
AnyEffect: TypeAlias = Now | Token | Sleep | Exchange | Notify | JournalEffect

Program: TypeAlias = Generator[AnyEffect, Any, T]
"""Our logic: asks with effects and returns a *T*."""
