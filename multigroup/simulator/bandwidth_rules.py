"""What Bandwidth refuses at once, and which fields it blames.

Sources: the OpenAPI document (messageRequest, createMessageRequestError), the guides
on creating messages, webhooks and errors, read 2026-11-27. They give no order of
checks; as `fieldErrors` is a list, every wrong field is named in it. The words of a
description are documented for one field only, so nothing should be read from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from attrs import field, frozen

from ..wire import Json

__all__ = [
    "MOST_RECIPIENTS",
    "BandwidthAccount",
    "BandwidthKind",
    "BandwidthOrder",
    "Wrong",
    "check",
    "moment",
    "recipients",
]

BandwidthKind: TypeAlias = Literal["local", "toll_free", "short_code"]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9A-Za-z]{3,11}")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_LONGEST_TEXT = 2048  # OpenAPI document
_LONGEST_TAG = 1024  # OpenAPI document
_LONGEST_URL = 4096  # OpenAPI document
_MOST_MEDIA = 10  # support article on MMS file sizes
MOST_RECIPIENTS = 10  # webhooks guide: more is "a 400 error"


@frozen
class Wrong:
    """A field that was not accepted, and why."""

    name: str
    why: str


@frozen
class BandwidthAccount:
    """What the checks must know of the account."""

    application_id: str
    numbers: Mapping[str, BandwidthKind]
    bare_to: bool
    late_crowd: bool
    late_sender: bool


@frozen
class BandwidthOrder:
    """A send that passed every check."""

    sender: str
    to: tuple[str, ...]
    text: str = field(repr=False)
    media: tuple[str, ...] = field(repr=False)
    tag: str | None
    priority: str | None
    expiration: datetime | None

    @property
    def mms(self) -> bool:
        """Tell whether it goes as MMS: media, or more than one recipient."""
        return bool(self.media) or len(self.to) > 1


Body: TypeAlias = Mapping[str, Json]
Check: TypeAlias = Callable[[Body, BandwidthAccount], str | None]


def _application(body: Body, account: BandwidthAccount) -> str | None:
    if body.get("applicationId") == account.application_id:
        return None
    return "must be an application of this account"


def _sender(body: Body, account: BandwidthAccount) -> str | None:
    sender = body.get("from")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        return "must be an E164 formatted telephone number or a short code"
    if sender not in account.numbers:
        return None if account.late_sender else "is no number of this account"
    if len(recipients(body)) > 1 and account.numbers[sender] != "local":
        return "cannot send to groups; only local numbers can"
    return None


def _to(body: Body, account: BandwidthAccount) -> str | None:
    given = body.get("to")
    if isinstance(given, str) and not account.bare_to:
        return "must be an array"
    numbers = recipients(body)
    if not numbers:
        return "must name one or more recipients"
    if not all(isinstance(one, str) and _E164.fullmatch(one) for one in numbers):
        return "must hold E164 formatted telephone numbers"
    if len({str(one) for one in numbers}) < len(numbers):
        return "must not name a recipient twice"
    if len(numbers) > MOST_RECIPIENTS and not account.late_crowd:
        return f"must not hold more than {MOST_RECIPIENTS} recipients"
    return None


def _text(body: Body, _: BandwidthAccount) -> str | None:
    text = body.get("text")
    if not isinstance(text, str | None):
        return "must be a string"
    if len(text or "") > _LONGEST_TEXT:
        return f"must not have more than {_LONGEST_TEXT} characters"
    if not text and not body.get("media"):
        return "must not be empty where there is no media"
    return None


def _media(body: Body, _: BandwidthAccount) -> str | None:
    media = body.get("media")
    if media is None:
        return None
    if not isinstance(media, list) or not all(_is_url(one) for one in media):
        return f"must hold URLs of up to {_LONGEST_URL} characters"
    return None if len(media) <= _MOST_MEDIA else f"must not hold over {_MOST_MEDIA}"


def _tag(body: Body, _: BandwidthAccount) -> str | None:
    tag = body.get("tag")
    if isinstance(tag, str | None) and len(tag or "") <= _LONGEST_TAG:
        return None
    return f"must be a string of up to {_LONGEST_TAG} characters"


def _priority(body: Body, _: BandwidthAccount) -> str | None:
    right = body.get("priority") in (None, "default", "high")
    return None if right else "must be default or high"


def _expiration(body: Body, _: BandwidthAccount) -> str | None:
    given = body.get("expiration")
    if given is None or moment(given) is not None:
        return None
    return "must be a time with an offset, as in RFC 3339"


_CHECKS: tuple[tuple[str, Check], ...] = (
    ("applicationId", _application),
    ("from", _sender),
    ("to", _to),
    ("text", _text),
    ("media", _media),
    ("tag", _tag),
    ("priority", _priority),
    ("expiration", _expiration),
)


def check(body: Body, account: BandwidthAccount) -> BandwidthOrder | tuple[Wrong, ...]:
    """Return the send that *body* orders, or every field that is wrong with it."""
    wrong = tuple(_wrong(body, account))
    if wrong:
        return wrong
    media = body.get("media")
    return BandwidthOrder(
        sender=str(body["from"]),
        to=tuple(str(number) for number in recipients(body)),
        text=str(body.get("text") or ""),
        media=tuple(str(url) for url in media) if isinstance(media, list) else (),
        tag=_string(body, "tag"),
        priority=_string(body, "priority"),
        expiration=moment(body.get("expiration")),
    )


def recipients(body: Body) -> list[Json]:
    """Return whom *body* names in `to`, a list or one number."""
    to = body.get("to")
    if isinstance(to, list):
        return to
    return [to] if to else []


def moment(value: Json) -> datetime | None:
    """Return the time that *value* tells, if it does so and with an offset."""
    try:
        told = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return told if told is not None and told.tzinfo is not None else None


def _wrong(body: Body, account: BandwidthAccount) -> Iterator[Wrong]:
    for name, judge in _CHECKS:
        why = judge(body, account)
        if why is not None:
            yield Wrong(name, f"'{name}' {why}")


def _is_url(value: Json) -> bool:
    if not isinstance(value, str) or len(value) > _LONGEST_URL:
        return False
    return _URL.fullmatch(value) is not None


def _string(body: Body, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None
