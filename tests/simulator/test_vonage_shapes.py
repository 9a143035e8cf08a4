"""Vonage's webhooks and their variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Failing, Network, VonageQuirks
from multigroup.simulator.vonage_shapes import with_plus, without_plus
from multigroup.wire import Reply, Request

A, B = "+14155550101", "+14155550102"
Send = Callable[..., Reply]
Events = Callable[[], list[Any]]


def test_a_leg_is_submitted_then_delivered(
    network: Network, vonage: Send, events: Events
) -> None:
    """The first of the two has the price; neither names the group."""
    vonage(client_ref="ref.1")
    network.settle()
    first, second = events()
    assert (first["status"], second["status"]) == ("submitted", "delivered")
    assert first["usage"] == {"currency": "EUR", "price": "0.0333"}
    assert "usage" not in second
    assert first["client_ref"] == "ref.1"
    assert "mms" not in first


@pytest.mark.parametrize(
    ("receipts", "on_net", "last"),
    [
        ("carrier", False, "delivered"),
        ("on_net", False, "submitted"),
        ("on_net", True, "delivered"),
        ("none", True, "submitted"),
    ],
)
def test_receipts_are_a_switch(
    network: Network,
    vonage: Send,
    events: Events,
    receipts: Any,
    on_net: bool,  # noqa: FBT001
    last: str,
) -> None:
    """A leg may stay submitted for ever."""
    network.vonage.quirks = VonageQuirks(receipts=receipts)
    network.handset(A, on_net=on_net)
    vonage()
    network.settle()
    assert events()[-1]["status"] == last


@pytest.mark.parametrize(
    ("failing", "statuses", "code"),
    [
        ("landline", ["submitted", "rejected"], "1300"),
        ("unreachable", ["submitted", "rejected"], "1180"),
        ("spam", ["submitted", "rejected"], "1210"),
        ("not_registered", ["rejected"], "1140"),
        ("carrier_down", ["undeliverable"], "1100"),
        ("expired", ["rejected"], "1360"),
    ],
)
def test_a_failure_names_its_code(
    network: Network,
    vonage: Send,
    events: Events,
    failing: Failing,
    statuses: list[str],
    code: str,
) -> None:
    """What Vonage itself stops was never submitted."""
    network.handset(A).failing = failing
    vonage()
    network.settle()
    assert [event["status"] for event in events()] == statuses
    assert events()[-1]["error"]["title"] == code
    assert events()[-1]["error"]["type"].endswith(f"#{code}")


def test_variants_of_a_status(network: Network, vonage: Send, events: Events) -> None:
    """Integer codes, milliseconds and usage on other statuses are switches."""
    network.vonage.quirks = VonageQuirks(
        title_as="integer",
        milliseconds=True,
        usage_on=frozenset({"rejected"}),
        network_code=False,
    )
    network.handset(A).failing = "landline"
    vonage()
    network.settle()
    submitted, rejected = events()
    assert rejected["error"]["title"] == 1300
    assert rejected["timestamp"].endswith(".000Z")
    assert ("usage" in submitted, "usage" in rejected) == (False, True)
    assert "destination" not in submitted


def test_the_older_shape_is_served(
    network: Network, vonage: Send, events: Events
) -> None:
    """A leg may ask for it; numbers are then objects."""
    network.handset(A).failing = "landline"
    vonage(webhook_version="v0.1")
    network.settle()
    assert events()[0]["to"] == {"type": "mms", "number": A[1:]}
    assert events()[1]["error"]["code"] == 1300
    assert "channel" not in events()[0]


def test_a_leg_s_own_url_gets_its_statuses(
    network: Network, vonage: Send, inbox: list[Request]
) -> None:
    """Replies still go to the number's inbound URL."""
    vonage(webhook_url="http://app.test/own")
    network.handset(A).reply("Hi")
    network.settle()
    assert [request.url.rpartition("/")[2] for request in inbox] == [
        "inbound",
        "own",
        "own",
    ]


def test_a_reply_names_the_other_members(
    network: Network,
    vonage_group: Callable[..., list[Reply]],
    events: Events,
) -> None:
    """Neither the writer nor our number is among the participants."""
    vonage_group(A[1:], B[1:])
    network.handset(A).reply("Hi")
    network.run_due()
    (event,) = events()
    assert (event["from"], event["to"]) == (A[1:], "14155550160")
    assert event["mms"] == {"participants": [B[1:]]}
    assert (event["message_type"], event["text"]) == ("text", "Hi")


def test_a_reply_in_a_thread_of_two_has_no_roster(
    network: Network, vonage: Send, events: Events
) -> None:
    """Then there is no `mms` at all."""
    vonage(mms=None)
    network.handset(A).reply("Hi")
    network.run_due()
    assert "mms" not in events()[0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jpg", "image"),
        ("a.VCF", "vcard"),
        ("a.mp3", "audio"),
        ("a.mp4?x=1", "video"),
        ("a.pdf", "file"),
        ("a", "file"),
    ],
)
def test_a_file_s_kind_is_told_by_its_name(
    network: Network, vonage: Send, events: Events, name: str, kind: str
) -> None:
    """The kind is the message type and the name of the field."""
    vonage()
    network.handset(A).reply("Look", media=[f"http://media.test/{name}"])
    network.run_due()
    (event,) = events()
    assert event["message_type"] == kind
    assert event[kind]["caption"] == "Look"
    assert "content" not in event


@pytest.mark.parametrize(("repeat", "listed"), [(True, 2), (False, 1)])
def test_several_files_are_listed(
    network: Network,
    vonage: Send,
    events: Events,
    repeat: bool,  # noqa: FBT001
    listed: int,
) -> None:
    """The first keeps its own field; whether the list repeats it is a switch."""
    network.vonage.quirks = VonageQuirks(repeat_primary=repeat, network_code=False)
    vonage()
    files = ["http://media.test/a.jpg", "http://media.test/b.pdf"]
    network.handset(A).reply(media=files)
    network.run_due()
    (event,) = events()
    assert event["image"]["url"] == files[0]
    assert [one["url"] for one in event["content"]] == files[-listed:]
    assert "origin" not in event


def test_numbers_have_two_spellings() -> None:
    """A plus sign comes and goes, but a short code never has one."""
    assert with_plus("14155550101") == A
    assert without_plus(A) == "14155550101"
    assert with_plus("28228") == without_plus("28228") == "28228"
