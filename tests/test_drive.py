"""The drivers: many requests at once, each with its own end, by either colour."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import httpx
import pytest
from attrs import define, frozen

from multigroup import (
    Accepted,
    AsyncClient,
    Capabilities,
    Client,
    DeliveryStatus,
    DeliveryUpdated,
    Event,
    LineKind,
    MemoryJournal,
    NotSentError,
    Number,
    PartialSendError,
    Provider,
    Receipt,
    Reception,
    Request,
    Response,
    SendError,
    UncertainError,
    Unknown,
    WebhookAuth,
)
from multigroup._drive import AsyncDriver, Driver
from multigroup.effects import Exchange, Program
from multigroup.models import Leg, Outcome
from multigroup.providers.base import Draft, Rail
from multigroup.records import SendRecord
from multigroup.wire import Failure, Reply
from tests.helpers.faults import FaultServer, Mode
from tests.helpers.world import Colour

ASYNC_CAP: Final = 32
SYNC_CAP: Final = 64
CROWD: Final = tuple(
    f"+1{area}55501{line:02}"
    for area in (212, 312, 415, 617, 702)
    for line in range(100)
)
REQUEST: Final = Request("POST", "https://app.test/many", {}, b"{}")

ANYTHING: Final = Capabilities(
    max_members=500,
    max_media=None,
    max_text=None,
    subject=True,
    group_from=frozenset(LineKind),
    legs_per="member",
    webhook_auth=WebhookAuth(binds_body=True, has_freshness=True),
    idempotency="none",
    receipts="none",
    roster_on_inbound=True,
    sources=(),
    as_of="2026-01-02",
)

Handle: TypeAlias = Callable[[httpx.Request], httpx.Response]


@frozen(eq=False, kw_only=True)
class Many(Provider):
    """A carrier of our own that takes one request per member, however many."""

    carrier: ClassVar[str] = "many"
    name: str = "many"
    base_url: str = "http://carrier.test"
    capabilities: Capabilities = ANYTHING

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return a request per member, told apart by its path."""
        del rail
        return tuple(
            Leg(
                draft.key(place),
                (member,),
                Request("POST", f"{self.base_url}/{place}", {}, b"{}"),
            )
            for place, member in enumerate(draft.members)
        )

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* as it is: this carrier knows no credentials."""
        del now
        return request

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Take every 2xx for an acceptance."""
        return Accepted(leg.key) if response.status < 300 else Unknown("not 2xx")

    def verify(self, request: Request, now: float) -> None:
        """Trust everybody."""

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> tuple[Event, ...]:
        """Tell that one member's copy arrived."""
        del own
        return (
            DeliveryUpdated(
                id="event-1",
                provider="many",
                account="many",
                occurred_at=received_at,
                received_at=received_at,
                raw=body,
                member=Number(CROWD[0]),
                status=DeliveryStatus.DELIVERED,
                provider_status="delivered",
            ),
        )


LINE: Final = Many().line("28228")


def ok(_request: httpx.Request) -> httpx.Response:
    """Answer every request with 200."""
    return httpx.Response(200, content=b"{}")


def place(request: httpx.Request) -> int:
    """Return which leg *request* is."""
    return int(request.url.path[1:])


def send(
    colour: Colour,
    handle: Handle,
    legs: int = 3,
    *,
    journal: MemoryJournal | None = None,
    timeout: float = 10.0,
) -> Receipt:
    """Send to the first *legs* members over a function transport."""
    transport = httpx.MockTransport(handle)
    kept = journal or MemoryJournal()
    members = CROWD[:legs]
    if colour == "sync":
        with (
            httpx.Client(transport=transport) as http,
            Client(lines=[LINE], journal=kept, http=http, timeout=timeout) as client,
        ):
            return client.group(*members).send("Hello", reference="hello")

    async def awaited() -> Receipt:
        async with (
            httpx.AsyncClient(transport=transport) as http,
            AsyncClient(
                lines=[LINE], journal=kept, http=http, timeout=timeout
            ) as client,
        ):
            return await client.group(*members).send("Hello", reference="hello")

    return asyncio.run(awaited())


def error_of(colour: Colour, error: Exception, legs: int = 1) -> SendError:
    """Return what a send comes to whose first leg raises *error* in the transport."""

    def handle(request: httpx.Request) -> httpx.Response:
        if place(request) == 0:
            raise error
        return ok(request)

    with pytest.raises(SendError) as caught:
        send(colour, handle, legs)
    return caught.value


def words(record: Receipt | SendRecord | None) -> list[str]:
    """Return the outcome of each leg, in one word."""
    assert record is not None
    return [attempt.outcome.word for attempt in record.attempts]


@define
class Gauge:
    """Counts what is in flight, and holds all of it back until *cap* are there."""

    cap: int
    now: int = 0
    peak: int = 0

    def enter(self) -> None:
        """Count one more."""
        self.now += 1
        self.peak = max(self.peak, self.now)


@pytest.mark.parametrize("legs", [40, 480])
def test_the_async_driver_keeps_32_requests_in_flight(legs: int) -> None:
    """All slots are used, never one more, and every leg gets its turn."""
    gauge = Gauge(ASYNC_CAP)

    async def run() -> Receipt:
        full, too_many = asyncio.Event(), asyncio.Event()

        async def handle(_request: httpx.Request) -> httpx.Response:
            gauge.enter()
            if gauge.now == gauge.cap and not full.is_set():
                with pytest.raises(TimeoutError):  # time for one more to show up
                    await asyncio.wait_for(too_many.wait(), 0.1)
                full.set()
            elif gauge.now > gauge.cap:
                too_many.set()
            await full.wait()
            gauge.now -= 1
            return httpx.Response(200, content=b"{}")

        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http,
            AsyncClient(lines=[LINE], http=http) as client,
        ):
            return await client.group(*CROWD[:legs]).send("Hello")

    receipt = asyncio.run(run())

    assert gauge.peak == ASYNC_CAP
    assert words(receipt) == ["ACCEPTED"] * legs


@pytest.mark.parametrize("legs", [80, 480])
def test_the_sync_driver_keeps_64_requests_in_flight(legs: int) -> None:
    """All workers are used, never one more, and every leg gets its turn."""
    gauge, lock = Gauge(SYNC_CAP), threading.Lock()
    full, too_many = threading.Event(), threading.Event()

    def handle(_request: httpx.Request) -> httpx.Response:
        with lock:
            gauge.enter()
            at_cap = gauge.now == gauge.cap and not full.is_set()
            if gauge.now > gauge.cap:
                too_many.set()
        if at_cap:
            too_many.wait(0.1)  # time for one more to show up
            full.set()
        full.wait(5)
        with lock:
            gauge.now -= 1
        return httpx.Response(200, content=b"{}")

    receipt = send("sync", handle, legs)

    assert gauge.peak == SYNC_CAP
    assert words(receipt) == ["ACCEPTED"] * legs


def test_a_crowd_gets_through_our_own_pool(colour: Colour) -> None:
    """At a real server no leg starves in the connection pool."""
    with FaultServer.of(Mode.OK) as server:
        line = Many(base_url=server.url).line("28228")
        if colour == "sync":
            with Client(lines=[line]) as client:
                receipt = client.group(*CROWD[:100]).send("Hello")
        else:

            async def awaited() -> Receipt:
                async with AsyncClient(lines=[line]) as client:
                    return await client.group(*CROWD[:100]).send("Hello")

            receipt = asyncio.run(awaited())

    assert words(receipt) == ["ACCEPTED"] * 100
    assert len(server.posts) == 100
    assert server.peak <= (SYNC_CAP if colour == "sync" else ASYNC_CAP)


def test_closing_a_client_closes_every_connection(colour: Colour) -> None:
    """After a fan-out `close()` leaves none of our own connections open."""
    gc.disable()  # so that nothing is closed by accident
    try:
        with FaultServer.of(Mode.OK) as server:
            line = Many(base_url=server.url).line("28228")
            if colour == "sync":
                with Client(lines=[line]) as client:
                    client.group(*CROWD[:10]).send("Hello")
            else:

                async def awaited() -> None:
                    async with AsyncClient(lines=[line]) as client:
                        await client.group(*CROWD[:10]).send("Hello")

                asyncio.run(awaited())
            assert server.all_hung_up()
    finally:
        gc.enable()


def foreign(name: str, base: type[Exception] = Exception) -> Exception:
    """Return an exception of a library that we have never heard of."""
    error = type(name, (base,), {"__module__": "some.library"})("+14155550101")
    assert isinstance(error, base)
    return error


def named(error: Exception) -> str:
    """Return the name of *error*'s class, with its library."""
    return f"{type(error).__module__}.{type(error).__name__}"


UNSENT: Final = [
    httpx.ConnectError("no"),
    httpx.ConnectTimeout("no"),
    httpx.PoolTimeout("no"),
    httpx.ProxyError("no"),
    httpx.UnsupportedProtocol("no"),
    httpx.LocalProtocolError("no"),
    httpx.InvalidURL("no"),
    foreign("ConnectError"),
    foreign("ConnectTimeout", OSError),
    foreign("TlsHandshakeFailed", httpx.ConnectError),
]
PERHAPS: Final = [
    httpx.ReadError("no"),
    httpx.ReadTimeout("no"),
    httpx.WriteError("no"),
    httpx.WriteTimeout("no"),
    httpx.CloseError("no"),
    httpx.RemoteProtocolError("no"),
    httpx.TransportError("no"),
    foreign("ServerDisconnectedError", OSError),
    foreign("ReadTimeoutWithAnotherName", httpx.ReadTimeout),
    ConnectionResetError("no"),
    TimeoutError("no"),
    ValueError("no"),
    KeyError("no"),
]


@pytest.mark.parametrize("error", UNSENT, ids=named)
def test_what_can_only_happen_before_the_first_byte_is_not_sent(
    colour: Colour, error: Exception
) -> None:
    """Such exceptions are known by the name of their class or of one they are."""
    end = error_of(colour, error)

    assert type(end) is NotSentError
    assert type(error).__name__ in str(end)


@pytest.mark.parametrize("error", PERHAPS, ids=named)
def test_every_other_exception_is_unknown(colour: Colour, error: Exception) -> None:
    """An exception that nobody listed proves nothing, whoever raised it."""
    end = error_of(colour, error)

    assert type(end) is UncertainError
    assert type(error).__name__ in str(end)


def test_what_an_exception_says_is_not_repeated(colour: Colour) -> None:
    """Only its class is told: its text may hold a number or a credential."""
    end = error_of(colour, foreign("Odd"))

    assert "+14155550101" not in f"{end} {end.receipt}"


@pytest.mark.parametrize(
    "error", [ValueError("no"), httpx.ReadTimeout("no")], ids=["unlisted", "timeout"]
)
def test_one_legs_doubt_is_its_own(colour: Colour, error: Exception) -> None:
    """The other thirty-nine legs keep what is known of them."""
    end = error_of(colour, error, legs=40)

    assert type(end) is UncertainError
    assert words(end.receipt) == ["UNKNOWN", *["ACCEPTED"] * 39]


def test_one_leg_that_cannot_leave_is_its_own(colour: Colour) -> None:
    """A leg without a connection makes the send partial, not failed."""
    end = error_of(colour, httpx.ConnectError("no"), legs=40)

    assert type(end) is PartialSendError
    assert words(end.receipt) == ["NOT_SENT", *["ACCEPTED"] * 39]


def test_a_leg_past_the_deadline_leaves_the_others_their_outcome() -> None:
    """Legs that were answered are accepted; the one still out is unknown."""
    release = threading.Event()

    def handle(request: httpx.Request) -> httpx.Response:
        if place(request) == 1:
            release.wait(5)
        return ok(request)

    with pytest.raises(UncertainError) as caught:
        send("sync", handle, timeout=0.3)
    release.set()

    assert words(caught.value.receipt) == ["ACCEPTED", "UNKNOWN", "ACCEPTED"]


def test_an_awaited_leg_past_the_deadline_leaves_the_others_their_outcome() -> None:
    """The same with `await`; a leg still waiting for a slot surely never left."""

    async def run() -> None:
        async def handle(request: httpx.Request) -> httpx.Response:
            if place(request) > 0:
                await asyncio.Event().wait()
            return ok(request)

        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http,
            AsyncClient(lines=[LINE], http=http, timeout=0.3) as client,
        ):
            await client.group(*CROWD[:40]).send("Hello")

    with pytest.raises(UncertainError) as caught:
        asyncio.run(run())

    found = words(caught.value.receipt)
    assert found == ["ACCEPTED", *["UNKNOWN"] * 32, *["NOT_SENT"] * 7]


def test_an_exchange_may_be_given_less_time(colour: Colour) -> None:
    """A look-up while somebody waits ends when it must, whatever a send may take."""
    release = threading.Event()

    def handle(request: httpx.Request) -> httpx.Response:
        release.wait(5)
        return ok(request)

    async def silent(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        return ok(request)

    def look() -> Program[tuple[Reply, ...]]:
        asked = Request("GET", "http://carrier.test/1")
        return (yield from Exchange((asked,), within=0.05))

    async def run() -> tuple[Reply, ...]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(silent)) as http:
            return await AsyncDriver(MemoryJournal(), given=http).run(look())

    if colour == "async":
        (reply,) = asyncio.run(run())
    else:
        with httpx.Client(transport=httpx.MockTransport(handle)) as http:
            (reply,) = Driver(MemoryJournal(), given=http).run(look())
    release.set()

    assert isinstance(reply, Failure)
    assert not reply.unsent


def test_cancelling_a_send_leaves_every_leg_on_record() -> None:
    """The cancellation goes on up; legs that were out are unknown, the rest unsent."""
    journal = MemoryJournal()

    async def run() -> None:
        out = asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            if place(request) == ASYNC_CAP - 1:
                out.set()
            await asyncio.Event().wait()
            return ok(request)

        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http,
            AsyncClient(lines=[LINE], journal=journal, http=http) as client,
        ):
            group = client.group(*CROWD[:40])
            task = asyncio.create_task(group.send("Hello", reference="hello"))
            await out.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(UncertainError):
                await group.send("Hello", reference="hello")

    asyncio.run(run())

    record = journal.recall("default", "hello")
    assert words(record) == [*["UNKNOWN"] * 32, *["NOT_SENT"] * 8]
    assert record is not None
    assert record.closed
    assert all(attempt.ended_at for attempt in record.attempts)


class StopNow(BaseException):
    """What a signal handler or an exiting thread may raise."""


def test_an_interrupt_in_the_transport_goes_up_and_leaves_a_record(
    colour: Colour,
) -> None:
    """Not even a `BaseException` loses the send: what is doubtful is on record so."""
    journal = MemoryJournal()

    def handle(request: httpx.Request) -> httpx.Response:
        if place(request) == 1:
            raise StopNow
        return ok(request)

    with pytest.raises(StopNow):
        send(colour, handle, journal=journal)

    record = journal.recall("default", "hello")
    assert record is not None
    assert record.closed
    assert words(record)[1] == "UNKNOWN"
    assert "NOT_SENT" not in words(record)
    with pytest.raises(UncertainError):
        send(colour, ok, journal=journal)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_in_a_send_leaves_every_leg_on_record() -> None:
    """What was on its way when the user gave up is unknown, what was not is unsent."""
    journal, release = MemoryJournal(), threading.Event()
    main = threading.get_ident()

    def handle(request: httpx.Request) -> httpx.Response:
        if place(request) == SYNC_CAP - 1:
            signal.pthread_kill(main, signal.SIGINT)
        release.wait(5)
        return ok(request)

    with pytest.raises(KeyboardInterrupt):
        send("sync", handle, 80, journal=journal)
    release.set()

    record = journal.recall("default", "hello")
    assert record is not None
    assert record.closed
    assert set(words(record)[:SYNC_CAP]) == {"UNKNOWN"}
    assert "ACCEPTED" not in words(record)


def test_no_leg_goes_on_behind_an_interrupted_send() -> None:
    """When `send` has raised, none of its requests is still being made."""

    async def run() -> set[asyncio.Task[object]]:
        async def handle(request: httpx.Request) -> httpx.Response:
            if place(request) == 1:
                raise StopNow
            await asyncio.Event().wait()
            return ok(request)

        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http,
            AsyncClient(lines=[LINE], http=http) as client,
        ):
            with pytest.raises(StopNow):
                await client.group(*CROWD[:3]).send("Hello")
            return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(run()) == set()


def test_a_handler_that_raises_is_returned_and_the_others_run(colour: Colour) -> None:
    """The reception holds the exception itself; the next handler ran all the same."""
    ran: list[Event] = []
    trouble = ValueError("no")

    def fail(_event: Event) -> None:
        raise trouble

    reception = received(colour, fail, ran.append)

    assert reception.failures == (trouble,)
    assert reception.status == 503
    assert len(ran) == 1


def test_the_log_of_a_failed_handler_holds_no_text_and_no_number(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    """It says which handler, which event, what kind of error and where: no more."""

    def fail(event: Event) -> None:
        raise ValueError(f"{CROWD[0]} said {event.raw!r}")

    with caplog.at_level(logging.DEBUG, logger="multigroup"):
        received(colour, fail)

    (record,) = [row for row in caplog.records if row.name == "multigroup"]
    said = f"{record.getMessage()} {record.exc_text or ''}"
    assert "fail" in said
    assert "ValueError" in said
    assert Path(__file__).name in said
    assert "0100" not in said
    assert "said" not in said
    assert record.exc_info is None


def test_a_log_records_arguments_hold_no_number(
    colour: Colour, caplog: pytest.LogCaptureFixture
) -> None:
    """Log collectors keep the arguments beside the message: they are masked too."""

    def fail(_event: Event) -> None:
        raise ValueError

    received(colour, fail)

    (record,) = [row for row in caplog.records if row.name == "multigroup"]
    assert CROWD[0] not in repr(record.args)


def received(colour: Colour, *handlers: Callable[[Event], object]) -> Reception:
    """Take one webhook in by a client with *handlers*."""
    if colour == "sync":
        with Client(lines=[LINE]) as client:
            for handler in handlers:
                client.on(Event)(handler)
            return client.receive("many", REQUEST)

    async def awaited() -> Reception:
        async with AsyncClient(lines=[LINE]) as client:
            for handler in handlers:
                client.on(Event)(handler)
            return await client.receive("many", REQUEST)

    return asyncio.run(awaited())


def test_an_async_client_awaits_handlers_and_calls_plain_ones() -> None:
    """Both kinds run to their end, in the order they were registered."""
    ran: list[str] = []

    async def awaited(_event: Event) -> None:
        await asyncio.get_running_loop().run_in_executor(None, ran.append, "awaited")

    def plain(_event: Event) -> None:
        ran.append("plain")

    reception = received("async", awaited, plain)

    assert ran == ["awaited", "plain"]
    assert (reception.status, reception.failures) == (200, ())


def test_an_async_handlers_exception_is_returned_too() -> None:
    """A coroutine that raises fails like a function that does."""
    trouble = ValueError("no")

    async def fail(_event: Event) -> None:
        raise trouble

    assert received("async", fail).failures == (trouble,)


def test_an_interrupted_handler_leaves_the_event_to_be_handled(colour: Colour) -> None:
    """An interrupt goes up, and the carrier's next delivery finds the event free."""
    journal, ran = MemoryJournal(), 0

    def handler(_event: Event) -> None:
        nonlocal ran
        ran += 1
        if ran == 1:
            raise StopNow

    def take() -> Reception:
        if colour == "sync":
            with Client(lines=[LINE], journal=journal) as client:
                client.on(Event)(handler)
                return client.receive("many", REQUEST)

        async def awaited() -> Reception:
            async with AsyncClient(lines=[LINE], journal=journal) as client:
                client.on(Event)(handler)
                return await client.receive("many", REQUEST)

        return asyncio.run(awaited())

    with pytest.raises(StopNow):
        take()
    assert take().status == 200
    assert ran == 2


def test_a_given_client_is_used_and_left_open() -> None:
    """Whoever made the HTTP client closes it."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(request)

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        with Client(lines=[LINE], http=http) as client:
            client.group(*CROWD[:2]).send("Hello")
        assert not http.is_closed
        assert {place(request) for request in seen} == {0, 1}


def test_a_given_async_client_is_used_and_left_open() -> None:
    """Whoever made the HTTP client closes it, with `await` too."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return ok(request)

    async def run() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            async with AsyncClient(lines=[LINE], http=http) as client:
                await client.group(*CROWD[:2]).send("Hello")
            return http.is_closed

    assert not asyncio.run(run())
    assert {place(request) for request in seen} == {0, 1}


def test_a_netrc_adds_no_credentials(
    colour: Colour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password file of the environment does not leak to a carrier."""
    file = tmp_path / "netrc"
    file.write_text("default login ambient password ambient\n", "ascii")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    with FaultServer.of(Mode.OK) as server:
        line = Many(base_url=server.url).line("28228")
        if colour == "sync":
            with Client(lines=[line]) as client:
                client.group(CROWD[0]).send("Hello")
        else:

            async def awaited() -> None:
                async with AsyncClient(lines=[line]) as client:
                    await client.group(CROWD[0]).send("Hello")

            asyncio.run(awaited())

    (post,) = server.posts
    assert b"authorization" not in post.head.lower()


def test_nothing_ambient_is_added_and_no_redirect_followed() -> None:
    """A given client's own login and taste for redirects do not apply to a send."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(307, headers={"location": "http://else.test/9"})

    with (
        httpx.Client(
            transport=httpx.MockTransport(handle),
            follow_redirects=True,
            auth=("ambient", "ambient"),
        ) as http,
        Client(lines=[LINE], http=http) as client,
        pytest.raises(UncertainError),
    ):
        client.group(CROWD[0]).send("Hello")

    (request,) = seen
    assert request.url.host == "carrier.test"
    assert "authorization" not in request.headers


def test_nothing_ambient_is_awaited_either() -> None:
    """The same for an async client."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(308, headers={"location": "/9"})

    async def run() -> None:
        async with (
            httpx.AsyncClient(
                transport=httpx.MockTransport(handle),
                follow_redirects=True,
                auth=("ambient", "ambient"),
            ) as http,
            AsyncClient(lines=[LINE], http=http) as client,
        ):
            await client.group(CROWD[0]).send("Hello")

    with pytest.raises(UncertainError):
        asyncio.run(run())
    (request,) = seen
    assert "authorization" not in request.headers
