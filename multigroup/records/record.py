"""The values: a send as the journal knows it, and what can happen to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeAlias

from attrs import Factory, field, frozen

from ..events import DeliveryUpdated
from ..models import (
    Attempt,
    ConversationId,
    Leg,
    LineId,
    Message,
    NotSent,
    Number,
    Outcome,
    Refused,
    SendId,
    Unknown,
)

__all__ = [
    "FACTS",
    "IN_FLIGHT",
    "Begun",
    "Change",
    "Closed",
    "Ended",
    "Foiled",
    "Inquired",
    "Kept",
    "Lease",
    "Moved",
    "Reopened",
    "Reported",
    "Round",
    "SendRecord",
    "Taken",
    "Wording",
    "owner",
]

IN_FLIGHT: Final = Unknown("no answer yet")
ABANDONED: Final = Unknown("the process that sent it ended before the answer came")


@frozen(kw_only=True)
class Round:
    """What is being carried out: whom to text, where now, and from which leg on.

    A send has one round, and one more for every retry. A round has a try per line.
    *start* is the number of the round's first leg, *first* that of the try's. With
    *via* no other line may be tried. *left* is the line of the conversation's last
    activity before. *waits* counts how often a throttling carrier was waited for. *at*
    is when a retry began; the first round began with the send.
    """

    members: tuple[Number, ...]
    line: LineId | None = None
    via: LineId | None = None
    left: LineId | None = None
    start: int = 0
    first: int = 0
    waits: int = 0
    at: datetime | None = None


@frozen
class Lease:
    """Who carries the send out, and until when (Unix seconds) nobody else may.

    *fence* rises with every owner: what an earlier one still wants to do is refused.
    """

    owner: str = ""
    until: float = 0.0
    fence: int = 0


@frozen
class SendRecord:
    """One send as the journal knows it.

    *reports* keeps the highest-ranked news per leg and member; *closed* is true once
    the round has come to its end; *halted* says why members without an attempt got
    nothing. *inquiries* counts how often a carrier was asked after an `Unknown`, the
    last time at *asked_at*.
    """

    id: SendId
    namespace: str
    reference: str
    fingerprint: str
    conversation: ConversationId
    members: tuple[Number, ...]
    message: Message
    began_at: datetime
    legs: Mapping[str, Leg] = field(factory=dict[str, Leg], repr=False)
    attempts: tuple[Attempt, ...] = ()
    reports: Mapping[tuple[str, Number], DeliveryUpdated] = field(
        factory=dict[tuple[str, Number], DeliveryUpdated], repr=False
    )
    notes: tuple[str, ...] = ()
    closed: bool = False
    round: Round = field(
        default=Factory(lambda self: Round(members=self.members), takes_self=True)
    )
    lease: Lease = Lease()
    halted: NotSent | None = None
    inquiries: int = 0
    asked_at: datetime | None = None


@frozen
class Begun:
    """A batch is about to leave: written before its first byte does."""

    line: LineId
    legs: tuple[Leg, ...]
    at: datetime


@frozen
class Ended:
    """One leg's outcome came in."""

    key: str
    outcome: Outcome
    at: datetime


@frozen
class Foiled:
    """A line could not be made ready: an attempt over before a leg was written."""

    line: LineId
    key: str
    outcome: NotSent | Refused
    at: datetime


@frozen
class Moved:
    """What the send did after the legs *keys*, and why; *to* is the line tried next."""

    keys: tuple[str, ...]
    then: str
    to: LineId | None = None


@frozen
class Reported:
    """A signed webhook told of one member's copy."""

    event: DeliveryUpdated


@frozen
class Inquired:
    """A carrier was asked what became of the legs that are `Unknown`."""

    at: datetime


@frozen
class Closed:
    """The round came to its end; *halted* says why some had no attempt."""

    halted: NotSent | None = None


@frozen
class Kept:
    """Its owner is still at work and keeps the send until *until* (Unix seconds)."""

    until: float


@frozen
class Taken:
    """Another owner goes on with a send whose owner is gone."""

    owner: str
    until: float
    at: datetime


@frozen(kw_only=True)
class Reopened:
    """A send that had ended is carried out again, for *members* only.

    One of which nothing had left may be worded *anew*: its media may have been signed
    again since, and somebody who opted out may be left out of the group.
    """

    members: tuple[Number, ...]
    line: LineId | None
    via: LineId | None = None
    left: LineId | None = None
    owner: str = ""
    until: float = 0.0
    at: datetime | None = None
    anew: Wording | None = None


@frozen
class Wording:
    """What a send says, to which group, and what a careful reader should know."""

    message: Message
    members: tuple[Number, ...]
    notes: tuple[str, ...] = ()


Change: TypeAlias = (
    Begun
    | Ended
    | Foiled
    | Moved
    | Reported
    | Inquired
    | Closed
    | Kept
    | Taken
    | Reopened
)

FACTS: Final = (Ended, Reported)
"""Changes that are news of the world and not acts: no fence holds them off."""


def owner(token: str) -> SendId:
    """Return the send a leg key belongs to: a key is `<send id>.<n>`."""
    return SendId(token.partition(".")[0])
