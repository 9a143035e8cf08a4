"""What the timeline keeps of calls and webhooks."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable

from multigroup.simulator import Network
from multigroup.simulator.timeline import KEPT_ATTEMPTS, KEPT_ENTRIES, Call, Delivery
from multigroup.wire import Reply, Request, Response

A = "+14155550101"
Send = Callable[..., Reply]


def _deliveries(network: Network) -> list[Delivery]:
    found = network.timeline.entries
    return [entry for entry in found if isinstance(entry, Delivery)]


def _calls(network: Network) -> list[Call]:
    return [entry for entry in network.timeline.entries if isinstance(entry, Call)]


def test_a_call_is_kept_with_its_answer(network: Network, telnyx: Send) -> None:
    """Body and status are those of the wire."""
    reply = telnyx(text="Dinner?")
    (call,) = _calls(network)
    assert json.loads(call.request.body)["text"] == "Dinner?"
    assert call.reply == reply
    assert call.because == ""


def test_credentials_are_left_out(network: Network, telnyx: Send) -> None:
    """Of the key only the length is told, so a real one is not shown by mistake."""
    telnyx()
    (call,) = _calls(network)
    shown = call.request.headers.get("authorization") or ""
    assert shown == f"Bearer ({len(network.telnyx.api_key)} characters)"


def test_a_switch_that_answers_is_named(network: Network, telnyx: Send) -> None:
    """So are the two cases: nothing was sent, or the message had been accepted."""
    network.telnyx.refuse(503, count=1)
    telnyx()
    network.telnyx.lose_replies(count=1)
    telnyx()
    before, after = (call.because for call in _calls(network))
    assert before == "a switch; nothing was sent"
    assert after == "a switch; the message had been accepted"


def test_an_answer_may_be_made_from_the_carrier_s_own(
    network: Network, telnyx: Send
) -> None:
    """A function is given what the carrier answered, once it has accepted."""

    def half(response: Response | None) -> Reply:
        assert response is not None
        return Response(response.status, response.headers, response.body[:20])

    network.telnyx.answer(half, count=1, after_acceptance=True)
    reply = telnyx()
    assert isinstance(reply, Response)
    assert len(reply.body) == 20


def test_ids_stay(network: Network, telnyx: Send) -> None:
    """An entry is found under its id, and a try's id begins with its webhook's."""
    telnyx()
    network.settle()
    for entry in network.timeline.entries:
        assert network.timeline.find(entry.id) is entry
    (first, *_) = _deliveries(network)
    assert [one.id for one in first.attempts] == [f"{first.id}.1"]


def test_a_webhook_is_followed_to_its_end(
    network: Network, telnyx: Send, answers: deque[Reply]
) -> None:
    """A try that failed says when the next one is, and the last what came of it."""
    telnyx()
    answers.append(Response(503))
    network.advance(0.5)
    first, second = _deliveries(network)
    assert (first.state, second.state) == ("due", "delivered")
    assert first.next_at == network.when(1.0)
    network.settle()
    assert first.state == "delivered"
    assert [one.reply for one in first.attempts] == [Response(503), Response(200)]
    assert all(one.took is not None for one in first.attempts)


def test_one_that_is_never_taken_is_given_up(
    network: Network, telnyx: Send, answers: deque[Reply]
) -> None:
    """After the last try the state says so."""
    answers.extend([Response(500)] * 99)
    telnyx()
    network.settle()
    assert {one.state for one in _deliveries(network)} == {"given up"}


def test_a_refusal_for_good_is_told_apart(
    network: Network, vonage: Send, answers: deque[Reply]
) -> None:
    """Vonage does not try again after a 401."""
    answers.append(Response(401))
    vonage()
    network.advance(0.5)
    (delivery,) = _deliveries(network)
    assert (delivery.state, delivery.next_at) == ("refused", None)


def test_without_a_url_it_is_dropped(network: Network, telnyx: Send) -> None:
    """The timeline says why."""
    network.telnyx.add_number("+14155550150")
    telnyx()
    network.settle()
    assert {(one.state, one.why) for one in _deliveries(network)} == {
        ("dropped", "no webhook URL is set")
    }


def test_old_entries_make_room(network: Network) -> None:
    """However many calls there were, the last few hundred are kept."""
    request = Request("GET", network.telnyx.base_url)
    for _ in range(KEPT_ENTRIES + 5):
        network.telnyx.handle(request)
    assert len(network.timeline.entries) == KEPT_ENTRIES
    assert network.timeline.find("c5") is None
    assert network.timeline.find("c6") is not None


def test_old_tries_make_room(
    network: Network, vonage: Send, answers: deque[Reply]
) -> None:
    """A day of retries keeps the last ones, numbered on."""
    answers.extend([Response(503)] * 40)
    vonage()
    network.settle(bound=40 * 900)
    (delivery, *_) = _deliveries(network)
    assert len(delivery.attempts) == KEPT_ATTEMPTS
    assert delivery.attempts[-1].number == delivery.tries > KEPT_ATTEMPTS


def test_long_bodies_are_cut(network: Network) -> None:
    """A megabyte is not kept, though the carrier was given all of it."""
    network.telnyx.handle(
        Request("POST", network.telnyx.base_url, body=b"x" * 1_000_000)
    )
    (call,) = _calls(network)
    assert len(call.request.body) < 100_000


def test_telnyx_says_what_it_signed(network: Network, telnyx: Send) -> None:
    """The signing string is the timestamp, a bar and the body; the key is public."""
    telnyx()
    network.settle()
    request = _deliveries(network)[0].attempts[0].request
    signing = network.telnyx.signing(request)
    stamp = request.headers.get("telnyx-timestamp")
    assert signing.text == f"{stamp}|{request.body.decode()}"
    assert network.telnyx.public_key in signing.key


def test_vonage_says_what_it_signed(network: Network, vonage: Send) -> None:
    """The token's head and claims, as sent and as they read, without the secret."""
    vonage()
    network.settle()
    request = _deliveries(network)[0].attempts[0].request
    signing = network.vonage.signing(request)
    signed, head, claims = signing.text.split("\n")
    assert signed in (request.headers.get("authorization") or "")
    assert json.loads(head)["alg"] == "HS256"
    assert json.loads(claims)["iss"] == "Vonage"
    assert network.vonage.signature_secret not in signing.text + signing.key
