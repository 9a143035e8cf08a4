"""The page's own small web application: files, state, stream and commands."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ...wire import Json
from ..actions import NotNowError
from .asked import Asked, NotUnderstoodError
from .commands import Commands, NotThereError
from .guard import Guard
from .stream import Streams
from .switchboard import Switchboard
from .views import detail_of, state_of

if TYPE_CHECKING:
    from ..face import Face
    from ..network import Network

__all__ = ["Page"]

_STATIC = Path(__file__).parent / "static"
_LONGEST_BODY = 65_536

Command: TypeAlias = Callable[[Request, Asked], Awaitable[Json]]


class Page:
    """The page over *network*, as an ASGI application.

    *host* is the address it is served at: what else a browser calls it is refused.
    *faces* are the carriers that are served with it.
    """

    def __init__(self, network: Network, host: str, faces: tuple[Face, ...]) -> None:
        self._network = network
        self._board = Switchboard(network, faces)
        self._streams = Streams(network, self._board, secrets.token_hex(4))
        self._application = Guard(Starlette(routes=self._routes()), host=host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._application(scope, receive, send)

    def close(self) -> None:
        """End the streams of open pages, so that the server can stop."""
        self._streams.close()

    def _routes(self) -> list[Route | Mount]:
        commands = Commands(self._network, self._board)
        posts: dict[str, Command] = {
            "/api/phones/{number}": commands.set_phone,
            "/api/phones/{number}/reply": commands.reply,
            "/api/webhooks/{entry}/{action}": commands.act,
            "/api/faults": commands.turn_on,
            "/api/faults/{fault}/off": commands.turn_off,
            "/api/clock": commands.step,
        }
        return [
            Route("/", self._index),
            Route("/favicon.ico", self._icon),
            Route("/api/state", self._state),
            Route("/api/events", self._events),
            Route("/api/timeline/{entry}", self._entry),
            *(
                Route(path, _posted(work), methods=["POST"])
                for path, work in posts.items()
            ),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ]

    async def _index(self, _request: Request) -> Response:
        return FileResponse(_STATIC / "index.html", media_type="text/html")

    async def _icon(self, _request: Request) -> Response:
        return FileResponse(_STATIC / "icon.svg", media_type="image/svg+xml")

    async def _state(self, _request: Request) -> Response:
        with self._network.lock:
            return JSONResponse(state_of(self._network, self._board))

    async def _entry(self, request: Request) -> Response:
        with self._network.lock:
            entry = self._network.timeline.find(request.path_params["entry"])
            if entry is None:
                return _complaint(404, "that entry is not kept any more")
            return JSONResponse(detail_of(self._network, entry))

    async def _events(self, request: Request) -> Response:
        last_seen = request.headers.get("last-event-id", "")
        return StreamingResponse(
            self._streams.events(last_seen), media_type="text/event-stream"
        )


def _posted(work: Command) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _LONGEST_BODY:
                return _complaint(413, "that is too long")
        try:
            return JSONResponse(await work(request, Asked.read(bytes(body))))
        except NotThereError as error:
            return _complaint(404, str(error))
        except NotNowError as error:
            return _complaint(409, str(error))
        except (NotUnderstoodError, LookupError, ValueError) as error:
            return _complaint(400, str(error))

    return answer


def _complaint(status: int, words: str) -> Response:
    return JSONResponse({"error": words}, status)
