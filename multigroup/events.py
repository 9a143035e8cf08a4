"""One event model over every carrier's webhooks: one frozen class per kind of news.

What a carrier did not say is `None`. The body it sent stays in `raw`, whole.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum, unique
from typing import NamedTuple

from attrs import field, frozen

from .masking import identifier, shown_id, shown_ids, shown_term
from .models import (
    ConversationId,
    DeliveryStatus,
    LineId,
    Media,
    Money,
    Number,
    Reason,
    Scope,
    SendId,
)

__all__ = [
    "DeliveryUpdated",
    "Event",
    "EventKey",
    "LateAcceptance",
    "Meaning",
    "MessageReceived",
    "OptedIn",
    "OptedOut",
    "SendFailed",
    "ThreadMoved",
    "Unrecognized",
]


class EventKey(NamedTuple):
    """What makes two deliveries of a webhook the same event.

    In one word (`str`) it names the event by account, type and id alone: a carrier's
    reader gives two events of one type in one body two ids.
    """

    account: str
    id: str
    type: str
    member: str

    def __str__(self) -> str:
        """Return the key in one word, which tells nothing of the member.

        A digest would: there are few enough numbers to try them all.
        """
        return f"{self.account}/{self.type}/{_named(self.id)}"

    def __repr__(self) -> str:
        """Show the id if it looks like one, and of the member the last four digits."""
        parts = (self.account, identifier(self.id), self.type, Number(self.member))
        return f"EventKey{parts!r}"


def _named(key: str) -> str:
    """Return an id as it is, or a digest of what does not look like one."""
    if identifier(key) == key:
        return key
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


@unique
class Meaning(StrEnum):
    """How much a good status proves."""

    HANDSET = "handset"
    CARRIER = "carrier"
    HANDED_OVER = "handed_over"


@frozen(kw_only=True)
class Event:
    """Something a carrier told us.

    *id* is the carrier's own key of the event, *provider* the carrier's name and
    *account* ours for the account it came by. Times are aware; *occurred_at* is the
    carrier's, or *received_at* where it gave none.
    """

    id: str = field(repr=shown_id)
    provider: str
    account: str
    occurred_at: datetime
    received_at: datetime
    raw: bytes = field(repr=False)

    @property
    def key(self) -> EventKey:
        """Return what the journal claims the event by."""
        concerned: Number | None = getattr(self, "member", None)
        return EventKey(
            self.account, self.id, type(self).__name__, Number(concerned or "")
        )


@frozen(kw_only=True)
class MessageReceived(Event):
    """A member wrote to the group.

    *members* is everyone but our own numbers, the sender included; `None` when the
    carrier left the others out. *line* is the number of ours that it came to.
    *sender* is as received when it is not a possible +1 number.
    """

    sender: Number
    line: Number | None
    members: frozenset[Number] | None
    conversation: ConversationId | None
    provider_thread: str | None = field(default=None, repr=shown_id)
    message_id: str | None = field(default=None, repr=shown_id)
    text: str = field(default="", repr=False)
    subject: str | None = field(default=None, repr=False)
    media: tuple[Media, ...] = field(default=(), repr=False)


@frozen(kw_only=True)
class DeliveryUpdated(Event):
    """A carrier's news of one member's copy of a message we sent.

    *token* is our own leg key as the carrier returned it, and `None` where it returned
    somebody else's; *reference* the caller's, once the journal has found the send.
    *scope* is what a failure condemns. *cost* is for this member alone; *network* is
    the member's carrier or its MCC-MNC code. *also_known_as* holds further ids the
    carrier gave the same message.
    """

    member: Number | None
    participant: str | None = field(default=None, repr=False)
    status: DeliveryStatus
    provider_status: str = field(repr=shown_term)
    code: str | None = field(default=None, repr=shown_term)
    detail: str | None = field(default=None, repr=False)
    reason: Reason | None = None
    scope: Scope | None = None
    message_id: str | None = field(default=None, repr=shown_id)
    also_known_as: tuple[str, ...] = field(default=(), repr=shown_ids)
    token: str | None = field(default=None, repr=shown_id)
    reference: str | None = None
    cost: Money | None = None
    network: str | None = field(default=None, repr=shown_term)
    meaning: Meaning | None = None


@frozen(kw_only=True)
class OptedOut(Event):
    """A member told the carrier to stop; the carrier now blocks our line to them."""

    member: Number
    line: Number | None


@frozen(kw_only=True)
class OptedIn(Event):
    """A member took an opt-out back."""

    member: Number
    line: Number | None


@frozen(kw_only=True)
class Unrecognized(Event):
    """An authentic webhook that says nothing we know how to read; *why* tells."""

    why: str


@frozen(kw_only=True)
class ThreadMoved(Event):
    """Ours, not a carrier's: a send left the line its conversation was on.

    Handsets thread by our number and by who is in the group, so every member now sees
    a new thread. *previous* is the conversation that was asked for, where somebody who
    opted out was left out of it.
    """

    conversation: ConversationId
    previous: ConversationId | None = None
    send_id: SendId
    left: LineId
    joined: LineId
    why: str


@frozen(kw_only=True)
class SendFailed(Event):
    """Ours: every copy of a send that carriers had taken is finally lost.

    *movable* is true when the line, the account or a message that surely never left
    the carrier was to blame, so that another line may bring it:
    `client.retry(reference, via=...)`. *line* is the line that failed.
    """

    conversation: ConversationId
    send_id: SendId
    reference: str
    line: LineId
    reason: Reason | None
    movable: bool


@frozen(kw_only=True)
class LateAcceptance(Event):
    """Ours: a leg held for doubtful was taken after all, and *members* have it twice.

    It follows a `client.retry(reference, unknown=True)`, the only way to text somebody
    again who was perhaps texted. *line* is the line of the leg now proven.
    """

    conversation: ConversationId
    send_id: SendId
    reference: str
    line: LineId
    members: frozenset[Number]
