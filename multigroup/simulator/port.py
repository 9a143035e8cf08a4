"""A port of this machine, and the web application behind it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

import uvicorn
from starlette.types import ASGIApp, Scope

from .addresses import netloc, reached_at

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Port"]

_AT_ONCE_RESET = struct.pack("ii", 1, 0)  # linger, but for no time: close is a reset


class Port:
    """Serve *application* on one port for as long as it is open."""

    def __init__(self, application: ASGIApp, host: str, number: int) -> None:
        self._application = application
        self._host = host
        self._number = number
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Return where it listens; a wildcard is told as this machine's loopback."""
        return f"http://{netloc(reached_at(self._host), self._number)}"

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        if self._server is not None:
            return
        await self.close()  # a port that is closing must be free first
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        address = (self._host, self._number)
        bound = socket.create_server(address, family=family, backlog=256)
        self._number = bound.getsockname()[1]
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

    def cut(self, scope: Scope, *, reset: bool) -> None:
        """Close the connection under a request, so that no answer can come.

        With *reset* the other end sees a reset, else a plain end.
        """
        for protocol in () if self._server is None else _connections(self._server):
            if protocol.client != scope["client"]:
                continue
            if reset:
                raw = protocol.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE_RESET)
            protocol.transport.abort()


def _connections(server: uvicorn.Server) -> tuple[H11Protocol, ...]:
    # Of this class, for the server was told to speak by it: http="h11".
    return cast("tuple[H11Protocol, ...]", tuple(server.server_state.connections))
