"""One carrier's port: opened, closed for an outage, opened again on the same number."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

import uvicorn
from starlette.requests import ClientDisconnect, Request as HttpRequest
from starlette.responses import PlainTextResponse, Response as HttpResponse
from starlette.types import Message, Receive, Scope, Send

from ..wire import Failure, Request

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from .face import Face

__all__ = ["Listener"]


class Listener:
    """Serve *face* on one port for as long as it is open."""

    def __init__(self, face: Face, host: str, port: int) -> None:
        self.face = face
        self._host = host
        self._port = port
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen, and tell the face its address.

        Raises:
            OSError: the port is taken.
        """
        if self._server is not None:
            return
        await self.close()  # a port that is closing must be free first
        bound = socket.create_server((self._host, self._port), backlog=256)
        self._port = bound.getsockname()[1]
        self.face.base_url = f"http://{self._host}:{self._port}{self.face.prefix}"
        config = uvicorn.Config(
            self._application,
            interface="asgi3",
            http="h11",
            proxy_headers=False,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            # Else an idle client that keeps its connection holds up the stop.
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        serving = self._server.serve([bound])
        self._task = asyncio.get_running_loop().create_task(serving)
        while not self._server.started:  # noqa: ASYNC110 - uvicorn tells by no event
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.should_exit = server.force_exit = True
            for listening in server.servers:  # at once; uvicorn sees its flags later
                listening.close()
            for protocol in _connections(server):
                protocol.transport.abort()
        if self._task is not None:  # whoever gives up waiting must not stop the end
            await asyncio.shield(self._task)

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HttpRequest(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        if "origin" in request.headers:  # a page in a browser has no business here
            refusal = PlainTextResponse("Not for web pages.", 403)
            await refusal(scope, receive, send)
            return
        asked = Request(request.method, str(request.url), request.headers.raw, body)
        reply = self.face.handle(asked)
        if isinstance(reply, Failure):
            if not reply.kind.endswith("Timeout"):
                self._cut(scope)
            await _until_gone(receive)
            return
        answer = HttpResponse(reply.body, reply.status, dict(reply.headers))
        await answer(scope, receive, send)

    def _cut(self, scope: Scope) -> None:
        """Close the connection under the request, so that no answer can come."""
        for protocol in () if self._server is None else _connections(self._server):
            if protocol.client == scope["client"]:
                protocol.transport.abort()


async def _until_gone(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


def _connections(server: uvicorn.Server) -> tuple[H11Protocol, ...]:
    # Of this class, for the server was told to speak by it: http="h11".
    return cast("tuple[H11Protocol, ...]", tuple(server.server_state.connections))
