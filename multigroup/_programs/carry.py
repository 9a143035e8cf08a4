"""Carrying a send out: step by step, from wherever its record stands.

Nothing leaves before it is written down who may have it; what is known is written the
moment it is. Whoever goes on with a send, in this process or the next, goes by the same
steps.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, assert_never

from attrs import define, evolve, field, frozen

from ..breaker import Breakers
from ..effects import Exchange, Now, Program, Recall, Sleep, Turn, Write
from ..errors import JournalError, SendInProgressError, TakenOverError, UncertainError
from ..models import Accepted, Leg, Message, NotSent, Outcome, Refused, SendId
from ..providers.base import Draft, Line, Rail, outcome
from ..records import (
    Begun,
    Change,
    Closed,
    Ended,
    Foiled,
    Kept,
    Moved,
    SendRecord,
    apply,
    current,
    fresh,
    pending,
    receipt,
    this_round,
)
from ..routing import Policy
from ..wire import Reply, Request
from .steps import Go, Move, Stop, Wait, next_step

__all__ = [
    "Batch",
    "Means",
    "as_known",
    "carry_out",
    "draft_of",
    "legs_of",
    "made_ready",
    "moment",
    "noted",
    "perform",
]

LEASE_BEYOND: Final = 30.0
"""Seconds that a lease outlives the longest exchange."""


@frozen(kw_only=True)
class Means:
    """What a send is carried out with: the *lines* that can carry it, in order.

    *owner* is this process, *exchange* the longest exchange with a carrier in seconds.
    Until *patience* (Unix seconds) a carrier that asks for it is waited for, and until
    *grace* if part of the group is texted already. *callback* is the public address of
    the webhook endpoint, without the account.
    """

    lines: tuple[Line, ...]
    policy: Policy
    owner: str
    exchange: float
    patience: float = 0.0
    grace: float = 0.0
    callback: str | None = field(default=None, repr=False)
    breakers: Breakers = field(factory=Breakers)

    def lease(self, now: float) -> float:
        """Return until when a send is ours: longer than any exchange may take."""
        return now + self.exchange + LEASE_BEYOND


def carry_out(
    means: Means, record: SendRecord, begun: Batch | None = None
) -> Program[SendRecord]:
    """Go on with *record* until there is nothing more to do, and close it.

    *begun* is a batch whose intent is written already, and which has not left.

    Raises:
        JournalError: an intent could not be written; nothing was sent.
        SendInProgressError: another process took the send over.
        UncertainError: the journal failed after a message had left.
    """
    try:
        if begun is not None:
            record = yield from perform(means, record, begun)
        while not record.closed:
            record = yield from _step(means, record)
    except TakenOverError:
        raise SendInProgressError(
            f"send {record.id} was taken over by another process, as this one stood "
            "still for too long: ask for its receipt later"
        ) from None
    except JournalError:
        record = yield from noted(record, Closed(UNWRITTEN))
        if all(
            isinstance(tried.outcome, NotSent | Refused) for tried in this_round(record)
        ):
            raise
    except GeneratorExit:  # nobody plays on: nothing can be asked any more
        raise
    except BaseException:
        with suppress(JournalError):
            yield from noted(record, Closed())
        raise
    return record


UNWRITTEN: Final = NotSent("the journal failed before their turn")


def _step(means: Means, record: SendRecord) -> Program[SendRecord]:
    now = yield from Now()
    step = next_step(
        record,
        means.lines,
        canary=means.policy.fan_out == "canary",
        patience=(means.grace if _part_texted(record) else means.patience) - now,
    )
    keys = tuple(attempt.leg for attempt in current(record))
    match step:
        case Go(line=line):
            return (yield from _go(means, record, line, canary=step.canary))
        case Wait(seconds=seconds, then=then):
            unsent = [a for a in current(record) if isinstance(a.outcome, NotSent)]
            keys = tuple(attempt.leg for attempt in unsent)
            record = yield from noted(record, Moved(keys, then, record.round.line))
            return (yield from _rest(means, record, seconds))
        case Move(to=to, then=then):
            return (yield from noted(record, Moved(keys, then, to)))
        case Stop(then=then, halted=halted):
            if then:
                record = yield from noted(record, Moved(keys, then))
            return (yield from noted(record, Closed(halted)))
        case _:
            assert_never(step)


def _part_texted(record: SendRecord) -> bool:
    return any(isinstance(a.outcome, Accepted) for a in this_round(record))


def _go(
    means: Means, record: SendRecord, line: Line, *, canary: bool
) -> Program[SendRecord]:
    """Put the message on *line*; return the send with the attempts made."""
    draft = draft_of(means, record, line)
    now = yield from Now()
    rail: Rail | NotSent | Refused | None = means.breakers.refusal(line.id, now)
    if rail is None:
        rail = yield from line.provider.prepare(draft)
    if isinstance(rail, NotSent | Refused):
        key = f"{record.id}.{fresh(record)}"
        foiled = Foiled(line.id, key, rail, moment(now))
        return (yield from noted(record, foiled))
    legs = legs_of(record, line.provider.legs(draft, rail), canary=canary)
    if not legs:
        nothing = NotSent(f"{line.provider.name} made no request for them")
        return (yield from noted(record, Closed(nothing)))
    if line.rate is not None:
        legs = legs[:1]  # two batches of a second's worth make two in one second
        limit = math.inf if this_round(record) else max(means.grace - now, 0.0)
        wait = yield from _turn(line, line.rate, legs, now, limit)
        if isinstance(wait, NotSent):
            key = f"{record.id}.{fresh(record)}"
            return (yield from noted(record, Foiled(line.id, key, wait, moment(now))))
        record = yield from _rest(means, record, wait)
    batch = yield from made_ready(line, legs)
    begun = yield from Write(record.id, batch.begun, record.lease.fence)
    return (yield from perform(means, begun, batch))


def _turn(
    line: Line, rate: float, legs: tuple[Leg, ...], now: float, limit: float
) -> Program[float | NotSent]:
    """Take the next turn of *line* if it comes within *limit*; return seconds to it.

    A send that has begun is not left half done for want of a turn: it has no limit.
    """
    copies = sum(len(leg.members) for leg in legs)
    wait = yield from Turn(line.id, copies, rate, now, limit)
    if wait <= limit:
        return wait
    return NotSent(f"{line.id} has no turn at its rate for {wait:.0f} s", wait)


@frozen
class Batch:
    """Legs that leave together, their *requests* with credentials, their intent."""

    line: Line
    requests: tuple[Request, ...]
    begun: Begun


def made_ready(line: Line, legs: tuple[Leg, ...]) -> Program[Batch]:
    """Return *legs* ready to leave; nothing of them is written down yet.

    Raises:
        ConfigError: the credentials cannot be made.
    """
    now = yield from Now()
    requests = tuple([line.provider.authorize(leg.request, now) for leg in legs])
    return Batch(line, requests, Begun(line.id, legs, moment(now)))


def perform(means: Means, record: SendRecord, batch: Batch) -> Program[SendRecord]:
    """Send one batch, whose intent is written: all at once, each reply written down.

    The one place where handsets are made to ring. Returns the send as it then stands,
    which webhooks may have brought further than the replies.

    Raises:
        UncertainError: the journal failed, so what is known is lost.
    """
    landing = _Landing(batch, record)
    try:
        yield from Exchange(batch.requests, landing)
    except JournalError as error:
        raise UncertainError(
            "the journal failed after the message had left: somebody was perhaps "
            "texted; sending again could text them twice",
            receipt(record),
        ) from error
    means.breakers.heard(batch.line.id, landing.news, (yield from Now()))
    return landing.record


@define
class _Landing:
    """Reads each reply of a batch as it comes in; *record* is the send after it."""

    batch: Batch
    record: SendRecord
    news: list[tuple[Outcome, Reply]] = field(factory=list[tuple[Outcome, Reply]])

    def change(self, index: int, reply: Reply, at: float) -> tuple[SendId, Change]:
        line, leg = self.batch.line, self.batch.begun.legs[index]
        known = outcome(line.provider, leg, reply)
        self.news.append((known, reply))
        return self.record.id, Ended(leg.key, known, moment(at))

    def kept(self, record: SendRecord) -> None:
        self.record = record


def draft_of(means: Means, record: SendRecord, line: Line) -> Draft:
    """Return *record* as *line* is to be asked to carry it."""
    base = means.callback
    return Draft(
        send=record.id,
        line=line,
        members=record.members,
        message=_said(means, record, line),
        first=record.round.first,
        callback=base and f"{base.rstrip('/')}/{line.provider.name}",
        namespace=record.namespace,
    )


def legs_of(
    record: SendRecord, legs: tuple[Leg, ...], *, canary: bool
) -> tuple[Leg, ...]:
    """Return those of a try's *legs* that are to leave now."""
    wanted = set(pending(record))
    left = tuple(
        leg
        for leg in legs
        if leg.key not in record.legs and not wanted.isdisjoint(leg.members)
    )
    return left[:1] if canary else left


def noted(record: SendRecord, change: Change) -> Program[SendRecord]:
    """Write a *change* that only explains.

    A journal failing at it must not hide what is known of the message.
    """
    try:
        return (yield from Write(record.id, change, record.lease.fence))
    except TakenOverError:
        raise
    except JournalError:
        return apply(record, change)


def as_known(record: SendRecord) -> Program[SendRecord]:
    """Return *record* as the journal has it by now."""
    current = yield from Recall(record.namespace, record.reference)
    if current is None:
        raise JournalError(f"send {record.id} vanished from the journal")
    return current


def moment(now: float) -> datetime:
    """Return *now* (Unix seconds) as an aware time."""
    return datetime.fromtimestamp(now, UTC)


def _said(means: Means, record: SendRecord, line: Line) -> Message:
    """Return what is said on *line*: on another than the last, with the note."""
    note, message = means.policy.move_note, record.message
    if note is None or record.round.left in (None, line.id):
        return message
    return evolve(message, text=f"{note}\n{message.text}".rstrip("\n"))


def _rest(means: Means, record: SendRecord, seconds: float) -> Program[SendRecord]:
    """Wait, and keep the lease meanwhile."""
    while seconds > 0:
        now = yield from Now()
        record = yield from Write(record.id, Kept(means.lease(now)), record.lease.fence)
        piece = min(seconds, LEASE_BEYOND)
        yield from Sleep(piece)
        seconds -= piece
    return record
