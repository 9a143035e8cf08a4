"""Bandwidth's documents: the message in answers, callbacks and look-ups.

Sources: the guides on creating messages, webhooks and errors, the OpenAPI document
(message, messageCallback, listMessageItem), the support article on MMS delivery
receipts; all read 2026-11-27. `BandwidthQuirks` has a switch where they are silent or
contradict each other.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from ..wire import Json
from .bandwidth_rules import BandwidthOrder
from .handset import Arrival, Failing

__all__ = [
    "CODES",
    "EXPIRED",
    "FAILURES",
    "BandwidthQuirks",
    "BandwidthSent",
    "EventType",
    "answer",
    "arrived",
    "envelope",
    "found",
    "message_id",
    "status_event",
]

EventType: TypeAlias = Literal[
    "message-sending", "message-sent", "message-delivered", "message-failed"
]

CODES: Mapping[int, str] = MappingProxyType(
    {  # code to description (errors guide, read 2026-11-27)
        4360: "message-not-sent-expiration-date-passed",
        4401: "rejected-routing-error",
        4403: "rejected-forbidden-from-number",
        4410: "media-unavailable",
        4432: "rejected-forbidden-country",
        4435: "forbidden-too-many-recipients",
        4702: "destination-subscriber-unavailable",
        4720: "invalid-destination-address",
        4770: "destination-spam-detected",
        4774: "provisioning-issue",
        4775: "destination-rejected-due-to-user-opt-out",
        5600: "destination-carrier-queue-full",
        9902: "delivery-receipt-expired",
    }
)

FAILURES: Mapping[Failing, int] = MappingProxyType(
    {
        "landline": 4720,
        "spam": 4770,
        "unreachable": 4702,
        "not_registered": 4774,
        "carrier_down": 5600,
        "expired": 4360,
    }
)

EXPIRED = 9902
"""No receipt came in two hours; whether the message did is not known."""

_SAID: Mapping[EventType, str] = MappingProxyType(
    {  # examples of the OpenAPI document, read 2026-11-27
        "message-sending": "Message is sending to carrier.",
        "message-sent": "Message sent to carrier",
        "message-delivered": "Message delivered to carrier.",
    }
)

_LETTERS = string.digits + string.ascii_lowercase
_SEGMENT = {True: 160, False: 70}  # GSM-7 or not; webhooks guide


@frozen(kw_only=True)
class BandwidthQuirks:
    """How this run resolves what Bandwidth's pages leave open or contradict.

    Attributes:
        body_as: a callback's body, an array (guide) or the bare event (OpenAPI).
        together: events of one moment share an array instead of coming one by one.
        mms_dlr: the account has delivery receipts for MMS. Without, the event
            `message-delivered` says that the message was handed over, and no more.
        receipts: with `mms_dlr`, who gets a receipt: everyone, from their carrier;
            phones on the sender's network only; or nobody.
        no_receipt: what comes two hours later for the others: a `message-failed` with
            code 9902, or nothing (support article).
        own_refusals: what Bandwidth itself will not send (codes 41xx to 44xx) is told
            without `mms_dlr`, too. The webhooks guide says both yes and no.
        sent_event: `message-sent` comes before the last event (OpenAPI only).
        owner_as: `owner` in events about a send, our number (field's text) or the
            recipient (examples).
        bare_to: `to` may be one number as a string (guide, not OpenAPI).
        crowd: more than ten recipients are refused with 400, or fail with 4435.
        unknown_sender: a `from` not of the account is refused with 400, or fails with
            4403.
        opt_out: who keeps to STOP: the application alone, or the members' carriers,
            with code 4775. Carriers are not bound to on 10DLC.
        rate: recipients a minute; a queue takes those of 15 minutes, then comes 429.
            None is no limit.
    """

    body_as: Literal["array", "object"] = "array"
    together: bool = False
    mms_dlr: bool = False
    receipts: Literal["carrier", "on_net", "none"] = "carrier"
    no_receipt: Literal["failed", "silence"] = "failed"
    own_refusals: bool = True
    sent_event: bool = False
    owner_as: Literal["sender", "recipient"] = "sender"
    bare_to: bool = True
    crowd: Literal["refused", "failed"] = "refused"
    unknown_sender: Literal["refused", "failed"] = "refused"
    opt_out: Literal["application", "carrier"] = "application"
    rate: int | None = None


@define(eq=False)
class BandwidthSent:
    """A message on record: sent, with how each recipient stands, or received."""

    id: str
    at: datetime
    order: BandwidthOrder
    inbound: bool
    statuses: dict[str, str]
    codes: dict[str, int] = field(factory=dict[str, int])


def message_id(now: float, random: Random) -> str:
    """Return an id as Bandwidth makes them: milliseconds, then letters and digits."""
    return f"{int(now * 1000)}{''.join(random.choices(_LETTERS, k=16))}"


def answer(sent: BandwidthSent, application_id: str) -> dict[str, Json]:
    """Return the body of a 202."""
    order = sent.order
    return {
        **_message(sent, application_id, order.sender),
        "text": order.text,
        "time": _stamp(sent.at, "milliseconds"),
        **_given("tag", order.tag),
        **_given("priority", order.priority),
        **_given(
            "expiration", order.expiration.isoformat() if order.expiration else None
        ),
    }


def status_event(
    sent: BandwidthSent,
    to: str,
    kind: EventType,
    about: tuple[datetime, str],
    quirks: BandwidthQuirks,
) -> dict[str, Json]:
    """Return the event *kind* for recipient *to*; *about* is its time and application.

    The text is never repeated; `to` inside `message` is the whole group (guide).
    """
    at, application_id = about
    owner = to if quirks.owner_as == "recipient" else sent.order.sender
    code = sent.codes.get(to) if kind == "message-failed" else None
    return {
        "time": _stamp(at, "microseconds"),
        "type": kind,
        "to": to,
        "description": _SAID.get(kind) or CODES[code or EXPIRED],
        "message": {
            **_message(sent, application_id, owner),
            "text": "",
            **_given("tag", sent.order.tag),
        },
        **({} if code is None else {"errorCode": code}),
    }


def arrived(
    arrival: Arrival, sent: BandwidthSent, application_id: str
) -> dict[str, Json]:
    """Return `message-received` for the one number of ours that *arrival* came to.

    Each of several own numbers in a group has an event and an id of its own (guide).
    """
    stamp = _stamp(sent.at, "microseconds")
    return {
        "time": stamp,
        "type": "message-received",
        "to": arrival.number,
        "description": "Incoming message received",
        "message": {
            **_message(sent, application_id, arrival.number),
            "text": sent.order.text,
        },
    }


def envelope(events: Sequence[Json], quirks: BandwidthQuirks) -> Json:
    """Return the body in which *events* go out."""
    return events[0] if quirks.body_as == "object" else [*events]


def found(sent: BandwidthSent, to: str, account_id: str) -> dict[str, Json]:
    """Return the row of *sent* for *to* in a look-up: no text, and no tag either."""
    order = sent.order
    return {
        "messageId": sent.id,
        "accountId": account_id,
        "sourceTn": order.sender,
        "destinationTn": to,
        "messageStatus": sent.statuses[to],
        "messageDirection": "INBOUND" if sent.inbound else "OUTBOUND",
        "messageType": "mms" if order.mms else "sms",
        "segmentCount": _segments(order),
        "errorCode": sent.codes.get(to, 0),
        "receiveTime": _stamp(sent.at, "milliseconds"),
        "carrierName": None,
        "messageSize": len(order.text.encode("utf-8", "replace")),
        "messageLength": len(order.text),
        "attachmentCount": len(order.media),
        "recipientCount": len(order.to),
        "campaignClass": None,
    }


def _message(sent: BandwidthSent, application_id: str, owner: str) -> dict[str, Json]:
    order = sent.order
    return {
        "id": sent.id,
        "owner": owner,
        "applicationId": application_id,
        "time": _stamp(sent.at, "microseconds"),
        "segmentCount": _segments(order),
        "direction": "in" if sent.inbound else "out",
        "to": [*order.to],
        "from": order.sender,
        **({"media": [*order.media]} if order.media else {}),
    }


def _segments(order: BandwidthOrder) -> int:
    if order.mms:
        return 1
    return -(-len(order.text) // _SEGMENT[order.text.isascii()]) or 1


def _given(name: str, value: str | None) -> dict[str, Json]:
    return {} if value is None else {name: value}


def _stamp(at: datetime, timespec: str) -> str:
    written = at.astimezone(UTC).isoformat(timespec=timespec)
    return written.replace("+00:00", "Z")
