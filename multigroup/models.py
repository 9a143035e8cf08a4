"""The nouns of group MMS: numbers, conversations, messages, outcomes, receipts.

Frozen values and nothing else: no I/O, no carrier, no clock. Whatever identifies a
person or carries what was said is masked in `repr`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum, unique
from functools import lru_cache
from typing import ClassVar, NewType, TypeAlias
from urllib.parse import urlsplit

from attrs import field, frozen

from .masking import mask, shown_id, shown_term, shown_type
from .wire import Request

__all__ = [
    "Accepted",
    "Attempt",
    "ConversationId",
    "Delivery",
    "DeliveryStatus",
    "Leg",
    "LineId",
    "Media",
    "Message",
    "Money",
    "NotSent",
    "Number",
    "Outcome",
    "Reason",
    "Receipt",
    "Refused",
    "Scope",
    "SendId",
    "Unknown",
    "conversation_id",
]

SendId = NewType("SendId", str)
"""Random 128-bit name of one send, in hexadecimal."""

ConversationId = NewType("ConversationId", str)
"""`c1_` and 26 base32 characters: the same for the same people on every carrier.

A pseudonym of the members, and so personal data.
"""


class Number(str):
    """A phone number in E.164 (`+14155550101`) or a short code (`28228`).

    A plain `str` in every respect but `repr`, which shows the last four digits only.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the last four digits."""
        return f"'{mask(self)}'"


def conversation_id(members: Iterable[str]) -> ConversationId:
    """Return the identity of the conversation of *members* (E.164, in any order)."""
    return _identity(frozenset(members))


@lru_cache(maxsize=4096)  # who talks talks again; a third of reading a webhook
def _identity(members: frozenset[str]) -> ConversationId:
    roster = "multigroup/1\n" + "\n".join(sorted(members))
    digest = hashlib.sha256(roster.encode("utf-8", "surrogatepass")).digest()[:16]
    return ConversationId("c1_" + base64.b32encode(digest).decode()[:26].lower())


@frozen(order=True)
class LineId:
    """One of our own numbers at one carrier account."""

    account: str
    number: Number

    def __str__(self) -> str:
        """Return account and masked number, fit for a log."""
        return f"{self.account}:{mask(self.number)}"


@frozen
class Media:
    """A media file by its URL.

    *content_type* is what the sender or the carrier said it is; *size* is in bytes;
    *sha256* is in hexadecimal. All three are `None` when nobody said.
    """

    url: str = field(repr=False)
    content_type: str | None = field(default=None, repr=shown_type)
    size: int | None = None
    sha256: str | None = field(default=None, repr=False)


def _media(given: Iterable[str | Media]) -> tuple[Media, ...]:
    return tuple(item if isinstance(item, Media) else Media(item) for item in given)


@frozen
class Message:
    """What the application wants said."""

    text: str = field(default="", repr=lambda text: f"<{len(text)} characters>")
    media: tuple[Media, ...] = field(default=(), converter=_media)
    subject: str | None = field(default=None, repr=False)

    def fingerprint(self, members: Iterable[str]) -> str:
        """Return a digest of what is said to whom; a media URL's query is left out.

        Two sends with one reference must have one fingerprint. Queries are left out
        because signed URLs differ at every signing.
        """
        urls = [urlsplit(item.url)._replace(query="").geturl() for item in self.media]
        parts = [*sorted(members), "", self.text, self.subject or "", *urls]
        sized = "".join(f"{len(part)}:{part}," for part in parts)
        return hashlib.sha256(sized.encode("utf-8", "surrogatepass")).hexdigest()


@frozen
class Money:
    """An amount in one currency (ISO 4217); currencies are never converted."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """Return `0.0800 USD`."""
        return f"{self.amount} {self.currency}"


@unique
class Reason(StrEnum):
    """Why a message was refused or not delivered, over all carriers' codes."""

    OPTED_OUT = "opted_out"
    INVALID_NUMBER = "invalid_number"
    NOT_MOBILE = "not_mobile"
    SPAM = "spam"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MEDIA = "media"
    REGISTRATION = "registration"
    ACCOUNT = "account"
    EXPIRED = "expired"
    OTHER = "other"


@unique
class Scope(StrEnum):
    """What a refusal condemns: only `LINE` and `ACCOUNT` let another line try."""

    MESSAGE = "message"
    MEMBER = "member"
    LINE = "line"
    ACCOUNT = "account"


class DeliveryStatus(StrEnum):
    """What a carrier last said of one member's copy.

    `UNCONFIRMED` is final and normal: handsets of other networks send no receipt for
    group MMS. It means neither delivered nor failed.
    """

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def rank(self) -> int:
        """Return the place in the order in which a status can only rise."""
        return _Rank[self.name]

    @property
    def final(self) -> bool:
        """Tell whether the carrier is not expected to say more."""
        return self.rank >= _Rank.UNCONFIRMED


class _Rank(IntEnum):
    ACCEPTED = 0
    QUEUED = 1
    SENDING = 2
    SENT = 3
    UNCONFIRMED = 4
    DELIVERED = 5
    FAILED = 5
    EXPIRED = 5


@frozen
class Accepted:
    """The carrier took the leg; *cost* is the leg's total when the carrier said it."""

    message_id: str = field(repr=shown_id)
    cost: Money | None = None
    word: ClassVar[str] = "ACCEPTED"


@frozen
class Refused:
    """The carrier answered no; nothing was sent.

    *named* are the members it blames, if it named any.
    """

    code: str = field(repr=shown_term)
    reason: Reason
    scope: Scope
    detail: str = field(default="", repr=False)  # a carrier may quote the text
    named: tuple[Number, ...] = ()
    word: ClassVar[str] = "REFUSED"


@frozen
class NotSent:
    """Nothing was sent, and no carrier judged it.

    *wait* is for how many seconds a throttling carrier asks to be left alone: 0 if it
    does not say, `None` if waiting is not what helps. *stale* says that what was set up
    for the message at the carrier is there no more: set up anew it may go.
    """

    why: str
    wait: float | None = None
    stale: bool = False
    word: ClassVar[str] = "NOT_SENT"


@frozen
class Unknown:
    """Perhaps sent: the request left and no clear answer came back."""

    why: str
    word: ClassVar[str] = "UNKNOWN"


Outcome: TypeAlias = Accepted | Refused | NotSent | Unknown
"""What is known of a leg."""


@frozen
class Leg:
    """One request that makes handsets ring: exact bytes, no credentials.

    *key* is the only reference of ours that a carrier sees.
    """

    key: str
    members: tuple[Number, ...]
    request: Request


@frozen
class Attempt:
    """One try of one leg: on which line, for whom, what is known, what came next.

    *ended_at* is `None` while the leg is in flight. *then* says in words why the send
    moved to another line or stopped.
    """

    line: LineId
    leg: str
    members: tuple[Number, ...]
    outcome: Outcome
    began_at: datetime
    ended_at: datetime | None = None
    then: str = ""


@frozen
class Delivery:
    """What is known of one member's copy.

    *cost* is `None` while the carrier has not told this member's price; *status* is
    `None` until the carrier accepted the leg.
    """

    outcome: Outcome
    status: DeliveryStatus | None = None
    message_id: str | None = field(default=None, repr=shown_id)
    reason: Reason | None = None
    cost: Money | None = None
    code: str | None = field(default=None, repr=shown_term)
    detail: str = field(default="", repr=False)


@frozen
class Receipt:
    """A snapshot of one send.

    *line* is the line last tried. *cost* is what the carriers charged so far, `None`
    while any part that may be charged is unknown. *notes* tells what a careful reader
    should know: numbers unknown to the numbering plan, lines passed over and why.
    """

    reference: str
    send_id: SendId
    conversation: ConversationId
    line: LineId | None
    deliveries: Mapping[str, Delivery]
    attempts: tuple[Attempt, ...]
    cost: Money | None = None
    notes: tuple[str, ...] = ()

    @property
    def members(self) -> tuple[str, ...]:
        """Return everyone the send was for, in order of number."""
        return tuple(self.deliveries)

    @property
    def settled(self) -> bool:
        """Tell whether no more news is to be expected of any copy.

        An `Unknown` is never settled: evidence may still come.
        """
        return all(
            isinstance(delivery.outcome, Refused | NotSent)
            or (delivery.status is not None and delivery.status.final)
            for delivery in self.deliveries.values()
        )
