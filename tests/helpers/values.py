"""Builders of values that many tests need: people, lines, sends, news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any, Final

from multigroup.events import DeliveryUpdated, MessageReceived
from multigroup.models import (
    Accepted,
    DeliveryStatus,
    Leg,
    LineId,
    Message,
    Money,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    SendId,
    conversation_id,
)
from multigroup.records import Begun, Change, Ended, SendRecord, apply
from multigroup.wire import Request

__all__ = [
    "ANA",
    "BEN",
    "CLEO",
    "LINE",
    "ME",
    "OTHER_LINE",
    "PEOPLE",
    "RED",
    "accepted",
    "at",
    "begun",
    "ended",
    "leg",
    "money",
    "received",
    "record",
    "refused",
    "told",
    "update",
]

ANA: Final = Number("+14155550101")
BEN: Final = Number("+14155550102")
CLEO: Final = Number("+14155550103")
PEOPLE: Final = (ANA, BEN, CLEO)

LINE: Final = LineId("red", Number("+12125550100"))
OTHER_LINE: Final = LineId("blue", Number("+13125550100"))
RED: Final = SendId("5e4d")

ME: Final = "worker"
"""An owner of whom nobody can tell that it is gone: it is on no machine."""


def at(seconds: float) -> datetime:
    """Return a moment *seconds* after the start of the story."""
    return datetime(2026, 11, 21, 8, 0, tzinfo=UTC) + timedelta(seconds=seconds)


def money(amount: str, currency: str = "USD") -> Money:
    """Return *amount*, exact."""
    return Money(Decimal(amount), currency)


def record(send: str = RED, reference: str = "dinner", **more: Any) -> SendRecord:
    """Return a send that has not begun, to `PEOPLE` unless *more* says otherwise."""
    members: tuple[Number, ...] = more.pop("members", PEOPLE)
    message: Message = more.pop("message", Message("Dinner at 7?"))
    given: dict[str, Any] = {
        "namespace": "default",
        "fingerprint": message.fingerprint(members),
        "conversation": conversation_id(members),
        "began_at": at(0),
        **more,
    }
    return SendRecord(
        id=SendId(send), reference=reference, members=members, message=message, **given
    )


def leg(key: str = f"{RED}.0", members: tuple[Number, ...] = PEOPLE) -> Leg:
    """Return one leg to *members*."""
    return Leg(key, members, Request("POST", "https://carrier.example/messages"))


def begun(*legs: Leg, line: LineId = LINE, when: float = 1) -> Begun:
    """Return a batch that begins: one leg to everybody unless *legs* are given."""
    return Begun(line, legs or (leg(),), at(when))


def ended(outcome: Outcome, key: str = f"{RED}.0", when: float = 2) -> Ended:
    """Return the end of the leg *key*."""
    return Ended(key, outcome, at(when))


def refused(scope: Scope = Scope.LINE, reason: Reason = Reason.OTHER) -> Refused:
    """Return a refusal that condemns *scope*."""
    return Refused("40305", reason, scope)


def update(
    status: DeliveryStatus = DeliveryStatus.DELIVERED,
    member: Number | None = ANA,
    **more: Any,
) -> DeliveryUpdated:
    """Return news of *member*'s copy of message `m-1`, on the account of `LINE`."""
    given: dict[str, Any] = {
        "id": f"event-{status}-{(member or '')[-1:]}",
        "provider": "red",
        "account": LINE.account,
        "occurred_at": at(3),
        "received_at": at(3),
        "raw": b"{}",
        "provider_status": status.value,
        "message_id": "m-1",
        **more,
    }
    return DeliveryUpdated(member=member, status=status, **given)


def received(key: str = "in-1", *, when: float = 5, **more: Any) -> MessageReceived:
    """Return a message of Ana's to the others and `LINE`."""
    given: dict[str, Any] = {
        "provider": "red",
        "account": LINE.account,
        "occurred_at": at(when),
        "received_at": at(when),
        "raw": b"{}",
        "sender": ANA,
        "line": LINE.number,
        "members": frozenset(PEOPLE),
        "conversation": conversation_id(PEOPLE),
        "text": "I bring dessert",
        **more,
    }
    return MessageReceived(id=key, **given)


def told(*changes: Change, start: SendRecord | None = None) -> SendRecord:
    """Return a send after *changes*, in their order."""
    return reduce(apply, changes, start or record())


def accepted(message_id: str = "m-1", cost: Money | None = None) -> Accepted:
    """Return the carrier's yes."""
    return Accepted(message_id, cost)
