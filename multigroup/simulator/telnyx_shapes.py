"""Telnyx's documents: the message in answers and webhooks, and its variants.

Where the vendor's own pages, its OpenAPI document and payloads seen in public differ,
`TelnyxQuirks` has a switch. Sources: API reference of group MMS (2023 and 2026 pages),
group messaging guide, receiving webhooks guide, all read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from types import MappingProxyType
from typing import Literal

from attrs import define, field, frozen

from ..wire import Json
from .handset import Arrival, Failing
from .telnyx_rules import Order

__all__ = ["FAILURES", "Sent", "TelnyxQuirks", "inbound", "message_id", "outbound"]

# Example prices of this simulator, not a rate card: per recipient of a group.
_RATE = Decimal("0.0150")
_FEE = Decimal("0.0090")

_CARRIER = "TELNYX LLC"
_OTHER_CARRIER = "EXAMPLE WIRELESS"

FAILURES: Mapping[Failing, tuple[str, str, str]] = MappingProxyType(
    {  # status, code and title (messaging error code list, read 2026-11-21)
        "landline": ("delivery_failed", "40001", "Not routable"),
        "spam": ("delivery_failed", "40002", "Blocked as spam - temporary"),
        "unreachable": ("delivery_failed", "40008", "Undeliverable"),
        "not_registered": ("delivery_failed", "40010", "Not 10DLC registered"),
        "carrier_down": ("sending_failed", "40006", "Recipient server unavailable"),
        "expired": ("expired", "40014", "Message expired in queue"),
    }
)


@frozen(kw_only=True)
class TelnyxQuirks:
    """How this run resolves what Telnyx's pages leave open or contradict.

    Attributes:
        from_as: the sender in an answer, as an object (OpenAPI) or a string (guide).
        cost: the answer's cost, the sum over the recipients or null.
        cc_as: other members of an inbound group, strings (guide) or objects (OpenAPI).
        cc_includes_us: our own number is among them, as in the guide's example.
        roster_in_to: the whole group stands in `to`, and there is no `cc`.
        finalized: one event per recipient, one for all of them, or none ever.
        meta: events carry `meta` with the number of the try.
        send_sent_event: `message.sent` is posted before `message.finalized`.
        hash_name: what an inbound file's digest is called.
        distinct_ids: each recipient has an id of its own beside the group's.
        group_id_in_answer: the answer to a send names `group_message_id`.
        bare_events: events about a group carry the guide's few fields only.
        smallest_group: how few recipients a group may have.
        idempotency: `Idempotency-Key` is honoured (since October 2026).
        rate: sends per second before 429, or None; no figure is published.
    """

    from_as: Literal["object", "string"] = "object"
    cost: Literal["sum", "null"] = "sum"
    cc_as: Literal["strings", "objects"] = "strings"
    cc_includes_us: bool = True
    roster_in_to: bool = False
    finalized: Literal["per_recipient", "all", "never"] = "per_recipient"
    meta: bool = True
    send_sent_event: bool = True
    hash_name: Literal["sha256", "hash_sha256"] = "sha256"
    distinct_ids: bool = False
    group_id_in_answer: bool = False
    bare_events: bool = False
    smallest_group: int = 2
    idempotency: bool = True
    rate: int | None = None


@define(eq=False)
class Sent:
    """A message under way, and how each recipient stands."""

    id: str
    order: Order
    group: bool
    profile_id: str
    received_at: datetime
    statuses: dict[str, str]
    own_ids: dict[str, str]
    sent_at: datetime | None = None
    completed_at: datetime | None = None
    errors: dict[str, dict[str, Json]] = field(factory=dict[str, dict[str, Json]])

    @property
    def type(self) -> str:
        """Return `MMS` or `SMS`."""
        return "MMS" if self.group or self.order.media else "SMS"


def message_id(now: float, random: Random) -> str:
    """Return an id as Telnyx makes them: its head tells the time in 256 ms steps."""
    head = f"403{int(now * 1000) >> 8:09x}"
    rest = f"4{random.getrandbits(12):03x}{8 + random.getrandbits(2):x}"
    tail = f"{random.getrandbits(60):015x}"
    digits = head + rest + tail
    return "-".join(
        (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    )


def outbound(
    sent: Sent,
    to: Sequence[str],
    quirks: TelnyxQuirks,
    *,
    event: bool,
) -> dict[str, Json]:
    """Return *sent* as far as it concerns *to*, for an answer or for an event."""
    if event and quirks.bare_events and sent.group:
        return _bare(sent, to, quirks)
    order = sent.order
    as_string = quirks.from_as == "string" and not event
    payload: dict[str, Json] = {
        "record_type": "message",
        "direction": "outbound",
        "id": _id(sent, to, quirks),
        "type": sent.type,
        "messaging_profile_id": sent.profile_id,
        "from": order.sender if as_string else _sender(order.sender),
        "to": [_recipient(sent, number) for number in to],
        "cc": [],
        "text": order.text,
        "subject": order.subject,
        "media": [_outgoing_media(url) for url in order.media],
        "webhook_url": order.webhook_url,
        "webhook_failover_url": order.failover_url,
        "use_profile_webhooks": order.use_profile,
        "encoding": "GSM-7" if (order.text or "").isascii() else "UCS-2",
        "parts": 1,
        "tags": [],
        **_prices(len(to), quirks, event=event),
        "received_at": _stamp(sent.received_at),
        "sent_at": _stamp(sent.sent_at),
        "completed_at": _stamp(sent.completed_at),
        "valid_until": None,
        "errors": [sent.errors[number] for number in to if number in sent.errors],
    }
    if sent.group and (event or quirks.group_id_in_answer):
        payload["group_message_id"] = sent.id
    return payload


def inbound(
    arrival: Arrival, word: str | None, ids: tuple[str, str], quirks: TelnyxQuirks
) -> dict[str, Json]:
    """Return the payload of `message.received`; *ids* are the message's and profile's.

    Group example: group messaging guide; `autoresponse_type`: opt-out guide.
    """
    bubble, ours = arrival.bubble, arrival.number
    others = sorted(arrival.others)
    group = bool(others)
    payload: dict[str, Json] = {
        "record_type": "message",
        "direction": "inbound",
        "id": ids[0],
        "type": "MMS" if group or bubble.media else "SMS",
        "messaging_profile_id": ids[1],
        "from": _person(bubble.sender, status="received"),
        "to": [_person(ours, status="webhook_delivered")],
        "text": bubble.text,
        "subject": bubble.subject or "",
        "media": [_incoming_media(url, quirks) for url in bubble.media],
        "encoding": "GSM-7" if bubble.text.isascii() else "UCS-2",
        "parts": 1,
        "tags": [],
        "cost": {"amount": "0.0050", "currency": "USD"},
        "received_at": _stamp(bubble.at),
        "completed_at": None,
        "sent_at": None,
        "valid_until": None,
        "webhook_url": None,
        "webhook_failover_url": None,
        "errors": [],
        **_roster(ours, others, quirks),
    }
    if word is not None:
        payload["autoresponse_type"] = word
    return payload


def _roster(ours: str, others: list[str], quirks: TelnyxQuirks) -> dict[str, Json]:
    if not others:
        return {"cc": []}
    if quirks.roster_in_to:
        everyone = [ours, *others]
        return {"to": [_person(number, status="delivered") for number in everyone]}
    listed = [*others, ours] if quirks.cc_includes_us else others
    if quirks.cc_as == "strings":
        return {"cc": [*listed]}
    return {"cc": [_person(number, status="delivered") for number in listed]}


def _id(sent: Sent, to: Sequence[str], quirks: TelnyxQuirks) -> str:
    own = quirks.distinct_ids and sent.group and len(to) == 1
    return sent.own_ids[to[0]] if own else sent.id


def _bare(sent: Sent, to: Sequence[str], quirks: TelnyxQuirks) -> dict[str, Json]:
    return {
        "direction": "outbound",
        "from": {"phone_number": sent.order.sender},
        "group_message_id": sent.id,
        "id": _id(sent, to, quirks),
        "to": [
            {"phone_number": number, "status": sent.statuses[number]} for number in to
        ],
        "text": sent.order.text,
        "type": sent.type,
    }


def _sender(number: str) -> dict[str, Json]:
    return {"phone_number": number, "carrier": _CARRIER, "line_type": "VoIP"}


def _person(number: str, *, status: str) -> dict[str, Json]:
    return {
        "phone_number": number,
        "status": status,
        "carrier": _OTHER_CARRIER,
        "line_type": "Wireless",
    }


def _recipient(sent: Sent, number: str) -> dict[str, Json]:
    return _person(number, status=sent.statuses[number])


def _outgoing_media(url: str) -> dict[str, Json]:
    return {"url": url, "content_type": None, "sha256": None, "size": None}


def _incoming_media(url: str, quirks: TelnyxQuirks) -> dict[str, Json]:
    digest = "0" * 64  # nothing is fetched, so nothing was digested
    return {
        "url": url,
        "content_type": "image/jpeg",
        "size": 1024,
        quirks.hash_name: digest,
    }


def _prices(count: int, quirks: TelnyxQuirks, *, event: bool) -> dict[str, Json]:
    if quirks.cost == "null" and not event:
        return {"cost": None, "cost_breakdown": None}
    rate, fee = _RATE * count, _FEE * count
    return {
        "cost": _money(rate + fee),
        "cost_breakdown": {"carrier_fee": _money(fee), "rate": _money(rate)},
    }


def _money(amount: Decimal) -> dict[str, Json]:
    return {"amount": f"{amount:.4f}", "currency": "USD"}


def _stamp(at: datetime | None) -> str | None:
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
