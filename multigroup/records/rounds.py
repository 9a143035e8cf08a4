"""What is still to be done of a send, read from its record."""

from __future__ import annotations

from typing import Final

from ..models import (
    Accepted,
    Attempt,
    DeliveryStatus,
    NotSent,
    Number,
    Refused,
    Scope,
    Unknown,
)
from .record import SendRecord

__all__ = [
    "complete",
    "current",
    "doubtful",
    "fresh",
    "leg_number",
    "lost",
    "pending",
    "retriable",
    "telling",
    "this_round",
    "unsent",
]

_LOST: Final = frozenset({DeliveryStatus.FAILED, DeliveryStatus.EXPIRED})


def leg_number(key: str) -> int:
    """Return the *n* of a leg key `<send id>.<n>`."""
    return int(key.rpartition(".")[2])


def fresh(record: SendRecord) -> int:
    """Return the first number that no leg of *record* has."""
    return 1 + max((leg_number(attempt.leg) for attempt in record.attempts), default=-1)


def this_round(record: SendRecord) -> tuple[Attempt, ...]:
    """Return the attempts of the round under way."""
    return _since(record, record.round.start)


def current(record: SendRecord) -> tuple[Attempt, ...]:
    """Return the attempts of the try under way: all on one line."""
    return _since(record, record.round.first)


def pending(record: SendRecord) -> tuple[Number, ...]:
    """Return whom the round has still to text, and may."""
    last = _last(record)
    return tuple(
        member
        for member in record.round.members
        if member not in last or unsent(last[member])
    )


def complete(record: SendRecord) -> bool:
    """Tell whether everybody whom the round is for was surely texted."""
    if any(attempt.ended_at is None for attempt in record.attempts):
        return False  # asked after each of many replies, this answers nearly always
    last = _last(record)
    return all(
        member in last and isinstance(last[member].outcome, Accepted)
        for member in record.round.members
    )


def unsent(attempt: Attempt) -> bool:
    """Tell whether nothing went out and the line, at most, was to blame."""
    match attempt.outcome:
        case NotSent():
            return True
        case Refused(scope=scope):
            return scope in (Scope.LINE, Scope.ACCOUNT)
        case Accepted() | Unknown():
            return False


def telling(record: SendRecord, member: Number) -> Attempt | None:
    """Return the attempt that says most of *member*.

    That is the last one that was accepted and whose copy was not lost since; else one
    that perhaps went out, whatever became of a later copy; else the last.
    """
    tried = [a for a in reversed(record.attempts) if member in a.members]
    good = (attempt for attempt in tried if _has_it(record, attempt, member))
    perhaps = (attempt for attempt in tried if isinstance(attempt.outcome, Unknown))
    return next(good, None) or next(perhaps, None) or next(iter(tried), None)


def lost(record: SendRecord, attempt: Attempt, member: Number) -> bool:
    """Tell whether *member*'s copy of an *attempt* is known to be finally lost."""
    report = record.reports.get((attempt.leg, member))
    return report is not None and report.status in _LOST


def _has_it(record: SendRecord, attempt: Attempt, member: Number) -> bool:
    taken = isinstance(attempt.outcome, Accepted)
    return taken and not lost(record, attempt, member)


def retriable(record: SendRecord) -> bool:
    """Tell whether the send came to its end, untried or unsent, and nothing left."""
    nothing_left = all(
        isinstance(attempt.outcome, NotSent | Refused) for attempt in record.attempts
    )
    told = (telling(record, member) for member in record.members)
    ended_unsent = all(
        attempt is None or isinstance(attempt.outcome, NotSent) for attempt in told
    )
    return record.closed and nothing_left and ended_unsent


def doubtful(record: SendRecord) -> tuple[Attempt, ...]:
    """Return the attempts of which it is not known whether they went out."""
    return tuple(a for a in record.attempts if isinstance(a.outcome, Unknown))


def _last(record: SendRecord) -> dict[Number, Attempt]:
    last: dict[Number, Attempt] = {}
    for attempt in this_round(record):
        last.update(dict.fromkeys(attempt.members, attempt))
    return last


def _since(record: SendRecord, number: int) -> tuple[Attempt, ...]:
    if number == 0:  # the usual case
        return record.attempts
    return tuple(a for a in record.attempts if leg_number(a.leg) >= number)
