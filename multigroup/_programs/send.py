"""Sending: check who may be texted, reserve the reference, carry it out, conclude."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from attrs import Factory, evolve, field, frozen

from ..breaker import BreakerState
from ..consent import Block
from ..effects import (
    LastLine,
    Now,
    Program,
    Recall,
    Reserve,
    Sleep,
    Standing,
    TakeOver,
    Token,
)
from ..errors import ReferenceConflictError, SendInProgressError
from ..models import (
    ConversationId,
    LineId,
    Message,
    Number,
    Receipt,
    SendId,
    conversation_id,
)
from ..providers.base import Line, Provider, Rail
from ..records import Lease, Round, SendRecord, receipt, retriable
from ..routing import arrange
from .carry import (
    Batch,
    Means,
    as_known,
    carry_out,
    draft_of,
    legs_of,
    made_ready,
    moment,
)
from .permits import refusal, said, subjects
from .takeover import announce_move, go_on
from .verdict import conclude

__all__ = ["Order", "send"]

POLL: Final = 0.05
"""Seconds between looks at a send that is under way elsewhere."""


@frozen(kw_only=True)
class Order:
    """A send that passed every check that needs no journal.

    *deadline* is in seconds: how long to wait for the same send under way elsewhere,
    and for a carrier that asks to. Without one the longest exchange counts, and a
    carrier is waited for only to complete a group that is part texted. *via* is the
    only line that may be used, if the caller named one; *answering* that of the event
    being answered.
    """

    namespace: str
    members: tuple[Number, ...]
    message: Message
    means: Means
    notes: tuple[str, ...] = ()
    reference: str | None = None
    answering: LineId | None = None
    via: LineId | None = None
    deadline: float | None = None
    conversation: ConversationId = field(
        default=Factory(lambda order: conversation_id(order.members), takes_self=True)
    )


def send(order: Order) -> Program[Receipt]:
    """Send *order* once and return its receipt, or raise what it came to.

    Under a reference used before, the first outcome is given again; but a send of
    which nothing left is taken up anew, and one whose process died is gone on with.

    Raises:
        SendError: not everybody was certainly texted.
        OptedOutError: a member asked us to stop.
        ReferenceConflictError: the reference names another message.
        SendInProgressError: the same send is under way elsewhere.
        JournalError: the journal failed before the first byte left.
    """
    fingerprint = order.message.fingerprint(order.members)
    asked = order.conversation
    blocks, last = yield from Standing(
        order.namespace, subjects(order.members, order.means.lines), asked
    )
    if blocks:
        ended = yield from _ended_before(order, fingerprint)
        if ended is not None:
            return conclude(receipt(ended))
        order = _permitted(order, blocks)
        last = yield from LastLine(order.namespace, order.conversation)
    now = yield from Now()
    means = evolve(
        order.means,
        lines=_in_order(order, last, moment(now)),
        patience=now + (order.deadline or 0.0),
        grace=now + _longest(order),
    )
    left = last[0] if last else None
    wanted = yield from _draft_record(order, means, fingerprint, left, now)
    batch = yield from _first_batch(means, wanted, now)
    held = yield from Reserve(wanted, batch.begun if batch else None)
    if held.ours:
        begun = batch if held.record.id == wanted.id else None
        record = yield from carry_out(means, held.record, begun)
        yield from announce_move(means, record, asked)
    else:
        record = yield from _earlier(order, means, wanted, held.record)
    return conclude(receipt(record))


def _ended_before(order: Order, fingerprint: str) -> Program[SendRecord | None]:
    """Return the same send if it ended under this reference before: it stays so."""
    if order.reference is None:
        return None
    held = yield from Recall(order.namespace, order.reference)
    same = held is not None and held.fingerprint == fingerprint and held.closed
    return held if same and held is not None and not retriable(held) else None


def _permitted(order: Order, blocks: Collection[Block]) -> Order:
    """Return *order* for those who may be texted.

    Raises:
        OptedOutError: somebody may not, and the policy is not to leave them out.
    """
    out = {block.subject for block in blocks}
    staying = tuple(member for member in order.members if member not in out)
    named = len(order.members) - len(staying) == len(blocks)
    if order.means.policy.on_opt_out == "refuse" or not staying or not named:
        raise refusal(blocks)
    notes = tuple(f"left out: {said(block)}" for block in blocks)
    return evolve(
        order,
        members=staying,
        notes=(*order.notes, *notes),
        conversation=conversation_id(staying),
    )


def _in_order(
    order: Order, last: tuple[LineId, datetime] | None, now: datetime
) -> tuple[Line, ...]:
    return arrange(
        order.means.lines,
        answering=order.answering,
        last=last,
        now=now,
        policy=order.means.policy,
    )


def _draft_record(
    order: Order, means: Means, fingerprint: str, left: LineId | None, now: float
) -> Program[SendRecord]:
    token = yield from Token()
    return SendRecord(
        id=SendId(token),
        namespace=order.namespace,
        reference=order.reference or token,
        fingerprint=fingerprint,
        conversation=order.conversation,
        members=order.members,
        message=order.message,
        began_at=moment(now),
        notes=order.notes,
        round=Round(
            members=order.members, line=means.lines[0].id, via=order.via, left=left
        ),
        lease=Lease(means.owner, means.lease(now)),
    )


def _longest(order: Order) -> float:
    """Return how many seconds may be spent waiting for somebody."""
    return order.means.exchange if order.deadline is None else order.deadline


def _first_batch(means: Means, wanted: SendRecord, now: float) -> Program[Batch | None]:
    """Return the batch that is begun in the very commit that reserves the reference.

    A commit is what a caller waits for longest. A line that must be prepared first,
    has to await its turn or is left alone is begun on later, as are the others.
    """
    line = means.lines[0]
    plain = type(line.provider).prepare is Provider.prepare
    whole = means.breakers.state(line.id, now) is BreakerState.CLOSED
    if not plain or line.rate is not None or not whole:
        return None
    legs = line.provider.legs(draft_of(means, wanted, line), Rail())
    canary = means.policy.fan_out == "canary"
    return (yield from made_ready(line, legs_of(wanted, legs, canary=canary)))


def _earlier(
    order: Order, means: Means, ours: SendRecord, held: SendRecord
) -> Program[SendRecord]:
    """Return the send that holds our reference, once it is closed.

    One whose process died is gone on with here and now, if the line it is on may be
    used.
    """
    if held.fingerprint != ours.fingerprint:
        raise ReferenceConflictError(
            f"reference {held.reference!r} was already used for another message or "
            "other members: choose a new one"
        )
    waited = 0.0
    while not held.closed:
        taken = yield from _taken(means, held)
        if taken is not None:
            return (yield from go_on(means, taken))
        if waited >= _longest(order):
            raise SendInProgressError(
                f"reference {held.reference!r} is still being sent elsewhere: "
                "ask for its receipt later"
            )
        yield from Sleep(POLL)
        waited += POLL
        held = yield from as_known(held)
    return held


def _taken(means: Means, held: SendRecord) -> Program[SendRecord | None]:
    """Return *held* if its owner is gone and its line is one of *means*: ours now."""
    if all(line.id != held.round.line for line in means.lines):
        return None
    now = yield from Now()
    return (yield from TakeOver(held.id, means.owner, now, means.lease(now)))
