"""What Bandwidth refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import BandwidthQuirks, Network
from multigroup.wire import Reply, Response

A, B = "+14155550101", "+14155550102"
TEN = [f"+141555501{number:02}" for number in range(10)]
Send = Callable[..., Reply]
Events = Callable[[], list[Any]]


def _wrong(reply: Reply) -> list[str]:
    assert isinstance(reply, Response)
    error = json.loads(reply.body)
    assert (reply.status, error["type"]) == (400, "request-validation")
    return [one["fieldName"] for one in error["fieldErrors"]]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"applicationId": None}, "applicationId"),
        ({"applicationId": "another"}, "applicationId"),
        ({"from_": None}, "from"),
        ({"from_": "+invalid"}, "from"),
        ({"from_": "+14155550199"}, "from"),
        ({"to": None}, "to"),
        ({"to": []}, "to"),
        ({"to": [A, "4155550102"]}, "to"),
        ({"to": [A, 7]}, "to"),
        ({"to": [A, A]}, "to"),
        ({"to": [*TEN, "+14155550110"]}, "to"),
        ({"text": 7}, "text"),
        ({"text": "x" * 2049}, "text"),
        ({"text": None}, "text"),
        ({"text": ""}, "text"),
        ({"media": "http://media.test/a"}, "media"),
        ({"media": ["ftp://media.test/a"]}, "media"),
        ({"media": ["http://media.test/" + "x" * 4096]}, "media"),
        ({"media": ["http://media.test/a"] * 11}, "media"),
        ({"tag": 7}, "tag"),
        ({"tag": "x" * 1025}, "tag"),
        ({"priority": "low"}, "priority"),
        ({"expiration": "2026-12-01T11:29:18"}, "expiration"),
        ({"expiration": "soon"}, "expiration"),
        ({"expiration": 7}, "expiration"),
    ],
)
def test_a_wrong_send_is_refused_at_its_field(
    network: Network, bandwidth: Send, fields: dict[str, Any], name: str
) -> None:
    """The error names the field; no phone rings."""
    assert _wrong(bandwidth(**fields)) == [name]
    assert network.handsets == ()


def test_every_wrong_field_is_named(bandwidth: Send) -> None:
    """The list of errors is one of all fields."""
    assert _wrong(bandwidth(to=[], tag=7, priority="low")) == ["to", "tag", "priority"]


@pytest.mark.parametrize(
    "fields",
    [
        {"to": TEN},
        {"to": A},
        {"text": None, "media": ["http://media.test/a.jpg"]},
        {"tag": "x" * 1024, "priority": "default"},
        {"expiration": "2099-12-01T11:29:18-05:00"},
    ],
)
def test_a_right_send_is_taken(bandwidth: Send, fields: dict[str, Any]) -> None:
    """Ten recipients, one as a string, and media without text are allowed."""
    reply = bandwidth(**fields)
    assert isinstance(reply, Response)
    assert reply.status == 202


@pytest.mark.parametrize(
    ("number", "kind"), [("+18005550150", "toll_free"), ("28228", "short_code")]
)
def test_groups_need_a_local_number(
    network: Network, bandwidth: Send, number: str, kind: Any
) -> None:
    """Other senders reach one person at a time."""
    network.bandwidth.add_number(number, kind=kind)
    assert _wrong(bandwidth(from_=number)) == ["from"]
    reply = bandwidth(from_=number, to=[A])
    assert isinstance(reply, Response)
    assert reply.status == 202


def test_a_bare_number_may_not_be_allowed(network: Network, bandwidth: Send) -> None:
    """By the OpenAPI document `to` is always a list."""
    network.bandwidth.quirks = BandwidthQuirks(bare_to=False)
    assert _wrong(bandwidth(to=A)) == ["to"]


@pytest.mark.parametrize(
    ("quirks", "fields", "code"),
    [
        (BandwidthQuirks(crowd="failed"), {"to": [*TEN, "+14155550110"]}, 4435),
        (BandwidthQuirks(unknown_sender="failed"), {"from_": "+14155550199"}, 4403),
    ],
)
def test_some_refusals_may_come_late(
    network: Network,
    bandwidth: Send,
    events: Events,
    quirks: BandwidthQuirks,
    fields: dict[str, Any],
    code: int,
) -> None:
    """The send is then taken, rings no phone, and fails for each."""
    network.bandwidth.quirks = quirks
    sent = json.loads(bandwidth(**fields).body)  # type: ignore[union-attr]
    network.settle()
    assert {event["errorCode"] for (event,) in events()} == {code}
    assert len(events()) == len(sent["to"])
    assert network.handset(A).bubbles == ()
