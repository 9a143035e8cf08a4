"""How each thing that happens changes a send."""

from __future__ import annotations

from collections.abc import Callable, Set as AbstractSet
from datetime import datetime
from typing import assert_never

from attrs import evolve

from ..events import DeliveryUpdated
from ..models import Accepted, Attempt, conversation_id
from .record import (
    ABANDONED,
    IN_FLIGHT,
    Begun,
    Change,
    Closed,
    Ended,
    Foiled,
    Inquired,
    Kept,
    Lease,
    Moved,
    Reopened,
    Reported,
    Round,
    SendRecord,
    Taken,
)
from .rounds import complete, fresh, pending

__all__ = ["apply"]


def apply(record: SendRecord, change: Change) -> SendRecord:
    """Return *record* after *change*."""
    match change:
        case Begun():
            return _begin(record, change)
        case Ended():
            ended = _each(record, {change.key}, lambda old: _ended(old, change))
            return evolve(ended, closed=ended.closed or complete(ended))
        case Foiled(line=line, key=key, outcome=outcome, at=at):
            tried = Attempt(line, key, pending(record), outcome, at, at)
            return evolve(record, attempts=(*record.attempts, tried))
        case Moved():
            return _move(record, change)
        case Reported():
            return _report(record, change.event)
        case _:
            return _govern(record, change)


def _govern(
    record: SendRecord, change: Inquired | Closed | Kept | Taken | Reopened
) -> SendRecord:
    """Return *record* after what concerns its owner and not its legs."""
    lease = record.lease
    match change:
        case Inquired(at=at):
            return evolve(record, inquiries=record.inquiries + 1, asked_at=at)
        case Closed(halted=halted):
            return evolve(record, closed=True, halted=halted)
        case Kept(until=until):
            return evolve(record, lease=evolve(lease, until=until))
        case Taken(owner=owner, until=until, at=at):
            taken = Lease(owner, until, lease.fence + 1)
            attempts = tuple(_abandoned(old, at) for old in record.attempts)
            return evolve(record, lease=taken, attempts=attempts)
        case Reopened():
            return _reopen(record, change)
        case _:
            assert_never(change)


def _move(record: SendRecord, moved: Moved) -> SendRecord:
    keys = set(moved.keys)
    told = _each(record, keys, lambda old: evolve(old, then=moved.then))
    if moved.to is None:
        return told
    old = told.round
    waits = old.waits + (moved.to == old.line)
    onward = evolve(old, line=moved.to, first=fresh(told), waits=waits)
    return evolve(told, round=onward)


def _abandoned(attempt: Attempt, at: datetime) -> Attempt:
    """Say of a leg in flight that nobody is there to hear its answer.

    One that a webhook proved meanwhile is over, too.
    """
    if attempt.ended_at is not None:
        return attempt
    known = ABANDONED if attempt.outcome == IN_FLIGHT else attempt.outcome
    return evolve(attempt, outcome=known, ended_at=at)


def _reopen(record: SendRecord, again: Reopened) -> SendRecord:
    number = fresh(record)
    if again.anew is not None:
        record = evolve(
            record,
            message=again.anew.message,
            members=again.anew.members,
            conversation=conversation_id(again.anew.members),
            notes=again.anew.notes,
        )
    return evolve(
        record,
        closed=False,
        halted=None,
        lease=Lease(again.owner, again.until, record.lease.fence + 1),
        round=Round(
            members=again.members,
            line=again.line,
            via=again.via,
            left=again.left,
            at=again.at,
            start=number,
            first=number,
        ),
    )


def _begin(record: SendRecord, begun: Begun) -> SendRecord:
    started = tuple(
        Attempt(begun.line, leg.key, leg.members, IN_FLIGHT, begun.at)
        for leg in begun.legs
    )
    return evolve(
        record,
        legs={**record.legs, **{leg.key: leg for leg in begun.legs}},
        attempts=(*record.attempts, *started),
    )


def _ended(attempt: Attempt, ended: Ended) -> Attempt:
    """Take the outcome in, unless a webhook already proved acceptance."""
    proven = isinstance(attempt.outcome, Accepted)
    better = not proven or isinstance(ended.outcome, Accepted)
    outcome = ended.outcome if better else attempt.outcome
    return evolve(attempt, outcome=outcome, ended_at=ended.at)


def _report(record: SendRecord, event: DeliveryUpdated) -> SendRecord:
    attempt = _concerned(record, event)
    if attempt is None:
        return record
    proof = Accepted(event.message_id or attempt.leg)
    record = _each(
        record,
        {attempt.leg},
        lambda old: old if isinstance(old.outcome, Accepted) else _proven(old, proof),
    )
    told = attempt.members[:1] if len(attempt.members) == 1 else (event.member,)
    reports = dict(record.reports)
    for member in attempt.members:
        if member in told:
            place = (attempt.leg, member)
            reports[place] = _higher(reports.get(place), event)
    return evolve(record, reports=reports)


def _proven(attempt: Attempt, proof: Accepted) -> Attempt:
    return evolve(attempt, outcome=proof)


def _concerned(record: SendRecord, event: DeliveryUpdated) -> Attempt | None:
    """Return the attempt *event* tells of: our token says it, else the carrier's id."""
    ids = {event.message_id, *event.also_known_as}
    of_account = [a for a in record.attempts if a.line.account == event.account]
    by_token = (a for a in of_account if a.leg == event.token)
    by_id = (
        a
        for a in of_account
        if isinstance(a.outcome, Accepted) and a.outcome.message_id in ids
    )
    return next(by_token, None) or next(by_id, None)


def _higher(old: DeliveryUpdated | None, new: DeliveryUpdated) -> DeliveryUpdated:
    if old is None:
        return new
    kept, other = (new, old) if new.status.rank > old.status.rank else (old, new)
    return evolve(kept, cost=kept.cost or other.cost)


def _each(
    record: SendRecord, keys: AbstractSet[str], change: Callable[[Attempt], Attempt]
) -> SendRecord:
    attempts = tuple(
        change(attempt) if attempt.leg in keys else attempt
        for attempt in record.attempts
    )
    return evolve(record, attempts=attempts)
