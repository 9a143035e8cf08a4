"""One carrier's port: opened, closed for an outage, opened again on the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request as HttpRequest
from starlette.responses import PlainTextResponse, Response as HttpResponse
from starlette.types import Message, Receive, Scope, Send

from ..wire import Failure, Request
from .port import Port

if TYPE_CHECKING:
    from .face import Face

__all__ = ["Listener"]


class Listener:
    """Serve *face* on one port for as long as it is open."""

    def __init__(self, face: Face, host: str, port: int) -> None:
        self.face = face
        self._port = Port(self._application, host, port)

    async def open(self) -> None:
        """Listen, and tell the face its address.

        Raises:
            OSError: the port is taken.
        """
        await self._port.open()
        self.face.base_url = self._port.url + self.face.prefix

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self._port.close()

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
                self._port.cut(scope, reset=reply.kind == "ReadError")
            await _until_gone(receive)
            return
        answer = HttpResponse(reply.body, reply.status, dict(reply.headers))
        await answer(scope, receive, send)


async def _until_gone(receive: Receive) -> None:
    message: Message = {}
    while message.get("type") != "http.disconnect":
        message = await receive()
