"""What Telnyx documents, as tables.

Sources, read 2026-11-21: developers.telnyx.com "Group Messaging", "Receiving
Webhooks for Messaging", "Messaging error codes" and "Idempotency"; the OpenAPI
document of team-telnyx/openapi (2026-07-16); telnyx-python 4.189.0.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...events import (
    Meaning,
    OptedIn,
    OptedOut,
)
from ...models import (
    DeliveryStatus,
    Reason,
    Scope,
)
from ..base import (
    Capabilities,
    LineKind,
    Ruling,
    WebhookAuth,
    rulings,
)

WINDOW = 300
"""Seconds a webhook's timestamp may be off either way ("Receiving Webhooks")."""

CAPABILITIES = Capabilities(
    max_members=8,
    max_media=10,
    max_text=1_000_000,  # an MMS of 1 MB is refused whole (code 40317)
    subject=True,
    group_from=frozenset({LineKind.LONG_CODE}),
    legs_per="send",
    webhook_auth=WebhookAuth(binds_body=True, has_freshness=True),
    idempotency="Idempotency-Key for 24 h; unproven live for group_mms",
    receipts="delivered for Telnyx numbers; other networks stay unconfirmed",
    roster_on_inbound=True,
    sources=(
        "developers.telnyx.com: Group Messaging",
        "team-telnyx/openapi: CreateGroupMmsMessage",
        "support.telnyx.com: article 8255134",
    ),
    as_of="2026-11-21",
)

CODES = rulings(
    (Reason.INVALID_NUMBER, Scope.LINE, "40013"),
    (Reason.INVALID_NUMBER, Scope.MESSAGE, "10001"),
    (Reason.INVALID_NUMBER, Scope.MEMBER, "10002 10016 40012 40310"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "10005 10009 10010 10038 10039 20001 20002"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "20003 20004 20005 20006 20007 20008 20009"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "20012 20013 20014 20015 20016 20017"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "40309 40312 40314 40331 40333"),
    (Reason.REGISTRATION, Scope.LINE, "40010 40019 40100 40305 40308 40321"),
    (Reason.REGISTRATION, Scope.LINE, "40329 40330"),
    (Reason.THROTTLED, Scope.LINE, "40011 40016 40018"),
    (Reason.EXPIRED, Scope.LINE, "40014"),  # in Telnyx's queue: surely not handed over
    (Reason.EXPIRED, Scope.MEMBER, "40005"),
    (Reason.OTHER, Scope.LINE, "40315 40320"),
    (Reason.NOT_MOBILE, Scope.LINE, "40301 40319"),
    (Reason.NOT_MOBILE, Scope.MEMBER, "40001"),
    (Reason.UNREACHABLE, Scope.MEMBER, "40006 40008"),
    (Reason.OTHER, Scope.MEMBER, "40004"),
    (Reason.OPTED_OUT, Scope.MEMBER, "40300"),  # one page calls it unreachable
    (Reason.SPAM, Scope.MESSAGE, "40002 40003 40015 40017 40020 40322"),
    (Reason.MEDIA, Scope.MESSAGE, "40317"),
    (Reason.OTHER, Scope.MESSAGE, "10003 10004 10015 10027 40007 40009 40304 40316"),
)
"""What an error code means ("Messaging error codes"); others go by HTTP status."""

BY_STATUS = rulings((Reason.ACCOUNT, Scope.ACCOUNT, "401 402 403 404"))
OTHERWISE = Ruling(Reason.OTHER, Scope.MESSAGE)

THROTTLED = frozenset({"10011", "40318"})
"""Refused for now, nothing sent: too many requests; the line's queue is full."""

AMBIGUOUS = frozenset({"10007", "10008", "10036", "10037"})
"""May or may not have been taken: faults of theirs, and a key already in flight."""

STATUSES: Mapping[str, DeliveryStatus] = {
    "scheduled": DeliveryStatus.ACCEPTED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.SENDING,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.DELIVERED,
    "sending_failed": DeliveryStatus.FAILED,
    "delivery_failed": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "gw_reject": DeliveryStatus.FAILED,
    "cancelled": DeliveryStatus.FAILED,
    "expired": DeliveryStatus.EXPIRED,
    "unknown": DeliveryStatus.UNCONFIRMED,  # every handset beyond Telnyx's own network
    "delivery_unconfirmed": DeliveryStatus.UNCONFIRMED,
    "dlr_unconfirmed": DeliveryStatus.UNCONFIRMED,
    "dlr_timeout": DeliveryStatus.UNCONFIRMED,
    "gw_timeout": DeliveryStatus.UNCONFIRMED,
}

MEANINGS: Mapping[DeliveryStatus, Meaning] = {
    DeliveryStatus.SENT: Meaning.HANDED_OVER,
    DeliveryStatus.DELIVERED: Meaning.CARRIER,
}

OPT_WORDS: Mapping[str, type[OptedOut | OptedIn]] = {
    "STOP": OptedOut,
    "START": OptedIn,
}
