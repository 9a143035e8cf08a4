"""A carrier on loopback that fails in every way a network and a server can.

Pure sockets and threads. Every slow mode *ends in an acceptance* after `PATIENCE`
seconds, so that a client without a deadline reports an acceptance instead of hanging.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import Enum, auto, unique
from types import TracebackType
from typing import Final, Self

from attrs import define, field, frozen

__all__ = ["ACCEPTED", "PATIENCE", "SLOW", "FaultServer", "Mode", "Post"]

PATIENCE: Final = 4.0
PAUSE: Final = 0.05
"""Seconds between two bytes of a drip: less than any silence a client tolerates."""

ACCEPTED: Final = json.dumps(
    {"data": {"id": "message-1"}, "message_uuid": "message-1"}
).encode()
"""A body in which every carrier's adapter finds an acceptance."""

_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)\r\n")
_HANG_UP: Final = struct.pack("ii", 1, 0)  # SO_LINGER of zero: close() sends a reset


@unique
class Mode(Enum):
    """What the server does with a connection or a request."""

    OK = auto()
    REFUSE = auto()
    DROP_UNREAD = auto()
    DROP_READ = auto()
    RESET = auto()
    HANG = auto()
    CUT_SHORT = auto()
    DRIP_HEADERS = auto()
    DRIP_BODY = auto()
    REDIRECT_307_SELF = auto()
    REDIRECT_308_SELF = auto()
    REDIRECT_307_AWAY = auto()
    REDIRECT_308_AWAY = auto()
    ERROR_500 = auto()
    ERROR_503 = auto()
    ERROR_408 = auto()
    THROTTLE = auto()
    HTML = auto()
    EMPTY = auto()
    HUGE = auto()
    CONTINUE_THEN_SILENCE = auto()
    ACCEPTED_BUT_500 = auto()
    RAW = auto()


SLOW: Final = frozenset(
    {Mode.HANG, Mode.DRIP_HEADERS, Mode.DRIP_BODY, Mode.CONTINUE_THEN_SILENCE}
)


@frozen
class Post:
    """One POST as it arrived whole."""

    path: str
    head: bytes
    body: bytes


@define(eq=False)
class FaultServer:
    """Serves on an ephemeral port while its `with` block runs.

    The n-th connection with something to say gets the n-th mode of *script*, each
    further request on it the next one; the last mode repeats. `RAW` says *raw*.
    """

    script: tuple[Mode, ...]
    raw: bytes = b""
    posts: list[Post] = field(factory=list[Post], init=False)
    accepted: int = field(default=0, init=False)
    peak: int = field(default=0, init=False)
    _listener: socket.socket = field(factory=socket.socket, init=False)
    _threads: list[threading.Thread] = field(factory=list[threading.Thread], init=False)
    _open: set[socket.socket] = field(factory=set[socket.socket], init=False)
    taken: int = field(default=0, init=False)
    _changed: threading.Condition = field(factory=threading.Condition, init=False)
    closing: threading.Event = field(factory=threading.Event, init=False)

    @classmethod
    def of(cls, *script: Mode) -> Self:
        """Return a server that goes by *script*."""
        return cls(script)

    @classmethod
    def saying(cls, raw: bytes) -> Self:
        """Return a server that answers with the bytes *raw* and hangs up."""
        return cls((Mode.RAW,), raw)

    @property
    def url(self) -> str:
        """Return where it serves; nobody listens there if it refuses."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def all_hung_up(self, seconds: float = 2.0) -> bool:
        """Wait until no connection is open any more; tell whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, seconds)

    def __enter__(self) -> Self:
        self._listener.bind(("127.0.0.1", 0))
        if self.script[0] is not Mode.REFUSE:
            self._listener.listen(1024)
            self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        if self.script[0] is not Mode.REFUSE:
            with socket.create_connection(self._listener.getsockname()):
                pass  # wakes accept()
            self._threads[0].join()
        with self._changed:
            for talk in self._open:
                _shut(talk)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            talk, _ = self._listener.accept()
            if self.closing.is_set():
                talk.close()
                return
            with self._changed:
                self._open.add(talk)
                self.peak = max(self.peak, len(self._open))
            self._start(lambda talk=talk: self._serve(talk))  # type: ignore[misc]

    def _serve(self, talk: socket.socket) -> None:
        try:
            while talk.recv(1, socket.MSG_PEEK) and self._turn(talk):
                pass
        except OSError:
            pass  # the client hung up: its right
        finally:
            talk.close()
            with self._changed:
                self._open.discard(talk)
                self._changed.notify_all()

    def _turn(self, talk: socket.socket) -> bool:
        """Serve one request; tell whether the connection may carry another."""
        mode = self._next()
        if mode is Mode.DROP_UNREAD:
            return False
        post = _read(talk)
        with self._changed:
            self.posts.append(post)
            self.accepted += mode in {Mode.OK, Mode.ACCEPTED_BUT_500}
        for piece in _ACTS[mode](self, talk):
            talk.sendall(piece)
        return mode is Mode.OK

    def _next(self) -> Mode:
        with self._changed:
            self.taken += 1
            return self.script[min(self.taken, len(self.script)) - 1]


def _read(talk: socket.socket) -> Post:
    """Read one request whole."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += _some(talk)
    head, _, body = head.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    while length and len(body) < int(length[1]):
        body += _some(talk)
    method, path, _ = head.split(b"\r\n")[0].split(b" ")
    assert method == b"POST"
    return Post(path.decode(), head, body)


def _some(talk: socket.socket) -> bytes:
    data = talk.recv(65536)
    if not data:
        raise ConnectionResetError
    return data


def _shut(talk: socket.socket) -> None:
    with suppress(OSError):  # it may be gone already
        talk.shutdown(socket.SHUT_RDWR)


def _whole(status: str, body: bytes = ACCEPTED, *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


Act = Callable[[FaultServer, socket.socket], Iterator[bytes]]


def _say(status: str, body: bytes = ACCEPTED, *fields: str) -> Act:
    def act(_server: FaultServer, _talk: socket.socket) -> Iterator[bytes]:
        yield _whole(status, body, *fields)

    return act


def _redirect(status: str, path: str | None) -> Act:
    def act(server: FaultServer, _talk: socket.socket) -> Iterator[bytes]:
        target = server.posts[-1].path if path is None else path
        yield _whole(status, b"", f"location: {server.url}{target}")

    return act


def _after(first: bytes = b"") -> Act:
    """Say *first*, then nothing for long, then that all is well."""

    def act(server: FaultServer, _talk: socket.socket) -> Iterator[bytes]:
        yield first
        if not server.closing.wait(PATIENCE):
            yield _whole("200 OK")

    return act


def _drip(before: bytes, drop: bytes, after: bytes) -> Act:
    def act(server: FaultServer, _talk: socket.socket) -> Iterator[bytes]:
        yield before
        for _ in range(int(PATIENCE / PAUSE)):
            yield drop
            if server.closing.wait(PAUSE):
                return
        yield after

    return act


def _leave(_server: FaultServer, _talk: socket.socket) -> Iterator[bytes]:
    yield from ()


def _reset(_server: FaultServer, talk: socket.socket) -> Iterator[bytes]:
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HANG_UP)
    yield from ()


def _chunked(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


_ACTS: Final[Mapping[Mode, Act]] = {
    Mode.OK: _say("200 OK"),
    Mode.DROP_READ: _leave,
    Mode.RESET: _reset,
    Mode.HANG: _after(),
    Mode.CUT_SHORT: lambda _server, _talk: iter([_whole("200 OK")[:-5]]),
    Mode.DRIP_HEADERS: _drip(
        b"HTTP/1.1 200 OK\r\nx-slow: ", b"a", b"\r\n" + _whole("").partition(b"\r\n")[2]
    ),
    Mode.DRIP_BODY: _drip(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        _chunked(b" "),
        _chunked(ACCEPTED) + _chunked(b""),
    ),
    Mode.REDIRECT_307_SELF: _redirect("307 Temporary Redirect", None),
    Mode.REDIRECT_308_SELF: _redirect("308 Permanent Redirect", None),
    Mode.REDIRECT_307_AWAY: _redirect("307 Temporary Redirect", "/elsewhere"),
    Mode.REDIRECT_308_AWAY: _redirect("308 Permanent Redirect", "/elsewhere"),
    Mode.ERROR_500: _say("500 Internal Server Error"),
    Mode.ERROR_503: _say("503 Service Unavailable", ACCEPTED, "retry-after: 0"),
    Mode.ERROR_408: _say("408 Request Timeout"),
    Mode.THROTTLE: _say("429 Too Many Requests", b"", "retry-after: 2"),
    Mode.HTML: _say("200 OK", b"<html>It works!</html>", "content-type: text/html"),
    Mode.EMPTY: _say("200 OK", b""),
    Mode.HUGE: _say("200 OK", ACCEPTED[:-1] + b" " * (2 << 20) + b"}"),
    Mode.CONTINUE_THEN_SILENCE: _after(b"HTTP/1.1 100 Continue\r\n\r\n"),
    Mode.ACCEPTED_BUT_500: _say("500 Internal Server Error", b""),
    Mode.RAW: lambda server, _talk: iter([server.raw]),
}
