"""What is recorded: one send a cassette, and how the simulator is brought to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import httpx
from attrs import field, frozen

from multigroup import (
    AsyncClient,
    Client,
    Line,
    Provider,
    Receipt,
    SendError,
    Telnyx,
    Vonage,
)
from multigroup.simulator import Network, TelnyxQuirks, ThreadKey, VonageQuirks
from tests.helpers.world import NUMBERS, PEOPLE, Carrier, Colour, transport

__all__ = ["NOBODY", "SCENARIOS", "Account", "Ending", "Scenario", "end"]

NOBODY: Final = "+13055550199"
"""A number that is on no account: a message from it is refused."""

AT_ONCE: Final = 0.0
"""Seconds that nobody waits for a throttled line: the refusal is what is recorded."""

_BEN: Final = PEOPLE[1]
_MENU: Final = "https://example.com/menu.jpg"
_MAP: Final = "https://example.com/map.pdf"
_HOOKS: Final = "https://app.example.com/hooks"


@frozen
class Account:
    """Keys at one carrier, and the address of its API if it is not the carrier's own.

    For Vonage the *key* comes with a *secret*.
    """

    carrier: Carrier
    key: str = field(repr=False)
    secret: str = field(default="", repr=False)
    base_url: str | None = None

    def line(self, number: str) -> Line:
        """Return *number* as a line of this account."""
        return self._provider().line(number)

    @classmethod
    def simulated(cls, carrier: Carrier, network: Network) -> Account:
        """Return the simulator's account."""
        if carrier == "telnyx":
            telnyx = network.telnyx
            return cls(carrier, telnyx.api_key, base_url=telnyx.base_url)
        vonage = network.vonage
        return cls(carrier, vonage.api_key, vonage.api_secret, vonage.base_url)

    def _provider(self) -> Provider:
        if self.carrier == "telnyx":
            own = "https://api.telnyx.com/v2"
            return Telnyx(api_key=self.key, base_url=self.base_url or own)
        return Vonage(
            api_key=self.key,
            api_secret=self.secret,
            base_url=self.base_url or "https://api.nexmo.com",
        )


@frozen
class Ending:
    """What a send came to: its receipt, and the error's class if it ended in one."""

    receipt: Receipt
    error: type[SendError] | None = None


def _nothing(network: Network) -> None:
    """Leave the simulator as it is."""


@frozen(kw_only=True)
class Scenario:
    """One message to one group, and what the carrier makes of it.

    Attributes:
        people: how many members.
        ours: whether it is sent from our own number.
        live: whether it can be recorded with a carrier.
        prepare: brings the simulator to answer so.
    """

    carrier: Carrier
    name: str
    text: str = "Dinner at 7?"
    media: tuple[str, ...] = ()
    subject: str | None = None
    people: int = 3
    callback: str | None = None
    ours: bool = True
    live: bool = False
    prepare: Callable[[Network], None] = _nothing


def end(
    wanted: Scenario,
    line: Line,
    people: Sequence[str],
    *,
    colour: Colour = "async",
    http: Callable[[], httpx.AsyncClient] | None = None,
) -> Ending:
    """Send as *wanted* says by a client of *colour*; return what became of it.

    *http* makes the HTTP client of an async one.
    """
    if colour == "async":
        return asyncio.run(_end_async(wanted, line, people, http))
    with Client(lines=[line], webhook_url=wanted.callback) as client:
        group = client.group(*people)
        try:
            return Ending(
                group.send(
                    wanted.text,
                    media=wanted.media,
                    subject=wanted.subject,
                    deadline=AT_ONCE,
                )
            )
        except SendError as error:
            return Ending(error.receipt, type(error))


async def _end_async(
    wanted: Scenario,
    line: Line,
    people: Sequence[str],
    http: Callable[[], httpx.AsyncClient] | None,
) -> Ending:
    async with AsyncExitStack() as stack:
        given = await stack.enter_async_context(http()) if http else None
        client = AsyncClient(lines=[line], webhook_url=wanted.callback, http=given)
        group = (await stack.enter_async_context(client)).group(*people)
        try:
            return Ending(
                await group.send(
                    wanted.text,
                    media=wanted.media,
                    subject=wanted.subject,
                    deadline=AT_ONCE,
                )
            )
        except SendError as error:
            return Ending(error.receipt, type(error))


def _ben_stops(network: Network) -> None:
    everybody = ThreadKey(NUMBERS["telnyx"], frozenset(PEOPLE))
    network.handset(_BEN).reply("STOP", to=everybody)


def _account_inactive(network: Network) -> None:
    network.telnyx.refuse(403, "20012", detail="The account is not active.")


def _no_balance(network: Network) -> None:
    why = "This request could not be performed due to your account balance being low."
    network.vonage.refuse(402, "low-balance", title="Low balance", detail=why)


def _first_recipient_invalid(network: Network) -> None:
    why = "The number is not one that can be texted."
    network.vonage.refuse(422, "110", title="Invalid recipient", detail=why, count=1)


def _too_fast(carrier: Carrier) -> Callable[[Network], None]:
    """Return what lets one request a second through, and has used this second's."""

    def prepare(network: Network) -> None:
        network.telnyx.quirks = TelnyxQuirks(rate=1)
        network.vonage.quirks = VonageQuirks(rate=1)
        line = Account.simulated(carrier, network).line(NUMBERS[carrier])
        with (
            httpx.Client(transport=transport(network)) as http,
            Client(lines=[line], http=http) as client,
        ):
            client.group(PEOPLE[0]).send("One a second")

    return prepare


_TELNYX: Final = (
    Scenario(carrier="telnyx", name="group", live=True),
    Scenario(
        carrier="telnyx",
        name="media-and-subject",
        text="The menu",
        media=(_MENU, _MAP),
        subject="Dinner",
        callback=_HOOKS,
    ),
    Scenario(carrier="telnyx", name="one-person", people=1, live=True),
    Scenario(carrier="telnyx", name="refused", ours=False, live=True),
    Scenario(carrier="telnyx", name="opted-out", prepare=_ben_stops),
    Scenario(carrier="telnyx", name="account-refused", prepare=_account_inactive),
    Scenario(carrier="telnyx", name="throttled", prepare=_too_fast("telnyx")),
)
_VONAGE: Final = (
    Scenario(carrier="vonage", name="group", live=True),
    Scenario(
        carrier="vonage",
        name="media",
        text="The menu",
        media=(_MENU, _MAP),
        callback=_HOOKS,
    ),
    Scenario(carrier="vonage", name="refused", ours=False, live=True),
    Scenario(carrier="vonage", name="half-refused", prepare=_first_recipient_invalid),
    Scenario(carrier="vonage", name="account-refused", prepare=_no_balance),
    Scenario(carrier="vonage", name="throttled", prepare=_too_fast("vonage")),
)
SCENARIOS: Final[Mapping[tuple[str, str], Scenario]] = {
    (one.carrier, one.name): one for one in (*_TELNYX, *_VONAGE)
}
