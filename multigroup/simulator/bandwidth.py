"""Bandwidth's Messaging API v2, as its documents describe it (read 2026-11-27)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from ..wire import Json, Request, Response
from .bandwidth_look_up import page
from .bandwidth_messages import BandwidthMessages
from .bandwidth_rules import BandwidthAccount, Wrong, check
from .bandwidth_shapes import answer
from .bucket import Bucket
from .core import Core
from .face import as_json, from_json, path_of
from .keys import basic

__all__ = ["BandwidthFace"]

_TOKEN_PATH = "/api/v1/oauth2/token"  # noqa: S105 - a path
_TOKEN_LIVES = 3600.0  # seconds; an example, as the reply tells it
_PATHS = re.compile(r"/api/v2/users/(?P<account>[^/]+)/(?P<rest>.+)")
_QUEUE = 15  # minutes of the rate; rate limits guide

_TYPES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {  # status to type and description (errors guide)
        400: ("request-validation", "Your request could not be accepted"),
        401: ("unauthorized", "Authentication Failed"),
        403: ("forbidden", "Access Denied"),
        415: ("unsupported-content-type", "Content type not supported."),
        429: ("max-message-queue-size-exceeded", "The queue is full."),
    }
)


class BandwidthFace(BandwidthMessages):
    """The simulated Bandwidth: one account with one application.

    It takes Basic auth by `username` and `password`, or a Bearer token from
    `token_url`, which asks for `client_id` and `client_secret`.
    """

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.username = f"api-{self.random.getrandbits(32):08x}"
        self.password = f"{self.random.getrandbits(128):032x}"
        self.client_id = f"BRTI-{self.random.getrandbits(64):016x}"
        self.client_secret = f"{self.random.getrandbits(256):064x}"
        self._tokens: dict[str, float] = {}
        self._bucket = Bucket(core.now)

    @property
    def settings(self) -> Mapping[str, str]:
        """Return where the API is, its credentials, and those of callbacks."""
        return {
            "base_url": self.base_url,
            "account_id": self.account_id,
            "application_id": self.application_id,
            "username": self.username,
            "password": self.password,
            "token_url": self.token_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "callback_username": self.callback_username,
            "callback_password": self.callback_password,
        }

    @property
    def token_url(self) -> str:
        """Return where Bearer tokens are given out."""
        return self.base_url.removesuffix(self.prefix) + _TOKEN_PATH

    def sends(self, request: Request) -> bool:
        """Tell whether *request* is a POST that orders a message."""
        found = _PATHS.fullmatch(path_of(request))
        ours = found is not None and found["rest"] == "messages"
        return request.method == "POST" and ours

    def refusal(self, status: int, code: str, *, title: str, detail: str) -> Response:
        """Return an error with a `type` and a description (errors guide)."""
        kind, words = _TYPES.get(status, ("internal-server-error", "Error"))
        error: dict[str, Json] = {
            "type": code or kind,
            "description": detail or title or words,
        }
        return _json(status, error)

    def respond(self, request: Request) -> Response:
        """Answer as the API does."""
        path = path_of(request)
        if path == _TOKEN_PATH and request.method == "POST":
            return self._token(request)
        found = _PATHS.fullmatch(path)
        if not self._authorized(request):
            return self._refused(401)
        if found is None:
            return self._missing(path)
        if found["account"] != self.account_id:  # errors guide: 401, not 403
            return self._refused(401)
        return self._route(request, found["rest"])

    def _route(self, request: Request, rest: str) -> Response:
        if rest == "messages" and request.method == "POST":
            return self._order(request)
        if rest == "messages" and request.method == "GET":
            query = parse_qs(urlsplit(request.url).query)
            asked = {name: values[-1] for name, values in query.items()}
            rows = page(self.records, asked, (self.account_id, self._messages_url))
            if rows is None:
                return self._refused(400)
            return _json(200, rows)
        if rest == "media" or rest.startswith("media/"):
            name = rest.removeprefix("media").removeprefix("/")
            kept = self.shelf.respond(request, name, self.media_url)
            return kept or self._missing(path_of(request))
        if rest.startswith("messages/"):
            return self._missing(path_of(request))
        why = f"The simulator has not built {request.method} {path_of(request)}."
        return _json(501, {"type": "not-simulated", "description": why})

    @property
    def _messages_url(self) -> str:
        return f"{self.base_url}/users/{self.account_id}/messages"

    def _authorized(self, request: Request) -> bool:
        given = request.headers.get("authorization") or ""
        if given == basic(self.username, self.password):
            return True
        token = given.removeprefix("Bearer ")
        return self.core.now() < self._tokens.get(token, 0.0)

    def _token(self, request: Request) -> Response:
        """Give out a token for the client credentials (OAuth 2.0, RFC 6749, 4.4)."""
        given = request.headers.get("authorization")
        if given != basic(self.client_id, self.client_secret):
            return _json(401, {"error": "invalid_client"})
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _json(400, {"error": "unsupported_grant_type"})
        token = f"{self.random.getrandbits(256):064x}"
        self._tokens[token] = self.core.now() + _TOKEN_LIVES
        return _json(
            200,
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(_TOKEN_LIVES),
            },
        )

    def _order(self, request: Request) -> Response:
        content_type = request.headers.get("content-type") or ""
        if content_type.partition(";")[0].strip().lower() != "application/json":
            why = (
                f"Content type '{content_type}' not supported. "
                "Please use 'application/json'"
            )
            return self.refusal(415, "", title="", detail=why)
        body = from_json(request.body)
        if body is None:
            return self._refused(400)
        order = check(body, self._account())
        if isinstance(order, tuple):
            return self._wrong(order)
        if not self._room(len(order.to)):
            return self._full()
        return _json(202, answer(self.accept(order), self.application_id))

    def _account(self) -> BandwidthAccount:
        return BandwidthAccount(
            self.application_id,
            self.kinds,
            bare_to=self.quirks.bare_to,
            late_crowd=self.quirks.crowd == "failed",
            late_sender=self.quirks.unknown_sender == "failed",
        )

    def _room(self, count: int) -> bool:
        rate = self.quirks.rate  # each recipient counts (rate limits guide)
        if rate is None:
            return True
        return self._bucket.take(rate / 60, count=count, room=rate * _QUEUE)

    def _full(self) -> Response:
        rate = self.quirks.rate or 0
        why = (
            f"The queue of this account is full. It holds {rate * _QUEUE} messages, "
            f"those of {_QUEUE} minutes at {rate} messages per minute."
        )
        return self.refusal(429, "", title="", detail=why)

    def _wrong(self, wrong: tuple[Wrong, ...]) -> Response:
        kind, words = _TYPES[400]
        fields: list[Json] = [
            {"fieldName": one.name, "description": one.why} for one in wrong
        ]
        return _json(400, {"type": kind, "description": words, "fieldErrors": fields})

    def _refused(self, status: int) -> Response:
        return self.refusal(status, "", title="", detail="")

    def _missing(self, path: str) -> Response:
        """Return the 404, which has a shape of its own (errors guide)."""
        at = self.core.when().isoformat(timespec="milliseconds")
        words = "Not Found"
        return _json(
            404,
            {
                "timestamp": at.replace("+00:00", "+0000"),
                "status": 404,
                "error": words,
                "message": words,
                "path": path,
            },
        )


def _json(status: int, document: Json) -> Response:
    headers = {"content-type": "application/json; charset=utf-8"}
    return Response(status, headers, as_json(document))
