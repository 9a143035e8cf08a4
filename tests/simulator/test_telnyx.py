"""Telnyx's API: keys, sends, replays and look-ups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Network, TelnyxQuirks
from multigroup.wire import Reply, Request, Response

A, B = "+14155550101", "+14155550102"
Send = Callable[..., Reply]


def _read(reply: Reply) -> Any:
    assert isinstance(reply, Response)
    return json.loads(reply.body)


def _code(reply: Reply) -> tuple[int, str]:
    document = _read(reply)
    assert isinstance(reply, Response)
    return reply.status, document["errors"][0]["code"]


def _get(network: Network, path: str) -> Reply:
    face = network.telnyx
    headers = {"authorization": f"Bearer {face.api_key}"}
    return face.handle(Request("GET", face.base_url + path, headers))


def test_a_group_send_is_queued_for_each(telnyx: Send) -> None:
    """The answer lists every recipient, and the sum of the prices."""
    data = _read(telnyx())["data"]
    assert [one["status"] for one in data["to"]] == ["queued", "queued"]
    assert data["type"] == "MMS"
    assert data["cost"] == {"amount": "0.0480", "currency": "USD"}


def test_an_id_tells_the_time(network: Network, telnyx: Send) -> None:
    """The head of a message id counts steps of 256 ms since 1970."""
    sent_id = _read(telnyx())["data"]["id"].replace("-", "")
    assert int(sent_id[3:12], 16) == int(network.now() * 1000) >> 8


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, (404, "10005")),
        ({"authorization": "Bearer KEYwrong"}, (401, "10009")),
        ({"authorization": "Basic x"}, (401, "10009")),
    ],
)
def test_credentials_are_checked_first(
    network: Network, headers: dict[str, str], code: tuple[int, str]
) -> None:
    """Without the right key not even the body is read."""
    url = network.telnyx.base_url + "/messages/group_mms"
    reply = network.telnyx.handle(Request("POST", url, headers, b"junk"))
    assert _code(reply) == code


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_body_must_be_an_object(network: Network, body: bytes) -> None:
    """Neither broken JSON nor a list is taken."""
    face = network.telnyx
    headers = {"authorization": f"Bearer {face.api_key}"}
    url = face.base_url + "/messages/group_mms"
    reply = face.handle(Request("POST", url, headers, body))
    assert _code(reply) == (400, "10023")


def test_one_recipient_has_another_endpoint(network: Network, telnyx: Send) -> None:
    """`POST /messages` takes one number and sends an SMS if there is no media."""
    data = _read(telnyx("/messages", to=A))["data"]
    assert data["type"] == "SMS"
    media = ["http://media.test/a.jpg"]
    assert _read(telnyx("/messages", to=A, media_urls=media))["data"]["type"] == "MMS"
    assert len(network.handset(A).bubbles) == 2


def test_a_list_is_no_single_recipient(telnyx: Send) -> None:
    """`POST /messages` refuses an array of numbers."""
    assert _code(telnyx("/messages", to=[A, B])) == (400, "40310")
    assert _code(telnyx("/messages", to=None)) == (400, "10004")


def test_the_same_key_and_body_are_replayed(network: Network, telnyx: Send) -> None:
    """The first answer comes back, marked, and nothing is sent again."""
    first, second = telnyx(key="k1"), telnyx(key="k1")
    assert isinstance(first, Response)
    assert isinstance(second, Response)
    assert first.body == second.body
    assert first.headers.get("idempotent-replayed") is None
    assert second.headers.get("idempotent-replayed") == "true"
    assert len(network.handset(A).bubbles) == 1


def test_the_same_key_with_another_body_is_refused(telnyx: Send) -> None:
    """A key belongs to its bytes."""
    telnyx(key="k1")
    assert _code(telnyx(key="k1", text="Other")) == (422, "10027")


def test_a_key_is_forgotten_after_a_day(network: Network, telnyx: Send) -> None:
    """Later the same request is a new one."""
    telnyx(key="k1")
    network.advance(24 * 3600 + 1)
    telnyx(key="k1")
    assert len(network.handset(A).bubbles) == 2


def test_a_refusal_is_not_replayed(telnyx: Send) -> None:
    """After a mistake is mended the key may be used again."""
    assert _code(telnyx(key="k1", text=None)) == (400, "40316")
    assert isinstance(telnyx(key="k1"), Response)


def test_a_lost_reply_can_be_replayed(network: Network, telnyx: Send) -> None:
    """The replay tells what became of the send whose answer was lost."""
    network.telnyx.lose_replies(count=1)
    telnyx(key="k1")
    assert _read(telnyx(key="k1"))["data"]["to"][0]["status"] == "queued"
    assert len(network.handset(A).bubbles) == 1


@pytest.mark.parametrize("key", ["", "with space", "k" * 256, "k1, k2"])
def test_a_malformed_key_is_refused(telnyx: Send, key: str) -> None:
    """Only certain characters, and no more than 255."""
    assert _code(telnyx(key=key)) == (400, "10015")


def test_the_older_api_knows_no_keys(network: Network, telnyx: Send) -> None:
    """Switched off, the header is ignored."""
    network.telnyx.quirks = TelnyxQuirks(idempotency=False)
    telnyx(key="k1")
    telnyx(key="k1")
    assert len(network.handset(A).bubbles) == 2


def test_a_message_can_be_looked_up(network: Network, telnyx: Send) -> None:
    """It shows how each recipient stands by now."""
    sent_id = _read(telnyx())["data"]["id"]
    network.settle()
    data = _read(_get(network, f"/messages/{sent_id}"))["data"]
    assert [one["status"] for one in data["to"]] == ["unknown", "unknown"]


def test_a_message_is_kept_for_ten_days(network: Network, telnyx: Send) -> None:
    """Older ones are not found."""
    sent_id = _read(telnyx())["data"]["id"]
    network.advance(11 * 86_400)
    assert _code(_get(network, f"/messages/{sent_id}")) == (404, "40303")


def test_a_group_can_be_looked_up(network: Network, telnyx: Send) -> None:
    """It is a list with one message per recipient."""
    sent_id = _read(telnyx())["data"]["id"]
    data = _read(_get(network, f"/messages/group/{sent_id}"))["data"]
    assert [one["to"][0]["phone_number"] for one in data] == [A, B]
    assert {one["group_message_id"] for one in data} == {sent_id}


def test_an_unknown_group_is_not_found(network: Network, telnyx: Send) -> None:
    """Nor is a message to one number a group."""
    one = _read(telnyx("/messages", to=A))["data"]["id"]
    assert _code(_get(network, "/messages/group/none")) == (404, "40303")
    assert _code(_get(network, f"/messages/group/{one}")) == (404, "40303")


def test_what_is_not_built_says_so(network: Network) -> None:
    """An endpoint that the simulator lacks answers 501 and names itself."""
    reply = _get(network, "/messaging_profiles")
    assert isinstance(reply, Response)
    assert reply.status == 501
    assert b"GET /v2/messaging_profiles" in reply.body


def test_the_prefix_is_part_of_the_address(network: Network) -> None:
    """A base URL without `/v2` finds nothing."""
    url = "http://telnyx.invalid/messages/group_mms"
    assert _code(network.telnyx.handle(Request("POST", url))) == (404, "10005")


def test_a_rate_can_be_set(network: Network, telnyx: Send) -> None:
    """Beyond it sends are refused until time passes."""
    network.telnyx.quirks = TelnyxQuirks(rate=1)
    telnyx()
    refused = telnyx()
    assert _code(refused) == (429, "10011")
    assert isinstance(refused, Response)
    assert refused.headers.get("x-ratelimit-reset") == "1"
    network.advance(1.0)
    assert isinstance(telnyx(), Response)
