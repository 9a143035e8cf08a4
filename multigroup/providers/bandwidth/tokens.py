"""The token that an application's requests bear (OAuth 2.0 client credentials).

It is asked for before the message is written and used until 80 % of its life is over,
as what follows may have to wait for its turn.
"""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import Final

from attrs import define, field

from ... import codec
from ...errors import ConfigError, PayloadError
from ...masking import redact, term
from ...models import NotSent, Reason, Refused, Scope
from ...wire import Json, Reply, Request, Response
from ..base import wait
from .facts import UNTOLD_LIFE

__all__ = ["Tokens", "basic"]

_LONGEST: Final = 86_400.0
"""Seconds a token is used at most: some say that theirs never ends."""


def basic(pair: bytes) -> str:
    """Return the header that shows *pair*."""
    return f"Basic {base64.b64encode(pair).decode()}"


@define(eq=False)
class Tokens:
    """Keeps the token that *url* gives for client id and secret, the *pair*."""

    url: str
    pair: bytes = field(repr=False)
    _held: tuple[str, float] = field(default=("", 0.0), init=False, repr=False)

    def fresh(self, now: float) -> bool:
        """Tell whether the token in hand is good for a send that begins at *now*."""
        token, renew_at = self._held
        return bool(token) and now < renew_at

    def question(self) -> Request:
        """Return what asks for a token."""
        headers = {
            "authorization": basic(self.pair),
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        return Request("POST", self.url, headers, b"grant_type=client_credentials")

    def take(self, reply: Reply, now: float) -> NotSent | Refused | None:
        """Keep the token in *reply*, or return why there is none. Nothing was sent."""
        if not isinstance(reply, Response):
            return NotSent(f"no token could be asked for ({reply.kind})")
        body = _table(reply)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            return NotSent("Bandwidth gives no more tokens now (HTTP 429)", wait(reply))
        if reply.status in _NO:
            return _refusal(reply.status, body)
        token = codec.text(body, "access_token") or ""
        if reply.status != HTTPStatus.OK or not _usable(token):
            return NotSent(f"no token was given (HTTP {reply.status})")
        self._held = (token, now + 0.8 * _life(body.get("expires_in")))
        return None

    def doubt(self) -> None:
        """Have another token asked for before the next send: this one was refused."""
        token, _ = self._held
        self._held = (token, 0.0)

    def header(self) -> str:
        """Return the header that shows the token.

        Raises:
            ConfigError: no token was taken yet.
        """
        token, _ = self._held
        if not token:
            raise ConfigError("there is no token yet: a send is prepared first")
        return f"Bearer {token}"


_NO: Final = frozenset({400, 401, 403, 404})


def _refusal(status: int, body: dict[str, Json]) -> Refused:
    word = term(codec.text(body, "error") or "")
    detail = redact(codec.text(body, "error_description") or "")
    code = word or f"HTTP {status}"
    return Refused(code, Reason.ACCOUNT, Scope.ACCOUNT, detail)


def _table(reply: Response) -> dict[str, Json]:
    try:
        return codec.table(codec.loads(reply.body))
    except PayloadError:
        return {}


def _usable(token: str) -> bool:
    """Tell whether *token* can stand in a header: visible ASCII and no space."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _life(told: Json) -> float:
    """Return for how many seconds a token is good, by what its answer says."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not told > 0:
        return UNTOLD_LIFE
    return min(told, _LONGEST)
