"""Our own HTTP clients: a deadline that holds on the caller's thread, and proxies."""

from __future__ import annotations

import asyncio
import math
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpcore
import httpx
import pytest

from multigroup import (
    AsyncClient,
    Client,
    MemoryJournal,
    NotSentError,
    SendError,
    Telnyx,
    Timeouts,
    UncertainError,
)
from multigroup._drive import own
from multigroup._drive.base import Http
from multigroup._drive.deadline import Deadline, TotalTimeout
from multigroup.wire import Request
from tests.helpers.faults import PATIENCE, FaultServer, Mode
from tests.helpers.world import Colour

GROUP: Final = ("+14155550101", "+14155550102")


def sent(colour: Colour, url: str, timeout: float) -> SendError:
    """Send one leg to *url* by a client of our own; return the error it ends in."""
    line = Telnyx(api_key="KEY", base_url=url).line("+12125550100")

    async def awaited() -> None:
        async with AsyncClient(lines=[line], timeout=timeout) as client:
            await client.group(*GROUP).send("Hello")

    def blocking() -> None:
        with Client(lines=[line], timeout=timeout) as client:
            client.group(*GROUP).send("Hello")

    with pytest.raises(SendError) as caught:
        blocking() if colour == "sync" else asyncio.run(awaited())
    return caught.value


class Wire(httpcore.NetworkStream):
    """A connection that keeps what is written and answers with one byte."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = threading.Event()

    def read(self, *_given: Any, **_named: Any) -> bytes:
        """Answer."""
        return b"!"

    def write(self, buffer: bytes, *_given: Any, **_named: Any) -> None:
        """Keep *buffer*."""
        self.writes.append(buffer)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed.set()

    def start_tls(self, *_given: Any, **_named: Any) -> httpcore.NetworkStream:
        """Return another connection."""
        return Wire()


class HungUp(Wire):
    """A connection whose other end answered and left before it heard us."""

    def write(self, *_given: Any, **_named: Any) -> None:
        """Fail."""
        raise httpcore.WriteError


class Stuck(Wire):
    """A connection whose other end takes nothing."""

    def write(self, *_given: Any, **_named: Any) -> None:
        """Time out."""
        raise httpcore.WriteTimeout


class Slow(httpcore.NetworkBackend):
    """A network that connects when it is told to, as when a name is looked up."""

    def __init__(self, error: type[BaseException] | None = None) -> None:
        self.error = error
        self.wire = Wire()
        self.found = threading.Event()

    def connect_tcp(self, *_given: Any, **_named: Any) -> httpcore.NetworkStream:
        """Connect at last, or fail at once."""
        if self.error is not None:
            raise self.error
        self.found.wait(5)
        return self.wire


def deadline(seconds: float) -> Deadline:
    """Return a deadline *seconds* from now."""
    made = Deadline()
    made.until = time.monotonic() + seconds
    return made


@pytest.mark.parametrize(
    "mode", [Mode.DRIP_HEADERS, Mode.DRIP_BODY, Mode.CONTINUE_THEN_SILENCE]
)
def test_a_drip_ends_with_the_total_timeout(colour: Colour, mode: Mode) -> None:
    """A server that is never silent for long cannot hold a single leg."""
    with FaultServer.of(mode) as server:
        begun = time.monotonic()
        error = sent(colour, server.url, 0.5)
        taken = time.monotonic() - begun

    assert type(error) is UncertainError
    assert taken < PATIENCE / 2


def test_a_single_leg_needs_no_worker() -> None:
    """It runs where `send` was called, so it costs no second thread."""
    with FaultServer.of(Mode.OK) as server:
        line = Telnyx(api_key="KEY", base_url=server.url).line("+12125550100")
        with Client(lines=[line]) as client:
            client.group(*GROUP).send("Hello")
            assert client._driver._workers is None


def test_each_pool_of_our_client_keeps_to_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This release of httpx lets us in, and a proxy's pool is not forgotten."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    with httpx.Client() as client:
        transports = [client._transport, *client._mounts.values()]
        assert own.hold(client, Deadline())

    backends = [vars(t._pool)["_network_backend"] for t in transports if t]  # type: ignore[attr-defined]
    assert len(backends) == 2
    assert {type(backend) for backend in backends} == {own.Backend}


def test_a_client_without_such_a_pool_is_left_alone() -> None:
    """Its requests run on workers, as those of a given client do."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))
    with httpx.Client(transport=transport) as client:
        assert not own.hold(client, Deadline())


def test_the_environments_proxy_is_used(
    colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request for a carrier goes to the proxy, whole URL and all."""
    with FaultServer.of(Mode.ERROR_500) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        sent(colour, "http://carrier.test", 5.0)

    (post,) = proxy.posts
    assert post.path == "http://carrier.test/messages/group_mms"


def test_a_look_up_that_hangs_ends_with_the_deadline() -> None:
    """Nothing was sent, and a connection that comes too late is closed."""
    network, backend = Slow(), own.Backend(deadline(0.05))
    backend._inner = network  # type: ignore[assignment]

    with pytest.raises(httpcore.ConnectTimeout):
        backend.connect_tcp("carrier.test", 80, timeout=5.0)
    network.found.set()

    assert network.wire.closed.wait(5)


def test_a_look_up_that_fails_says_how() -> None:
    """What goes wrong on the connecting thread is raised on the caller's."""
    backend = own.Backend(deadline(5.0))
    backend._inner = Slow(KeyboardInterrupt)  # type: ignore[assignment]

    with pytest.raises(KeyboardInterrupt):
        backend.connect_tcp("carrier.test", 80)


def test_without_a_thread_nothing_is_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exhausted process, or one that is ending, surely sent nothing."""

    def submit(*_given: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    with pytest.raises(httpcore.ConnectError):
        own.Backend(deadline(5.0)).connect_tcp("carrier.test", 80)


def test_past_the_deadline_nothing_is_connected() -> None:
    """That is a timeout of the connection: no byte has left."""
    with pytest.raises(httpcore.ConnectTimeout):
        own.Backend(deadline(-1.0)).connect_tcp("carrier.test", 80)


def test_head_and_body_leave_in_one_piece() -> None:
    """What is written waits until the answer is asked for."""
    wire = Wire()
    stream = own.Stream(wire, deadline(5.0))
    stream.write(b"head ")
    stream.write(b"body")
    assert wire.writes == []

    assert stream.read(1) == b"!"
    assert stream.read(1) == b"!"
    assert wire.writes == [b"head body"]


def test_what_was_answered_before_hanging_up_is_read() -> None:
    """A carrier that refuses early and closes is still heard."""
    stream = own.Stream(HungUp(), deadline(5.0))
    stream.write(b"head")

    assert stream.read(1) == b"!"


def test_a_secured_connection_keeps_to_the_deadline_too() -> None:
    """TLS is a connection of the same kind."""
    plain = own.Stream(Wire(), deadline(5.0))
    secured = plain.start_tls(ssl.create_default_context(), "carrier.test")

    assert type(secured) is own.Stream
    assert secured.get_extra_info("ssl_object") is None


def test_a_deadline_caps_a_timeout_and_is_the_threads_own() -> None:
    """Another thread's exchange has another deadline, or none yet."""
    mine, other = deadline(5.0), []
    thread = threading.Thread(target=lambda: other.append(mine.until))
    thread.start()
    thread.join()

    assert other == [math.inf]
    assert mine.cap(1.0) == 1.0
    assert 4.0 < mine.cap(None) <= 5.0


def test_an_interrupted_single_leg_is_on_record() -> None:
    """An interrupt goes on up; what was under way is unknown, not forgotten."""
    journal = MemoryJournal()
    line = Telnyx(api_key="KEY").line("+12125550100")

    def send(_built: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    def build(request: Request) -> httpx.Request:
        return httpx.Request(request.method, request.url)

    with Client(lines=[line], journal=journal) as client:
        client._driver._open = Http(build, send, lambda: None, Deadline())
        with pytest.raises(KeyboardInterrupt):
            client.group(*GROUP).send("Hello", reference="hello")
        receipt = client.receipt("hello")

    assert receipt is not None
    assert [attempt.outcome.word for attempt in receipt.attempts] == ["UNKNOWN"]


def test_a_client_that_cannot_be_opened_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proxy of an unknown kind is found out before a byte leaves."""
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy.test")
    assert type(sent("sync", "http://carrier.test", 5.0)) is NotSentError


def test_without_its_transports_the_client_itself_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A release of httpx that hides them costs time, not messages."""
    monkeypatch.delattr(httpx.Client, "_transport_for_url")
    made = own.own(Timeouts())
    with pytest.raises(AttributeError, match="_transport_for_url"):
        made.send(httpx.Request("POST", "http://127.0.0.1:9"))
    made.close()


@pytest.mark.parametrize(
    ("left", "error"), [(5, TotalTimeout), (500, httpcore.WriteTimeout)]
)
def test_a_write_is_ended_by_the_deadline_or_by_the_other_end(
    left: float, error: type[Exception]
) -> None:
    """Whichever allowed less is named."""
    stream = own.Stream(Stuck(), deadline(left))
    stream.write(b"hello")
    with pytest.raises(error):
        stream.read(1, timeout=20)
