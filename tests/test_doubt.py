"""What an unclear answer leaves behind: doubt, which nothing but a caller's word ends.

Each way in which a server can leave us without an answer, on a journal in a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from attrs import frozen

from multigroup import (
    Accepted,
    AsyncClient,
    Client,
    Line,
    NotSent,
    Outcome,
    Receipt,
    SendError,
    Telnyx,
    Unknown,
    Vonage,
)
from tests.helpers.faults import SLOW, FaultServer, Mode
from tests.helpers.world import Carrier, Colour

PEOPLE: Final = ("+14155550101", "+14155550102", "+14155550103")
LEGS: Final[dict[Carrier, int]] = {"telnyx": 1, "vonage": 3}
DOUBTS: Final = (
    Mode.DROP_UNREAD,
    Mode.DROP_READ,
    Mode.HANG,
    Mode.RESET,
    Mode.CUT_SHORT,
    Mode.ACCEPTED_BUT_500,
    Mode.HTML,
    Mode.DRIP_HEADERS,
    Mode.DRIP_BODY,
)
Deed: TypeAlias = Callable[
    [Client | AsyncClient], Receipt | Coroutine[Any, Any, Receipt]
]


def send(client: Client | AsyncClient) -> Receipt | Coroutine[Any, Any, Receipt]:
    """Send under the one reference."""
    return client.group(*PEOPLE).send("Dinner at 7?", reference="dinner")


def retry(client: Client | AsyncClient) -> Receipt | Coroutine[Any, Any, Receipt]:
    """Retry what surely did not go out."""
    return client.retry("dinner")


def risk(client: Client | AsyncClient) -> Receipt | Coroutine[Any, Any, Receipt]:
    """Retry what perhaps went out, too."""
    return client.retry("dinner", unknown=True)


@frozen
class Application:
    """An application that has a process of its own for each of its deeds."""

    carrier: Carrier
    colour: Colour
    url: str
    file: Path

    def does(self, deed: Deed, timeout: float = 10.0) -> set[Outcome]:
        """Return what a new process that does *deed* knows at its end."""
        made = Client if self.colour == "sync" else AsyncClient
        client = made(
            lines=[self._line()], journal=f"sqlite:///{self.file}", timeout=timeout
        )
        with asyncio.Runner() as runner:
            try:
                done = deed(client)
                receipt = done if isinstance(done, Receipt) else runner.run(done)
            except SendError as error:
                receipt = error.receipt
            closing = client.close()
            if closing is not None:
                runner.run(closing)
        return {known.outcome for known in receipt.deliveries.values()}

    def _line(self) -> Line:
        if self.carrier == "telnyx":
            return Telnyx(api_key="KEY1", base_url=self.url).line("+12125550100")
        account = Vonage(api_key="key", api_secret="s", base_url=self.url)
        return account.line("+13125550100")


@pytest.mark.parametrize("mode", DOUBTS, ids=lambda mode: mode.name.lower())
def test_doubt_lasts_until_the_caller_takes_the_risk(
    carrier: Carrier, colour: Colour, mode: Mode, tmp_path: Path
) -> None:
    """One request a leg, none for the same reference or a retry, one more at a risk."""
    legs = LEGS[carrier]
    with FaultServer.of(*[mode] * legs, Mode.OK) as server:
        app = Application(carrier, colour, server.url, tmp_path / "sends.db")
        read = 0 if mode is Mode.DROP_UNREAD else legs

        known = app.does(send, timeout=0.5 if mode in SLOW else 10.0)
        assert {type(outcome) for outcome in known} == {Unknown}
        assert server.taken == legs

        assert app.does(send) == app.does(retry) == known
        assert (server.taken, len(server.posts)) == (legs, read)

        assert {type(outcome) for outcome in app.does(risk)} == {Accepted}
        assert server.taken == 2 * legs
        assert {type(outcome) for outcome in app.does(risk)} == {Accepted}
        assert (server.taken, len(server.posts)) == (2 * legs, read + legs)


@pytest.mark.parametrize("deed", [send, retry], ids=["again", "retry"])
def test_what_surely_did_not_leave_is_sent_without_a_risk(
    carrier: Carrier, colour: Colour, deed: Deed, tmp_path: Path
) -> None:
    """Where nobody listened nothing left, and the next process just sends."""
    file = tmp_path / "sends.db"
    with FaultServer.of(Mode.REFUSE) as nobody:
        known = Application(carrier, colour, nobody.url, file).does(send)
    assert {type(outcome) for outcome in known} == {NotSent}

    with FaultServer.of(Mode.OK) as server:
        app = Application(carrier, colour, server.url, file)
        assert {type(outcome) for outcome in app.does(deed)} == {Accepted}
        assert len(server.posts) == LEGS[carrier]
