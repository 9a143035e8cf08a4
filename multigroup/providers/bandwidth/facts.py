"""What Bandwidth documents, as tables.

Sources, read 2026-11-27: dev.bandwidth.com "Send Messages", "Webhooks", "Errors",
"How to manage Applications" and "Credential Management"; `bandwidth.yml` (OpenAPI
3.0.3) of Bandwidth/python-sdk, 2026-07-22; the public copy of those pages in
Bandwidth/api-docs, 2023-11-02, for what the pages no longer spell out.

Two facts that are rules for the code: media of members lies at the API's own host and
needs its credentials, which go to no other host; and username and password ("API
Users") end on 2026-12-02, after which client id and secret are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...events import Meaning
from ...models import DeliveryStatus, Reason, Scope
from ..base import Capabilities, LineKind, Ruling, WebhookAuth, rulings

API = "https://messaging.bandwidth.com/api/v2"
TOKENS = "https://api.bandwidth.com/api/v1/oauth2/token"

UNTOLD_LIFE = 300
"""Seconds a token is used when its answer does not say how long it lives."""

CAPABILITIES = Capabilities(
    max_members=9,  # "10 participants" here, "10 recipients" there: nine fits both
    max_media=10,
    max_text=2048,
    subject=False,
    group_from=frozenset({LineKind.LONG_CODE}),
    legs_per="send",
    webhook_auth=WebhookAuth(binds_body=False, has_freshness=False),
    idempotency="none",
    receipts="handed over; real ones if MMS receipts are switched on at the account",
    roster_on_inbound=True,
    sources=(
        "dev.bandwidth.com: Send Messages",
        "dev.bandwidth.com: Webhooks",
        "dev.bandwidth.com: Errors",
        "Bandwidth/python-sdk: bandwidth.yml, 2026-07-22",
    ),
    as_of="2026-11-27",
)

CODES = rulings(
    (Reason.INVALID_NUMBER, Scope.LINE, "4302"),
    (Reason.INVALID_NUMBER, Scope.MEMBER, "4303 4350 4404 4406 4408 4434 4492"),
    (Reason.INVALID_NUMBER, Scope.MEMBER, "4720 4721"),
    (Reason.NOT_MOBILE, Scope.MEMBER, "4409 4700"),
    (Reason.EXPIRED, Scope.LINE, "4360"),  # in Bandwidth's queue: surely not handed on
    (Reason.REGISTRATION, Scope.LINE, "4403 4405 4407 4431 4433 4740 4773 4774"),
    (Reason.REGISTRATION, Scope.LINE, "4790 4791 4792 4793 4795"),
    (Reason.ACCOUNT, Scope.ACCOUNT, "4421 4432 4451 4452 4493"),
    (Reason.MEDIA, Scope.MESSAGE, "4410 4411 4412 4711 4712"),
    (Reason.SPAM, Scope.MESSAGE, "4470 4770 4771"),
    (Reason.SPAM, Scope.MESSAGE, "4481"),  # our number is, but another is no way out
    (Reason.OPTED_OUT, Scope.MEMBER, "4775"),
    (Reason.THROTTLED, Scope.LINE, "4780 4781 4785"),
    (Reason.UNREACHABLE, Scope.LINE, "4420 5100 5101 5111 5211 5220"),
    (Reason.UNREACHABLE, Scope.MEMBER, "4482 4701 4702 4730 5106 5201"),
    (Reason.UNREACHABLE, Scope.MEMBER, "5500 5501 5600 5610 5620 5630 5650"),
    (Reason.OTHER, Scope.MEMBER, "4401 4750 4772 5999 9999"),
    (Reason.OTHER, Scope.MESSAGE, "4001 4301 4435 4751 4752 5231"),
)
"""What an error code means ("Errors"): 41 to 44 and 51 to 55 are Bandwidth's own, 47
and 56 the next carrier's. Scope `line` says that it surely did not get through, and
that another number might. What was tried several times (5106, 5201) may have got
through, so it is the member's."""

FAILURE = "message-failed"

UNCONFIRMED = frozenset({"9902"})
"""Codes of a `message-failed` that is none: no receipt came within two hours."""

STATUSES: Mapping[str, tuple[DeliveryStatus, Meaning | None]] = {
    "message-sending": (DeliveryStatus.SENDING, None),
    "message-sent": (DeliveryStatus.SENT, Meaning.HANDED_OVER),
    "message-delivered": (DeliveryStatus.DELIVERED, Meaning.CARRIER),
    "message-read": (DeliveryStatus.DELIVERED, Meaning.HANDSET),
    FAILURE: (DeliveryStatus.FAILED, None),
}

WITHOUT_RECEIPTS: Mapping[str, tuple[DeliveryStatus, Meaning | None]] = {
    **STATUSES,
    "message-delivered": (DeliveryStatus.SENT, Meaning.HANDED_OVER),
}
"""The same for MMS at an account without MMS receipts: `message-delivered` then says
that Bandwidth's own MMSC has the message, and no more ("Webhooks")."""

BY_FIELD: Mapping[str, Ruling] = {
    "applicationId": Ruling(Reason.ACCOUNT, Scope.ACCOUNT),
    "from": Ruling(Reason.INVALID_NUMBER, Scope.LINE),
    "to": Ruling(Reason.INVALID_NUMBER, Scope.MEMBER),
    "media": Ruling(Reason.MEDIA, Scope.MESSAGE),
}
"""What a 400 means by the field its `fieldErrors` name first; places in a list, as in
`to[1]`, are left out."""

BY_STATUS = rulings((Reason.ACCOUNT, Scope.ACCOUNT, "401 402 403 404"))
OTHERWISE = Ruling(Reason.OTHER, Scope.MESSAGE)
