"""What Telnyx keeps of the webhooks it delivered, or failed to deliver.

Source: OpenAPI, `GetWebhookDeliveries` (2026-07-16, read 2026-11-21): a record per
event, the newest first, with all attempts at it and the event itself, without the
envelope it was posted in. How long records are kept is not said: here the last 5000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field

from ..wire import Failure, Json, Request, Response
from .courier import Parcel, Trial
from .face import as_json

__all__ = ["Deliveries"]

_KEPT: Final = 5000
_MOST: Final = 250  # OpenAPI, page[size]
_UNANSWERED: Final = 75000
"""API error codes: 75000 to 75006 for attempts without an answer, which is not told
apart here; 75300 for redirects; 75400, 75404 and 75500 for these statuses; 75299, 75499
and 75599 for the others."""
_STATUSES: Final = frozenset({400, 404, 500})


@define(eq=False)
class _Delivery:
    id: str
    event: dict[str, Json]
    trials: list[Trial] = field(factory=list[Trial])

    @property
    def status(self) -> str | None:
        """Return how it ended; `None` while it is tried."""
        if not self.trials or not self.trials[-1].last:
            return None
        return "delivered" if self.trials[-1].success else "failed"


Test: TypeAlias = Callable[[_Delivery, str], bool]

_FILTERS: Final[Mapping[str, Test]] = {
    "filter[status][eq]": lambda one, value: one.status == value,
    "filter[event_type]": lambda one, value: one.event["event_type"] == value,
    "filter[attempts][contains]": lambda one, value: any(
        value in trial.request.url for trial in one.trials
    ),
    "filter[webhook][contains]": lambda one, value: (
        value.encode() in as_json(one.event)
    ),
}


class Deliveries:
    """Keeps the attempts at every event, and finds them again."""

    def __init__(self, uuid: Callable[[], str], user: str) -> None:
        self._uuid = uuid
        self._user = user
        self._kept: dict[str, _Delivery] = {}

    def keep(self, parcel: Parcel, trial: Trial) -> None:
        """Note an attempt at an event."""
        event = parcel.document
        key = str(event["id"])
        if key not in self._kept:
            self._kept[key] = _Delivery(self._uuid(), event)
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[key].trials.append(trial)

    def list(self, request: Request) -> dict[str, Json] | str:
        """Return the page that *request* asks for, or what is wrong with it."""
        asked = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        size, number = asked.pop("page[size]", "20"), asked.pop("page[number]", "1")
        if strange := sorted(set(asked) - set(_FILTERS)):
            return f"{strange[0]} is no filter."
        if not (_counts(size) and _counts(number)) or int(size) > _MOST:
            return f"A page has 1 to {_MOST} records, and a number from 1 on."
        found = [
            one
            for one in reversed(self._kept.values())
            if one.status and all(_FILTERS[k](one, v) for k, v in asked.items())
        ]
        begin = (int(number) - 1) * int(size)
        return {
            "data": [*map(self._shown, found[begin : begin + int(size)])],
            "meta": {
                "page_number": int(number),
                "page_size": int(size),
                "total_pages": -(-len(found) // int(size)),
                "total_results": len(found),
            },
        }

    def one(self, delivery_id: str) -> dict[str, Json] | None:
        """Return one record by its id."""
        kept = self._kept.values()
        found = (one for one in kept if one.id == delivery_id and one.status)
        return next(map(self._shown, found), None)

    def _shown(self, one: _Delivery) -> dict[str, Json]:
        return {
            "id": one.id,
            "record_type": "webhook_delivery",
            "user_id": self._user,
            "status": one.status,
            "started_at": _stamp(one.trials[0].began),
            "finished_at": _stamp(one.trials[-1].ended),
            "webhook": one.event,
            "attempts": [*map(_attempt, reversed(one.trials))],
        }


def _counts(written: str) -> bool:
    return written.isdecimal() and int(written) > 0


def _attempt(trial: Trial) -> dict[str, Json]:
    request, reply = trial.request, trial.reply
    http: dict[str, Json] = {
        "request": {"url": request.url, "headers": [*_fields(request)]}
    }
    if isinstance(reply, Response):
        body = reply.body.decode("utf-8", "replace")
        headers: list[Json] = [*_fields(reply)]
        http["response"] = {"status": reply.status, "headers": headers, "body": body}
    return {
        "status": "delivered" if trial.success else "failed",
        "started_at": _stamp(trial.began),
        "finished_at": _stamp(trial.ended),
        "errors": [] if trial.success else [_code(trial)],
        "http": http,
    }


def _fields(message: Request | Response) -> Iterator[Json]:
    for name, value in message.headers:
        yield [name, value]


def _code(trial: Trial) -> int:
    if isinstance(trial.reply, Failure):
        return _UNANSWERED
    status = trial.reply.status
    if status in _STATUSES:
        return _UNANSWERED + status
    kind = status // 100
    return _UNANSWERED + 100 * kind + (0 if kind == _REDIRECT else 99)


_REDIRECT: Final = 3


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
