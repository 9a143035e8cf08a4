"""Vonage, inward: what a webhook's body says, in its v1 form and the older v0.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from ... import codec
from ...events import DeliveryUpdated, Event, MessageReceived
from ...masking import redact, term
from ...models import (
    DeliveryStatus,
    Media,
    Number,
    Reason,
    Scope,
    conversation_id,
)
from ...phone import lenient
from ...wire import Json
from ..base import Ruling
from ..reading import Body, own_token
from .facts import (
    CODES,
    EXPIRED_CODE,
    INBOUND_MEDIA,
    STATUSES,
)

__all__ = ["parse"]


_WITHOUT_PLUS: Final = re.compile("[0-9]{7,15}")  # shorter ones are short codes


def parse(
    body: bytes,
    *,
    own: frozenset[str],
    received_at: datetime,
    account: str = "vonage",
) -> Sequence[Event]:
    """Return the events in a Vonage webhook's *body*, unverified.

    Raises:
        PayloadError: *body* is not a JSON object.
    """
    read = Body.read("vonage", account, body, own, received_at)
    document = read.document
    if "status" in document:
        return (_updated(read, document),)
    if "message_type" in document:
        return (_received(read, document),)
    return (read.strange("neither a status nor a message"),)


def _number(document: dict[str, Json], name: str) -> Number | None:
    """Return the number under *name*: a string, or the object of the v0.1 form."""
    value = codec.text(document, name) or codec.text(
        codec.table(document, name), "number"
    )
    return _e164(value) if value else None


def _e164(written: str) -> Number:
    return lenient(f"+{written}" if _WITHOUT_PLUS.fullmatch(written) else written)


def _received(read: Body, document: dict[str, Json]) -> Event:
    key = codec.text(document, "message_uuid")
    sender, to = _number(document, "from"), _number(document, "to")
    if sender is None:
        return read.strange("a message without a sender", key)
    participants = codec.items(codec.table(document, "mms"), "participants")
    others = filter(None, (_number({"who": who}, "who") for who in participants))
    line = read.line([] if to is None else [to])
    members = frozenset({sender, *others} - {line, *read.own})
    media = tuple(_media(document))
    return MessageReceived(
        sender=sender,
        line=line,
        members=members,
        conversation=conversation_id(members),
        message_id=key,
        text=_text(document),
        media=media,
        **read.about(key, codec.text(document, "timestamp")),
    )


def _text(document: dict[str, Json]) -> str:
    captions = (
        codec.text(codec.table(document, kind), "caption") for kind in INBOUND_MEDIA
    )
    return codec.text(document, "text") or next(filter(None, captions), "")


def _media(document: dict[str, Json]) -> Iterator[Media]:
    """Yield each attachment once: `content` may or may not repeat the primary one."""
    primary = [document[kind] for kind in INBOUND_MEDIA if kind in document]
    further = codec.items(document, "content")
    urls = (codec.text(codec.table(item), "url") for item in [*primary, *further])
    return (Media(url) for url in dict.fromkeys(filter(None, urls)))


def _updated(read: Body, document: dict[str, Json]) -> Event:
    word = codec.text(document, "status") or ""
    message_id = codec.text(document, "message_uuid")
    said = word if term(word) == word else read.digest  # ids are logged
    key = f"{message_id}:{said}" if message_id else None
    if word not in STATUSES:
        return read.unread("delivery status", word, key)
    status, meaning = STATUSES[word]
    code, detail = _error(document)
    ruling = CODES.get(code or "")
    unrouted = Ruling(Reason.UNREACHABLE, Scope.LINE)  # surely not handed over
    if ruling is None and not code:
        ruling = unrouted if word == "undeliverable" else None
    return DeliveryUpdated(
        member=_number(document, "to"),
        status=DeliveryStatus.EXPIRED if code == EXPIRED_CODE else status,
        provider_status=word,
        code=code,
        detail=redact(detail) if detail else None,
        reason=ruling.reason if ruling else Reason.OTHER if code else None,
        scope=ruling.scope if ruling else None,
        message_id=message_id,
        token=own_token(codec.text(document, "client_ref")),
        cost=codec.amount(document.get("usage"), value="price", currency="currency"),
        network=codec.text(codec.table(document, "destination"), "network_code"),
        meaning=meaning,
        **read.about(key, codec.text(document, "timestamp")),
    )


def _error(document: dict[str, Json]) -> tuple[str | None, str | None]:
    """Return code and words: the code is `title`, or ends the address in `type`."""
    error = codec.table(document, "error")
    fragment = (codec.text(error, "type") or "").partition("#")[2]
    code = codec.text(error, "title") or codec.text(error, "code") or fragment or None
    words = codec.text(error, "detail") or codec.text(error, "reason")
    return term(code) if code else None, words
