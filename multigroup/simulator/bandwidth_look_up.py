"""Bandwidth's search for messages: what one can ask by, and the page that comes back.

Source: OpenAPI document (listMessages), read 2026-11-27. There is a row for each
recipient. What a search without conditions gives is documented nowhere; here it gives
all there is. The limit of 3500 searches in five minutes is not simulated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from urllib.parse import urlencode

from ..wire import Json
from .bandwidth_rules import moment
from .bandwidth_shapes import BandwidthSent, found

__all__ = ["page"]

_LIMIT = 50
_MOST = 1000  # OpenAPI document: limit and what was skipped, together
_NUMBER = re.compile("[0-9]{1,4}")

_FIELDS = (  # parameters that are called like the field of a row
    "messageId",
    "sourceTn",
    "destinationTn",
    "messageStatus",
    "messageDirection",
    "messageType",
    "errorCode",
    "carrierName",
    "campaignId",
)
Row = dict[str, Json]


def page(
    records: Iterable[BandwidthSent],
    asked: Mapping[str, str],
    account: tuple[str, str],
) -> dict[str, Json] | None:
    """Return what *asked* finds, or `None` if it cannot be asked so.

    *account* is the account's id and the URL of its messages.
    """
    begin, limit = asked.get("pageToken", "0"), asked.get("limit", str(_LIMIT))
    times = [asked.get(name) for name in ("fromDateTime", "toDateTime")]
    if not _NUMBER.fullmatch(begin) or not _NUMBER.fullmatch(limit):
        return None
    if not 1 <= int(limit) <= _MOST or any(t and not moment(t) for t in times):
        return None
    kept = [one for one in records if _within(one.at, asked)]
    kept.sort(key=lambda one: one.at, reverse=asked.get("sort") != "receiveTime:asc")
    rows = [found(one, to, account[0]) for one in kept for to in one.order.to]
    rows = [row for row in rows if _fits(row, asked)]
    first, end = int(begin), int(begin) + int(limit)
    link = _links(asked, account[1])
    earlier = str(max(0, first - int(limit))) if first else None
    later = str(end) if end < len(rows) else None
    return {
        "totalCount": len(rows),
        "pageInfo": {
            "prevPage": link(earlier),
            "nextPage": link(later),
            "prevPageToken": earlier,
            "nextPageToken": later,
        },
        "messages": [*rows[first:end]],
    }


def _links(asked: Mapping[str, str], url: str) -> Callable[[str | None], str | None]:
    def link(token: str | None) -> str | None:
        if token is None:
            return None
        return f"{url}?{urlencode({**asked, 'pageToken': token})}"

    return link


def _within(at: datetime, asked: Mapping[str, str]) -> bool:
    begin, end = moment(asked.get("fromDateTime")), moment(asked.get("toDateTime"))
    return (begin is None or begin <= at) and (end is None or at <= end)


def _fits(row: Row, asked: Mapping[str, str]) -> bool:
    return all(str(row.get(name)) == asked[name] for name in _FIELDS if name in asked)
