"""What Twilio documents of group texting in Conversations (classic), as tables.

Sources, read 2026-11-21: twilio.com/docs "Group Texting in Conversations",
"Conversations (classic) Limits", "Conversations Webhooks", "Security" and the error
pages; the OpenAPI document of twilio/twilio-oai (2026-04-14). What else public code
shows is marked in the carrier's reference page.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...events import Meaning, OptedIn, OptedOut
from ...models import DeliveryStatus, Reason, Scope
from ..base import Capabilities, LineKind, Ruling, WebhookAuth, rulings

CAPABILITIES = Capabilities(
    max_members=9,  # "a limit of 10 total participants", our number among them
    max_media=0,  # files must be uploaded first, byte by byte: not done yet
    max_text=1600,
    subject=False,  # a field of that name exists; that handsets show it is not said
    group_from=frozenset({LineKind.LONG_CODE}),
    legs_per="send",
    webhook_auth=WebhookAuth(binds_body=True, has_freshness=False),
    idempotency="none",
    receipts="delivered means the carrier has it; handsets of a group seldom confirm",
    roster_on_inbound=False,
    sources=(
        "twilio.com/docs: Group Texting in Conversations",
        "twilio.com/docs: Conversations (classic) Limits",
        "twilio/twilio-oai: twilio_conversations_v1 (2026-04-14)",
    ),
    as_of="2026-11-21",
)

CODES = rulings(
    (Reason.ACCOUNT, Scope.ACCOUNT, "20003 50214 50452"),
    (Reason.INVALID_NUMBER, Scope.MEMBER, "50407"),
    (Reason.OTHER, Scope.LINE, "50416 50417 50426 50434 50435 50436 50438"),
    (Reason.OTHER, Scope.LINE, "20404 50353 50441 50443 50513"),
    (Reason.OPTED_OUT, Scope.MEMBER, "21610"),
    (Reason.UNREACHABLE, Scope.MEMBER, "30003 30005"),
    (Reason.NOT_MOBILE, Scope.MEMBER, "30006"),
    (Reason.SPAM, Scope.MESSAGE, "30004 30007"),
    (Reason.OTHER, Scope.MEMBER, "30008"),
)
"""What an error code means, of a refusal and of a delivery (the "errors" pages)."""

BY_STATUS = rulings((Reason.ACCOUNT, Scope.ACCOUNT, "401 402 403"))
OTHERWISE = Ruling(Reason.OTHER, Scope.MESSAGE)

THROTTLED = frozenset({"20429"})
"""Refused for now, nothing done: too many requests."""

TAKEN = frozenset({"50353"})
"""A conversation has that UniqueName already: ours, made before."""

EXISTS = frozenset({"50438"})
"""A conversation has these very participants already; its SID is in the words only."""

PRESENT = frozenset({"50416"})
"""Somebody is a participant already: a step that was done before."""

NAMELESS = frozenset({"50407", "50416", "50435", "50438"})
"""Refusals of a whole group that do not say enough: step by step they do."""

STATUSES: Mapping[str, tuple[DeliveryStatus, Meaning | None]] = {
    "queued": (DeliveryStatus.QUEUED, None),
    "sending": (DeliveryStatus.SENDING, None),
    "sent": (DeliveryStatus.SENT, Meaning.HANDED_OVER),
    "delivered": (DeliveryStatus.DELIVERED, Meaning.CARRIER),
    "read": (DeliveryStatus.DELIVERED, Meaning.HANDSET),
    "undelivered": (DeliveryStatus.FAILED, None),
    "failed": (DeliveryStatus.FAILED, None),
}
"""A receipt's `status` ("ConversationMessageReceipt"); the first two are SMS words."""

OPT_WORDS: Mapping[str, type[OptedOut | OptedIn]] = {
    "STOP": OptedOut,
    "START": OptedIn,
}
"""`OptOutType` of the classic hook, which Advanced Opt-Out adds."""

OURS = frozenset({"API", "SDK"})
"""`Source` of a message that no handset wrote."""

QUIET = frozenset(
    {
        "onConversationAdded",
        "onConversationRemoved",
        "onConversationStateUpdated",
        "onConversationUpdated",
        "onMessageRemoved",
        "onMessageUpdated",
        "onParticipantAdded",
        "onParticipantRemoved",
        "onParticipantUpdated",
        "onUserAdded",
        "onUserUpdated",
    }
)
"""Hooks that tell nothing of a new message ("Conversations Webhooks")."""

MEDIA_URL = "https://mcs.us1.twilio.com/v1/Services"
"""Where received files are, behind the account's credentials."""

PAUSES = (0.25, 0.5, 1.0, 2.0, 2.0)
"""Seconds between looks at a conversation that is `initializing`; none are told."""
