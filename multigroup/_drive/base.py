"""What both drivers share, and the rules of the wire.

Every rule was paid for with a lost or doubled message: no redirect is followed, no
ambient credential is added, a reply has a total deadline and a size cap, an exception
of one leg is that leg's alone, and only exceptions that can be raised before the first
byte leaves count as unsent.
"""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import (
    TYPE_CHECKING,
    Final,
    Generic,
    TypeVar,
    overload,
)

from attrs import define, field, frozen

from .. import effects
from .._version import __version__
from ..errors import ConfigError
from ..events import Event
from ..journal import Journal
from ..webhooks import Handler, Router
from ..wire import Failure, Headers, Reply, Request, Response
from .deadline import Deadline, Timeouts
from .keeping import kept

if TYPE_CHECKING:
    import httpx

__all__ = [
    "HEADERS",
    "IN_FLIGHT",
    "REPLY_CAP",
    "WORKERS",
    "Answering",
    "BaseDriver",
    "Http",
    "answering",
    "answering_to",
    "building",
    "failure",
    "report",
    "sending",
    "whole",
]

log: Final = logging.getLogger("multigroup")

WORKERS: Final = 64
IN_FLIGHT: Final = 32
REPLY_CAP: Final = 1 << 20

HEADERS: Final = {
    "accept-encoding": "identity",
    "user-agent": f"multigroup/{__version__}",
}

UNSENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "InvalidURL",
        "LocalProtocolError",
    }
)
"""Exceptions raised before the first byte leaves, by class name: any library with
httpx's interface has them."""


@define(eq=False)
class Answering:
    """The event a handler is answering, and how many sends it made so far."""

    event: Event
    handler: str
    sends: int = 0

    def reference(self) -> str:
        """Return the reference of the next send: the same when the handler reruns.

        Handlers count apart: one that sends more or less than before must not take
        the references of the next.
        """
        self.sends += 1
        return f"re:{self.event.key}:{self.handler}:{self.sends}"


answering: ContextVar[Answering | None] = ContextVar("answering", default=None)


@define(eq=False)
class BaseDriver:
    """What both drivers share: whatever needs no waiting."""

    journal: Journal
    router: Router = field(factory=Router)
    timeouts: Timeouts = field(factory=Timeouts)
    clock: Callable[[], float] = time.time
    closed: bool = field(default=False, init=False)

    def ensure_open(self) -> None:
        """Check that `close` was not called: it would open connections unseen.

        Raises:
            ConfigError: it was.
        """
        if self.closed:
            raise ConfigError("it is closed already: make a new client or conversation")

    def _instant(
        self, effect: effects.Now | effects.Token | effects.JournalEffect
    ) -> object:
        match effect:
            case effects.Now():
                return self.clock()
            case effects.Token():
                return secrets.token_hex(16)
            case _:
                return self._kept(effect)

    def _kept(self, effect: effects.JournalEffect) -> object:
        return kept(self.journal, effect)

    def _land(self, effect: effects.Exchange, index: int, reply: Reply) -> Reply:
        landing = effect.landing
        if landing is not None:
            news = landing.change(index, reply, self.clock())
            landing.kept(self.journal.write(*news))
        return reply


R_co = TypeVar("R_co", covariant=True)
N_co = TypeVar("N_co", covariant=True)


@frozen
class Http(Generic[R_co, N_co]):
    """What a driver needs of an HTTP client, of either colour.

    *deadline* holds the total deadline of a request by itself, on the thread that
    makes it; without one a request takes a worker that can be left behind.
    """

    build: Callable[[Request], httpx.Request]
    send: Callable[[httpx.Request], R_co]
    close: Callable[[], N_co]
    deadline: Deadline | None = None


def building(
    client: httpx.Client | httpx.AsyncClient,
) -> Callable[[Request], httpx.Request]:
    """Return what builds requests of *client*'s own kind."""

    def build(request: Request) -> httpx.Request:
        return client.build_request(
            request.method,
            request.url,
            headers=request.headers.merged(HEADERS),
            content=request.body,
        )

    return build


@overload
def sending(client: httpx.Client) -> Callable[[httpx.Request], httpx.Response]: ...
@overload
def sending(
    client: httpx.AsyncClient,
) -> Callable[[httpx.Request], Awaitable[httpx.Response]]: ...
def sending(client: httpx.Client | httpx.AsyncClient) -> object:
    """Return what sends by *client*, whatever else it does for its owner."""
    return partial(client.send, stream=True, auth=None, follow_redirects=False)


def whole(response: httpx.Response, body: bytes) -> Response:
    fields = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in response.headers.raw
    ]
    return Response(response.status_code, Headers(fields), body)


def failure(error: Exception) -> Failure:
    names = {cls.__name__ for cls in type(error).__mro__}
    return Failure(type(error).__name__, unsent=not names.isdisjoint(UNSENT))


@contextmanager
def answering_to(event: Event, handler: Handler) -> Generator[None, None, None]:
    reset = answering.set(Answering(event, handler.name))
    try:
        yield
    finally:
        answering.reset(reset)


def report(handler: Handler, event: Event, error: Exception) -> Exception:
    """Log where a handler failed; what it said may hold text or a number."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
    log.error(
        "handler %s failed on %s: %s at %s",
        handler.name,
        str(event.key),
        type(error).__name__,
        where,
    )
    return error
