"""Telnyx, asked: what became of a leg whose answer was lost.

Two lists are searched for the address that bears the leg's key: the webhooks Telnyx
delivered or tried to ("webhook_deliveries"), where it stands in the event, in the
attempts or in both, and its detail records, one per recipient ("detail_records"). Both
are in the OpenAPI document of 2026-07-16; neither was called live. A webhook is listed
with the envelope it was posted in, or without. An empty list proves nothing: queued
messages are in none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from http import HTTPStatus
from itertools import chain
from urllib.parse import urlencode

from ... import codec
from ...errors import PayloadError
from ...events import DeliveryUpdated, Event
from ...masking import term
from ...models import Reason
from ...phone import lenient
from ...wire import Json, Reply, Request, Response
from ..reading import token_in
from .facts import CODES, MEANINGS, STATUSES
from .webhooks import parse

__all__ = ["answers", "questions"]

_MOST = 50  # the largest page of either list


def questions(base_url: str, key: str) -> tuple[Request, ...]:
    """Return what asks for the webhooks and the records of the leg *key*."""
    accept = {"accept": "application/json"}
    searches: tuple[tuple[str, dict[str, str]], ...] = (
        ("webhook_deliveries", {"filter[webhook][contains]": key}),
        ("webhook_deliveries", {"filter[attempts][contains]": key}),
        (
            "detail_records",
            {
                "filter[record_type]": "messaging",
                "filter[delivery_status_webhook_url][contains]": key,
            },
        ),
    )
    return tuple(
        Request(
            "GET",
            f"{base_url}/{path}?{urlencode({**search, 'page[size]': _MOST})}",
            accept,
        )
        for path, search in searches
    )


def answers(
    replies: Sequence[Reply],
    key: str,
    *,
    own: frozenset[str],
    received_at: datetime,
    account: str,
) -> tuple[Event, ...]:
    """Return the events in *replies* that are of the leg *key*, each once."""
    *webhooks, records = map(_listed, replies)
    told: dict[object, Event] = {}
    for entry in chain(*webhooks):
        given = _posted(entry)
        for event in parse(given, own=own, received_at=received_at, account=account):
            told.setdefault(event.key, event)
    for entry in records:
        for event in _recorded(entry, received_at, account):
            told.setdefault(event.key, event)
    return tuple(
        event
        for event in told.values()
        if isinstance(event, DeliveryUpdated) and event.token == key
    )


def _posted(entry: dict[str, Json]) -> bytes:
    """Return a listed webhook as it was posted: in its envelope, and where to."""
    webhook = codec.table(entry, "webhook")
    if "data" in webhook:
        return codec.dumps(webhook)
    attempts = map(codec.table, codec.items(entry, "attempts"))
    urls = (codec.text(codec.table(a, "http", "request"), "url") for a in attempts)
    to = next((url for url in urls if token_in(url)), None)
    return codec.dumps({"data": webhook, "meta": {"delivered_to": to}})


def _listed(reply: Reply) -> list[dict[str, Json]]:
    """Return the entries of a list, or none where it is not one."""
    if not isinstance(reply, Response) or reply.status != HTTPStatus.OK:
        return []
    try:
        document = codec.table(codec.loads(reply.body))
    except PayloadError:
        return []
    return [codec.table(entry) for entry in codec.items(document, "data")]


def _recorded(
    entry: dict[str, Json], received_at: datetime, account: str
) -> Iterator[Event]:
    """Yield what a detail record tells of one recipient.

    Its cost is left out: whether the carrier's fee is in it is not documented.
    """
    word = (codec.text(entry, "status") or "").lower()
    to, message_id = codec.text(entry, "cld"), codec.text(entry, "uuid")
    if word not in STATUSES or to is None or message_id is None:
        return
    codes = [str(code) for code in codec.items(entry, "errors") if code]
    code = term(codes[0]) if codes else None
    ruling = CODES.get(code or "")
    changed_at = codec.text(entry, "updated_at") or codec.text(entry, "completed_at")
    yield DeliveryUpdated(
        id=f"record:{message_id}:{word}",
        provider="telnyx",
        account=account,
        occurred_at=codec.moment(changed_at) or received_at,
        received_at=received_at,
        raw=codec.dumps(entry),
        member=lenient(to),
        status=STATUSES[word],
        provider_status=word,
        code=code,
        reason=ruling.reason if ruling else Reason.OTHER if code else None,
        scope=ruling.scope if ruling else None,
        message_id=message_id,
        token=token_in(codec.text(entry, "delivery_status_webhook_url")),
        network=codec.text(entry, "carrier"),
        meaning=MEANINGS.get(STATUSES[word]),
    )
