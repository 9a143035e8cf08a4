"""What a class does not say of itself: in words, by name.

A test holds these tables to the classes: a new field, error or member of an enum
needs its words here before the pages can be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from multigroup import DeliveryStatus, Meaning, Reason

__all__ = ["ERRORS", "FIELDS", "MEANINGS", "REASONS", "STATUSES", "Advice"]

_NEVER: Final = "never"
_LINE: Final = (
    "our number it came to",
    "the webhook named no number that it came to",
)

_SENT: Final = {
    "conversation": ("whose message it is", _NEVER),
    "send_id": ("the send", _NEVER),
    "reference": ("the caller's reference of the send", _NEVER),
}

FIELDS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "Event": {
        "id": (
            "the carrier's own key of the event; a digest of the body if it gave none",
            _NEVER,
        ),
        "provider": ("the carrier, or `multigroup` for an event of ours", _NEVER),
        "account": ("our name for the account, as in `Telnyx(name=…)`", _NEVER),
        "occurred_at": (
            "when it happened by the carrier's clock; else `received_at`",
            _NEVER,
        ),
        "received_at": ("when we took the webhook in", _NEVER),
        "raw": ("the whole body as it came; empty for an event of ours", _NEVER),
    },
    "MessageReceived": {
        "sender": ("who wrote", _NEVER),
        "line": _LINE,
        "members": (
            "everyone but our own numbers, the sender included",
            "the carrier left the others out: `client.conversation` refuses it",
        ),
        "conversation": (
            "the identity of these members, the same on every carrier",
            "`members` is `None`",
        ),
        "provider_thread": (
            "the carrier's own id of the thread",
            "the carrier has none: Twilio alone gives one",
        ),
        "message_id": ("the carrier's id of the message", "it gave none"),
        "text": ("what was said, or the caption of a file; may be empty", _NEVER),
        "subject": ("the MMS subject", "there is none"),
        "media": ("the files, each by its URL; may be empty", _NEVER),
    },
    "DeliveryUpdated": {
        "member": ("whose copy it is", "the webhook named nobody"),
        "participant": (
            "the carrier's own id of the member in the thread",
            "the carrier has none: Twilio alone gives one",
        ),
        "status": ("how the copy stands, in our words", _NEVER),
        "provider_status": ("how it stands, in the carrier's word", _NEVER),
        "code": ("the carrier's error code", "no error was told"),
        "detail": (
            "the carrier's words on the error, numbers masked",
            "no words were told",
        ),
        "reason": ("why it failed, in our words", "no error was told"),
        "scope": (
            "what a failure condemns: `line` and `account` leave room for another line",
            "no error was told, or one whose reach is not known",
        ),
        "message_id": ("the carrier's id of the message", "it gave none"),
        "also_known_as": ("further ids of the same message; may be empty", _NEVER),
        "token": (
            "our own key of the leg, which proves that the carrier took it",
            "the webhook did not bring it back, or brought another program's",
        ),
        "reference": (
            "the caller's reference of the send",
            "the journal knows no such send, or not yet",
        ),
        "cost": (
            "the price of this copy",
            "not told here, which does not make it free",
        ),
        "network": (
            "the member's carrier by name, or its MCC-MNC (Vonage)",
            "it was not told",
        ),
        "meaning": ("how much the status proves", "the status proves nothing"),
    },
    "OptedOut": {"member": ("who wants no more", _NEVER), "line": _LINE},
    "OptedIn": {"member": ("who came back", _NEVER), "line": _LINE},
    "Unrecognized": {"why": ("what was not understood", _NEVER)},
    "ThreadMoved": {
        "conversation": ("whose thread it is", _NEVER),
        "previous": (
            "the conversation that was asked for, of which a member was left out",
            "nobody was left out",
        ),
        "send_id": ("the send that moved it", _NEVER),
        "left": ("the line of the thread so far", _NEVER),
        "joined": ("the line of the thread from now on", _NEVER),
        "why": ("what made the send move", _NEVER),
    },
    "SendFailed": {
        **_SENT,
        "line": ("the line that was tried last", _NEVER),
        "reason": ("the first reason that was told", "none was told"),
        "movable": (
            "whether another line may bring it: none of the members was to blame",
            _NEVER,
        ),
    },
    "LateAcceptance": {
        **_SENT,
        "line": ("the line of the leg that is now proven", _NEVER),
        "members": ("who now has the message twice", _NEVER),
    },
}
"""Class → field → what it holds, and what `None` means there."""

STATUSES: Final[Mapping[DeliveryStatus, str]] = {
    DeliveryStatus.ACCEPTED: "the carrier took it; no news yet",
    DeliveryStatus.QUEUED: "waits at the carrier",
    DeliveryStatus.SENDING: "on its way out of the carrier",
    DeliveryStatus.SENT: "handed on; may be the last that is ever heard",
    DeliveryStatus.UNCONFIRMED: "done, and no receipt will come: the normal end",
    DeliveryStatus.DELIVERED: "a carrier, or a handset, confirmed it",
    DeliveryStatus.FAILED: "it did not arrive; `reason` says why",
    DeliveryStatus.EXPIRED: "it waited too long and was dropped",
}

REASONS: Final[Mapping[Reason, str]] = {
    Reason.OPTED_OUT: "the member said STOP",
    Reason.INVALID_NUMBER: "no such number, or one that cannot be texted",
    Reason.NOT_MOBILE: "a landline, or a kind of message the number cannot take",
    Reason.SPAM: "a filter held the message back",
    Reason.THROTTLED: "too much at once for the line or its campaign",
    Reason.UNREACHABLE: "the phone or its network did not answer",
    Reason.MEDIA: "a file could not be fetched, is too large or of a wrong kind",
    Reason.REGISTRATION: "the line is not registered or set up for this",
    Reason.ACCOUNT: "credentials, permissions, funds or limits of the account",
    Reason.EXPIRED: "it waited too long",
    Reason.OTHER: "something else; the carrier's code and words tell",
}

MEANINGS: Final[Mapping[Meaning, str]] = {
    Meaning.HANDSET: "the handset itself confirmed",
    Meaning.CARRIER: "a carrier confirmed; the handset may still be off",
    Meaning.HANDED_OVER: "the next carrier has it, and nothing more is known",
}


@frozen
class Advice:
    """When an error comes, whether something was sent, what to do about it."""

    when: str
    sent: str
    do: str


_BEFORE: Final = "No. It is raised before the first byte leaves."
_NO_SEND: Final = "Not a matter of sending."

ERRORS: Final[Mapping[str, Advice]] = {
    "MultigroupError": Advice(
        "Never itself: catch it to catch everything of this library.",
        "See the error's own class.",
        "Look at what is below it.",
    ),
    "ConfigError": Advice(
        "A client, a line or an account is made with settings that cannot work; a "
        "webhook comes for an account that has no key, or that nobody named.",
        _BEFORE,
        "Mend the settings.",
    ),
    "InvalidNumberError": Advice(
        "A member is no US or Canadian number, is named twice, or is a line of ours.",
        _BEFORE,
        "Mend the member list. `value` holds the number whole, `rule` what it broke.",
    ),
    "InvalidMessageError": Advice(
        "The message is empty, a media URL is not one, the group has no member, or "
        "the reference is empty or too long.",
        _BEFORE,
        "Mend the message.",
    ),
    "UnsupportedError": Advice(
        "Every line was looked at, and none can carry this message to this group: too "
        "many members, a subject where there is none, the wrong kind of number.",
        _BEFORE,
        "Choose another line, say less, or make the group smaller. The text says why "
        "for each line.",
    ),
    "OptedOutError": Advice(
        "A member wrote STOP on any line, or a carrier said so, and the policy is not "
        "to leave them out.",
        _BEFORE,
        "Leave out the members in `value`, or wait until they write START. Never ask "
        "another carrier.",
    ),
    "ReferenceConflictError": Advice(
        "The reference was used before, for other members or another message.",
        "Not by this call. The first send under the reference stands as it was.",
        "Choose a new reference for a new message.",
    ),
    "SendInProgressError": Advice(
        "Another thread, task or process is sending under this reference, and "
        "`deadline` passed before it was done.",
        "Not by this call. The other one may be sending at this moment.",
        "Ask `client.receipt(reference)` later. Do not choose another reference.",
    ),
    "SendError": Advice(
        "Never itself: catch it to get at `receipt`, whatever became of the send.",
        "See the error's own class.",
        "Read `error.receipt.deliveries`.",
    ),
    "UncertainError": Advice(
        "A request left and no clear answer came back. It comes even if other members "
        "were surely texted.",
        "**Perhaps.** Nobody knows yet, and that is what the error says.",
        "Do not send again under another reference. Wait for the carrier's webhook, "
        "then look at `client.receipt(reference)`.",
    ),
    "PartialSendError": Advice(
        "A carrier that takes one request per member took some and not others.",
        "**Yes**, to some: those whose outcome is `Accepted`.",
        "Decide about the others by `receipt.deliveries`. Texting the whole group "
        "again would text some twice.",
    ),
    "RefusedError": Advice(
        "A carrier said no, and no line was left that could be asked.",
        "No. Nobody was texted.",
        "Read the reason. Under the same reference the same refusal is given again; "
        "once the cause is mended, use a new one.",
    ),
    "NotSentError": Advice(
        "No line could be reached, or each was throttled.",
        "No. Nothing left.",
        "Send again, under the same reference, when you like.",
    ),
    "WebhookError": Advice(
        "Never itself: catch it around `client.receive`.",
        _NO_SEND,
        "Answer the carrier with `error.status`.",
    ),
    "SignatureError": Advice(
        "A webhook is forged, altered, too old, or not signed at all.",
        _NO_SEND,
        "Answer with `error.status`. If genuine ones are refused, look at the key, at "
        "the clock, and at whether the body reaches you unchanged.",
    ),
    "PayloadError": Advice(
        "`normalize` was given a body that no carrier sends. `client.receive` does not "
        "raise it: an authentic body that cannot be read is an `Unrecognized` event.",
        _NO_SEND,
        "Keep the body and look at it.",
    ),
    "JournalError": Advice(
        "The journal is full or cannot be read or written.",
        "Before the first byte: no. While a reply was being written down: perhaps; the "
        "journal then holds the leg as `Unknown`.",
        "Mend the journal, then ask `client.receipt(reference)` before sending again.",
    ),
    "TakenOverError": Advice(
        "A process stood still for longer than its lease, and another goes on with "
        "its send. A send raises `SendInProgressError` instead.",
        "The other process knows.",
        "Ask `client.receipt(reference)` later.",
    ),
}
"""Error → advice, in the order of the tree."""
