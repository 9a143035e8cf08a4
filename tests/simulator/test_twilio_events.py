"""Twilio's receipts, what people write, and the variants of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from multigroup.simulator import Failing, Network, ThreadKey, TwilioQuirks
from multigroup.wire import Request, Response

A, B, C = "+14155550101", "+14155550102", "+14155550103"
OURS, OTHER = "+14155550180", "+14155550181"
Call = Callable[..., Response]
Rail = Callable[..., str]
Heard = Callable[..., list[dict[str, str]]]


def _say(twilio: Call, sid: str, **headers: str) -> Any:
    form = {"Author": OURS, "Body": "Hello"}
    reply = twilio("POST", f"/Conversations/{sid}/Messages", form, **headers)
    assert reply.status == 201
    return json.loads(reply.body)


def test_each_copy_is_followed(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """Sent, then delivered, by participant; no number stands in it."""
    said = _say(twilio, rail(A, B))
    network.settle()
    events = heard("onDeliveryUpdated")
    assert [one["Status"] for one in events] == ["sent"] * 2 + ["delivered"] * 2
    assert {one["MessageSid"] for one in events} == {said["sid"]}
    assert len({one["ParticipantSid"] for one in events}) == 2
    assert len({one["DeliveryReceiptSid"] for one in events}) == 2
    assert not any(A in one.values() for one in events)


@pytest.mark.parametrize(
    ("failing", "fate"),
    [
        ("landline", ("undelivered", "30006")),
        ("spam", ("undelivered", "30007")),
        ("unreachable", ("undelivered", "30003")),
        ("not_registered", ("undelivered", "30034")),
        ("carrier_down", ("failed", "30008")),
        ("expired", ("undelivered", "30036")),
    ],
)
def test_each_failing_has_its_code(
    network: Network,
    twilio: Call,
    rail: Rail,
    heard: Heard,
    failing: Failing,
    fate: tuple[str, str],
) -> None:
    """The others have their message all the same."""
    network.handset(A).failing = failing
    _say(twilio, rail(A, B))
    network.settle()
    last = heard("onDeliveryUpdated")[-2:]
    assert (last[0]["Status"], last[0]["ErrorCode"]) == fate
    assert last[1]["Status"] == "delivered"
    assert len(network.handset(B).bubbles) == 1


@pytest.mark.parametrize(
    ("receipts", "last"), [("on_net", "delivered"), ("none", "sent")]
)
def test_receipts_are_a_switch(
    network: Network,
    twilio: Call,
    rail: Rail,
    heard: Heard,
    receipts: Any,
    last: str,
) -> None:
    """A copy may stay `sent` for ever."""
    network.twilio.quirks = TwilioQuirks(receipts=receipts)
    network.handset(B, on_net=True)
    _say(twilio, rail(A, B))
    network.settle()
    assert heard("onDeliveryUpdated")[-1]["Status"] == last
    assert len(heard("onDeliveryUpdated")) == (3 if last == "delivered" else 2)


def test_after_stop_a_copy_fails(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """With 21610 for that member alone; START lifts it."""
    sid = rail(A, B)
    _say(twilio, sid)
    network.handset(A).reply("STOP")
    network.settle()
    before = len(heard("onDeliveryUpdated"))
    _say(twilio, sid)
    network.settle()
    events = heard("onDeliveryUpdated")[before:]
    assert [one.get("ErrorCode") for one in events] == ["21610", None, None]
    assert events[0]["Status"] == "failed"
    assert network.handset(A).bubbles[-1].text == "STOP"
    network.handset(A).reply("START")
    _say(twilio, sid)
    assert network.handset(A).bubbles[-1].text == "Hello"


def test_after_stop_there_may_be_no_copy(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """Nor a receipt: the message counts fewer recipients."""
    network.twilio.quirks = TwilioQuirks(opt_out="silence")
    sid = rail(A, B)
    _say(twilio, sid)
    network.handset(A).reply("STOP")
    assert _say(twilio, sid)["delivery"]["total"] == 1


def test_our_own_messages_are_told_on_request(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """Only with a header."""
    sid = rail(A, B)
    _say(twilio, sid)
    network.run_due()
    assert heard("onMessageAdded") == []
    _say(twilio, sid, x_twilio_webhook_enabled="true")
    network.run_due()
    (event,) = heard("onMessageAdded")
    assert (event["Source"], event["Author"]) == ("API", OURS)


def test_a_reply_comes_twice(
    network: Network, twilio: Call, rail: Rail, heard: Heard, inbox: list[Request]
) -> None:
    """One webhook knows the conversation, the other who is in it."""
    sid = rail(A, B, C)
    _say(twilio, sid)
    network.settle()
    inbox.clear()
    network.handset(A).reply("On my way")
    network.run_due()
    added, classic = heard()
    assert (added["EventType"], added["Source"]) == ("onMessageAdded", "SMS")
    assert (added["ConversationSid"], added["Index"]) == (sid, "1")
    assert (added["Author"], added["Body"]) == (A, "On my way")
    assert B not in added.values()
    assert (classic["From"], classic["To"], classic["NumMedia"]) == (A, OURS, "0")
    assert (classic["OtherRecipients0"], classic["OtherRecipients1"]) == (B, C)
    assert classic["MessageSid"].startswith("MM")
    assert added["MessageSid"].startswith("IM")
    assert "RetryCount" not in classic


def test_a_reply_may_come_once(
    network: Network, twilio: Call, rail: Rail, inbox: list[Request]
) -> None:
    """As the pages say: a conversation takes it."""
    network.twilio.quirks = TwilioQuirks(double_delivery=False)
    _say(twilio, rail(A, B))
    network.settle()
    inbox.clear()
    network.handset(A).reply("On my way")
    network.run_due()
    assert [one.url for one in inbox] == ["http://app.test/conversations?secret=1"]


def test_another_set_is_no_reply(
    network: Network, twilio: Call, rail: Rail, inbox: list[Request]
) -> None:
    """What people write in a thread without conversation is classic only."""
    _say(twilio, rail(A, B))
    network.settle()
    inbox.clear()
    key = ThreadKey(OURS, frozenset({A, B, C}))
    network.handset(A).reply("And C?", to=key)
    network.run_due()
    assert [one.url for one in inbox] == ["http://app.test/classic"]


def test_a_conversation_may_make_itself(
    network: Network, twilio: Call, heard: Heard
) -> None:
    """Its first event has the writer in a field of its own."""
    network.twilio.quirks = TwilioQuirks(autocreation=True)
    key = ThreadKey(OURS, frozenset({A, B}))
    network.handset(A).reply("Hello?", to=key)
    network.run_due()
    created, added, _classic = heard()
    assert created["EventType"] == "onConversationAdded"
    assert created["MessagingBinding.Address"] == OURS
    assert created["MessagingBinding.AuthorAddress"] == A
    assert added["ConversationSid"] == created["ConversationSid"]
    _say(twilio, added["ConversationSid"])
    assert network.handset(B).threads[key][-1].text == "Hello"


def test_two_numbers_of_ours_are_one_conversation(
    network: Network, twilio: Call, heard: Heard
) -> None:
    """One `onMessageAdded`, but a classic webhook for each."""
    network.twilio.add_number(OTHER, classic_url="http://app.test/other")
    network.twilio.quirks = TwilioQuirks(autocreation=True)
    key = ThreadKey(OURS, frozenset({A, OTHER}))
    network.handset(A).reply("Hi", to=key)
    network.run_due()
    assert len(heard("onMessageAdded")) == 1
    assert {one["To"] for one in heard() if "To" in one} == {OURS, OTHER}
    assert twilio("GET", "/Conversations").status == 200


def test_a_picture_has_a_sid(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """In one webhook as JSON, in the other by URL; both can be fetched."""
    _say(twilio, rail(A, B))
    network.settle()
    network.handset(A).reply("", media=["http://media.test/cat.jpg"])
    network.run_due()
    (added,) = heard("onMessageAdded")
    assert "Body" not in added
    (file,) = json.loads(added["Media"])
    assert (file["Filename"], file["ContentType"]) == ("cat.jpg", "image/jpeg")
    path = network.twilio.media_url.removeprefix(network.twilio.base_url)
    assert twilio("GET", f"{path}/{file['Sid']}").status == 200
    classic = heard()[-1]
    root = network.twilio.base_url.removesuffix("/v1")
    older = classic["MediaUrl0"].removeprefix(root)
    network.twilio.base_url = root  # so that the fixture reaches the older API
    assert twilio("GET", older).body == b"stands for http://media.test/cat.jpg"
    assert twilio("GET", older + "0").status == 404


def test_a_direct_message_is_an_sms(network: Network, inbox: list[Request]) -> None:
    """Between two there are no other recipients."""
    network.handset(A).reply("Hi", to=ThreadKey(OURS, frozenset({A})))
    network.run_due()
    form = parse_qs(inbox[0].body.decode())
    assert form["MessageSid"][0].startswith("SM")
    assert not any(name.startswith("OtherRecipients") for name in form)


def test_without_a_classic_webhook_nothing_is_posted(
    network: Network, inbox: list[Request]
) -> None:
    """A number may have none."""
    network.twilio.add_number(OTHER)
    network.handset(A).reply("Hi", to=ThreadKey(OTHER, frozenset({A})))
    network.run_due()
    assert inbox == []
    assert network.twilio.numbers == (OURS, OTHER)


def test_a_member_may_be_another_carrier_s_number(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """It is no phone; its carrier posts a webhook, and the copy is delivered."""
    _say(twilio, rail(A, "+14155550170"))
    network.settle()
    assert heard("onDeliveryUpdated")[-1]["Status"] == "delivered"
    assert network.bandwidth.records[0].inbound
