"""Webhooks: signed, retried, spoilt on demand."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from multigroup.simulator import Network
from multigroup.simulator.courier import doubling
from multigroup.wire import Failure, Reply, Request, Response

A = "+14155550101"
TELNYX = "+14155550150"
Send = Callable[..., Reply]


def _checks(network: Network, request: Request) -> bool:
    raw = base64.b64decode(network.telnyx.public_key)
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    stamp = request.headers.get("telnyx-timestamp") or ""
    signature = request.headers.get("telnyx-signature-ed25519") or ""
    try:
        key.verify(base64.b64decode(signature), stamp.encode() + b"|" + request.body)
    except InvalidSignature:
        return False
    return True


@pytest.fixture
def thread(network: Network, telnyx: Send) -> Network:
    """Give a network whose phones have a thread, its send's own events left out."""
    telnyx()
    network.settle()
    return network


def test_a_webhook_is_signed(thread: Network, inbox: list[Request]) -> None:
    """The published key checks the timestamp and the body."""
    assert inbox
    assert all(_checks(thread, request) for request in inbox)


def test_each_try_is_signed_anew(
    thread: Network, inbox: list[Request], answers: deque[Reply]
) -> None:
    """A second try has a later timestamp and counts one more."""
    inbox.clear()
    answers.append(Response(500))
    thread.handset(A).reply("Hi")
    thread.settle()
    stamps = [int(one.headers.get("telnyx-timestamp") or 0) for one in inbox]
    tries = [json.loads(one.body)["meta"]["attempt"] for one in inbox]
    assert stamps[1] - stamps[0] == 1
    assert tries == [1, 2]


def test_telnyx_gives_each_url_three_tries(
    thread: Network, inbox: list[Request], answers: deque[Reply]
) -> None:
    """Then it turns to the failover URL, and gives up after six."""
    thread.telnyx.add_number(
        TELNYX, webhook_url="http://app.test/a", failover_url="http://app.test/b"
    )
    inbox.clear()
    answers.extend([Response(503)] * 9)
    thread.handset(A).reply("Hi")
    thread.settle()
    assert [one.url[-1] for one in inbox] == ["a", "a", "a", "b", "b", "b"]
    assert thread.log[-1].words.endswith("given up")


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Response(200), 1),
        (Response(204), 1),
        (Response(302), 2),
        (Response(401), 2),
        (Failure("ReadTimeout"), 2),
    ],
)
def test_telnyx_takes_any_2xx_for_an_answer(
    thread: Network,
    inbox: list[Request],
    answers: deque[Reply],
    answer: Reply,
    tries: int,
) -> None:
    """Anything else is tried again, a redirect too."""
    inbox.clear()
    answers.append(answer)
    thread.handset(A).reply("Hi")
    thread.settle()
    assert len(inbox) == tries


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (Response(200), 1),
        (Response(401), 1),
        (Response(429), 2),
        (Response(503), 2),
        (Failure("ConnectError", unsent=True), 2),
    ],
)
def test_vonage_retries_429_and_5xx_only(
    network: Network,
    vonage: Send,
    inbox: list[Request],
    answers: deque[Reply],
    answer: Reply,
    tries: int,
) -> None:
    """Another 4xx loses the event for good."""
    vonage()
    network.settle()
    inbox.clear()
    answers.append(answer)
    network.handset(A).reply("Hi")
    network.settle()
    assert len(inbox) == tries


def test_vonage_doubles_its_waits_for_a_day(
    network: Network, vonage: Send, inbox: list[Request], answers: deque[Reply]
) -> None:
    """Five seconds first, a quarter of an hour at most, and then it gives up."""
    vonage()
    network.settle()
    inbox.clear()
    answers.extend([Response(503)] * 200)
    network.handset(A).reply("Hi")
    network.run_due()
    network.advance(5.0)
    assert len(inbox) == 2
    network.advance(9.9)
    assert len(inbox) == 2
    network.settle(bound=2 * 86_400)
    assert 95 < len(inbox) < 110
    assert network.log[-1].words.endswith("given up")


def test_tampering_spoils_the_body_only(thread: Network, inbox: list[Request]) -> None:
    """The signature no longer fits, though the body is still JSON; then it stops."""
    inbox.clear()
    thread.telnyx.hooks.tamper()
    thread.handset(A).reply("Hi")
    thread.handset(A).reply("Hi")
    thread.run_due()
    assert [_checks(thread, request) for request in inbox] == [False, True]
    assert json.loads(inbox[0].body)["data"]["event_type"] == "message.received"


def test_an_unsigned_webhook_has_no_signature(
    thread: Network, inbox: list[Request]
) -> None:
    """Its headers name neither signature nor timestamp."""
    inbox.clear()
    thread.telnyx.hooks.unsigned()
    thread.handset(A).reply("Hi")
    thread.run_due()
    assert [name for name, _ in inbox[0].headers] == ["content-type"]


def test_a_stale_webhook_is_rightly_signed_long_ago(
    thread: Network, inbox: list[Request]
) -> None:
    """Only its timestamp is wrong."""
    inbox.clear()
    thread.telnyx.hooks.stale(600)
    thread.handset(A).reply("Hi")
    thread.run_due()
    stamp = int(inbox[0].headers.get("telnyx-timestamp") or 0)
    assert int(thread.now()) - stamp == 600
    assert _checks(thread, inbox[0])


def test_a_duplicate_is_the_same_event(
    thread: Network, events: Callable[[], list[Any]], inbox: list[Request]
) -> None:
    """Two deliveries carry one event id."""
    inbox.clear()
    thread.telnyx.hooks.duplicate()
    thread.handset(A).reply("Hi")
    thread.run_due()
    first, second = (event["data"]["id"] for event in events())
    assert first == second


def test_held_webhooks_wait_for_their_release(
    thread: Network, events: Callable[[], list[Any]], inbox: list[Request]
) -> None:
    """They come in reverse when asked to."""
    inbox.clear()
    thread.telnyx.hooks.hold()
    thread.handset(A).reply("one")
    thread.handset(A).reply("two")
    thread.run_due()
    assert not inbox
    thread.telnyx.hooks.release(reverse=True)
    thread.run_due()
    texts = [event["data"]["payload"]["text"] for event in events()]
    assert texts == ["two", "one"]


def test_the_end_of_a_with_releases(thread: Network, inbox: list[Request]) -> None:
    """As a context manager `hold` delivers in order at its end."""
    inbox.clear()
    with thread.telnyx.hooks.hold():
        thread.handset(A).reply("one")
        thread.run_due()
    thread.run_due()
    assert len(inbox) == 1


def test_without_a_url_nothing_is_posted(thread: Network, inbox: list[Request]) -> None:
    """The log tells that there was nowhere to post to."""
    thread.telnyx.add_number(TELNYX)
    inbox.clear()
    thread.handset(A).reply("Hi")
    thread.settle()
    assert not inbox
    assert "no webhook URL" in thread.log[-1].words


def test_waits_double_up_to_the_longest() -> None:
    """They end before their sum would be too long."""
    assert list(doubling(1.0, 4.0, 15.0)) == [1.0, 2.0, 4.0, 4.0, 4.0]
