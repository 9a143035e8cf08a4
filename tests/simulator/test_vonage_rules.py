"""What Vonage refuses at once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.simulator import Network, VonageQuirks
from multigroup.wire import Reply, Request, Response

A = "+14155550101"
VONAGE = "14155550160"
IMAGE = {"url": "http://media.test/a.jpg"}
Send = Callable[..., Reply]


def _image(**fields: Any) -> dict[str, Any]:
    return {"message_type": "image", "text": None, "image": {**IMAGE, **fields}}


def _content(*items: Any) -> dict[str, Any]:
    return {"message_type": "content", "text": None, "content": [*items]}


@pytest.mark.parametrize(
    ("fields", "title", "name"),
    [
        ({"channel": "sms"}, "Unsupported channel", None),
        ({"from_": "+14155550160"}, "Invalid sender", None),
        ({"from_": "14155550199"}, "Invalid sender", None),
        ({"to": "+14155550101"}, "Invalid recipient", None),
        ({"to": ["14155550101"]}, "Invalid recipient", None),
        ({"message_type": "poem"}, "Invalid message type", None),
        ({"message_type": []}, "Invalid message type", None),
        ({"text": None}, "Invalid params", "text"),
        ({"text": ""}, "Invalid params", "text"),
        ({"message_type": "image"}, "Invalid params", "image"),
        (_image(url=None), "Invalid params", "image.url"),
        (_image(caption=""), "Invalid params", "image.caption"),
        (_image(caption="x" * 3001), "Invalid params", "image.caption"),
        (_content(), "Invalid params", "content"),
        (_content("x"), "Invalid params", "content[0]"),
        (_content({**IMAGE, "type": "poem"}), "Invalid params", "content[0].type"),
        ({"ttl": 299}, "Invalid params", "ttl"),
        ({"ttl": 259_201}, "Invalid params", "ttl"),
        ({"client_ref": "x" * 101}, "Invalid client reference", None),
        ({"webhook_url": 7}, "Invalid params", "webhook_url"),
        ({"webhook_version": "v2"}, "Invalid params", "webhook_version"),
        ({"mms": []}, "Invalid params", "mms.participants"),
        ({"mms": {"participants": "x"}}, "Invalid params", "mms.participants"),
    ],
)
def test_a_wrong_leg_is_refused(
    network: Network, vonage: Send, fields: dict[str, Any], title: str, name: str | None
) -> None:
    """422 with a title, and the parameter where one is to blame."""
    reply = vonage(**fields)
    assert isinstance(reply, Response)
    document = json.loads(reply.body)
    named = [one["name"] for one in document.get("invalid_parameters", [])]
    assert (reply.status, document["title"]) == (422, title)
    assert named == ([] if name is None else [name])
    assert network.handsets == ()


@pytest.mark.parametrize(
    ("fields", "text", "media"),
    [
        ({"ttl": 300, "client_ref": "x" * 100}, "Hello", 0),
        (_image(caption="Look"), "Look", 1),
        (_content({**IMAGE, "type": "image", "caption": "x" * 3000}), "x" * 3000, 1),
        (
            _content({**IMAGE, "type": "image"}, {**IMAGE, "type": "file"}),
            "",
            2,
        ),
    ],
)
def test_a_right_leg_rings_the_phone(
    network: Network, vonage: Send, fields: dict[str, Any], text: str, media: int
) -> None:
    """Captions are the text, and every attachment arrives."""
    reply = vonage(**fields)
    assert isinstance(reply, Response)
    assert reply.status == 202
    (bubble,) = network.handset(A).bubbles
    assert (bubble.text, len(bubble.media)) == (text, media)


@pytest.mark.parametrize(
    "participants",
    [
        ["+14155550102"],
        [7],
        ["14155550102", "14155550102"],
        ["14155550101"],
        [VONAGE],
    ],
)
def test_strictness_about_participants_is_a_switch(
    network: Network, vonage: Send, participants: list[Any]
) -> None:
    """Strict refuses a wrong roster, lenient takes what can be read of it."""
    mms = {"participants": participants}
    strict = vonage(mms=mms)
    network.vonage.quirks = VonageQuirks(strict=False)
    lenient = vonage(mms=mms)
    assert isinstance(strict, Response)
    assert isinstance(lenient, Response)
    assert (strict.status, lenient.status) == (422, 202)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_what_is_no_object_is_no_json(network: Network, body: bytes) -> None:
    """422 says that the body is not valid JSON."""
    face = network.vonage
    pair = base64.b64encode(f"{face.api_key}:{face.api_secret}".encode()).decode()
    headers = {"authorization": f"Basic {pair}"}
    reply = face.handle(Request("POST", face.base_url + "/v1/messages", headers, body))
    assert isinstance(reply, Response)
    assert (reply.status, b"valid JSON" in reply.body) == (422, True)
