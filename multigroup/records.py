"""What the journal holds of a send, and how each thing that happens changes it.

A `SendRecord` is one send; a `Change` is one thing that happened to it. Changes are
applied by pure functions, so every store agrees on what they mean. The rules that
matter: an outcome only ever rises to `Accepted`, a status never goes back, a cost is
set and never summed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias, assert_never

from attrs import evolve, field, frozen

from .events import DeliveryUpdated
from .models import (
    Accepted,
    Attempt,
    ConversationId,
    Delivery,
    DeliveryStatus,
    Leg,
    LineId,
    Message,
    Money,
    NotSent,
    Number,
    Outcome,
    Receipt,
    Refused,
    SendId,
    Unknown,
)

__all__ = [
    "Begun",
    "Change",
    "Closed",
    "Ended",
    "Foiled",
    "Moved",
    "Reported",
    "SendRecord",
    "apply",
    "owner",
    "receipt",
    "retriable",
]

IN_FLIGHT = Unknown("no answer yet")


@frozen
class SendRecord:
    """One send as the journal knows it.

    *reports* keeps the highest-ranked news per leg and member; *closed* is true once
    the sending program has come to its end.
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
    """What the send did after the legs *keys*, and why."""

    keys: tuple[str, ...]
    then: str


@frozen
class Reported:
    """A signed webhook told of one member's copy."""

    event: DeliveryUpdated


@frozen
class Closed:
    """The sending program came to its end."""


Change: TypeAlias = Begun | Ended | Foiled | Moved | Reported | Closed


def apply(record: SendRecord, change: Change) -> SendRecord:
    """Return *record* after *change*."""
    match change:
        case Begun():
            return _begin(record, change)
        case Ended():
            return _each(record, {change.key}, lambda old: _ended(old, change))
        case Foiled(line=line, key=key, outcome=outcome, at=at):
            tried = Attempt(line, key, record.members, outcome, at, at)
            return evolve(record, attempts=(*record.attempts, tried))
        case Moved():
            keys = set(change.keys)
            return _each(record, keys, lambda old: evolve(old, then=change.then))
        case Reported():
            return _report(record, change.event)
        case Closed():
            return evolve(record, closed=True)
        case _:
            assert_never(change)


def retriable(record: SendRecord) -> bool:
    """Tell whether the send came to its end, untried or unsent, and nothing left."""
    nothing_left = all(
        isinstance(attempt.outcome, NotSent | Refused) for attempt in record.attempts
    )
    ended_unsent = all(
        isinstance(_delivery(record, member).outcome, NotSent)
        for member in record.members
    )
    return record.closed and nothing_left and ended_unsent


def owner(token: str) -> SendId:
    """Return the send a leg key belongs to: a key is `<send id>.<n>`."""
    return SendId(token.partition(".")[0])


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


def _delivery(record: SendRecord, member: Number) -> Delivery:
    attempt = _telling(record, member)
    if attempt is None:
        return Delivery(NotSent("no line got as far as sending"))
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


def _telling(record: SendRecord, member: Number) -> Attempt | None:
    """Return the attempt that says most of *member*: an accepted one, else the last."""
    last: Attempt | None = None
    for attempt in reversed(record.attempts):
        if member in attempt.members:
            if isinstance(attempt.outcome, Accepted):
                return attempt
            last = last or attempt
    return last


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
