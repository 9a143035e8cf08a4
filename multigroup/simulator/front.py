"""The carriers by HTTPS, for SDKs that speak to nothing else: ports, and a proxy.

A port per carrier takes TLS off and hands the bytes on to the carrier's plain port. The
proxy knows CONNECT only, leads the carriers' own hosts to those ports, and refuses
every other host: a mistyped one never leaves this machine. The CA is made for the run
and its key kept in memory; who is told to trust it trusts this run of the simulator.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import urlsplit

from .addresses import netloc, reached_at

if TYPE_CHECKING:
    from .face import Face
    from .network import Network

__all__ = ["HOSTS", "Front"]

HOSTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "telnyx": ("api.telnyx.com",),
        "vonage": ("api.nexmo.com", "api-us.nexmo.com", "api-eu.vonage.com"),
        "twilio": ("conversations.twilio.com", "api.twilio.com", "mcs.us1.twilio.com"),
        "bandwidth": ("messaging.bandwidth.com",),
    }
)
"""What each carrier's API is called; one that is not simulated is refused."""

_HTTPS: Final = "443"
_LONGEST_HEAD: Final = 1 << 14
_CHUNK: Final = 1 << 16
_PATIENCE: Final = 10.0

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve: TypeAlias = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]
]


class Front:
    """HTTPS in front of a network that is being served, in a `with`.

    Attributes:
        ca_file: the certificate of the run's CA (PEM); gone when the front stops.
        proxy: the address of the CONNECT proxy.
        base_urls: carrier to its address by HTTPS.

    The proxy listens on *port*, the carriers on the next ones; 0 takes any that are
    free. Needs the extra `tls`.
    """

    def __init__(
        self, network: Network, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._faces = network.faces
        self._host = host
        self._told = reached_at(host)
        self._port = port
        self._ports: dict[str, int] = {}
        self._servers: list[asyncio.Server] = []
        self._lines: dict[asyncio.Future[None], asyncio.StreamWriter] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.ca_file = Path()
        self.base_urls: dict[str, str] = {}
        self.proxy = ""

    def start(self) -> Self:
        """Make the CA and listen.

        Raises:
            OSError: a port is taken.
            ImportError: the extra `tls` is not installed.
        """
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=loop.run_forever, name="multigroup-front", daemon=True
        )
        self._thread.start()
        self._folder = tempfile.TemporaryDirectory(prefix="multigroup-")
        self.ca_file = Path(self._folder.name) / "ca.pem"
        try:
            asyncio.run_coroutine_threadsafe(self._open(), loop).result(_PATIENCE)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop listening and drop every connection; twice does no harm."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut(), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        loop.close()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    async def _open(self) -> None:
        secured = _certified(self._told, self.ca_file)
        port = await self._listen(self._lead, 0)
        self.proxy = f"http://{netloc(self._told, port)}"
        for place, face in enumerate(self._faces, 1):
            serve = partial(self._carry, face)
            port = self._ports[face.name] = await self._listen(serve, place, secured)
            url = f"https://{netloc(self._told, port)}{face.prefix}"
            self.base_urls[face.name] = url

    async def _listen(
        self, serve: Serve, place: int, secured: ssl.SSLContext | None = None
    ) -> int:
        """Serve on the port at *place* after the first; return which it is."""

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Not a coroutine: asyncio's own task would be cancelled unseen, before it
            # had begun and could close anything.
            line = asyncio.ensure_future(_whole(serve, reader, writer))
            self._lines[line] = writer
            line.add_done_callback(self._lines.pop)

        port = self._port + place if self._port else 0
        server = await asyncio.start_server(
            begin, self._host, port, ssl=secured, limit=_LONGEST_HEAD
        )
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def _shut(self) -> None:
        for server in self._servers:
            server.close()
        writers = tuple(self._lines.values())
        others = asyncio.all_tasks() - {asyncio.current_task()}  # handshakes, too
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # in which sockets are closed

    async def _carry(
        self, face: Face, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Hand on to *face*, now in plain bytes."""
        there = urlsplit(face.base_url)
        if there.hostname is not None and there.port is not None:
            await _join((reader, writer), there.hostname, there.port)

    async def _lead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one CONNECT, and be a tunnel from then on."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            return
        method, _, rest = head.decode("latin-1").partition(" ")
        host, _, port = rest.partition(" ")[0].lower().rpartition(":")
        face = self._known(host) if port == _HTTPS else None
        if method != "CONNECT":
            await _refuse(writer, "405 Method Not Allowed", "This proxy is for HTTPS.")
        elif face is None:
            await _refuse(writer, "403 Forbidden", f"{host} is no simulated carrier.")
        elif face.down:
            await _refuse(writer, "502 Bad Gateway", f"{face.name} has an outage.")
        else:
            writer.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            await _join((reader, writer), self._told, self._ports[face.name])

    def _known(self, host: str) -> Face | None:
        found = (face for face in self._faces if host in HOSTS.get(face.name, ()))
        return next(found, None)


def _certified(host: str, ca_file: Path) -> ssl.SSLContext:
    """Return a server's side of TLS for all carriers; write down whom to trust."""
    import trustme  # noqa: PLC0415 - needs the extra `tls`

    authority = trustme.CA(organization_name="multigroup simulator")
    names = (name for names in HOSTS.values() for name in names)
    certificate: Any = authority.issue_cert(host, "localhost", *names)
    authority.cert_pem.write_to_path(str(ca_file))
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(secured)
    return secured


async def _whole(
    serve: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        await serve(reader, writer)
    except asyncio.CancelledError:  # the end: nobody is waited for
        writer.transport.abort()
        raise
    finally:
        await _close(writer)


async def _join(one: Streams, host: str, port: int) -> None:
    """Copy bytes both ways until either side ends; an end passes on as an end."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:  # an outage closed the port: the caller's line ends unanswered
        return
    ways = [
        asyncio.ensure_future(_copy(one[0], writer)),
        asyncio.ensure_future(_copy(reader, one[1])),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        writer.close()  # before any wait, as the end may cancel that
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await _close(writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # a carrier that cuts the line resets it
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()


async def _refuse(writer: asyncio.StreamWriter, status: str, why: str) -> None:
    body = why.encode("utf-8", "replace") + b"\n"
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\n"
    head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    writer.write(head.encode("latin-1") + body)
    with suppress(OSError):
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close for good: TLS would wait for the other side to say goodbye, too."""
    writer.close()
    try:
        async with asyncio.timeout(1):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
        await asyncio.sleep(0)  # in which the socket is closed
