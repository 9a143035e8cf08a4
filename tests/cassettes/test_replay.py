"""Every cassette, played by both clients.

Those made with the simulator prove our parsing and not the carrier. Those under `live/`
are picked up once there are any.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Final

import pytest
from attrs import evolve

from multigroup import (
    Accepted,
    NotSent,
    NotSentError,
    PartialSendError,
    Reason,
    Refused,
    RefusedError,
    SendError,
)
from tests.helpers.world import Colour

from .files import Tape, found, playing
from .scenarios import SCENARIOS, Account, Ending, end

TAPES: Final = found()
SIMULATED: Final = {str(tape): tape for tape in found(folder="simulator")}

EXPECTED: Final[Mapping[str, type[SendError] | None]] = {
    "telnyx/group": None,
    "telnyx/media-and-subject": None,
    "telnyx/one-person": None,
    "telnyx/refused": RefusedError,
    "telnyx/opted-out": RefusedError,
    "telnyx/account-refused": RefusedError,
    "telnyx/throttled": NotSentError,
    "vonage/group": None,
    "vonage/media": None,
    "vonage/refused": RefusedError,
    "vonage/half-refused": PartialSendError,
    "vonage/account-refused": RefusedError,
    "vonage/throttled": NotSentError,
}
"""How the send in each of the simulator's cassettes ends."""

REFUSALS: Final = {
    "telnyx/refused": ("40305", Reason.REGISTRATION),
    "telnyx/opted-out": ("40300", Reason.OPTED_OUT),
    "telnyx/account-refused": ("20012", Reason.ACCOUNT),
    "vonage/refused": ("HTTP 422", Reason.REGISTRATION),
    "vonage/half-refused": ("HTTP 422", Reason.INVALID_NUMBER),
    "vonage/account-refused": ("HTTP 402", Reason.ACCOUNT),
}


def play(tape: Tape, colour: Colour = "sync", *, text: str | None = None) -> Ending:
    """Repeat the send in *tape*, at the carrier's own address, with worthless keys."""
    about = tape.provenance
    wanted = SCENARIOS[about.carrier, about.scenario]
    if text is not None:
        wanted = evolve(wanted, text=text)
    line = Account(about.carrier, "nobody", "nothing").line(about.line)
    with playing(tape):
        return end(wanted, line, tape.members, colour=colour)


def simulated(name: str) -> Tape:
    """Return one of the simulator's cassettes."""
    return SIMULATED[f"simulator/{name}"]


@pytest.mark.parametrize("tape", TAPES, ids=str)
def test_a_cassette_gives_the_outcomes_it_was_recorded_with(
    tape: Tape, colour: Colour
) -> None:
    """Either client asks for every exchange, once, and reads it as it was read."""
    ending = play(tape, colour)

    deliveries = ending.receipt.deliveries
    words = {str(member): known.outcome.word for member, known in deliveries.items()}
    assert words == tape.provenance.outcomes


def test_each_scenario_has_a_cassette_and_an_ending() -> None:
    """No cassette is left unplayed, and none is missing."""
    names = {f"{carrier}/{name}" for carrier, name in SCENARIOS}

    assert names == set(EXPECTED)
    assert {f"simulator/{name}" for name in names} == set(SIMULATED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_send_ends_as_its_cassette_says(name: str, colour: Colour) -> None:
    """The error says what is known: refused, in part, not sent."""
    assert play(simulated(name), colour).error is EXPECTED[name]


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_keeps_the_carriers_code_and_our_reason(name: str) -> None:
    """Every refused copy tells why, in the carrier's word and in ours."""
    deliveries = play(simulated(name)).receipt.deliveries.values()

    refused = [d.outcome for d in deliveries if isinstance(d.outcome, Refused)]
    assert {(one.code, one.reason) for one in refused} == {REFUSALS[name]}


@pytest.mark.parametrize("name", ["telnyx/throttled", "vonage/throttled"])
def test_a_429_tells_how_long_to_wait(name: str) -> None:
    """The wait is read from the header fields, in seconds."""
    deliveries = play(simulated(name)).receipt.deliveries.values()

    outcomes = [d.outcome for d in deliveries]
    assert [one.wait for one in outcomes if isinstance(one, NotSent)] == [1.0] * 3


@pytest.mark.parametrize(("name", "ids"), [("telnyx/group", 1), ("vonage/group", 3)])
def test_message_ids_are_the_carriers(name: str, ids: int) -> None:
    """Telnyx gives one id for the group, Vonage one for each member."""
    tape = simulated(name)
    deliveries = play(tape).receipt.deliveries.values()

    known = {
        d.outcome.message_id for d in deliveries if isinstance(d.outcome, Accepted)
    }
    replies = "".join(one["response"]["body"]["string"] for one in tape.interactions)
    assert len(known) == len(tape.interactions) == ids
    assert all(one in replies for one in known)


def test_cost_is_read_where_the_reply_tells_it() -> None:
    """Telnyx prices the whole group in its reply; Vonage says nothing yet."""
    telnyx, vonage = (play(simulated(f"{name}/group")) for name in ("telnyx", "vonage"))

    assert str(telnyx.receipt.cost) == "0.0720 USD"
    assert vonage.receipt.cost is None


def test_a_cassette_fits_the_carriers_own_address() -> None:
    """What the simulator's host answered is played to a client of the real one."""
    tape = simulated("telnyx/group")
    (exchange,) = tape.interactions

    assert exchange["request"]["uri"].startswith("http://telnyx.invalid/")
    assert play(tape).error is None


def test_a_cassette_not_played_to_the_end_fails() -> None:
    """A test that leaves an exchange unasked for does not pass."""
    with (
        pytest.raises(AssertionError, match="not played to the end"),
        playing(simulated("vonage/group")),
    ):
        pass


def test_another_message_is_not_answered() -> None:
    """The body is compared, so a request that changed does not pass unseen."""
    with pytest.raises(AssertionError, match="not played to the end"):
        play(simulated("telnyx/group"), text="Dinner at 8?")


@pytest.mark.parametrize("swallowed", [True, False])
def test_a_socket_asked_for_during_a_replay_fails(*, swallowed: bool) -> None:
    """No replay reaches a network, even if the code under test hides the error."""
    with (  # noqa: PT012 - the second half is what must not hide it
        pytest.raises(AssertionError, match="socket"),
        playing(simulated("telnyx/group")),
    ):
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        except AssertionError:
            if not swallowed:
                raise
