"""Telnyx, as its API reference and guides describe it (read 2026-11-21)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from attrs import field, frozen

from ..wire import Json, Request, Response
from .bucket import Bucket
from .core import Core
from .face import as_json, from_json, path_of
from .faults import Switch
from .telnyx_messages import KEPT, TelnyxMessages
from .telnyx_records import records
from .telnyx_rules import (
    ERRORS,
    Account,
    Order,
    Refusal,
    check_group,
    check_one,
)
from .telnyx_shapes import (
    outbound,
)

__all__ = ["TelnyxFace"]

_KEY = re.compile(r"[A-Za-z0-9_:-]{1,255}")  # idempotency page
_REPLAYED_FOR = timedelta(hours=24)  # idempotency page
_KEPT_FOR = timedelta(days=10)  # API reference of GET /messages/{id}


@frozen
class _Answered:
    at: float
    body: bytes = field(repr=False)
    response: Response


class TelnyxFace(TelnyxMessages):
    """The simulated Telnyx: one account, one messaging profile."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.api_key = f"KEY{core.random.getrandbits(256):064X}"
        self._answered: dict[tuple[str, str], _Answered] = {}
        self._bucket = Bucket(core.now)
        self._queue_full = False
        self._keys_busy = False

    @property
    def settings(self) -> Mapping[str, str]:
        """Return where the API is, its key, and the key that checks webhooks."""
        return {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "public_key": self.public_key,
        }

    def sends(self, request: Request) -> bool:
        """Tell whether *request* is a POST that orders a message."""
        return request.method == "POST" and path_of(request) in _SENDS

    def fill_queue(self) -> Switch:
        """Have no room left for a send in the number's queue (40318) until turned off.

        The rate limiting guide says that it holds four hours' worth.
        """
        self._queue_full = True
        return Switch(lambda: setattr(self, "_queue_full", False))

    def hold_keys(self) -> Switch:
        """Be still at work on every send whose `Idempotency-Key` is used again.

        The idempotency page has such a request refused with 409 and 10036.
        """
        self._keys_busy = True
        return Switch(lambda: setattr(self, "_keys_busy", False))

    def refusal(self, status: int, code: str, *, title: str, detail: str) -> Response:
        """Return Telnyx's error envelope (API reference, messaging_Error)."""
        known = ERRORS.get(code, (status, "Error"))
        return self._error(status, Refusal(code, detail), title or known[1])

    def respond(self, request: Request) -> Response:
        """Answer as the API does."""
        path = path_of(request)
        if not path.startswith("/v2/"):
            return self._refuse(Refusal("10005", "There is no such URL."))
        if refused := self._unauthorized(request):
            return self._refuse(refused)
        if self.sends(request):
            return self._post(request, path)
        if request.method == "GET" and path in _LISTS:
            return self._listed(_LISTS[path](self, request))
        for pattern, answer in _LOOK_UPS:
            found = pattern.fullmatch(path)
            if request.method == "GET" and found:
                return answer(self, found["id"])
        why = f"The simulator has not built {request.method} {path}."
        return self._error(501, Refusal("10005", why), "Not simulated")

    def message(self, sent_id: str) -> Response:
        """Answer `GET /v2/messages/{id}`; ten days old is too old."""
        sent = self._sent.get(sent_id)
        if sent is None or self.core.when() - sent.received_at > _KEPT_FOR:
            return self._refuse(Refusal("40303", "There is no such message."))
        return self._ok(outbound(sent, sent.order.to, self.quirks, event=False))

    def group(self, sent_id: str) -> Response:
        """Answer `GET /v2/messages/group/{id}`: the group's messages, one a member."""
        sent = self._sent.get(sent_id)
        if sent is None or not sent.group:
            return self._refuse(Refusal("40303", "There is no such group message."))
        return self._ok(
            [outbound(sent, [to], self.quirks, event=True) for to in sent.order.to]
        )

    def delivery(self, delivery_id: str) -> Response:
        """Answer `GET /v2/webhook_deliveries/{id}`."""
        found = self.deliveries.one(delivery_id)
        if found is None:
            return self._refuse(Refusal("10005", "There is no such delivery."))
        return self._ok(found)

    def _listed(self, page: dict[str, Json] | str) -> Response:
        """Return a page of a list, or say what is wrong with what was asked for."""
        if isinstance(page, str):
            return self._refuse(Refusal("10015", page))
        return self._answer(200, page)

    def _unauthorized(self, request: Request) -> Refusal | None:
        given = request.headers.get("authorization")
        if given is None:  # the migration guide's error table says 404 here
            return Refusal("10005", "The request carries no credentials.")
        if given != f"Bearer {self.api_key}":
            return Refusal("10009", "The API key is not valid.")
        return None

    def _post(self, request: Request, path: str) -> Response:
        key = request.headers.get("idempotency-key")
        if key is None or not self.quirks.idempotency:
            return self._order(request, path)
        if not _KEY.fullmatch(key):
            return self._refuse(Refusal("10015", "Idempotency-Key is malformed."))
        sent = request.body
        before = self._answered.get((path, key))
        now = self.core.now()
        if before and now - before.at <= _REPLAYED_FOR.total_seconds():
            if before.body != sent:
                why = "The Idempotency-Key was used with another body."
                return self._refuse(Refusal("10027", why))
            if self._keys_busy:
                why = "The first request with the Idempotency-Key is under way."
                return self._refuse(Refusal("10036", why))
            replayed = {"idempotent-replayed": "true"}
            headers = before.response.headers.merged(replayed)
            return Response(before.response.status, headers, before.response.body)
        response = self._order(request, path)
        if response.status in range(200, 300):  # only successes are replayed
            self._answered[path, key] = _Answered(now, sent, response)
            if len(self._answered) > KEPT:
                del self._answered[next(iter(self._answered))]
        return response

    def _order(self, request: Request, path: str) -> Response:
        body = from_json(request.body)
        if body is None:
            return self._refuse(Refusal("10023", "The body is not a JSON object."))
        blocked = frozenset(self._opted_out)
        account = Account(self.kinds, blocked, self.quirks.smallest_group)
        order = _SENDS[path](body, account)
        if isinstance(order, Refusal):
            return self._refuse(order)
        if self._queue_full:
            return self._refuse(Refusal("40318", "The number's queue is full."))
        if not self._bucket.take(self.quirks.rate):
            return self._slow_down()
        sent = self.accept(order, group=path == _GROUP)
        return self._ok(outbound(sent, order.to, self.quirks, event=False))

    def _slow_down(self) -> Response:
        refused = self._refuse(Refusal("10011", "Too many requests a second."))
        limit = {  # rate limiting guide
            "x-ratelimit-limit": str(self.quirks.rate),
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": "1",
        }
        return Response(429, refused.headers.merged(limit), refused.body)

    def _ok(self, data: Json) -> Response:
        return self._answer(200, {"data": data})

    def _refuse(self, refused: Refusal) -> Response:
        status, title = ERRORS[refused.code]
        return self._error(status, refused, title)

    def _error(self, status: int, refused: Refusal, title: str) -> Response:
        code = refused.code
        url = f"https://developers.telnyx.com/docs/overview/errors/{code}"
        error: dict[str, Json] = {
            "code": code,
            "title": title,
            "detail": refused.detail,
            "meta": {"url": url},
        }
        if refused.pointer:
            error["source"] = {"pointer": refused.pointer}
        return self._answer(status, {"errors": [error]})

    def _answer(self, status: int, document: Json) -> Response:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "x-request-id": self.core.uuid(),
        }
        return Response(status, headers, as_json(document))


_GROUP = "/v2/messages/group_mms"
_LISTS: Mapping[str, Callable[[TelnyxFace, Request], dict[str, Json] | str]] = {
    "/v2/detail_records": lambda face, asked: records(asked, face._sent.values()),
    "/v2/webhook_deliveries": lambda face, asked: face.deliveries.list(asked),
}
_SENDS: Mapping[str, Callable[[Mapping[str, Json], Account], Order | Refusal]] = {
    _GROUP: check_group,
    "/v2/messages": check_one,
}
_LOOK_UPS: tuple[tuple[re.Pattern[str], Callable[[TelnyxFace, str], Response]], ...] = (
    (re.compile(r"/v2/messages/group/(?P<id>[^/]+)"), TelnyxFace.group),
    (re.compile(r"/v2/messages/(?P<id>[^/]+)"), TelnyxFace.message),
    (re.compile(r"/v2/webhook_deliveries/(?P<id>[^/]+)"), TelnyxFace.delivery),
)
