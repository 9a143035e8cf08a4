"""What Vonage refuses at once, and how it says so.

Source: Messages OpenAPI document 1.20.0 (OutboundMMS schemas, channelOptionsMms, the
422 examples) and the group MMS page, read 2026-11-21. Most of what is wrong with a
number or a message is not refused here but comes later as `rejected`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from attrs import field, frozen

from ..wire import Json

__all__ = ["MEDIA_TYPES", "Leg", "Problem", "check"]

MEDIA_TYPES = ("image", "vcard", "audio", "video", "file")
_MESSAGE_TYPES = frozenset({"text", "content", *MEDIA_TYPES})
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")  # E.164 without a plus sign
_LONGEST_CAPTION = 3000
_LONGEST_REFERENCE = 100
_TTL = range(300, 259_201)

_TITLES: Mapping[str, str] = MappingProxyType(
    {  # fragment of `type` to title; an older numbering than the status codes'
        "invalid-json": "The request body did not contain valid JSON",
        "1100": "Unsupported channel",
        "1110": "Invalid channel parameters",
        "1120": "Invalid sender",
        "110": "Invalid recipient",
        "1140": "Invalid message type",
        "1150": "Invalid params",
        "1060": "Invalid client reference",
    }
)


@frozen
class Problem:
    """A 422: which error, and what is wrong with which parameter."""

    fragment: str
    detail: str
    invalid: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """Return the title that goes with the error."""
        return _TITLES[self.fragment]


@frozen
class Leg:
    """A send that passed every check: one member's copy."""

    sender: str
    to: str
    participants: tuple[str, ...]
    text: str = field(repr=False)
    media: tuple[str, ...] = field(repr=False)
    client_ref: str | None
    webhook_url: str | None = field(repr=False)
    version: str


Body: TypeAlias = Mapping[str, Json]
Check: TypeAlias = Callable[[Body], Problem | None]


def _channel(body: Body) -> Problem | None:
    if body.get("channel") == "mms":
        return None
    return Problem("1100", "The simulator speaks the channel mms only.")


def _sender(body: Body) -> Problem | None:
    # Short codes are too short for the schema's 7 digits, yet allowed by the MMS page.
    sender = body.get("from")
    if isinstance(sender, str) and re.fullmatch(r"[0-9]{5,15}", sender):
        return None
    return Problem("1120", "from must be a number without a plus sign.")


def _recipient(body: Body) -> Problem | None:
    if _is_number(body.get("to")):
        return None
    return Problem("110", "to must be one number of 7 to 15 digits, without a plus.")


def _message_type(body: Body) -> Problem | None:
    kind = body.get("message_type")
    if isinstance(kind, str) and kind in _MESSAGE_TYPES:
        return None
    return Problem("1140", "message_type is none of the channel's.")


def _payload(body: Body) -> Problem | None:
    kind = str(body["message_type"])
    if kind == "text":
        text = body.get("text")
        present = isinstance(text, str) and text != ""
        return None if present else _invalid(("text", "is required."))
    if kind == "content":
        return _content(body.get("content"))
    wrong = _attachment(body.get(kind), kind)
    return _invalid(*wrong) if wrong else None


def _content(items: Json) -> Problem | None:
    if not isinstance(items, list) or not items:
        return _invalid(("content", "must have one or more items."))
    for place, item in enumerate(items):
        path = f"content[{place}]"
        wrong = _attachment(item, path)
        if isinstance(item, dict) and item.get("type") not in MEDIA_TYPES:
            wrong = (*wrong, (f"{path}.type", "is not a kind of attachment."))
        if wrong:
            return _invalid(*wrong)
    return None


def _attachment(item: Json, path: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(item, dict):
        return ((path, "is required."),)
    url, caption = item.get("url"), item.get("caption")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return ((f"{path}.url", "is required."),)
    if caption is None:
        return ()
    if not isinstance(caption, str) or not 1 <= len(caption) <= _LONGEST_CAPTION:
        return ((f"{path}.caption", f"must have 1 to {_LONGEST_CAPTION} characters."),)
    return ()


def _ttl(body: Body) -> Problem | None:
    ttl = body.get("ttl")
    if ttl is None or (isinstance(ttl, int) and ttl in _TTL):
        return None
    return _invalid(("ttl", f"must be from {_TTL.start} to {_TTL.stop - 1}."))


def _reference(body: Body) -> Problem | None:
    given = body.get("client_ref")
    if given is None or (isinstance(given, str) and len(given) <= _LONGEST_REFERENCE):
        return None
    why = f"client_ref must be a string of up to {_LONGEST_REFERENCE} characters."
    return Problem("1060", why)


def _webhook(body: Body) -> Problem | None:
    if not isinstance(body.get("webhook_url"), str | None):
        return _invalid(("webhook_url", "must be a URL."))
    if body.get("webhook_version", "v1") not in ("v0.1", "v1"):
        return _invalid(("webhook_version", "must be v0.1 or v1."))
    return None


def _roster(body: Body) -> Problem | None:
    mms = body.get("mms")
    if mms is None:
        return None
    if not isinstance(mms, dict) or not isinstance(mms.get("participants"), list):
        return _invalid(("mms.participants", "must be an array."))
    return None


_CHECKS: tuple[Check, ...] = (
    _channel,
    _sender,
    _recipient,
    _message_type,
    _payload,
    _ttl,
    _reference,
    _webhook,
    _roster,
)


def check(body: Body, senders: Sequence[str], *, strict: bool) -> Leg | Problem:
    """Return the leg that *body* orders, or why it is refused.

    Whether Vonage looks at the participants is documented nowhere: *strict* refuses
    ones that are no numbers, repeated, or already `to` or `from`.
    """
    for one in _CHECKS:
        problem = one(body)
        if problem is not None:
            return problem
    if body["from"] not in senders:
        return Problem("1120", "from is not a number of this account.")
    participants = _participants(body)
    if strict and (wrong := _bad_roster(body, participants)):
        return _invalid(("mms.participants", wrong))
    text, media = _said(body)
    return Leg(
        sender=str(body["from"]),
        to=str(body["to"]),
        participants=tuple(str(one) for one in participants if _is_number(one)),
        text=text,
        media=media,
        client_ref=_text(body, "client_ref"),
        webhook_url=_text(body, "webhook_url"),
        version=_text(body, "webhook_version") or "v1",
    )


def _bad_roster(body: Body, participants: list[Json]) -> str | None:
    if not all(_is_number(one) for one in participants):
        return "must hold numbers without a plus sign."
    if len({str(one) for one in participants}) < len(participants):
        return "names a number twice."
    if body["to"] in participants or body["from"] in participants:
        return "must name neither to nor from."
    return None


def _said(body: Body) -> tuple[str, tuple[str, ...]]:
    kind = str(body["message_type"])
    if kind == "text":
        return str(body["text"]), ()
    given = body[kind]
    items = given if isinstance(given, list) else [given]
    parts = [item for item in items if isinstance(item, dict)]
    captions = [str(part["caption"]) for part in parts if part.get("caption")]
    return "\n".join(captions), tuple(str(part["url"]) for part in parts)


def _participants(body: Body) -> list[Json]:
    mms = body.get("mms")
    given = mms.get("participants") if isinstance(mms, dict) else None
    return given if isinstance(given, list) else []


def _invalid(*wrong: tuple[str, str]) -> Problem:
    return Problem("1150", "A parameter is missing or not allowed.", wrong)


def _is_number(value: Json) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def _text(body: Body, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None
