"""What can be done to one webhook."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from multigroup.simulator import Network
from multigroup.simulator.actions import ACTIONS, NotNowError, act
from multigroup.simulator.timeline import Delivery
from multigroup.wire import Reply, Request, Response

A, B = "+14155550101", "+14155550102"
Send = Callable[..., Reply]


@pytest.fixture
def thread(network: Network, telnyx: Send, inbox: list[Request]) -> Network:
    """Give a network whose phones have a thread, and an empty inbox."""
    telnyx()
    network.settle()
    inbox.clear()
    return network


def _said(network: Network, text: str) -> Delivery:
    network.handset(A).reply(text)
    latest = network.timeline.entries[-1]
    assert isinstance(latest, Delivery)
    return latest


def _do(network: Network, delivery: Delivery, action: str) -> None:
    act(network.telnyx.hooks, delivery, action)
    network.run_due()


def _genuine(network: Network, request: Request) -> bool:
    raw = base64.b64decode(network.telnyx.public_key)
    stamp = request.headers.get("telnyx-timestamp") or ""
    signature = request.headers.get("telnyx-signature-ed25519") or ""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(
            base64.b64decode(signature), stamp.encode() + b"|" + request.body
        )
    except InvalidSignature:
        return False
    return True


def test_a_replay_is_the_same_bytes(thread: Network, inbox: list[Request]) -> None:
    """Body, timestamp and signature are those of the last try."""
    delivery = _said(thread, "Hi")
    thread.run_due()
    thread.advance(60.0)
    _do(thread, delivery, "replay")
    first, second = inbox
    assert first == second
    assert delivery.attempts[-1].marks == ("a replay",)


def test_a_duplicate_is_signed_anew(thread: Network, inbox: list[Request]) -> None:
    """The same body comes with a later timestamp and a good signature."""
    delivery = _said(thread, "Hi")
    thread.run_due()
    thread.advance(60.0)
    _do(thread, delivery, "duplicate")
    first, second = inbox
    assert first.body == second.body
    assert first.headers != second.headers
    assert _genuine(thread, second)


def test_signed_wrongly_only_the_signature_is_off(
    thread: Network, inbox: list[Request]
) -> None:
    """The body is the event's own."""
    delivery = _said(thread, "Hi")
    thread.run_due()
    _do(thread, delivery, "sign-wrongly")
    first, second = inbox
    assert first.body == second.body
    assert _genuine(thread, first)
    assert not _genuine(thread, second)


def test_one_is_held_while_others_go(thread: Network, inbox: list[Request]) -> None:
    """It waits for its release, however long that takes."""
    held = _said(thread, "one")
    act(thread.telnyx.hooks, held, "hold")
    _said(thread, "two")
    thread.settle()
    assert [b"two" in one.body for one in inbox] == [True]
    _do(thread, held, "release")
    assert [b"two" in one.body for one in inbox] == [True, False]
    assert held.state == "delivered"


def test_one_is_let_go_while_others_are_held(
    thread: Network, inbox: list[Request]
) -> None:
    """A release of one does not end the hold on all."""
    with thread.telnyx.hooks.hold():
        first, second = _said(thread, "one"), _said(thread, "two")
        thread.run_due()
        _do(thread, second, "release")
        assert [one.state for one in (first, second)] == ["held", "delivered"]
    thread.run_due()
    assert [b"two" in one.body for one in inbox] == [True, False]


def test_another_may_go_first(thread: Network, inbox: list[Request]) -> None:
    """Reordered, a webhook follows the next one that goes."""
    late = _said(thread, "one")
    act(thread.telnyx.hooks, late, "reorder")
    thread.settle()
    assert not inbox
    _said(thread, "two")
    thread.run_due()
    assert [b"two" in one.body for one in inbox] == [True, False]


def test_a_retry_can_be_held(
    thread: Network, inbox: list[Request], answers: deque[Reply]
) -> None:
    """The next try waits, and keeps its number."""
    answers.append(Response(503))
    delivery = _said(thread, "Hi")
    thread.run_due()
    _do(thread, delivery, "hold")
    thread.settle()
    assert len(inbox) == 1
    _do(thread, delivery, "release")
    assert [one.number for one in delivery.attempts] == [1, 2]


@pytest.mark.parametrize("action", ["hold", "release", "reorder"])
def test_what_was_delivered_cannot_be_stopped(thread: Network, action: str) -> None:
    """The refusal says how the webhook stands."""
    delivery = _said(thread, "Hi")
    thread.run_due()
    with pytest.raises(NotNowError, match="it is delivered"):
        _do(thread, delivery, action)


def test_what_was_not_sent_cannot_be_replayed(thread: Network) -> None:
    """There are no bytes yet."""
    with pytest.raises(NotNowError, match="nothing was sent"):
        act(thread.telnyx.hooks, _said(thread, "Hi"), "replay")


@pytest.mark.parametrize("action", ["duplicate", "sign-wrongly"])
def test_without_a_url_there_is_nowhere_to_go(thread: Network, action: str) -> None:
    """A number without webhooks has none to send again."""
    thread.telnyx.add_number("+14155550150")
    with pytest.raises(NotNowError, match="nowhere"):
        act(thread.telnyx.hooks, _said(thread, "Hi"), action)


def test_there_are_six() -> None:
    """Their names are part of the HTTP interface."""
    assert set(ACTIONS) == {
        "replay",
        "duplicate",
        "hold",
        "release",
        "reorder",
        "sign-wrongly",
    }
