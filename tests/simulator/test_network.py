"""Time in a network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from multigroup.simulator import Face, Network, SteppedClock, WallClock
from multigroup.simulator.courier import REFUSED
from multigroup.simulator.post import HttpPost, is_loopback
from multigroup.wire import Failure, Reply, Request, Response

A, B = "+14155550101", "+14155550102"
Send = Callable[..., Reply]


def test_advance_does_what_falls_due(
    network: Network, telnyx: Send, inbox: list[Request]
) -> None:
    """A second later the sent events are out and the final ones are not."""
    telnyx()
    network.advance(1.0)
    assert len(inbox) == 2
    network.advance(1.0)
    assert len(inbox) == 4


def test_settle_ends_when_nothing_is_left(network: Network, telnyx: Send) -> None:
    """The clock stands at the last thing that happened."""
    began = network.now()
    telnyx()
    network.settle()
    assert network.now() - began == pytest.approx(2.0)
    assert len(network.agenda) == 0


def test_run_due_leaves_the_clock(
    network: Network, telnyx: Send, inbox: list[Request]
) -> None:
    """What is not due yet stays."""
    telnyx()
    network.run_due()
    assert not inbox


def test_the_application_may_send_while_it_answers(telnyx_echo: Network) -> None:
    """A webhook's handler that sends at once does not lock up."""
    telnyx_echo.handset(A).reply("ping")
    telnyx_echo.run_due()
    assert telnyx_echo.handset(A).bubbles[-1].text == "pong"


@pytest.fixture
def telnyx_echo() -> Network:
    """Give a network whose application answers every message."""
    headers: dict[str, str] = {}
    body = (
        b'{"from": "+14155550150", "to": ["+14155550101", "+14155550102"],'
        b' "text": "pong"}'
    )

    def send() -> Reply:
        face = network.telnyx
        url = f"{face.base_url}/messages/group_mms"
        return face.handle(Request("POST", url, headers, body))

    def post(_request: Request, _timeout: float) -> Reply:
        return send()

    network = Network(clock=SteppedClock(), post=post)
    network.telnyx.add_number("+14155550150", webhook_url="http://app.test/")
    headers["authorization"] = f"Bearer {network.telnyx.api_key}"
    send()
    return network


def test_only_a_stepped_clock_can_be_moved() -> None:
    """On the wall clock `advance` and `settle` are refused."""
    network = Network(clock=WallClock())
    with pytest.raises(TypeError, match="SteppedClock"):
        network.advance(1.0)
    with pytest.raises(TypeError, match="SteppedClock"):
        network.settle()


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8000/", True),
        ("http://example.com/", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("http://[broken/", False),
        ("nonsense", False),
    ],
)
def test_what_is_on_this_machine(url: str, local: bool) -> None:  # noqa: FBT001
    """A loopback address or its usual name, and nothing that looks like one."""
    assert is_loopback(url) is local


def test_webhooks_stay_on_this_machine() -> None:
    """A remote address is refused before anything is sent."""
    reply = HttpPost(allow_remote=False)(Request("POST", "http://example.com/"), 1.0)
    assert reply == Failure(REFUSED, unsent=True)


def test_a_refused_address_is_logged_once(telnyx_remote: Network) -> None:
    """It is not tried again, for it would be refused again."""
    telnyx_remote.handset(A).reply("Hi")
    telnyx_remote.settle()
    words = [one.words for one in telnyx_remote.log if one.kind == "webhook"]
    assert words.count(f"message.received: try 1, {REFUSED}") == 1
    assert not any("try 2" in one for one in words)


@pytest.fixture
def telnyx_remote(telnyx: Send, network: Network) -> Network:
    """Give a network that posts by HTTP, to an address elsewhere."""
    network.post = None
    network.telnyx.add_number("+14155550150", webhook_url="http://example.com/")
    assert isinstance(telnyx(), Response)
    return network


def test_a_number_has_one_owner(network: Network) -> None:
    """Neither another carrier nor a person may have it as well."""
    with pytest.raises(ValueError, match="taken"):
        network.vonage.add_number("+14155550150")
    network.handset(A)
    with pytest.raises(ValueError, match="taken"):
        network.telnyx.add_number(A)
    assert network.telnyx.numbers == ("+14155550150",)
    assert network.vonage.numbers == ("+14155550160",)


@given(members=st.sets(st.integers(100, 149), min_size=2, max_size=8))
def test_any_group_is_one_thread_by_either_carrier(members: set[int]) -> None:
    """On every phone there is one thread per carrier, with one message."""
    people = [f"+14155550{number}" for number in sorted(members)]
    network = Network(clock=SteppedClock(1.0), seed=1)
    network.telnyx.add_number("+14155550150")
    network.vonage.add_number("+14155550160")
    group = {"from": "+14155550150", "to": people, "text": "Hi"}
    _ask(
        network.telnyx, "/messages/group_mms", f"Bearer {network.telnyx.api_key}", group
    )
    pair = f"{network.vonage.api_key}:{network.vonage.api_secret}".encode()
    basic = f"Basic {base64.b64encode(pair).decode()}"
    for to in people:
        others = [one[1:] for one in people if one != to]
        leg = {"channel": "mms", "message_type": "text", "text": "Hi"}
        rest = {"from": "14155550160", "to": to[1:], "mms": {"participants": others}}
        _ask(network.vonage, "/v1/messages", basic, leg | rest)
    for to in people:
        threads = network.handset(to).threads
        assert [len(bubbles) for bubbles in threads.values()] == [1, 1]
        assert {key.members for key in threads} == {frozenset(people)}


def _ask(face: Face, path: str, authorization: str, body: dict[str, Any]) -> None:
    headers = {"authorization": authorization}
    reply = face.handle(
        Request("POST", face.base_url + path, headers, json.dumps(body).encode())
    )
    assert isinstance(reply, Response)
    assert reply.status in {200, 202}
