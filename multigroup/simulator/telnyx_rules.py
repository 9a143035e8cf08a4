"""What Telnyx refuses, in order, and how it says so.

Sources: the API reference of `POST /messages/group_mms`, the messaging error code
list and the group messaging guide, all read 2026-11-21. The order of the checks and
the HTTP statuses of 40300, 40308, 40316 and 40317 are documented nowhere; 400 is a
guess. Only the code should be relied upon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from attrs import field, frozen

from .. import phone
from ..wire import Json

__all__ = ["ERRORS", "Account", "Kind", "Order", "Refusal", "check_group", "check_one"]

Kind: TypeAlias = Literal["long_code", "toll_free", "short_code"]

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_URL = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
_LONGEST_URL = 2000  # code 10003, error code list
_MOST_MEDIA = 10  # code 40317, error code list
_MOST_RECIPIENTS = 8  # group messaging guide: "no more than 8", in prose only

ERRORS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "10003": (400, "Invalid URL"),
        "10004": (400, "Missing required parameter"),
        "10005": (404, "Resource not found"),
        "10009": (401, "Authentication failed"),
        "10011": (429, "Too many requests"),
        "10015": (400, "Bad Request"),
        "10023": (400, "Invalid JSON"),
        "10027": (422, "Unprocessable Entity"),
        "10036": (409, "Resource is currently being processed"),
        "20012": (403, "Account inactive"),
        "40100": (400, "Number not messaging enabled"),
        "40300": (400, "Blocked due to STOP message"),
        "40303": (404, "Message not found"),
        "40305": (400, "Invalid 'from' address"),
        "40306": (409, "Alpha sender not configured"),
        "40308": (400, "Invalid 'from' address for MMS"),
        "40309": (400, "Invalid destination region"),
        "40310": (400, "Invalid 'to' address"),
        "40315": (400, "Unhealthy 'from' address"),
        "40316": (400, "No content provided"),
        "40317": (400, "Invalid MMS content"),
        "40318": (429, "Message queue is full"),
        "40322": (400, "Blocked due to content"),
        "40333": (403, "Messaging profile spend limit reached"),
    }
)


@frozen
class Refusal:
    """An error of the API: its code, why, and the field it points at."""

    code: str
    detail: str
    pointer: str | None = None


@frozen
class Account:
    """What the checks must know of the account."""

    numbers: Mapping[str, Kind]
    opted_out: frozenset[str]
    smallest_group: int


@frozen
class Order:
    """A send that passed every check."""

    sender: str
    to: tuple[str, ...]
    text: str | None = field(repr=False)
    subject: str | None = field(repr=False)
    media: tuple[str, ...] = field(repr=False)
    webhook_url: str | None = field(repr=False)
    failover_url: str | None = field(repr=False)
    use_profile: bool


Body: TypeAlias = Mapping[str, Json]
Check: TypeAlias = Callable[[Body, Account], Refusal | None]


def _from_present(body: Body, _: Account) -> Refusal | None:
    if isinstance(body.get("from"), str) and body["from"]:
        return None
    return Refusal("10004", "The 'from' parameter is required.", "/from")


def _from_known(body: Body, account: Account) -> Refusal | None:
    if body["from"] in account.numbers:
        return None
    return Refusal("40305", "'from' is on no messaging profile of yours.", "/from")


def _from_long_code(body: Body, account: Account) -> Refusal | None:
    if account.numbers[str(body["from"])] == "long_code":
        return None
    return Refusal("40308", "Group messages are sent from long codes only.", "/from")


def _to_list(body: Body, account: Account) -> Refusal | None:
    to = body.get("to")
    if to is None:
        return Refusal("10004", "The 'to' parameter is required.", "/to")
    if not isinstance(to, list):
        return Refusal("10015", "'to' must be an array of numbers.", "/to")
    if not account.smallest_group <= len(to) <= _MOST_RECIPIENTS:
        wanted = f"{account.smallest_group} to {_MOST_RECIPIENTS}"
        return Refusal("10015", f"'to' must hold {wanted} numbers.", "/to")
    return None


def _to_single(body: Body, _: Account) -> Refusal | None:
    to = body.get("to")
    if to is None:
        return Refusal("10004", "The 'to' parameter is required.", "/to")
    if isinstance(to, list):
        why = "The array of destinations must have exactly 1 number."
        return Refusal("40310", why, "/to")
    return None


def _recipients(body: Body) -> list[Json]:
    to = body["to"]
    return to if isinstance(to, list) else [to]


def _to_valid(body: Body, _: Account) -> Refusal | None:
    for place, number in enumerate(_recipients(body)):
        if not isinstance(number, str) or not _E164.fullmatch(number):
            why = "Each destination should be a single valid number."
            return Refusal("40310", why, f"/to/{place}")
    return None


def _to_served(body: Body, _: Account) -> Refusal | None:
    for place, number in enumerate(_recipients(body)):
        try:
            phone.parse(str(number))
        except ValueError:
            why = "The destination is outside the United States and Canada."
            return Refusal("40309", why, f"/to/{place}")
    return None


def _not_blocked(body: Body, account: Account) -> Refusal | None:
    for place, number in enumerate(_recipients(body)):
        if number in account.opted_out:
            why = "The destination has opted out of this messaging profile."
            return Refusal("40300", why, f"/to/{place}")
    return None


def _typed(body: Body, _: Account) -> Refusal | None:
    for name in ("text", "subject", "webhook_url", "webhook_failover_url"):
        if not isinstance(body.get(name), str | None):
            return Refusal("10015", f"'{name}' must be a string.", f"/{name}")
    if not isinstance(body.get("use_profile_webhooks"), bool | None):
        why = "'use_profile_webhooks' must be a boolean."
        return Refusal("10015", why, "/use_profile_webhooks")
    media = body.get("media_urls")
    if media is not None and not isinstance(media, list):
        return Refusal("10015", "'media_urls' must be an array.", "/media_urls")
    return None


def _content(body: Body, _: Account) -> Refusal | None:
    if body.get("text") or body.get("media_urls"):
        return None
    return Refusal("40316", "A message needs text or media.", "/text")


def _media_count(body: Body, _: Account) -> Refusal | None:
    if len(_media(body)) <= _MOST_MEDIA:
        return None
    return Refusal("40317", f"At most {_MOST_MEDIA} media files fit.", "/media_urls")


def _urls(body: Body, _: Account) -> Refusal | None:
    named = [("/media_urls", url) for url in _media(body)]
    given = ("webhook_url", "webhook_failover_url")
    named += [(f"/{name}", body[name]) for name in given if body.get(name)]
    for pointer, url in named:
        if not _is_url(url):
            return Refusal("10003", "That is not a valid URL.", pointer)
    return None


def _is_url(url: Json) -> bool:
    if not isinstance(url, str) or len(url) > _LONGEST_URL:
        return False
    return _URL.fullmatch(url) is not None


def _media(body: Body) -> list[Json]:
    media = body.get("media_urls")
    return media if isinstance(media, list) else []


_COMMON: tuple[Check, ...] = (
    _to_valid,
    _to_served,
    _typed,
    _not_blocked,
    _content,
    _media_count,
    _urls,
)
_GROUP: tuple[Check, ...] = (
    _from_present,
    _from_known,
    _from_long_code,
    _to_list,
    *_COMMON,
)
_ONE: tuple[Check, ...] = (_from_present, _from_known, _to_single, *_COMMON)


def check_group(body: Body, account: Account) -> Order | Refusal:
    """Return the group send that *body* orders, or why it is refused."""
    return _checked(body, account, _GROUP)


def check_one(body: Body, account: Account) -> Order | Refusal:
    """Return the send to one number that *body* orders, or why it is refused."""
    return _checked(body, account, _ONE)


def _checked(
    body: Body, account: Account, checks: tuple[Check, ...]
) -> Order | Refusal:
    for check in checks:
        refusal = check(body, account)
        if refusal is not None:
            return refusal
    return Order(
        sender=str(body["from"]),
        to=tuple(dict.fromkeys(str(number) for number in _recipients(body))),
        text=_text(body, "text"),
        subject=_text(body, "subject"),
        media=tuple(str(url) for url in _media(body)),
        webhook_url=_text(body, "webhook_url"),
        failover_url=_text(body, "webhook_failover_url"),
        use_profile=body.get("use_profile_webhooks") is not False,
    )


def _text(body: Body, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None
