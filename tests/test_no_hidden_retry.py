"""Nothing below us sends a message twice, and every failure is called what it is.

The table at the top is design section 4: only what certainly left no byte with the
carrier is `NOT_SENT`; whatever is not proven is `UNKNOWN`.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Final

import httpx
import pytest

from multigroup import (
    AsyncClient,
    Client,
    ConfigError,
    Line,
    NotSent,
    NotSentError,
    Receipt,
    SendError,
    Telnyx,
    Timeouts,
    UncertainError,
    Unknown,
    Vonage,
)
from tests.helpers.faults import SLOW, FaultServer, Mode, Post
from tests.helpers.world import Carrier, Colour

PEOPLE: Final = ("+14155550101", "+14155550102", "+14155550103")
LEGS: Final[dict[Carrier, int]] = {"telnyx": 1, "vonage": 3}
UNSENT: Final = (Mode.REFUSE, Mode.THROTTLE)
UNREAD: Final = (Mode.REFUSE, Mode.DROP_UNREAD)
FAULTS: Final = tuple(mode for mode in Mode if mode not in {Mode.OK, Mode.RAW})
PERHAPS: Final = tuple(mode for mode in FAULTS if mode not in UNSENT)


def line_at(carrier: Carrier, url: str, *, key: str = "KEY1") -> Line:
    """Return a line of *carrier* served at *url*."""
    if carrier == "telnyx":
        return Telnyx(api_key=key, base_url=url).line("+12125550100")
    account = Vonage(api_key="key", api_secret=key, base_url=url)
    return account.line("+13125550100")


def came_to(
    colour: Colour, *lines: Line, timeout: float | Timeouts = 10.0, times: int = 1
) -> list[Receipt | SendError]:
    """Send *times* messages by one client; return what each came to."""
    ends: list[Receipt | SendError] = []

    def sync() -> None:
        with Client(lines=lines, timeout=timeout) as client:
            for turn in range(times):
                try:
                    ends.append(client.group(*PEOPLE).send(f"Hello {turn}"))
                except SendError as error:
                    ends.append(error)

    async def awaited() -> None:
        async with AsyncClient(lines=lines, timeout=timeout) as client:
            for turn in range(times):
                try:
                    ends.append(await client.group(*PEOPLE).send(f"Hello {turn}"))
                except SendError as error:
                    ends.append(error)

    if colour == "sync":
        sync()
    else:
        asyncio.run(awaited())
    return ends


@cache
def fault(carrier: Carrier, colour: Colour, mode: Mode) -> tuple[list[Post], SendError]:
    """Return what the server got and the caller learnt; each fault is tried once."""
    with FaultServer.of(mode) as server:
        line = line_at(carrier, server.url)
        (end,) = came_to(colour, line, timeout=0.5 if mode in SLOW else 10.0)
    return server.posts, failed(end)


def failed(end: Receipt | SendError) -> SendError:
    """Return *end*, which must be an error."""
    assert isinstance(end, SendError)
    return end


@pytest.mark.parametrize("mode", FAULTS, ids=lambda mode: mode.name.lower())
def test_a_fault_never_posts_twice(
    carrier: Carrier, colour: Colour, mode: Mode
) -> None:
    """Whatever goes wrong, each leg is posted at most once, and to one place."""
    posts, error = fault(carrier, colour, mode)

    assert len(posts) == (0 if mode in UNREAD else LEGS[carrier])
    assert len({post.body for post in posts}) == len(posts)
    assert "/elsewhere" not in {post.path for post in posts}
    assert len(error.receipt.attempts) == LEGS[carrier]


@pytest.mark.parametrize("mode", PERHAPS, ids=lambda mode: mode.name.lower())
def test_a_doubtful_end_is_called_unknown(
    carrier: Carrier, colour: Colour, mode: Mode
) -> None:
    """Where the carrier may have taken it, every leg is UNKNOWN and the send says so.

    The slow modes end in an acceptance after the total timeout: UNKNOWN proves that
    nobody waited for it.
    """
    _posts, error = fault(carrier, colour, mode)

    assert type(error) is UncertainError
    assert {type(a.outcome) for a in error.receipt.attempts} == {Unknown}
    assert all(a.ended_at is not None for a in error.receipt.attempts)


@pytest.mark.parametrize("mode", FAULTS, ids=lambda mode: mode.name.lower())
def test_either_driver_calls_a_fault_the_same(carrier: Carrier, mode: Mode) -> None:
    """Outcomes, reasons and words do not depend on the colour of the client."""
    told = [
        [(a.line, a.leg[-2:], a.outcome, a.then) for a in error.receipt.attempts]
        for _, error in (fault(carrier, colour, mode) for colour in ("sync", "async"))
    ]

    assert told[0] == told[1]


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode in SLOW])
def test_what_the_total_deadline_ended_is_called_so(
    carrier: Carrier, colour: Colour, mode: Mode
) -> None:
    """A server too slow for the whole exchange is told from one that fell silent."""
    _posts, error = fault(carrier, colour, mode)

    assert {a.outcome for a in error.receipt.attempts} == {
        Unknown("the connection ended without an answer (TotalTimeout)")
    }


def test_a_silence_that_is_too_long_is_called_so(
    carrier: Carrier, colour: Colour
) -> None:
    """Before the total deadline it is the carrier's silence that ends the exchange."""
    patience = Timeouts(silence=0.2)
    with FaultServer.of(Mode.HANG) as server:
        (end,) = came_to(colour, line_at(carrier, server.url), timeout=patience)

    assert {a.outcome for a in failed(end).receipt.attempts} == {
        Unknown("the connection ended without an answer (ReadTimeout)")
    }


@pytest.mark.parametrize(
    "mode",
    [Mode.HANG, *(mode for mode in PERHAPS if mode not in SLOW)],
    ids=lambda mode: mode.name.lower(),
)
def test_no_other_carrier_tries_after_doubt(colour: Colour, mode: Mode) -> None:
    """A second line is left alone when the first one was perhaps enough."""
    timeout = 0.5 if mode in SLOW else 10.0
    with FaultServer.of(mode) as first, FaultServer.of(Mode.OK) as second:
        lines = (line_at("telnyx", first.url), line_at("vonage", second.url))
        (end,) = came_to(colour, *lines, timeout=timeout)

    assert second.posts == []
    assert {a.line for a in failed(end).receipt.attempts} == {lines[0].id}


@pytest.mark.parametrize("mode", UNSENT, ids=lambda mode: mode.name.lower())
def test_a_line_that_surely_sent_nothing_is_called_so(
    carrier: Carrier, colour: Colour, mode: Mode
) -> None:
    """A refused connection and a 429 leave nothing behind."""
    _posts, error = fault(carrier, colour, mode)

    assert type(error) is NotSentError
    outcomes = [a.outcome for a in error.receipt.attempts]
    assert {type(known) for known in outcomes} == {NotSent}
    waits = {known.wait for known in outcomes if isinstance(known, NotSent)}
    assert waits == ({2.0} if mode is Mode.THROTTLE else {None})


@pytest.mark.parametrize("mode", UNSENT, ids=lambda mode: mode.name.lower())
def test_another_carrier_takes_over_when_nothing_was_sent(
    colour: Colour, mode: Mode
) -> None:
    """Every member is texted once, by the second line."""
    with FaultServer.of(mode) as first, FaultServer.of(Mode.OK) as second:
        lines = (line_at("telnyx", first.url), line_at("vonage", second.url))
        (end,) = came_to(colour, *lines)

    assert isinstance(end, Receipt)
    assert end.line == lines[1].id
    assert len(second.posts) == LEGS["vonage"]


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "carrier://127.0.0.1", "/v2", "http://127.0.0.1:99999"],
    ids=["half-a-bracket", "unknown-scheme", "no-host", "no-such-port"],
)
def test_an_unusable_url_is_refused_as_a_setting(carrier: Carrier, url: str) -> None:
    """A base URL nobody can connect to is found before anything is sent."""
    with pytest.raises(ConfigError, match="base_url must be"):
        line_at(carrier, url)


@pytest.mark.parametrize(
    "key", ["KEY1\n", "KEY1\r\nx-more: 1", "KEÝ1", "KEY1\0"], ids=ascii
)
def test_an_unusable_header_sends_nothing(colour: Colour, key: str) -> None:
    """A credential that no header can carry never reaches the wire."""
    with FaultServer.of(Mode.OK) as server:
        (end,) = came_to(colour, line_at("telnyx", server.url, key=key))

    assert type(failed(end)) is NotSentError
    assert server.posts == []


def test_a_given_clients_unusable_header_sends_nothing(carrier: Carrier) -> None:
    """The same holds for a header that the application's own client adds."""
    with FaultServer.of(Mode.OK) as server:
        lines = [line_at(carrier, server.url)]
        with (
            httpx.Client(headers={"x-trace": "a\nb"}) as http,
            Client(lines=lines, http=http) as client,
            pytest.raises(NotSentError),
        ):
            client.group(*PEOPLE).send("Hello")

    assert server.posts == []


@pytest.mark.parametrize(
    "fault", [Mode.DROP_UNREAD, Mode.DROP_READ, Mode.RESET], ids=lambda m: m.name
)
def test_a_kept_connection_that_breaks_is_not_tried_anew(
    colour: Colour, fault: Mode
) -> None:
    """The classic hidden retry: a reused connection dies under the second request."""
    with FaultServer.of(Mode.OK, fault, Mode.OK) as server:
        first, second = came_to(colour, line_at("telnyx", server.url), times=2)

    assert isinstance(first, Receipt)
    assert type(failed(second)) is UncertainError
    assert len(server.posts) == (1 if fault is Mode.DROP_UNREAD else 2)


def test_one_leg_that_fails_leaves_the_others_their_outcome(colour: Colour) -> None:
    """Of three posts one is lost: two acceptances stay known, and it is one doubt."""
    with FaultServer.of(Mode.OK, Mode.DROP_READ, Mode.OK) as server:
        (end,) = came_to(colour, line_at("vonage", server.url))

    words = sorted(a.outcome.word for a in failed(end).receipt.attempts)
    assert words == ["ACCEPTED", "ACCEPTED", "UNKNOWN"]
    assert len(server.posts) == LEGS["vonage"]


def test_a_request_carries_what_we_wrote_and_no_more(
    carrier: Carrier, colour: Colour
) -> None:
    """Replies are asked for uncompressed, and the body is the carrier's JSON."""
    with FaultServer.of(Mode.OK) as server:
        (end,) = came_to(colour, line_at(carrier, server.url))

    assert isinstance(end, Receipt)
    for post in server.posts:
        fields = [row.lower() for row in post.head.split(b"\r\n")[1:]]
        names = [row.partition(b":")[0] for row in fields]
        assert b"accept-encoding: identity" in fields
        assert len(set(names)) == len(names)
        assert post.body.startswith(b"{")
