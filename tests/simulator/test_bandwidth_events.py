"""Bandwidth's callbacks and their variants."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import BandwidthQuirks, Failing, Network
from multigroup.wire import Failure, Reply, Request, Response

A, B, C = "+14155550101", "+14155550102", "+14155550103"
OURS, OTHER = "+14155550170", "+14155550171"
Send = Callable[..., Reply]
Events = Callable[[], list[Any]]


def _seen(events: Events) -> list[tuple[str, str, int | None]]:
    return [
        (event["type"].removeprefix("message-"), event["to"], event.get("errorCode"))
        for (event,) in events()
    ]


def test_without_receipts_handing_over_is_delivered(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """Every recipient has one event, be the phone reached or not."""
    network.handset(B).failing = "unreachable"
    bandwidth(tag="send.1")
    network.settle()
    assert _seen(events) == [("delivered", A, None), ("delivered", B, None)]
    message = events()[0][0]["message"]
    assert (message["to"], message["text"], message["tag"]) == ([A, B], "", "send.1")
    assert (message["owner"], message["from"]) == (OURS, OURS)


def test_all_events_have_the_id_of_the_answer(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """One message is one id for the whole group."""
    sent_id = json.loads(bandwidth().body)["id"]  # type: ignore[union-attr]
    network.settle()
    assert {event["message"]["id"] for (event,) in events()} == {sent_id}


def test_with_receipts_sending_comes_before(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """Then the carrier of each says what became of it."""
    network.bandwidth.quirks = BandwidthQuirks(mms_dlr=True)
    network.handset(B).failing = "spam"
    bandwidth()
    network.settle()
    assert _seen(events) == [
        ("sending", A, None),
        ("sending", B, None),
        ("delivered", A, None),
        ("failed", B, 4770),
    ]
    assert events()[-1][0]["description"] == "destination-spam-detected"


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ("landline", 4720),
        ("unreachable", 4702),
        ("not_registered", 4774),
        ("carrier_down", 5600),
        ("expired", 4360),
    ],
)
def test_each_failing_has_its_code(
    network: Network, bandwidth: Send, events: Events, failing: Failing, code: int
) -> None:
    """The code tells who would not take the message."""
    network.bandwidth.quirks = BandwidthQuirks(mms_dlr=True)
    network.handset(A).failing = failing
    bandwidth()
    network.settle()
    assert ("failed", A, code) in _seen(events)


@pytest.mark.parametrize(
    ("receipts", "no_receipt", "last"),
    [
        ("on_net", "failed", ("failed", A, 9902)),
        ("none", "failed", ("failed", B, 9902)),
        ("on_net", "silence", ("delivered", B, None)),
        ("none", "silence", ("sending", B, None)),
    ],
)
def test_a_receipt_may_never_come(
    network: Network,
    bandwidth: Send,
    events: Events,
    receipts: Any,
    no_receipt: Any,
    last: tuple[str, str, int | None],
) -> None:
    """Two hours later it is given up with 9902, though the phone rang, or forgotten."""
    network.bandwidth.quirks = BandwidthQuirks(
        mms_dlr=True, receipts=receipts, no_receipt=no_receipt
    )
    network.handset(B, on_net=True)
    began = network.now()
    bandwidth()
    network.settle(3 * 3600)
    assert _seen(events)[-1] == last
    assert (network.now() - began == 7200.0) is (no_receipt == "failed")
    assert len(network.handset(A).bubbles) == 1


def test_an_sms_always_has_a_receipt(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """The account's switch is about MMS only."""
    network.handset(A).failing = "landline"
    bandwidth(to=[A])
    network.settle()
    assert _seen(events) == [("failed", A, 4720)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": [A, "+442079460101"]}, 4432),
        ({"to": [A, OURS]}, 4401),
        ({"expiration": "2020-01-01T00:00:00Z"}, 4360),
    ],
)
def test_bandwidth_s_own_refusals_are_told(
    network: Network,
    bandwidth: Send,
    events: Events,
    fields: dict[str, Any],
    code: int,
) -> None:
    """Even where MMS has no receipts, unless switched off."""
    bandwidth(**fields)
    network.settle()
    assert code in {event.get("errorCode") for (event,) in events()}
    network.bandwidth.quirks = BandwidthQuirks(own_refusals=False)
    before = len(events())
    bandwidth(**fields)
    network.settle()
    later = events()[before:]
    assert not any("errorCode" in event for (event,) in later)


def test_a_file_of_the_account_must_be_there(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """A URL of its own media that leads nowhere fails the message for all."""
    url = f"{network.bandwidth.media_url}/cat.jpg"
    bandwidth(media=[url])
    network.settle()
    assert {event["errorCode"] for (event,) in events()} == {4410}
    network.bandwidth.shelf.put("cat.jpg", b"cat")
    bandwidth(media=[url])
    assert network.handset(A).bubbles[-1].media == (url,)


def test_sent_is_an_event_of_the_later_document(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """Switched on, it comes between."""
    network.bandwidth.quirks = BandwidthQuirks(sent_event=True, mms_dlr=True)
    bandwidth(to=[A, B])
    network.settle()
    kinds = [kind for kind, to, _ in _seen(events) if to == A]
    assert kinds == ["sending", "sent", "delivered"]


def test_an_owner_may_be_the_recipient(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """As the examples have it, against the field's own text."""
    network.bandwidth.quirks = BandwidthQuirks(owner_as="recipient")
    bandwidth()
    network.settle()
    assert [event["message"]["owner"] for (event,) in events()] == [A, B]


def test_a_body_may_be_bare(network: Network, bandwidth: Send, events: Events) -> None:
    """By the OpenAPI document it is the event itself."""
    network.bandwidth.quirks = BandwidthQuirks(body_as="object")
    bandwidth()
    network.settle()
    assert [event["to"] for event in events()] == [A, B]


def test_events_may_come_together(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """An array then has one for each recipient."""
    network.bandwidth.quirks = BandwidthQuirks(together=True)
    bandwidth()
    network.settle()
    (body,) = events()
    assert [event["to"] for event in body] == [A, B]


def test_a_reply_names_the_whole_group(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """`to` is everyone but the writer, our number among them."""
    bandwidth(to=[A, B, C])
    network.handset(A).reply("On my way")
    network.run_due()
    ((event,),) = events()
    message = event["message"]
    assert (event["type"], event["to"]) == ("message-received", OURS)
    assert message["to"] == [B, C, OURS]
    assert (message["from"], message["owner"]) == (A, OURS)
    assert (message["direction"], message["text"]) == ("in", "On my way")


def test_each_number_of_ours_hears_it(
    network: Network, bandwidth: Send, inbox: list[Request]
) -> None:
    """Two in one group: two events with ids of their own, and the same list."""
    network.bandwidth.add_number(OTHER, inbound_url="http://app.test/other")
    bandwidth(to=[A, OTHER])
    network.run_due()
    inbox.clear()
    network.handset(A).reply("Hi")
    network.run_due()
    events = [json.loads(request.body)[0] for request in inbox]
    assert {event["to"] for event in events} == {OURS, OTHER}
    assert {event["message"]["owner"] for event in events} == {OURS, OTHER}
    assert len({event["message"]["id"] for event in events}) == 2
    assert {tuple(event["message"]["to"]) for event in events} == {(OURS, OTHER)}


def test_a_picture_is_behind_the_account_s_credentials(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """The URL in the event is Bandwidth's own."""
    bandwidth()
    network.handset(A).reply("Look", media=["http://media.test/cat.jpg"])
    network.run_due()
    (url,) = events()[0][0]["message"]["media"]
    face = network.bandwidth
    assert url.startswith(f"{face.media_url}/")
    assert url.endswith("/0/cat.jpg")
    bare = face.handle(Request("GET", url))
    assert isinstance(bare, Response)
    assert bare.status == 401
    pair = base64.b64encode(f"{face.username}:{face.password}".encode()).decode()
    kept = face.handle(Request("GET", url, {"authorization": f"Basic {pair}"}))
    assert isinstance(kept, Response)
    assert b"http://media.test/cat.jpg" in kept.body


def test_callbacks_have_credentials(
    network: Network, bandwidth: Send, inbox: list[Request]
) -> None:
    """By Basic auth, as the application was set up, or none."""
    face = network.bandwidth
    bandwidth(to=[A, B])
    network.settle()
    pair = f"{face.callback_username}:{face.callback_password}".encode()
    wanted = f"Basic {base64.b64encode(pair).decode()}"
    assert {one.headers.get("authorization") for one in inbox} == {wanted}
    assert {one.headers.get("user-agent") for one in inbox} == {"BandwidthAPI/v2"}
    content_type = inbox[0].headers.get("content-type")
    assert content_type == "application/json; charset=utf-8"
    inbox.clear()
    face.callback_username = ""
    network.handset(A).reply("Hi")
    network.run_due()
    assert inbox[0].headers.get("authorization") is None


@pytest.mark.parametrize("bad", [Response(404), Response(302), Failure("ReadTimeout")])
def test_a_callback_is_tried_for_a_day(
    network: Network,
    bandwidth: Send,
    inbox: list[Request],
    answers: deque[Reply],
    bad: Reply,
) -> None:
    """Anything but a 2xx in ten seconds is no success; then it is given up."""
    bandwidth(to=[A])
    answers.extend([bad] * 100)
    began = network.now()
    network.settle(48 * 3600)
    assert 20 * 3600 < network.now() - began <= 24 * 3600 + 2
    assert len(inbox) == 32
    assert network.log[-1].words.endswith("given up")


def test_stop_is_the_application_s_to_keep(network: Network, bandwidth: Send) -> None:
    """On 10DLC nobody else minds: the next send rings again."""
    bandwidth()
    network.handset(A).reply("STOP")
    assert not network.handset(A).opted_out_of(OURS)
    bandwidth(text="Again")
    assert network.handset(A).bubbles[-1].text == "Again"


def test_a_carrier_may_keep_to_stop(
    network: Network, bandwidth: Send, events: Events
) -> None:
    """Then that member alone has a 4775, and START lifts it."""
    network.bandwidth.quirks = BandwidthQuirks(opt_out="carrier", mms_dlr=True)
    bandwidth()
    network.handset(A).reply("STOP")
    network.settle()
    assert network.handset(A).opted_out_of(OURS)
    bandwidth(text="Again")
    network.settle()
    assert _seen(events)[-2:] == [("delivered", B, None), ("failed", A, 4775)]
    assert network.handset(A).bubbles[-1].text == "STOP"
    network.handset(A).reply("START")
    assert not network.handset(A).opted_out_of(OURS)


def test_a_received_message_can_be_looked_up(network: Network, bandwidth: Send) -> None:
    """It is on record like a send, in the other direction."""
    bandwidth()
    network.handset(A).reply("Hi")
    face = network.bandwidth
    pair = base64.b64encode(f"{face.username}:{face.password}".encode()).decode()
    url = f"{face.base_url}/users/{face.account_id}/messages?messageDirection=INBOUND"
    reply = face.handle(Request("GET", url, {"authorization": f"Basic {pair}"}))
    assert isinstance(reply, Response)
    rows = json.loads(reply.body)["messages"]
    assert [row["destinationTn"] for row in rows] == [B, OURS]
    assert {row["messageStatus"] for row in rows} == {"RECEIVED"}
