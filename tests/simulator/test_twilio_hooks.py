"""Twilio's webhooks: signed, tried again, and where they go."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from multigroup.simulator import Network
from multigroup.simulator.keys import form_signature
from multigroup.wire import Reply, Request, Response

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


def test_activation_is_told(rail: Rail, heard: Heard, network: Network) -> None:
    """The state changed, by an event."""
    sid = rail(A, B)
    network.run_due()
    (event,) = heard("onConversationStateUpdated")
    assert (event["StateFrom"], event["StateTo"]) == ("initializing", "active")
    assert (event["Reason"], event["ConversationSid"]) == ("EVENT", sid)


def test_webhooks_are_signed(
    network: Network, rail: Rail, inbox: list[Request]
) -> None:
    """Over the whole URL and every field; a changed one does not fit."""
    rail(A, B)
    network.run_due()
    (request,) = inbox
    token = network.twilio.auth_token
    signature = request.headers.get("x-twilio-signature")
    assert signature == form_signature(request.url, request.body, token)
    assert signature != form_signature(request.url + "&", request.body, token)
    assert signature != form_signature(request.url, request.body + b"0", token)


def test_a_signature_is_over_sorted_fields() -> None:
    """Each value once; the order in which they come does not matter."""
    url = "https://app.test/"
    one = form_signature(url, b"B=2&A=1&A=0&A=1&C=", "secret")
    assert one == form_signature(url, b"C=&A=0&A=1&B=2", "secret")


def test_a_webhook_may_be_spoilt(
    network: Network, rail: Rail, inbox: list[Request]
) -> None:
    """Tampered with, it is still a form; unsigned, it still says what it is."""
    network.twilio.hooks.tamper()
    rail(A, B)
    network.run_due()
    network.twilio.hooks.unsigned()
    rail(A, C)
    network.run_due()
    first, second = inbox
    token = network.twilio.auth_token
    made = form_signature(first.url, first.body, token)
    assert first.headers.get("x-twilio-signature") != made
    assert second.headers.get("x-twilio-signature") is None
    content_type = second.headers.get("content-type")
    assert content_type == "application/x-www-form-urlencoded"


def test_a_retry_counts_itself(
    network: Network, rail: Rail, answers: deque[Reply], heard: Heard
) -> None:
    """The first time it is zero."""
    answers.append(Response(503))
    rail(A, B)
    network.settle()
    assert [one["RetryCount"] for one in heard()] == ["0", "1"]


def test_the_service_silences_the_account(
    network: Network, twilio: Call, rail: Rail, inbox: list[Request]
) -> None:
    """Its webhook, once set, is the only general one."""
    path = f"/Services/{network.twilio.service_sid}/Configuration/Webhooks"
    set_up = {"PostWebhookUrl": "http://app.test/service"}
    assert json.loads(twilio("POST", path, set_up).body)["chat_service_sid"]
    rail(A, B)
    network.run_due()
    assert [one.url for one in inbox] == ["http://app.test/service"]


def test_the_account_s_webhook_can_be_set(
    network: Network, twilio: Call, rail: Rail, inbox: list[Request]
) -> None:
    """With the events it is for."""
    path = "/Configuration/Webhooks"
    form = [("PostWebhookUrl", "http://app.test/a"), ("Filters", "onMessageAdded")]
    twilio("POST", path, form)
    assert json.loads(twilio("GET", path).body)["filters"] == ["onMessageAdded"]
    rail(A, B)
    network.run_due()
    assert inbox == []
    assert network.log[-1].words.endswith("no webhook URL is set")


def test_a_conversation_may_have_a_webhook(
    network: Network, twilio: Call, rail: Rail, inbox: list[Request]
) -> None:
    """It hears what its filters name, beside the general one."""
    sid = rail(A, B)
    path = f"/Conversations/{sid}/Webhooks"
    form = {
        "Target": "webhook",
        "Configuration.Url": "http://app.test/own",
        "Configuration.Filters": "onMessageAdded",
    }
    hook = json.loads(twilio("POST", path, form).body)
    assert hook["configuration"]["filters"] == ["onMessageAdded"]
    assert len(json.loads(twilio("GET", path).body)["webhooks"]) == 1
    _say(twilio, sid)
    network.settle()
    inbox.clear()
    network.handset(A).reply("Hi")
    network.run_due()
    assert {one.url.partition("?")[0][16:] for one in inbox} == {
        "conversations",
        "own",
        "classic",
    }
    assert twilio("DELETE", f"{path}/{hook['sid']}").status == 204
    assert twilio("DELETE", f"{path}/{hook['sid']}").status == 404
    assert twilio("POST", path, {"Target": "studio"}).status == 400


def test_a_state_set_by_hand_is_told_on_request(
    network: Network, twilio: Call, rail: Rail, heard: Heard
) -> None:
    """With the header, and the API as the reason."""
    path = f"/Conversations/{rail(A, B)}"
    twilio("POST", path, {"State": "inactive"})
    twilio("POST", path, {"State": "active"}, x_twilio_webhook_enabled="true")
    network.run_due()
    reasons = [one["Reason"] for one in heard("onConversationStateUpdated")]
    assert reasons == ["EVENT", "API"]


def test_what_was_deleted_is_not_activated(
    network: Network, twilio: Call, heard: Heard
) -> None:
    """Whoever gives up while a conversation is being set up hears no more of it."""
    given = [
        ("Participant", json.dumps({"messaging_binding": one}))
        for one in ({"projected_address": OURS}, {"address": A}, {"address": B})
    ]
    reply = twilio("POST", "/ConversationWithParticipants", given)
    twilio("DELETE", f"/Conversations/{json.loads(reply.body)['sid']}")
    network.settle()
    assert heard() == []
