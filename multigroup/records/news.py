"""What follows from a change, and the application should be told of."""

from __future__ import annotations

from datetime import datetime

from ..events import Event, LateAcceptance, SendFailed
from ..models import (
    Accepted,
    Attempt,
    NotSent,
    Number,
    Reason,
    Refused,
    Scope,
    Unknown,
)
from .record import SendRecord
from .rounds import lost, telling

__all__ = ["consequences", "failure"]

_ELSEWHERE = frozenset({Scope.LINE, Scope.ACCOUNT})
"""Reasons of a line or an account: another line would not share them."""


def consequences(old: SendRecord, new: SendRecord, at: datetime) -> tuple[Event, ...]:
    """Return our own events that the step from *old* to *new* gives rise to."""
    return (*_late(old, new, at), *_failed(old, new, at))


def _failed(old: SendRecord, new: SendRecord, at: datetime) -> tuple[SendFailed, ...]:
    failed = failure(new, at)
    if failed is None or failure(old, at) is not None:
        return ()
    return (failed,)


def failure(record: SendRecord, at: datetime) -> SendFailed | None:
    """Return the failure if everybody's copy is finally lost, at least one late."""
    if not record.reports:  # asked after every reply, and then nearly always so
        return None
    last = record.attempts[-1]
    fates = [_fate(record, member) for member in record.members]
    if None in fates:
        return None
    known = [fate for fate in fates if fate is not None]
    reason = next((reason for _, reason in known if reason is not None), None)
    return SendFailed(
        id=f"{record.id}.failed.{record.round.start}",
        provider="multigroup",
        account=last.line.account,
        occurred_at=at,
        received_at=at,
        raw=b"",
        conversation=record.conversation,
        send_id=record.id,
        reference=record.reference,
        line=last.line,
        reason=reason,
        movable=all(movable for movable, _ in known),
    )


def _fate(record: SendRecord, member: Number) -> tuple[bool, Reason | None] | None:
    """Return why a copy is finally lost, and whether another line could bring it.

    `None` while it may yet arrive.
    """
    attempt = telling(record, member)
    if attempt is None:
        return None
    match attempt.outcome:
        case NotSent():
            return True, None
        case Refused(scope=scope, reason=reason):
            return scope in _ELSEWHERE, reason
        case Unknown():
            return None
        case Accepted():
            return _told_fate(record, attempt, member)


def _told_fate(
    record: SendRecord, attempt: Attempt, member: Number
) -> tuple[bool, Reason | None] | None:
    if not lost(record, attempt, member):
        return None
    report = record.reports[attempt.leg, member]
    return report.scope in _ELSEWHERE, report.reason


def _late(old: SendRecord, new: SendRecord, at: datetime) -> tuple[LateAcceptance, ...]:
    """Return of each leg proven only now that its members were texted again since."""
    if old.attempts == new.attempts:
        return ()
    found: list[LateAcceptance] = []
    for place, (before, after) in enumerate(
        zip(old.attempts, new.attempts, strict=False)
    ):
        proven = isinstance(before.outcome, Unknown) and isinstance(
            after.outcome, Accepted
        )
        again = _texted(new.attempts[place + 1 :]) & set(after.members)
        if proven and again:
            found.append(_twice(new, after, frozenset(again), at))
    return tuple(found)


def _texted(attempts: tuple[Attempt, ...]) -> set[Number]:
    """Return who was texted, or perhaps, by *attempts*."""
    return {
        member
        for attempt in attempts
        if isinstance(attempt.outcome, Accepted | Unknown)
        for member in attempt.members
    }


def _twice(
    record: SendRecord, attempt: Attempt, members: frozenset[Number], at: datetime
) -> LateAcceptance:
    return LateAcceptance(
        id=f"{attempt.leg}.late",
        provider="multigroup",
        account=attempt.line.account,
        occurred_at=at,
        received_at=at,
        raw=b"",
        conversation=record.conversation,
        send_id=record.id,
        reference=record.reference,
        line=attempt.line,
        members=members,
    )
