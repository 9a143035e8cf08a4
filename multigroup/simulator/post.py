"""Webhooks by real HTTP, to this machine unless told otherwise."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..wire import Failure, Reply, Request, Response
from .courier import REFUSED

__all__ = ["AsyncHttpPost", "HttpPost", "is_loopback"]


def is_loopback(url: str) -> bool:
    """Tell whether *url* is on this machine by its very name; nothing is looked up."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HttpPost:
    """Send webhooks over one client, opened at the first of them."""

    def __init__(self, *, allow_remote: bool) -> None:
        self._allow_remote = allow_remote
        self._client: httpx.Client | None = None

    def __call__(self, request: Request, timeout: float) -> Reply:
        """Send *request*; a lost connection is a value, not an exception."""
        if not self._allow_remote and not is_loopback(request.url):
            return Failure(REFUSED, unsent=True)
        if self._client is None:
            self._client = httpx.Client(follow_redirects=False, trust_env=False)
        try:
            answer = self._client.request(**_arguments(request), timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failure(type(error).__name__)
        return _reply(answer)

    def close(self) -> None:
        """Close the client; the next webhook opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


class AsyncHttpPost:
    """The same on an event loop, where giving up is cancelling."""

    def __init__(self, *, allow_remote: bool) -> None:
        self._allow_remote = allow_remote
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False)

    async def __call__(self, request: Request, timeout: float) -> Reply:  # noqa: ASYNC109 - a carrier's patience, handed on
        """Send *request*; *timeout* is for each silence, the caller has one for all."""
        if not self._allow_remote and not is_loopback(request.url):
            return Failure(REFUSED, unsent=True)
        asked = _arguments(request)
        try:
            answer = await self._client.request(**asked, timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failure(type(error).__name__)
        return _reply(answer)

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "url": request.url,
        "headers": list(request.headers),
        "content": request.body,
    }


def _reply(answer: httpx.Response) -> Response:
    return Response(answer.status_code, answer.headers.multi_items(), answer.content)
