"""Telnyx, inward: what a webhook's body says.

The vendor's pages, its OpenAPI document and real payloads contradict each other on
the shape of `from`, `to`, `cc`, `cost` and the group's id; every variant is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from ... import codec
from ...events import (
    DeliveryUpdated,
    Event,
    MessageReceived,
)
from ...masking import redact, term
from ...models import (
    Media,
    Money,
    Number,
    Reason,
    conversation_id,
)
from ...phone import lenient
from ...wire import Json
from ..reading import Body, token_in
from .facts import (
    CODES,
    MEANINGS,
    OPT_WORDS,
    STATUSES,
)

__all__ = ["parse"]


def parse(
    body: bytes,
    *,
    own: frozenset[str],
    received_at: datetime,
    account: str = "telnyx",
) -> Sequence[Event]:
    """Return the events in a Telnyx webhook's *body*, unverified.

    Raises:
        PayloadError: *body* is not a JSON object.
    """
    read = Body.read("telnyx", account, body, own, received_at)
    data = codec.table(read.document, "data")
    payload = codec.table(data, "payload")
    kind = codec.text(data, "event_type") or ""
    if kind == "message.received":
        return tuple(_received(read, data, payload))
    if kind.startswith("message.") and payload.get("to"):
        return tuple(_updates(read, data, payload))
    return (read.unread("event type", kind, codec.text(data, "id")),)


def _numbers(entries: list[Json]) -> list[Number]:
    """Return the numbers in *entries*, given as strings or as objects."""
    written = (
        entry
        if isinstance(entry, str)
        else codec.text(codec.table(entry), "phone_number")
        for entry in entries
    )
    return [lenient(number) for number in written if number]


def _received(
    read: Body, data: dict[str, Json], payload: dict[str, Json]
) -> Iterator[Event]:
    about = read.about(codec.text(data, "id"), codec.text(data, "occurred_at"))
    senders = _numbers(codec.items(payload, "from"))
    if not senders:
        yield read.strange("a message without a sender", codec.text(data, "id"))
        return
    to, cc = _numbers(codec.items(payload, "to")), _numbers(codec.items(payload, "cc"))
    line = read.line([*to, *(number for number in cc if number in read.own)])
    members = frozenset({*senders, *to, *cc} - {line, *read.own})
    yield MessageReceived(
        sender=senders[0],
        line=line,
        members=members,
        conversation=conversation_id(members),
        message_id=codec.text(payload, "id"),
        text=codec.text(payload, "text") or "",
        subject=codec.text(payload, "subject"),
        media=tuple(_media(codec.items(payload, "media"))),
        **about,
    )
    word = (codec.text(payload, "autoresponse_type") or "").upper()
    if word in OPT_WORDS:
        yield OPT_WORDS[word](member=senders[0], line=line, **about)


_ABSURD: Final = 10**9
"""Bytes that no picture message has: a number of another kind got there."""


def _media(entries: list[Json]) -> Iterator[Media]:
    for item in map(codec.table, entries):
        url, size = codec.text(item, "url"), item.get("size")
        if url:
            yield Media(
                url,
                codec.text(item, "content_type"),
                size if type(size) is int and 0 <= size < _ABSURD else None,
                codec.text(item, "sha256") or codec.text(item, "hash_sha256"),
            )


def _updates(
    read: Body, data: dict[str, Json], payload: dict[str, Json]
) -> Iterator[Event]:
    key = codec.text(data, "id")
    recipients = codec.items(payload, "to")
    for place, recipient in enumerate(map(codec.table, recipients)):
        own_key = f"{key or read.digest}/{place}"
        word = codec.text(recipient, "status") or ""
        numbers = _numbers([dict(recipient)])
        if word not in STATUSES or not numbers:
            yield read.unread("delivery status", word, own_key)
            continue
        error = _error_of(payload, place)
        told = codec.text(error, "code")
        code = term(told) if told else None
        ruling = CODES.get(code or "")
        yield DeliveryUpdated(
            member=numbers[0],
            status=STATUSES[word],
            provider_status=word,
            code=code,
            detail=redact(codec.text(error, "title") or "") or None,
            reason=ruling.reason if ruling else Reason.OTHER if code else None,
            scope=ruling.scope if ruling else None,
            cost=_own_cost(data, payload, recipients),
            network=codec.text(recipient, "carrier"),
            meaning=MEANINGS.get(STATUSES[word]),
            **_names(read, payload),
            **read.about(
                own_key if len(recipients) > 1 else key,
                codec.text(data, "occurred_at"),
            ),
        )


def _names(read: Body, payload: dict[str, Json]) -> dict[str, Any]:
    """Return what the message is called: the group's id, its own, and our token."""
    group, own = codec.text(payload, "group_message_id"), codec.text(payload, "id")
    called_at = (
        codec.text(payload, "webhook_url"),
        codec.text(codec.table(read.document, "meta"), "delivered_to"),
    )
    return {
        "message_id": group or own,
        "also_known_as": (own,) if group and own and own != group else (),
        "token": next(filter(None, map(token_in, called_at)), None),
    }


def _own_cost(
    data: dict[str, Json], payload: dict[str, Json], recipients: list[Json]
) -> Money | None:
    """Return one recipient's price: only a final event about one alone tells it."""
    if len(recipients) > 1 or codec.text(data, "event_type") != "message.finalized":
        return None
    return codec.amount(payload.get("cost"), value="amount", currency="currency")


def _error_of(payload: dict[str, Json], place: int) -> dict[str, Json]:
    """Return the error of recipient *place*: one that points there, or at nobody.

    An event of a single recipient may point at their place in the request.
    """
    errors = [codec.table(error) for error in codec.items(payload, "errors")]
    alone = len(codec.items(payload, "to")) == 1
    pointers = [
        codec.text(codec.table(error, "source"), "pointer") or "" for error in errors
    ]
    pointed = re.compile(r"/to/" if alone else rf"/to/{place}(?:/|$)")
    at_them = [e for e, p in zip(errors, pointers, strict=True) if pointed.match(p)]
    general = [e for e, p in zip(errors, pointers, strict=True) if "/to/" not in p]
    return (at_them + general + [_NO_ERROR])[0]


_NO_ERROR: dict[str, Json] = {}
