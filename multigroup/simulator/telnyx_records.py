"""What Telnyx writes down of each recipient's copy: its detail records.

Source: OpenAPI, `SearchDetailRecords` and `MessageDetailRecord` (2026-07-16, read
2026-11-21). A copy has its record once it came to its end: the rate limiting guide says
that queued messages are not found. Filters are those on fields of the record; a field
that it does not have is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ..wire import Json, Request
from .telnyx_shapes import Sent

__all__ = ["records"]

_MOST: Final = 50  # OpenAPI, page[size]
_KIND: Final = "filter[record_type]"
_HOOK: Final = "filter[delivery_status_webhook_url][contains]"
_PAGING: Final = frozenset({"page[size]", "page[number]", "sort"})

_WORDS: Final[Mapping[str, str]] = {
    "delivered": "delivered",
    "delivery_failed": "failed",
    "delivery_unconfirmed": "dlr_unconfirmed",
    "expired": "failed",
    "sending_failed": "gw_reject",
    "unknown": "dlr_unconfirmed",
}
"""What a webhook calls a final status, and what a record calls it."""


def records(request: Request, sent: Iterable[Sent]) -> dict[str, Json] | str:
    """Return the page of records that *request* asks for, or what is wrong with it."""
    asked = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    if asked.get(_KIND) != "messaging":
        return f"{_KIND} must be messaging."
    if strange := sorted(set(asked) - {_KIND, _HOOK} - _PAGING):
        return f"{strange[0]} is no filter."
    size = asked.get("page[size]", "20")
    if not size.isdecimal() or not 0 < int(size) <= _MOST:
        return f"A page has 1 to {_MOST} records."
    wanted = asked.get(_HOOK, "")
    found: list[Json] = [
        record
        for one in sent
        if wanted in (one.order.webhook_url or "")
        for record in _of(one)
    ]
    latest = found[::-1][: int(size)]
    return {"data": latest, "meta": {"total_results": len(found)}}


def _of(sent: Sent) -> Iterator[dict[str, Json]]:
    """Yield the records of a message, one for each recipient whose copy ended."""
    for number, status in sent.statuses.items():
        if status in _WORDS:
            error = sent.errors.get(number)
            yield {
                "record_type": "messaging",
                "uuid": sent.own_ids.get(number, sent.id),
                "direction": "outbound",
                "message_type": sent.type,
                "cli": sent.order.sender,
                "cld": number,
                "status": _WORDS[status],
                "errors": [error["code"]] if error else [],
                "currency": "USD",
                "completed_at": _when(sent),
                "delivery_status_webhook_url": sent.order.webhook_url,
            }


def _when(sent: Sent) -> str | None:
    return sent.completed_at.isoformat() if sent.completed_at else None
