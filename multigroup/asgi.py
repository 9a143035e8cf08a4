"""The webhook endpoint as a bare ASGI application: `POST /{account name}`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from .client import AsyncClient, Client
from .client.rounds import EVERY, Rounds, checked
from .errors import ConfigError, JournalError, WebhookError
from .wire import Request

__all__ = ["WebhookApp"]

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

BODY_CAP: Final = 1 << 20
"""Bytes a webhook's body may have; no carrier comes near it."""

_WORKERS: Final = 64
"""Handlers of a blocking client that run at once; threads start as they are needed."""

log: Final = logging.getLogger("multigroup")


class _Disconnected(Exception):  # noqa: N818 - not an error of ours
    """The carrier hung up before its body was whole."""


class WebhookApp:
    """Serves a client's webhooks under any ASGI server.

    Each account has its own path, the account's name: `/telnyx`, `/vonage`. It may be
    mounted below a prefix. A `Client` is run on worker threads, an `AsyncClient` on
    the server's loop; the client is closed when the server shuts down.

    It answers 200 once the events are stored and their handlers have run, 401 to a
    forgery, 503 to what the carrier should deliver again, 404 to an unknown path, 405
    to anything but POST and 413 to a body over 1 MiB. On a durable journal a handler
    that fails is no reason for the carrier to deliver again: its event is stored, and
    `run_due` has it handled later. On the memory journal such a webhook is answered
    503.

    While the server lives `run_due` is called at its start and then *every* so many
    seconds, on the loop or on a worker thread as well; `None` leaves it to others. A
    server that knows no lifespan has it started by the first request.

    Raises:
        ConfigError: *every* is no pause.
    """

    def __init__(
        self, client: Client | AsyncClient, *, every: float | None = EVERY
    ) -> None:
        self._client = client
        self._workers = ThreadPoolExecutor(_WORKERS, "multigroup-webhook")
        pause = checked(every)
        self._rounds = None if pause is None else Rounds(client, pause)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's worth of ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            self._start()
            try:
                status = await self._status(scope, receive)
            except _Disconnected:
                return
            await _answer(send, status)
        else:  # a websocket: closing it before it is accepted answers 403
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._rounds is not None:
                    await self._rounds.stop()
                closing = self._client.close()
                if closing is not None:
                    await closing
                self._workers.shutdown(wait=False)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> None:
        if self._rounds is not None:
            self._rounds.start()

    async def _status(self, scope: Scope, receive: Receive) -> int:
        name = scope["path"].rstrip("/").rpartition("/")[2]
        if name not in {line.provider.name for line in self._client.lines}:
            return HTTPStatus.NOT_FOUND
        if scope["method"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        body = await _body(receive)
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        request = Request("POST", _address(scope), scope["headers"], body)
        return await self._take(name, request)

    async def _take(self, name: str, request: Request) -> int:
        try:
            if isinstance(self._client, AsyncClient):
                return (await self._client.receive(name, request)).status
            loop = asyncio.get_running_loop()
            receive = partial(self._client.receive, name, request)
            return (await loop.run_in_executor(self._workers, receive)).status
        except WebhookError as error:
            log.warning("webhook of %s answered %d: %s", name, error.status, error)
            return error.status
        except (ConfigError, JournalError) as error:
            log.error("webhook of %s not taken: %s", name, error)  # noqa: TRY400
            return HTTPStatus.SERVICE_UNAVAILABLE


async def _body(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        if len(body) > BODY_CAP:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _address(scope: Scope) -> str:
    """Return the whole address that was called: some carriers sign it."""
    host = Request("POST", "", scope["headers"]).headers.get("host") or ""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope.get("query_string") or b""
    called = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    return f"{scope.get('scheme', 'http')}://{host}{called.decode('latin-1')}"
