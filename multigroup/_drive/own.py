"""Our own HTTP clients: requests built fast, and a deadline that holds by itself.

Loaded at the first request: httpx costs 150 ms that an import must not. A client that
the application gave us is used as it is and needs nothing of this.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from ssl import SSLContext
from typing import Any, Final

import httpcore
import httpx

from ..wire import Request
from .base import (
    HEADERS,
    IN_FLIGHT,
    WORKERS,
    Http,
    sending,
)
from .deadline import Deadline, Timeouts, TotalTimeout

__all__ = ["async_own", "hold", "own"]

KEEP_ALIVE: Final = 5.0
SLICE: Final = 1 << 14
"""Bytes written between two looks at the deadline: a socket takes that at once."""


def own(timeouts: Timeouts) -> Http[httpx.Response, None]:
    """Return a client that blocks, its deadline held if this httpx lets us."""
    client = httpx.Client(**_settings(timeouts, WORKERS))
    deadline = Deadline()
    held = deadline if hold(client, deadline) else None
    return Http(_builder(timeouts), _sender(client), client.close, held)


def async_own(
    timeouts: Timeouts,
) -> Http[Awaitable[httpx.Response], Awaitable[None]]:
    """Return a client that awaits; the event loop holds its deadline."""
    client = httpx.AsyncClient(**_settings(timeouts, IN_FLIGHT))
    return Http(_builder(timeouts), _async_sender(client), client.aclose)


def _settings(timeouts: Timeouts, connections: int) -> dict[str, Any]:
    return {
        "timeout": httpx.Timeout(timeouts.silence, connect=timeouts.connect),
        "limits": httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE,
        ),
        # one for all transports, proxies' too: each reads a file of 200 kB
        "verify": httpx.create_ssl_context(),
    }


def _builder(timeouts: Timeouts) -> Callable[[Request], httpx.Request]:
    """Return what builds our requests: half the work of `Client.build_request`.

    No cookie is sent, and no header but these.
    """
    patience = httpx.Timeout(timeouts.silence, connect=timeouts.connect).as_dict()

    def build(request: Request) -> httpx.Request:
        url = _url(request.url)
        fields = {"accept": "*/*", **dict(request.headers), **HEADERS}
        return httpx.Request(
            request.method,
            url,
            headers=[
                (b"host", url.netloc),
                *(
                    (name.encode("ascii"), fields[name].encode("ascii"))
                    for name in fields
                ),
                (b"content-length", b"%d" % len(request.body)),
            ],
            stream=httpx.ByteStream(request.body),
            extensions={"timeout": patience},
        )

    return build


def _sender(client: httpx.Client) -> Callable[[httpx.Request], httpx.Response]:
    """Return what sends by *client*'s transports, the environment's proxies included.

    A quarter of a request goes into cookies, logins, redirects and hooks, none of
    which a send may have. Where a release finds its transports otherwise, they are
    switched off one by one.
    """
    if not hasattr(client, "_transport_for_url"):
        return sending(client)
    return lambda built: client._transport_for_url(built.url).handle_request(built)


def _async_sender(
    client: httpx.AsyncClient,
) -> Callable[[httpx.Request], Awaitable[httpx.Response]]:
    if not hasattr(client, "_transport_for_url"):
        return sending(client)
    return lambda built: client._transport_for_url(built.url).handle_async_request(
        built
    )


@lru_cache(maxsize=64)  # a carrier has one or two
def _url(written: str) -> httpx.URL:
    return httpx.URL(written)


def hold(client: httpx.Client, deadline: Deadline) -> bool:
    """Have *client* connect by a `Backend`; tell whether it can.

    httpcore takes a backend for its pools, but httpx has no way to hand one on, so it
    is put in its place afterwards. Should a release keep it elsewhere, nothing is
    touched, and each request runs on a worker that can be left behind.
    """
    transports = (client._transport, *client._mounts.values())
    pools = [getattr(t, "_pool", None) for t in transports if t is not None]
    if not all(hasattr(pool, "_network_backend") for pool in pools):
        return False
    for pool in pools:
        vars(pool)["_network_backend"] = Backend(deadline)
    return True


class Backend(httpcore.NetworkBackend):
    """httpcore's own, no step of which outlasts the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect on a thread of its own: the look-up of a name knows no timeout."""
        left = self._left(timeout)
        pool = ThreadPoolExecutor(1, "multigroup-connect")
        where = (host, port, left, local_address, socket_options)
        try:
            job = pool.submit(self._inner.connect_tcp, *where)
        except RuntimeError as error:  # no thread to be had: nothing has left
            raise httpcore.ConnectError from error
        pool.shutdown(wait=False)
        try:
            return Stream(job.result(left), self._deadline)
        except TimeoutError:
            job.add_done_callback(_discard)
            raise httpcore.ConnectTimeout from None
        except BaseException:
            job.add_done_callback(_discard)
            raise

    def _left(self, timeout: float | None) -> float:
        try:
            return self._deadline.cap(timeout)
        except TotalTimeout:  # nothing has left: say so
            raise httpcore.ConnectTimeout from None


class Stream(httpcore.NetworkStream):
    """A connection no step of which outlasts the deadline.

    What is written leaves at the next read: httpcore writes head and body one by one,
    and in one packet they cost half.
    """

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline
        self._kept = b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Keep *buffer* until the answer is asked for."""
        del timeout
        self._kept += buffer

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Let out what was written, then read what has come, within what is left."""
        if self._kept:
            self._let_out(timeout)
        left = self._deadline.cap(timeout)
        try:
            return self._inner.read(max_bytes, left)
        except httpcore.ReadTimeout as error:
            raise _named(error, left, timeout) from None

    def _let_out(self, timeout: float | None) -> None:
        kept, self._kept = self._kept, b""
        with suppress(httpcore.WriteError):  # who hangs up early may have answered
            for start in range(0, len(kept), SLICE):
                left = self._deadline.cap(timeout)
                try:
                    self._inner.write(kept[start : start + SLICE], left)
                except httpcore.WriteTimeout as error:
                    raise _named(error, left, timeout) from None

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return this connection under TLS, the handshake within what is left."""
        left = self._deadline.cap(timeout)
        secured = self._inner.start_tls(ssl_context, server_hostname, left)
        return Stream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of its own stream."""
        return self._inner.get_extra_info(info)


def _named(error: Exception, left: float, timeout: float | None) -> Exception:
    """Return *error*, or what it is called if the deadline cut *timeout* to *left*."""
    return error if left == timeout else TotalTimeout()


def _discard(job: Future[httpcore.NetworkStream]) -> None:
    """Close a connection that came too late for its request."""
    if job.exception() is None:
        job.result().close()
