"""Who may ask: this machine's own programs and the page itself, no other web page.

A web page anywhere can have a browser send requests to this machine. By a name that
points here it could even read the answers. So the Host must be an address, or the name
asked for; an Origin must be the page's own; and a change needs a JSON body, which a
form on a foreign page cannot send.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..post import is_loopback

__all__ = ["Guard"]

_READS = frozenset({"GET", "HEAD"})
_OWN = frozenset({"same-origin", "none"})
_POLICY: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Turn away who has no business here; give every answer a strict policy."""

    def __init__(self, app: ASGIApp, *, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in _POLICY.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            status, words = refusal
            answer = JSONResponse({"error": words}, status)
            await answer(scope, receive, strict)
            return
        await self._app(scope, receive, strict)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_us(host):
            return 421, "this is not the host you are looking for"
        origin = headers.get("origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return 403, "another web page has no business here"
        reading = scope["method"] in _READS
        opening_page = reading and scope["path"] == "/"
        site = headers.get("sec-fetch-site", "none")
        if site not in _OWN and not opening_page:
            return 403, "another web page has no business here"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if not reading and kind != "application/json":
            return 415, "send content-type: application/json"
        return None

    def _is_us(self, host: str) -> bool:
        name = _name_of(host)
        if name == self._host or is_loopback(f"http://{host}"):
            return True
        if is_loopback(f"http://{_bracketed(self._host)}"):
            return False
        # Served to other machines: an address is safe, as it is no name that an
        # attacker could point here.
        return _is_address(name)


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
