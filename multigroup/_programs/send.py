"""Sending: write the intent down, send, write what is known, move on or stop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from attrs import Factory, field, frozen

from ..effects import (
    Exchange,
    LastLine,
    Notify,
    Now,
    Program,
    Recall,
    Reserve,
    Sleep,
    Token,
    Write,
)
from ..errors import (
    JournalError,
    ReferenceConflictError,
    SendInProgressError,
    UncertainError,
)
from ..events import ThreadMoved
from ..models import (
    Accepted,
    ConversationId,
    Leg,
    LineId,
    Message,
    NotSent,
    Number,
    Receipt,
    Refused,
    SendId,
    conversation_id,
)
from ..providers.base import Draft, Line, outcome
from ..records import (
    Begun,
    Change,
    Closed,
    Ended,
    Foiled,
    Moved,
    SendRecord,
    apply,
    receipt,
)
from ..routing import Policy, arrange, may_move
from ..wire import Reply
from .verdict import conclude, why_stopped

__all__ = ["Order", "perform", "send"]

POLL: Final = 0.05
"""Seconds between looks at a send that is under way elsewhere."""


@frozen(kw_only=True)
class Order:
    """A send that passed every check, with the *lines* that can carry it.

    *deadline* is in seconds: how long to wait for the same send under way elsewhere.
    *callback* is the public address of the webhook endpoint, without the account.
    *conversation* is that of *members*.
    """

    namespace: str
    members: tuple[Number, ...]
    message: Message
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    reference: str | None = None
    answering: LineId | None = None
    deadline: float
    policy: Policy
    callback: str | None = None
    conversation: ConversationId = field(
        default=Factory(lambda order: conversation_id(order.members), takes_self=True)
    )


def send(order: Order) -> Program[Receipt]:
    """Send *order* once and return its receipt, or raise what it came to.

    Under a reference used before, the first outcome is given again; but a send of
    which nothing left is taken up anew.

    Raises:
        SendError: not everybody was certainly texted.
        ReferenceConflictError: the reference names another message.
        SendInProgressError: the same send is under way elsewhere.
        JournalError: the journal failed before the first byte left.
    """
    wanted = yield from _draft_record(order)
    held = yield from Reserve(wanted)
    if not held.ours:
        return conclude(receipt((yield from _earlier(order, wanted, held.record))))
    record = held.record
    try:
        last = yield from LastLine(order.namespace, record.conversation)
        lines = arrange(
            order.lines,
            answering=order.answering,
            last=last,
            now=wanted.began_at,
            policy=order.policy,
        )
        record = yield from _through(order, record, lines)
    finally:
        record = yield from _noted(record, Closed())
    yield from _announce_move(record, last)
    return conclude(receipt(record))


def perform(
    record: SendRecord, line: Line, legs: tuple[Leg, ...]
) -> Program[SendRecord]:
    """Send one batch of legs: intent first, then all at once, each reply written down.

    The one place where handsets are made to ring. Returns the send as it then stands,
    which webhooks may have brought further than the replies.

    Raises:
        JournalError: the intent could not be written; nothing left.
        UncertainError: the journal failed later on, so what is known is lost.
    """
    now = yield from Now()
    requests = tuple([line.provider.authorize(leg.request, now) for leg in legs])
    begun = Begun(line.id, legs, _moment(now))
    yield from Write(record.id, begun)

    def landed(index: int, reply: Reply, at: float) -> tuple[SendId, Change]:
        known = outcome(line.provider, legs[index], reply)
        return record.id, Ended(legs[index].key, known, _moment(at))

    try:
        yield from Exchange(requests, landed)
        return (yield from _now(record))
    except JournalError as error:
        doubtful = receipt(apply(record, begun))
        raise UncertainError(
            "the journal failed after the message had left: somebody was perhaps "
            "texted; sending again could text them twice",
            doubtful,
        ) from error


def _draft_record(order: Order) -> Program[SendRecord]:
    now = yield from Now()
    token = yield from Token()
    return SendRecord(
        id=SendId(token),
        namespace=order.namespace,
        reference=order.reference or token,
        fingerprint=order.message.fingerprint(order.members),
        conversation=order.conversation,
        members=order.members,
        message=order.message,
        began_at=_moment(now),
        notes=order.notes,
    )


def _earlier(order: Order, ours: SendRecord, held: SendRecord) -> Program[SendRecord]:
    """Return the send that holds our reference, once it is closed."""
    if held.fingerprint != ours.fingerprint:
        raise ReferenceConflictError(
            f"reference {held.reference!r} was already used for another message or "
            "other members: choose a new one"
        )
    waited = 0.0
    while not held.closed:
        if waited >= order.deadline:
            raise SendInProgressError(
                f"reference {held.reference!r} is still being sent elsewhere: "
                "ask for its receipt later"
            )
        yield from Sleep(POLL)
        waited += POLL
        held = yield from _now(held)
    return held


def _through(
    order: Order, record: SendRecord, lines: Sequence[Line]
) -> Program[SendRecord]:
    """Try *lines* in turn until one ends the send."""
    for line, following in zip(lines, [*lines[1:], None], strict=True):
        first = len(record.attempts)
        record = yield from _try(order, record, line)
        tried = record.attempts[first:]
        outcomes = [attempt.outcome for attempt in tried]
        if all(isinstance(known, Accepted) for known in outcomes):
            break
        target = following if may_move(outcomes) else None
        then = (
            f"nothing was sent, so it moved on to {target.id}"
            if target
            else why_stopped(outcomes)
        )
        keys = tuple(attempt.leg for attempt in tried)
        record = yield from _noted(record, Moved(keys, then))
        if target is None:
            break
    return record


def _try(order: Order, record: SendRecord, line: Line) -> Program[SendRecord]:
    """Put the message on *line*; return the send with the attempts made."""
    draft = Draft(
        send=record.id,
        line=line,
        members=record.members,
        message=record.message,
        first=len(record.attempts),
        callback=_callback(order, line),
    )
    rail = yield from line.provider.prepare(draft)
    if isinstance(rail, NotSent | Refused):
        now = yield from Now()
        foiled = Foiled(line.id, draft.key(0), rail, _moment(now))
        return (yield from Write(record.id, foiled))
    return (yield from perform(record, line, line.provider.legs(draft, rail)))


def _noted(record: SendRecord, change: Change) -> Program[SendRecord]:
    """Write a *change* that only explains.

    A journal failing at it must not hide what is known of the message.
    """
    try:
        return (yield from Write(record.id, change))
    except JournalError:
        return apply(record, change)


def _announce_move(
    record: SendRecord, last: tuple[LineId, datetime] | None
) -> Program[None]:
    """Tell the application when the conversation now has another thread."""
    taken = [a for a in record.attempts if isinstance(a.outcome, Accepted)]
    if last is None or not taken or taken[-1].line == last[0]:
        return
    now = _moment((yield from Now()))
    left, joined = last[0], taken[-1].line
    why = next((a.then for a in record.attempts if a.then), "another line was chosen")
    yield from Notify(
        ThreadMoved(
            id=f"{record.id}.moved",
            provider="multigroup",
            account=joined.account,
            occurred_at=now,
            received_at=now,
            raw=b"",
            conversation=record.conversation,
            send_id=record.id,
            left=left,
            joined=joined,
            why=why,
        )
    )


def _now(record: SendRecord) -> Program[SendRecord]:
    """Return *record* as the journal has it by now."""
    current = yield from Recall(record.namespace, record.reference)
    if current is None:
        raise JournalError(f"send {record.id} vanished from the journal")
    return current


def _callback(order: Order, line: Line) -> str | None:
    if order.callback is None:
        return None
    return f"{order.callback.rstrip('/')}/{line.provider.name}"


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
