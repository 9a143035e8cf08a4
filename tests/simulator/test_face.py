"""The switches that every carrier has."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from multigroup.simulator import Face, Network
from multigroup.wire import Failure, Reply, Request, Response

A = "+14155550101"
Send = Callable[..., Reply]


@pytest.mark.parametrize("carrier", ["telnyx", "vonage", "bandwidth"])
def test_an_outage_refuses_connections(
    network: Network, request: pytest.FixtureRequest, carrier: str
) -> None:
    """No byte leaves, no phone rings, and afterwards all is well."""
    send: Send = request.getfixturevalue(carrier)
    face: Face = getattr(network, carrier)
    with face.outage():
        assert face.down
        assert send() == Failure("ConnectError", unsent=True)
    assert network.handset(A).bubbles == ()
    assert isinstance(send(), Response)


@pytest.mark.parametrize("carrier", ["telnyx", "vonage", "bandwidth"])
def test_a_lost_reply_rings_the_phones(
    network: Network, request: pytest.FixtureRequest, carrier: str
) -> None:
    """The send was accepted, though nobody hears of it."""
    send: Send = request.getfixturevalue(carrier)
    face: Face = getattr(network, carrier)
    face.lose_replies(count=1)
    assert send() == Failure("ReadError")
    assert len(network.handset(A).bubbles) == 1
    assert isinstance(send(), Response)


def test_a_refused_send_is_not_counted_as_lost(network: Network, telnyx: Send) -> None:
    """Only accepted sends lose their reply."""
    network.telnyx.lose_replies(count=1)
    assert isinstance(telnyx(text=None), Response)
    assert telnyx() == Failure("ReadError")


def test_telnyx_refuses_in_its_own_shape(network: Network, telnyx: Send) -> None:
    """Code and title come in the envelope, and no phone rings."""
    with network.telnyx.refuse(403, "20012"):
        reply = telnyx()
    assert isinstance(reply, Response)
    (error,) = json.loads(reply.body)["errors"]
    assert (reply.status, error["code"]) == (403, "20012")
    assert error["title"] == "Account inactive"
    assert network.handset(A).bubbles == ()


def test_vonage_refuses_in_its_own_shape(network: Network, vonage: Send) -> None:
    """A problem document names the title."""
    with network.vonage.refuse(402, "low-balance", title="Low balance"):
        reply = vonage()
    assert isinstance(reply, Response)
    assert reply.headers.get("content-type") == "application/problem+json"
    assert json.loads(reply.body)["title"] == "Low balance"


def test_any_answer_may_be_given(network: Network, telnyx: Send) -> None:
    """A proxy's page can stand in for the carrier, once."""
    page = Response(200, {"content-type": "text/html"}, b"<html>")
    network.telnyx.answer(page, count=1)
    assert telnyx() == page
    assert network.handset(A).bubbles == ()
    assert telnyx() != page


def test_an_answer_may_come_after_acceptance(network: Network, telnyx: Send) -> None:
    """A 500 then hides a message that went out."""
    network.telnyx.answer(Response(500), count=1, after_acceptance=True)
    assert telnyx() == Response(500)
    assert len(network.handset(A).bubbles) == 1


def test_look_ups_are_spared_the_switches(network: Network, telnyx: Send) -> None:
    """Only sends are refused; a look-up still answers."""
    reply = telnyx()
    assert isinstance(reply, Response)
    face = network.telnyx
    url = f"{face.base_url}/messages/{json.loads(reply.body)['data']['id']}"
    headers = {"authorization": f"Bearer {face.api_key}"}
    with face.refuse(503):
        found = face.handle(Request("GET", url, headers))
    assert isinstance(found, Response)
    assert found.status == 200
