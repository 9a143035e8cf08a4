"""The receipt: what is known of a send, frozen."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from ..events import DeliveryUpdated
from ..models import (
    Accepted,
    Attempt,
    Delivery,
    DeliveryStatus,
    Money,
    NotSent,
    Number,
    Receipt,
    Refused,
    Unknown,
)
from .record import SendRecord
from .rounds import telling

__all__ = ["receipt"]

UNTRIED = NotSent("no line got as far as sending")


def receipt(record: SendRecord) -> Receipt:
    """Return what is known of *record*, frozen."""
    return Receipt(
        reference=record.reference,
        send_id=record.id,
        conversation=record.conversation,
        line=record.attempts[-1].line if record.attempts else None,
        deliveries={member: _delivery(record, member) for member in record.members},
        attempts=record.attempts,
        cost=_cost(record),
        notes=record.notes,
    )


def _delivery(record: SendRecord, member: Number) -> Delivery:
    attempt = telling(record, member)
    if attempt is None:
        return Delivery(record.halted or UNTRIED)
    match attempt.outcome:
        case Accepted(message_id=message_id):
            return _accepted(
                record.reports.get((attempt.leg, member)), message_id, attempt
            )
        case Refused(code=code, reason=reason, detail=detail) as refused:
            return Delivery(refused, reason=reason, code=code, detail=detail)
        case NotSent() | Unknown():
            return Delivery(attempt.outcome)
        case _:
            assert_never(attempt.outcome)


def _accepted(
    report: DeliveryUpdated | None, message_id: str, attempt: Attempt
) -> Delivery:
    if report is None:
        return Delivery(attempt.outcome, DeliveryStatus.ACCEPTED, message_id)
    return Delivery(
        attempt.outcome,
        report.status,
        message_id,
        reason=report.reason,
        cost=report.cost,
        code=report.code,
        detail=report.detail or "",
    )


def _cost(record: SendRecord) -> Money | None:
    """Return what carriers said they charged, or `None` while a part is unknown."""
    costs: list[Money] = []
    for attempt in record.attempts:
        if isinstance(attempt.outcome, NotSent | Refused):
            continue
        known = _leg_cost(record, attempt)
        if known is None:
            return None
        costs += known
    if not costs or len({cost.currency for cost in costs}) > 1:
        return None
    return Money(sum((cost.amount for cost in costs), Decimal(0)), costs[0].currency)


def _leg_cost(record: SendRecord, attempt: Attempt) -> list[Money] | None:
    """Return the members' own costs if all are told, else the leg's total if told."""
    reports = [record.reports.get((attempt.leg, member)) for member in attempt.members]
    told = [report.cost for report in reports if report and report.cost]
    if len(told) == len(attempt.members):
        return told
    if isinstance(attempt.outcome, Accepted) and attempt.outcome.cost:
        return [attempt.outcome.cost]
    return None
