"""What the properties draw from: people, bodies that carriers send, and mischief.

Numbers are fictitious: 555-0100 to 555-0199 of real area codes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from hypothesis import settings, strategies as st

from tests.helpers.world import Carrier

__all__ = [
    "CARRIERS",
    "LINES",
    "OWN",
    "READERS",
    "Reader",
    "bandwidth_news",
    "bandwidth_received",
    "bodies",
    "documents",
    "json_documents",
    "json_values",
    "numbers",
    "one_in",
    "people",
    "said",
    "telnyx_news",
    "telnyx_received",
    "vonage_news",
    "vonage_received",
]

CARRIERS: Final[tuple[Carrier, ...]] = ("telnyx", "vonage")
OWN: Final[dict[Carrier, str]] = {"telnyx": "+12125550100", "vonage": "+13125550100"}

Reader: TypeAlias = Carrier | Literal["bandwidth"]
"""A carrier whose webhooks are read, whether or not it signs them."""

READERS: Final[tuple[Reader, ...]] = ("bandwidth", *CARRIERS)
LINES: Final[dict[Reader, str]] = {
    "bandwidth": "+14155550100",
    "telnyx": OWN["telnyx"],
    "vonage": OWN["vonage"],
}

LEG: Final = f"{'5e4d' * 8}.0"
AREAS: Final = ("212", "312", "415", "617", "702")
WORDS: Final = (
    *("data", "payload", "event_type", "id", "to", "from", "cc", "status", "phone"),
    *("phone_number", "text", "media", "url", "size", "cost", "amount", "currency"),
    *("errors", "source", "pointer", "code", "title", "detail", "meta", "occurred_at"),
    *("message_uuid", "message_type", "mms", "participants", "number", "timestamp"),
    *("usage", "price", "error", "type", "content", "image", "caption", "client_ref"),
    *("group_message_id", "autoresponse_type", "webhook_url", "destination"),
    *("message.received", "message.finalized", "delivered", "submitted", "rejected"),
    *("message", "owner", "tag", "time", "errorCode", "description", "message-failed"),
    *("STOP", "NaN", "2026-11-21T08:00:03Z", "0.08", "USD", "/to/0", "1360", "40300"),
)


def one_in(part: int) -> settings:
    """Return settings for a property too dear to be tried as often as the others."""
    return settings(max_examples=max(1, settings().max_examples // part))


def numbers() -> st.SearchStrategy[str]:
    """Draw a person's number; none is one of `LINES`."""
    return st.builds(
        "+1{}55501{:02}".format, st.sampled_from(AREAS), st.integers(1, 99)
    )


def people(least: int = 1, most: int = 8) -> st.SearchStrategy[list[str]]:
    """Draw a group, nobody in it twice."""
    return st.lists(numbers(), min_size=least, max_size=most, unique=True)


def said(least: int = 0) -> st.SearchStrategy[str]:
    """Draw what somebody may write: any characters but halves of surrogate pairs."""
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=least)


_ODD: Final[st.SearchStrategy[Any]] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(10**400), 2**63, 0, -1, 1e308, -0.0]),
    st.floats(),  # NaN and infinity too, which Python writes and reads
    st.text(max_size=12),
    st.text(st.characters(categories=["Cs", "Nd", "Cc"]), max_size=6),
    st.sampled_from(WORDS),
    numbers(),
    st.sampled_from(list(LINES.values())),
)


def json_values() -> st.SearchStrategy[Any]:
    """Draw any JSON, much of it made of the words that carriers use."""
    names = st.sampled_from(WORDS) | st.text(max_size=6)
    return st.recursive(
        _ODD,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5)
        ),
        max_leaves=10,
    )


def json_documents() -> st.SearchStrategy[bytes]:
    """Draw any JSON as bytes."""
    return json_values().map(lambda value: json.dumps(value).encode())


_TIMES: Final = st.sampled_from(
    ["2026-11-21T08:00:03Z", "2026-11-21T08:00:03.250+00:00", "soon", "", None]
)
_IDS: Final = st.uuids().map(str)


def telnyx_received(
    group: list[str], text: str, **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the webhook of a message from the first of *group* to the others."""
    payload = {
        "direction": "inbound",
        "type": "MMS",
        "from": {"phone_number": group[0], "carrier": "", "status": "received"},
        "to": [{"phone_number": OWN["telnyx"], "status": "webhook_delivered"}],
        "cc": [*group[1:], OWN["telnyx"]],
        "text": text,
        "media": [{"url": "https://m.example/a.jpg", "size": 3, "sha256": "00"}],
        **more,
    }
    return _telnyx("message.received", payload)


def telnyx_news(
    group: list[str], title: str = "Blocked", **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw news of the copies of *group*."""
    word = st.sampled_from(["sent", "delivered", "delivery_failed", "expired", "read"])
    entries = st.tuples(
        *(
            st.fixed_dictionaries(
                {"phone_number": st.just(number), "status": word},
                optional={"carrier": st.just("T-MOBILE")},
            )
            for number in group
        )
    )
    payload = {
        "text": "Dinner at 7?",
        "cost": {"amount": "0.0800", "currency": "USD"},
        "webhook_url": f"https://app.example/telnyx?leg={LEG}",
        "errors": [
            {"code": "40300", "title": title, "source": {"pointer": "/to/0"}},
        ],
        **more,
    }
    return entries.flatmap(
        lambda to: _telnyx("message.finalized", {**payload, "to": list(to)})
    )


def _telnyx(kind: str, payload: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    def whole(event: str, message: str, when: str | None) -> dict[str, Any]:
        about = {"event_type": kind, "id": event, "occurred_at": when}
        return {"data": {**about, "payload": {"id": message, **payload}}, "meta": {}}

    return st.builds(whole, _IDS, _IDS, _TIMES)


def vonage_received(
    group: list[str], text: str, **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the webhook of a message from the first of *group* to the others."""
    return _vonage(
        {
            "channel": "mms",
            "to": OWN["vonage"][1:],
            "from": group[0][1:],
            "message_type": "image",
            "image": {"url": "https://m.example/a.jpg", "caption": text},
            "mms": {"participants": [number[1:] for number in group[1:]]},
            **more,
        }
    )


def vonage_news(
    group: list[str], detail: str = "No", **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw news of the copy of the first of *group*."""
    word = st.sampled_from(["submitted", "delivered", "rejected", "undeliverable"])
    return word.flatmap(
        lambda status: _vonage(
            {
                "to": group[0][1:],
                "from": OWN["vonage"][1:],
                "status": status,
                "client_ref": LEG,
                "usage": {"currency": "EUR", "price": "0.0333"},
                "destination": {"network_code": "310260"},
                "error": {"type": "https://v.example/#1240", "detail": detail},
                **more,
            }
        )
    )


def _vonage(about: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda key, when: {"message_uuid": key, "timestamp": when, **about},
        _IDS,
        _TIMES,
    )


def bandwidth_received(
    group: list[str], text: str, **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the event of a message from the first of *group* to the others."""
    ours = LINES["bandwidth"]
    message = {
        "owner": ours,
        "direction": "in",
        "to": [ours, *group[1:]],
        "from": group[0],
        "text": text,
        "media": ["https://m.example/a.jpg"],
        **more,
    }
    return _bandwidth("message-received", ours, message)


def bandwidth_news(
    group: list[str], description: str = "Blocked", **more: Any
) -> st.SearchStrategy[dict[str, Any]]:
    """Draw news of the copy of the first of *group*."""
    ours = LINES["bandwidth"]
    message = {"owner": ours, "to": group, "from": ours, "tag": LEG, **more}
    about = {"errorCode": 4775, "description": description, "carrierName": "T-Mobile"}
    word = st.sampled_from(
        ["message-sending", "message-sent", "message-delivered", "message-failed"]
    )
    return word.flatmap(lambda kind: _bandwidth(kind, group[0], message, **about))


def _bandwidth(
    kind: str, to: str, message: dict[str, Any], **about: Any
) -> st.SearchStrategy[dict[str, Any]]:
    def whole(key: str, when: str | None) -> dict[str, Any]:
        told = {"type": kind, "time": when, "to": to, **about}
        return {**told, "message": {"id": key, **message}}

    return st.builds(whole, _IDS, _TIMES)


_MAKERS: Final[dict[Reader, tuple[Callable[..., Any], ...]]] = {
    "bandwidth": (bandwidth_received, bandwidth_news),
    "telnyx": (telnyx_received, telnyx_news),
    "vonage": (vonage_received, vonage_news),
}


@st.composite
def documents(draw: st.DrawFn, carrier: Reader) -> dict[str, Any]:
    """Draw a webhook's document as *carrier* writes it."""
    make = draw(st.sampled_from(_MAKERS[carrier]))
    drawn: dict[str, Any] = draw(make(draw(people()), draw(said())))
    return drawn


def bodies(carrier: Reader) -> st.SearchStrategy[bytes]:
    """Draw a webhook's body as *carrier* writes it."""
    return documents(carrier).map(
        lambda document: json.dumps(document, ensure_ascii=False).encode()
    )
