"""What the carriers and handsets of a network share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest

from multigroup.simulator import Entry, Network, SteppedClock
from multigroup.wire import Reply, Response

Send = Callable[..., Reply]


def test_the_log_says_what_happened(network: Network, telnyx: Send) -> None:
    """A send is a ring per phone and a call."""
    telnyx()
    assert [entry.kind for entry in network.log] == ["ring", "ring", "call"]
    assert network.log[-1].status == 200
    assert network.log[-1].at.tzinfo is UTC


def test_the_log_holds_no_message_text(network: Network, telnyx: Send) -> None:
    """What was said is in the bubbles, not in the log."""
    telnyx(text="a secret")
    assert not any("secret" in entry.words for entry in network.log)


def test_listeners_hear_every_entry(network: Network, telnyx: Send) -> None:
    """A callback gets what goes into the log from then on."""
    heard: list[Entry] = []
    network.on_entry(heard.append)
    telnyx()
    assert heard == list(network.log)


def test_a_seed_repeats_ids_and_keys() -> None:
    """Two networks from one seed are told apart by nothing."""
    first, second = (Network(clock=SteppedClock(1.0), seed=3) for _ in range(2))
    assert first.telnyx.api_key == second.telnyx.api_key
    assert first.telnyx.public_key == second.telnyx.public_key
    assert first.vonage.signature_secret == second.vonage.signature_secret


def test_without_a_seed_networks_differ() -> None:
    """Keys are made anew for every network."""
    assert Network().telnyx.api_key != Network().telnyx.api_key


def test_no_secret_is_in_a_repr(network: Network) -> None:
    """Printing a network or a face shows no key."""
    shown = repr(network) + repr(network.telnyx) + repr(network.vonage)
    assert network.telnyx.api_key not in shown
    assert network.vonage.api_secret not in shown
    assert network.vonage.signature_secret not in shown


def test_a_listener_that_fails_harms_nobody(
    network: Network, telnyx: Send, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error is logged, and the send goes on."""

    def fail(_entry: Entry) -> None:
        raise RuntimeError("no")

    network.on_entry(fail)
    reply = telnyx()
    assert isinstance(reply, Response)
    assert reply.status == 200
    assert "listener" in caplog.text
