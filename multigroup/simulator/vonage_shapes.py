"""Vonage's webhooks: what people write, and what becomes of a leg.

Sources: Messages OpenAPI document 1.20.0 (inboundMessageMMS, messageStatusMMS), the
group MMS page, the MMS page and the page on status callbacks, read 2026-11-21.
`VonageQuirks` has a switch where these are silent or differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from attrs import frozen

from ..wire import Json
from .handset import Arrival, Failing
from .vonage_rules import Leg

__all__ = [
    "FAILURES",
    "OPTED_OUT",
    "Late",
    "State",
    "Status",
    "VonageQuirks",
    "inbound",
    "status_event",
    "with_plus",
    "without_plus",
]

Status: TypeAlias = Literal["submitted", "delivered", "rejected", "undeliverable"]

_NETWORK = "310260"
_LONGEST_SHORT_CODE = 6


@frozen
class Late:
    """A failure that comes after the 202: with or without `submitted` before it."""

    status: Status
    code: str
    detail: str
    submitted: bool


State: TypeAlias = tuple[Status, Late | None]

# STOP is refused by Vonage itself and so never submitted (status codes, 1240).
OPTED_OUT = Late("rejected", "1240", "The user has opted out with STOP.", False)

FAILURES: Mapping[Failing, Late] = MappingProxyType(
    {
        "landline": Late("rejected", "1300", "Not part of the network.", True),
        "spam": Late("rejected", "1210", "Held back as spam.", True),
        "unreachable": Late("rejected", "1180", "Temporarily unavailable.", True),
        "not_registered": Late("rejected", "1140", "Facility not allowed.", False),
        "carrier_down": Late("undeliverable", "1100", "Communication failed.", False),
        "expired": Late("rejected", "1360", "The TTL was exceeded.", False),
    }
)

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("jpg", "jpeg", "png", "gif", "bmp"), "image"),
        **dict.fromkeys(("mp3", "amr", "midi", "wav", "ac3"), "audio"),
        **dict.fromkeys(("mp4", "3gp", "3pg", "avi", "mpg"), "video"),
        "vcf": "vcard",
    }
)


@frozen(kw_only=True)
class VonageQuirks:
    """How this run resolves what Vonage's pages leave open or contradict.

    Attributes:
        receipts: who is said to be `delivered`: everyone, by a receipt of the carrier;
            phones on the sender's network only; or nobody.
        title_as: the code in a status's `error.title`, a string (OpenAPI) or an
            integer (older pages).
        milliseconds: timestamps have them.
        usage_on: which statuses carry `usage`.
        strict: participants are checked; else they are taken as they come.
        rate: requests per second and account before 429, or None for no limit.
        limit_headers: a 429 has its four headers.
        repeat_primary: `content` of an inbound message repeats the first attachment.
        network_code: events name the network.
    """

    receipts: Literal["carrier", "on_net", "none"] = "carrier"
    title_as: Literal["string", "integer"] = "string"
    milliseconds: bool = False
    usage_on: frozenset[Status] = frozenset({"submitted"})
    strict: bool = True
    rate: int | None = 30
    limit_headers: bool = True
    repeat_primary: bool = True
    network_code: bool = True


def with_plus(number: str) -> str:
    """Return *number* as phones write it: E.164, or a short code as it is."""
    return f"+{number}" if len(number) > _LONGEST_SHORT_CODE else number


def without_plus(number: str) -> str:
    """Return *number* as Vonage writes it."""
    return number.removeprefix("+")


def status_event(
    leg: Leg,
    uuid: str,
    at: datetime,
    state: State,
    quirks: VonageQuirks,
) -> dict[str, Json]:
    """Return the status webhook of *leg* in the version that the leg asked for."""
    status, late = state
    old = leg.version == "v0.1"
    event: dict[str, Json] = {
        "message_uuid": uuid,
        "to": {"type": "mms", "number": leg.to} if old else leg.to,
        "from": {"type": "mms", "number": leg.sender} if old else leg.sender,
        "timestamp": _stamp(at, quirks),
        "status": status,
    }
    if not old:
        event["channel"] = "mms"
        if quirks.network_code:
            event["destination"] = {"network_code": _NETWORK}
    if leg.client_ref is not None:
        event["client_ref"] = leg.client_ref
    if status in quirks.usage_on:  # an example price, in the only currency there is
        event["usage"] = {"currency": "EUR", "price": "0.0333"}
    if late is not None:
        event["error"] = _old_error(late) if old else _error(late, uuid, quirks)
    return event


def inbound(
    arrival: Arrival, uuid: str, at: datetime, quirks: VonageQuirks
) -> dict[str, Json]:
    """Return the inbound webhook: members but the sender are in `mms`."""
    bubble = arrival.bubble
    event: dict[str, Json] = {
        "channel": "mms",
        "message_uuid": uuid,
        "to": without_plus(arrival.number),
        "from": without_plus(bubble.sender),
        "timestamp": _stamp(at, quirks),
        **_said(bubble.text, bubble.media, quirks),
    }
    if quirks.network_code:
        event["origin"] = {"network_code": _NETWORK}
    if arrival.others:
        listed = [without_plus(number) for number in sorted(arrival.others)]
        event["mms"] = {"participants": [*listed]}
    return event


def _said(text: str, media: tuple[str, ...], quirks: VonageQuirks) -> dict[str, Json]:
    if not media:
        return {"message_type": "text", "text": text}
    parts = [(_kind(url), url) for url in media]
    kind, url = parts[0]
    primary: dict[str, Json] = {"url": url, "name": _name(url)}
    if text:  # documented for images and files only; a guess for the others
        primary["caption"] = text
    said: dict[str, Json] = {"message_type": kind, kind: primary}
    if len(parts) > 1:
        listed = parts if quirks.repeat_primary else parts[1:]
        said["content"] = [{"type": kind, "url": url} for kind, url in listed]
    return said


def _kind(url: str) -> str:
    return _KINDS.get(_name(url).rpartition(".")[2].lower(), "file")


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _error(late: Late, uuid: str, quirks: VonageQuirks) -> dict[str, Json]:
    title: Json = late.code if quirks.title_as == "string" else int(late.code)
    return {
        "type": f"https://developer.vonage.com/api-errors/messages#{late.code}",
        "title": title,
        "detail": late.detail,
        "instance": uuid,
    }


def _old_error(late: Late) -> dict[str, Json]:
    return {"code": int(late.code), "reason": late.detail}


def _stamp(at: datetime, quirks: VonageQuirks) -> str:
    timespec = "milliseconds" if quirks.milliseconds else "seconds"
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
