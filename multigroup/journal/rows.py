"""Records as rows: columns for what is looked up, JSON for the rest.

Written by hand rather than by the converter: a send that needs no event does not wait
for `cattrs` to load, and each row costs some microseconds only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from .. import codec
from ..errors import JournalError, PayloadError
from ..events import DeliveryUpdated, Event
from ..models import (
    Accepted,
    Attempt,
    ConversationId,
    Leg,
    LineId,
    Media,
    Message,
    Money,
    NotSent,
    Number,
    Outcome,
    Reason,
    Refused,
    Scope,
    SendId,
    Unknown,
)
from ..records import SendRecord
from ..wire import Headers, Request
from .standing import (
    Row,
    encode,
    load_standing,
    microseconds,
    moment,
    numbers,
    standing_row,
)

__all__ = [
    "attempt_row",
    "end_row",
    "event_text",
    "load_delivery",
    "load_event",
    "load_send",
    "send_row",
    "worded_row",
]


def send_row(record: SendRecord) -> Row:
    """Return the row of a send, but for its number."""
    return (
        record.id,
        record.namespace,
        record.reference,
        record.fingerprint,
        *worded_row(record),
        microseconds(record.began_at),
        *standing_row(record),
    )


def worded_row(record: SendRecord) -> Row:
    """Return what a send taken up anew may word otherwise: to whom, what, and notes."""
    message = record.message
    media = [
        {"url": m.url, "type": m.content_type, "size": m.size, "sha256": m.sha256}
        for m in message.media
    ]
    said = {"text": message.text, "subject": message.subject, "media": media}
    whom = record.conversation, encode(record.members)
    return *whom, encode(said), encode(record.notes)


def attempt_row(attempt: Attempt, leg: Leg | None) -> Row:
    """Return the row of an attempt and the *leg* it is the first of, if any."""
    request, body = None, None
    if leg is not None:
        sent = leg.request
        request = encode([sent.method, sent.url, sent.headers])
        body = sent.body
    return (
        attempt.line.account,
        attempt.line.number,
        attempt.leg,
        encode(attempt.members),
        microseconds(attempt.began_at),
        *end_row(attempt),
        request,
        body,
    )


def end_row(attempt: Attempt) -> Row:
    """Return what changes of an attempt's row when it ends."""
    known = attempt.outcome
    return (
        known.word,
        encode(_WRITTEN[type(known)](known)),
        None if attempt.ended_at is None else microseconds(attempt.ended_at),
        attempt.then,
    )


def event_text(event: Event) -> str:
    """Return an event as JSON, its raw body with it."""
    return encode(codec.dump(event))


def load_event(written: str) -> Event:
    """Return the event in *written*.

    Raises:
        JournalError: it is not what `event_text` makes of an event.
    """
    try:
        return codec.load_event(json.loads(written))
    except (PayloadError, ValueError) as error:
        raise JournalError(f"an event in the journal is unreadable: {error}") from error


def load_delivery(written: str) -> DeliveryUpdated:
    """Return the delivery news in *written*.

    Raises:
        JournalError: it is not what `event_text` makes of delivery news.
    """
    event = load_event(written)
    if not isinstance(event, DeliveryUpdated):
        raise JournalError("an event in the journal is not the news it should be")
    return event


def load_send(send: Row, attempts: Iterable[Row], reports: Iterable[Row]) -> SendRecord:
    """Return the send of its rows.

    Raises:
        JournalError: the rows do not make a send.
    """
    try:
        return _load_send(send, list(attempts), reports)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise JournalError(
            f"a send in the journal is unreadable ({type(error).__name__}): put a "
            "backup in its place"
        ) from error


def _load_send(row: Row, attempts: list[Row], reports: Iterable[Row]) -> SendRecord:
    members, message, notes = map(json.loads, row[5:8])
    whom = numbers(members)
    return SendRecord(
        id=SendId(row[0]),
        namespace=row[1],
        reference=row[2],
        fingerprint=row[3],
        conversation=ConversationId(row[4]),
        members=whom,
        message=Message(
            message["text"], map(_media, message["media"]), message["subject"]
        ),
        notes=tuple(notes),
        began_at=moment(row[8]),
        legs={each[2]: _leg(each) for each in attempts if each[9] is not None},
        attempts=tuple(map(_attempt, attempts)),
        reports={
            (leg, Number(member)): load_delivery(event)
            for leg, member, event in reports
        },
        **load_standing(row[9:], whom),
    )


def _attempt(row: Row) -> Attempt:
    account, line, leg, members, began_at, word, outcome, ended_at, then, *_ = row
    return Attempt(
        line=LineId(account, Number(line)),
        leg=leg,
        members=numbers(json.loads(members)),
        outcome=_READ[word](*json.loads(outcome)),
        began_at=moment(began_at),
        ended_at=None if ended_at is None else moment(ended_at),
        then=then,
    )


def _leg(row: Row) -> Leg:
    method, url, headers = json.loads(row[9])
    fields = Headers((name, value) for name, value in headers)
    members = numbers(json.loads(row[3]))
    return Leg(row[2], members, Request(method, url, fields, row[10]))


def _media(written: Mapping[str, Any]) -> Media:
    return Media(written["url"], written["type"], written["size"], written["sha256"])


def _priced(cost: Money | None) -> list[str] | None:
    return None if cost is None else [str(cost.amount), cost.currency]


def _accepted(message_id: str, cost: list[str] | None) -> Accepted:
    if cost is None:
        return Accepted(message_id)
    amount, currency = cost
    return Accepted(message_id, Money(Decimal(amount), currency))


def _refused(
    code: str, reason: str, scope: str, detail: str, named: Iterable[str] = ()
) -> Refused:
    return Refused(code, Reason(reason), Scope(scope), detail, numbers(named))


_WRITTEN: Final[Mapping[type[Outcome], Callable[[Any], list[Any]]]] = {
    Accepted: lambda o: [o.message_id, _priced(o.cost)],
    Refused: lambda o: [o.code, o.reason, o.scope, o.detail, o.named],
    NotSent: lambda o: [o.why, o.wait, o.stale],
    Unknown: lambda o: [o.why],
}
_READ: Final[Mapping[str, Callable[..., Outcome]]] = {
    Accepted.word: _accepted,
    Refused.word: _refused,
    NotSent.word: NotSent,
    Unknown.word: Unknown,
}
