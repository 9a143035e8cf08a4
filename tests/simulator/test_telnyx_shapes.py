"""Telnyx's documents and their variants."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Failing, Network, TelnyxQuirks
from multigroup.wire import Reply, Request, Response

A, B = "+14155550101", "+14155550102"
TELNYX = "+14155550150"
Send = Callable[..., Reply]
Events = Callable[[], list[Any]]


def _data(reply: Reply) -> Any:
    assert isinstance(reply, Response)
    return json.loads(reply.body)["data"]


@pytest.mark.parametrize(
    ("quirks", "name", "value"),
    [
        (TelnyxQuirks(), "from", {"phone_number": TELNYX}),
        (TelnyxQuirks(from_as="string"), "from", TELNYX),
        (TelnyxQuirks(cost="null"), "cost", None),
        (TelnyxQuirks(), "cc", []),
    ],
)
def test_an_answer_comes_in_variants(
    network: Network, telnyx: Send, quirks: TelnyxQuirks, name: str, value: Any
) -> None:
    """Each switch changes the field it names."""
    network.telnyx.quirks = quirks
    given = _data(telnyx())[name]
    if isinstance(value, dict):
        given = {key: given[key] for key in value}
    assert given == value


def test_an_answer_may_name_the_group(network: Network, telnyx: Send) -> None:
    """The guide promises it, the reference does not show it."""
    assert "group_message_id" not in _data(telnyx())
    network.telnyx.quirks = TelnyxQuirks(group_id_in_answer=True)
    data = _data(telnyx())
    assert data["group_message_id"] == data["id"]


def test_each_recipient_has_a_final_event(
    network: Network, telnyx: Send, events: Events
) -> None:
    """With its own cost, and the id of the group."""
    sent = _data(telnyx())
    network.settle()
    final = [e["data"] for e in events() if e["data"]["event_type"][8:] == "finalized"]
    assert [len(event["payload"]["to"]) for event in final] == [1, 1]
    for event in final:
        assert event["payload"]["cost"] == {"amount": "0.0240", "currency": "USD"}
        assert event["payload"]["group_message_id"] == sent["id"]
        assert event["payload"]["to"][0]["status"] == "unknown"


def test_a_phone_on_the_network_confirms(
    network: Network, telnyx: Send, events: Events
) -> None:
    """Only there is a group message known to be delivered."""
    network.handset(A, on_net=True)
    telnyx()
    network.settle()
    statuses = [event["data"]["payload"]["to"][0]["status"] for event in events()]
    assert statuses == ["sent", "sent", "delivered", "unknown"]


def test_a_single_message_is_confirmed(
    network: Network, telnyx: Send, events: Events
) -> None:
    """What is sent to one number has a receipt on any network."""
    telnyx("/messages", to=A)
    network.settle()
    payload = events()[-1]["data"]["payload"]
    assert payload["to"][0]["status"] == "delivered"
    assert "group_message_id" not in payload


def test_one_event_may_tell_of_all(
    network: Network, telnyx: Send, events: Events
) -> None:
    """The support article says so, unlike the guide."""
    network.telnyx.quirks = TelnyxQuirks(finalized="all", send_sent_event=False)
    telnyx()
    network.settle()
    (event,) = events()
    assert len(event["data"]["payload"]["to"]) == 2


def test_silence_is_a_switch(network: Network, telnyx: Send, events: Events) -> None:
    """Then no final event ever comes."""
    network.telnyx.quirks = TelnyxQuirks(finalized="never")
    telnyx()
    network.settle()
    assert {event["data"]["event_type"] for event in events()} == {"message.sent"}


def test_events_may_be_bare(network: Network, telnyx: Send, events: Events) -> None:
    """As in the guide's example, without `meta` if so asked."""
    network.telnyx.quirks = TelnyxQuirks(bare_events=True, meta=False)
    telnyx()
    network.settle()
    assert set(events()[-1]) == {"data"}
    payload = events()[-1]["data"]["payload"]
    assert set(payload) == {
        *("direction", "from", "group_message_id", "id", "text", "to", "type")
    }


def test_recipients_may_have_ids_of_their_own(
    network: Network, telnyx: Send, events: Events
) -> None:
    """The group's id then stands beside them."""
    network.telnyx.quirks = TelnyxQuirks(distinct_ids=True)
    sent = _data(telnyx())
    network.settle()
    payloads = [event["data"]["payload"] for event in events()]
    assert len({payload["id"] for payload in payloads} - {sent["id"]}) == 2
    assert {payload["group_message_id"] for payload in payloads} == {sent["id"]}


@pytest.mark.parametrize(
    ("failing", "status", "code"),
    [
        ("landline", "delivery_failed", "40001"),
        ("unreachable", "delivery_failed", "40008"),
        ("spam", "delivery_failed", "40002"),
        ("not_registered", "delivery_failed", "40010"),
        ("carrier_down", "sending_failed", "40006"),
        ("expired", "expired", "40014"),
    ],
)
def test_a_failure_names_its_code(
    network: Network,
    telnyx: Send,
    events: Events,
    failing: Failing,
    status: str,
    code: str,
) -> None:
    """The final event of that recipient alone has it."""
    network.handset(B).failing = failing
    telnyx()
    network.settle()
    good, bad = (event["data"]["payload"] for event in events()[-2:])
    assert (good["errors"], good["to"][0]["status"]) == ([], "unknown")
    assert (bad["errors"][0]["code"], bad["to"][0]["status"]) == (code, status)


def test_a_message_s_own_url_is_first(
    network: Network, telnyx: Send, inbox: list[Request], events: Events
) -> None:
    """It gets the events, and they name it."""
    telnyx(webhook_url="http://app.test/own?t=1")
    network.settle()
    assert {request.url for request in inbox} == {"http://app.test/own?t=1"}
    assert events()[0]["data"]["payload"]["webhook_url"] == "http://app.test/own?t=1"
    assert events()[0]["meta"]["delivered_to"] == "http://app.test/own?t=1"


def test_the_profile_can_be_left_out(
    network: Network, telnyx: Send, inbox: list[Request]
) -> None:
    """Without URLs of its own a message then has no events."""
    telnyx(use_profile_webhooks=False)
    network.settle()
    assert not inbox


@pytest.mark.parametrize(
    ("quirks", "cc", "to"),
    [
        (TelnyxQuirks(), [B, TELNYX], [TELNYX]),
        (TelnyxQuirks(cc_includes_us=False), [B], [TELNYX]),
        (TelnyxQuirks(roster_in_to=True), None, [TELNYX, B]),
    ],
)
def test_an_inbound_group_comes_in_variants(
    network: Network,
    telnyx: Send,
    events: Events,
    quirks: TelnyxQuirks,
    cc: list[str] | None,
    to: list[str],
) -> None:
    """Who else is in the group stands in `cc` or in `to`."""
    network.telnyx.quirks = quirks
    telnyx()
    network.handset(A).reply("Hi")
    network.run_due()
    payload = events()[0]["data"]["payload"]
    assert payload["from"]["phone_number"] == A
    assert payload.get("cc") == cc
    assert [one["phone_number"] for one in payload["to"]] == to


def test_the_others_may_be_objects(
    network: Network, telnyx: Send, events: Events
) -> None:
    """As the OpenAPI document has it."""
    network.telnyx.quirks = TelnyxQuirks(cc_as="objects", cc_includes_us=False)
    telnyx()
    network.handset(A).reply("Hi")
    network.run_due()
    (other,) = events()[0]["data"]["payload"]["cc"]
    assert other["phone_number"] == B


def test_a_single_message_has_no_others(
    network: Network, telnyx: Send, events: Events
) -> None:
    """A reply in a thread of one has an empty `cc` and is an SMS."""
    telnyx("/messages", to=A)
    network.handset(A).reply("Hi")
    network.run_due()
    payload = events()[0]["data"]["payload"]
    assert (payload["cc"], payload["type"]) == ([], "SMS")


def test_a_keyword_is_named(network: Network, telnyx: Send, events: Events) -> None:
    """STOP in a group still comes in, marked."""
    telnyx()
    network.handset(A).reply("Stop")
    network.run_due()
    assert events()[0]["data"]["payload"]["autoresponse_type"] == "STOP"


@pytest.mark.parametrize("name", ["sha256", "hash_sha256"])
def test_a_file_s_digest_has_two_names(
    network: Network, telnyx: Send, events: Events, name: Any
) -> None:
    """One in the guide, one in the OpenAPI document."""
    network.telnyx.quirks = TelnyxQuirks(hash_name=name)
    telnyx()
    network.handset(A).reply(media=["http://media.test/a.jpg"])
    network.run_due()
    assert name in events()[0]["data"]["payload"]["media"][0]
