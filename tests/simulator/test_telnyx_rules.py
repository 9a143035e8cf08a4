"""What Telnyx refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Network, TelnyxQuirks
from multigroup.wire import Reply, Response

A, B = "+14155550101", "+14155550102"
EIGHT = [f"+1415555010{digit}" for digit in range(8)]
Send = Callable[..., Reply]


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"from_": None}, "10004", "/from"),
        ({"from_": "+14155550199"}, "40305", "/from"),
        ({"to": None}, "10004", "/to"),
        ({"to": A}, "10015", "/to"),
        ({"to": [A]}, "10015", "/to"),
        ({"to": []}, "10015", "/to"),
        ({"to": [*EIGHT, "+14155550109"]}, "10015", "/to"),
        ({"to": [A, "4155550102"]}, "40310", "/to/1"),
        ({"to": [A, 7]}, "40310", "/to/1"),
        ({"to": [A, "+442079460101"]}, "40309", "/to/1"),
        ({"to": [A, "+18765550101"]}, "40309", "/to/1"),
        ({"text": 7}, "10015", "/text"),
        ({"subject": []}, "10015", "/subject"),
        ({"use_profile_webhooks": "yes"}, "10015", "/use_profile_webhooks"),
        ({"media_urls": "http://media.test/a"}, "10015", "/media_urls"),
        ({"text": None}, "40316", "/text"),
        ({"text": ""}, "40316", "/text"),
        ({"media_urls": ["http://media.test/a"] * 11}, "40317", "/media_urls"),
        ({"media_urls": ["ftp://media.test/a"]}, "10003", "/media_urls"),
        ({"webhook_url": "nonsense"}, "10003", "/webhook_url"),
        ({"webhook_url": "http://a.test/" + "x" * 2000}, "10003", "/webhook_url"),
        ({"webhook_failover_url": "x"}, "10003", "/webhook_failover_url"),
    ],
)
def test_a_wrong_send_is_refused_at_its_field(
    network: Network, telnyx: Send, fields: dict[str, Any], code: str, pointer: str
) -> None:
    """The error has the code and points at the field; no phone rings."""
    reply = telnyx(**fields)
    assert isinstance(reply, Response)
    (error,) = json.loads(reply.body)["errors"]
    assert (error["code"], error["source"]["pointer"]) == (code, pointer)
    assert reply.status == 400
    assert network.handsets == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"to": EIGHT},
        {"text": None, "media_urls": ["http://media.test/a.jpg"]},
        {"subject": "News", "use_profile_webhooks": False},
    ],
)
def test_a_right_send_is_taken(telnyx: Send, fields: dict[str, Any]) -> None:
    """Eight recipients, media without text and a subject are allowed."""
    reply = telnyx(**fields)
    assert isinstance(reply, Response)
    assert reply.status == 200


@pytest.mark.parametrize("kind", ["toll_free", "short_code"])
def test_groups_need_a_long_code(network: Network, telnyx: Send, kind: Any) -> None:
    """Other senders are refused."""
    network.telnyx.add_number("+18005550150", kind=kind)
    reply = telnyx(from_="+18005550150")
    assert isinstance(reply, Response)
    assert json.loads(reply.body)["errors"][0]["code"] == "40308"


def test_one_opt_out_refuses_the_group(network: Network, telnyx: Send) -> None:
    """After STOP the call is refused at once, and START lifts that."""
    telnyx()
    network.handset(B).reply("STOP")
    reply = telnyx()
    assert isinstance(reply, Response)
    (error,) = json.loads(reply.body)["errors"]
    assert (error["code"], error["source"]["pointer"]) == ("40300", "/to/1")
    network.handset(B).reply("START")
    assert json.loads(telnyx().body)["data"]  # type: ignore[union-attr]


def test_a_group_of_one_can_be_allowed(network: Network, telnyx: Send) -> None:
    """The smallest group is a switch, for no page names it."""
    network.telnyx.quirks = TelnyxQuirks(smallest_group=1)
    reply = telnyx(to=[A])
    assert isinstance(reply, Response)
    assert reply.status == 200


def test_a_number_named_twice_rings_once(network: Network, telnyx: Send) -> None:
    """The group is the set of its members."""
    telnyx(to=[A, A, B])
    assert len(network.handset(A).bubbles) == 1
