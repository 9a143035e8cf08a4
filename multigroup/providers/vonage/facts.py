"""What Vonage documents, as tables.

Sources, read 2026-11-21: developer.vonage.com "MMS Group Messaging", "Messages
Status Callbacks", "Messages Errors" and "Signed Webhooks"; the Messages OpenAPI
document 1.20.0.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...events import Meaning
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

WINDOW = 24 * 3600 + 300
"""Seconds a webhook may be old: retries go on for 24 h, and whether they are signed
anew is not documented. A replay inside the window stops at the journal's claim."""

SKEW = 300
"""Seconds a webhook may be signed in the future."""

TOKEN_LIFE = 900
"""Seconds a JWT of ours lives (the documented default); renewed at 80 % of it."""

CAPABILITIES = Capabilities(
    max_members=10,  # not documented: what other carriers impose
    max_media=None,
    max_text=3000,  # documented for captions, which carry the text of a media message
    subject=False,
    group_from=frozenset({LineKind.LONG_CODE, LineKind.SHORT_CODE}),
    legs_per="member",
    webhook_auth=WebhookAuth(binds_body=True, has_freshness=True),
    idempotency="none",
    receipts="delivered means the carrier has it; a copy may stay sent for ever",
    roster_on_inbound=True,
    sources=(
        "developer.vonage.com: MMS Group Messaging",
        "developer.vonage.com: Messages Status Callbacks",
        "Vonage Messages OpenAPI 1.20.0",
    ),
    as_of="2026-11-21",
)

CODES = rulings(
    (Reason.THROTTLED, Scope.LINE, "1000 1241 1460 1461 1472"),
    (Reason.UNREACHABLE, Scope.LINE, "1100 1250 1251 1260"),
    (Reason.UNREACHABLE, Scope.MEMBER, "1030 1180 1190 1220 1230 1331"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "1060 1070 1080 1140"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "1470 1473 1474 1475 1476 1481 1484"),
    (Reason.REGISTRATION, Scope.LINE, "1120 1242 1420"),
    (Reason.SPAM, Scope.MESSAGE, "1210 1480 1482 1483"),
    (Reason.MEDIA, Scope.MESSAGE, "1310 1380 1381 1382"),
    (Reason.OTHER, Scope.MESSAGE, "1010 1020 1021 1022 1040 1090 1130 1150 1270"),
    (Reason.OTHER, Scope.MESSAGE, "1282 1400 1410 1431 1440 1450 1451"),
    (Reason.INVALID_NUMBER, Scope.MEMBER, "1170 1200 1300 1430"),
    (Reason.OPTED_OUT, Scope.MEMBER, "1240"),
    (Reason.OTHER, Scope.MEMBER, "1050 1160 1280 1290 1320 1330 1340 1350 1370"),
    (Reason.EXPIRED, Scope.MEMBER, "1360"),
)
"""What the code of a `rejected` status means ("Messages Errors"). Codes of an HTTP 422
use an older numbering that collides with these, so 422 goes by its title."""

BY_STATUS = rulings((Reason.ACCOUNT, Scope.ACCOUNT, "401 402 403 404"))

BY_TITLE: Mapping[str, Ruling] = {
    "invalid sender": Ruling(Reason.REGISTRATION, Scope.LINE),
    "invalid recipient": Ruling(Reason.INVALID_NUMBER, Scope.MEMBER),
    "unsupported channel": Ruling(Reason.ACCOUNT, Scope.ACCOUNT),
}
OTHERWISE = Ruling(Reason.OTHER, Scope.MESSAGE)

STATUSES: Mapping[str, tuple[DeliveryStatus, Meaning | None]] = {
    "submitted": (DeliveryStatus.SENT, Meaning.HANDED_OVER),
    "delivered": (DeliveryStatus.DELIVERED, Meaning.CARRIER),
    "read": (DeliveryStatus.DELIVERED, Meaning.HANDSET),
    "rejected": (DeliveryStatus.FAILED, None),
    "undeliverable": (DeliveryStatus.FAILED, None),
}

EXPIRED_CODE = "1360"

DECLARED = frozenset({"image", "audio", "video"})
"""MIME main types that are Vonage's words as they stand."""

UNTOLD = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Content types that say nothing, so that the file's ending decides."""

MEDIA_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "bmp"), "image"),
    **dict.fromkeys(("mp3", "amr", "midi", "mid", "wav", "ac3"), "audio"),
    **dict.fromkeys(("mp4", "3gp", "3gpp", "3pg", "avi", "mpg", "mpeg"), "video"),
    **dict.fromkeys(("vcf", "vcard", "x-vcard"), "vcard"),
}
"""File ending or MIME subtype → the word Vonage wants; anything else is a `file`."""

INBOUND_MEDIA = ("image", "vcard", "audio", "video", "file")
