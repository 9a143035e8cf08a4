"""Twilio's webhooks: the fields of each, all of them strings in a form.

Sources: public captures of `onMessageAdded`, `onDeliveryUpdated` and of the classic
webhook in 2026-08, which name fields that no page has (`OtherRecipients0`); Webhooks
and States and Timers in Conversations (classic), the event types page for a state's
fields, read 2026-11-27.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from .handset import Arrival
from .twilio_media import described
from .twilio_rooms import Conversation, Message, Receipt, State

__all__ = ["added", "classic", "created", "encoded", "state_changed", "updated"]

Fields = Mapping[str, str]


def added(room: Conversation, said: Message) -> Fields:
    """Return `onMessageAdded`: it names the author, but not who else is there."""
    fields = {
        "Attributes": said.attributes,
        "Author": said.author,
        **({} if said.body is None else {"Body": said.body}),
        "ConversationSid": room.sid,
        "DateCreated": _stamp(said.at),
        "EventType": "onMessageAdded",
        "Index": str(said.index),
        "MessageSid": said.sid,
        "MessagingServiceSid": room.messaging_service_sid,
        "ParticipantSid": said.participant_sid or "",
        "Source": said.source,
    }
    if said.media:
        fields["Media"] = json.dumps([described(one) for one in said.media])
    return fields


def updated(room: Conversation, said: Message, one: Receipt) -> Fields:
    """Return `onDeliveryUpdated` of one participant's copy as it stands."""
    fields = {
        "ChannelMessageSid": one.channel_sid,
        "ConversationSid": room.sid,
        "DateCreated": _stamp(one.at),
        "DateUpdated": _stamp(one.updated),
        "DeliveryReceiptSid": one.sid,
        "EventType": "onDeliveryUpdated",
        "MessageSid": said.sid,
        "ParticipantSid": one.participant_sid,
        "Status": one.status or "",
    }
    if one.error is not None:
        fields["ErrorCode"] = str(one.error)
    return fields


def state_changed(room: Conversation, before: State, reason: str) -> Fields:
    """Return `onConversationStateUpdated`; *reason* is API, EVENT or TIMER."""
    return {
        "ConversationSid": room.sid,
        "EventType": "onConversationStateUpdated",
        "MessagingServiceSid": room.messaging_service_sid,
        "Reason": reason,
        "StateFrom": before,
        "StateTo": room.state,
        "StateUpdated": _stamp(room.updated),
    }


def created(room: Conversation, arrival: Arrival) -> Fields:
    """Return `onConversationAdded` of a conversation that a message made.

    `MessagingBinding.Address` has our numbers, not the members (captures).
    """
    return {
        "ConversationSid": room.sid,
        "DateCreated": _stamp(room.at),
        "EventType": "onConversationAdded",
        "MessageBody": arrival.bubble.text,
        "MessagingBinding.Address": ",".join(sorted(room.ours)),
        "MessagingBinding.AuthorAddress": arrival.bubble.sender,
        "MessagingServiceSid": room.messaging_service_sid,
        "State": room.state,
    }


def classic(
    arrival: Arrival, sids: tuple[str, str, str], media: Sequence[tuple[str, str]]
) -> Fields:
    """Return the messaging webhook; *sids* are the message's, account's, service's.

    *media* are URLs with their content types. With `OtherRecipients` it is the only
    webhook that tells the whole roster.
    """
    message_sid, account_sid, service_sid = sids
    others = enumerate(sorted(arrival.others))
    files = enumerate(media)
    return {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "Body": arrival.bubble.text,
        "From": arrival.bubble.sender,
        "MessageSid": message_sid,
        "MessagingServiceSid": service_sid,
        "NumMedia": str(len(media)),
        "NumSegments": "1",
        **{f"OtherRecipients{place}": number for place, number in others},
        **{
            f"{name}{place}": value
            for place, file in files
            for name, value in zip(("MediaUrl", "MediaContentType"), file, strict=True)
        },
        "SmsMessageSid": message_sid,
        "SmsSid": message_sid,
        "SmsStatus": "received",
        "To": arrival.number,
    }


def encoded(fields: Fields) -> bytes:
    """Return *fields* as the body of a POST."""
    return urlencode(fields, errors="replace").encode()


def _stamp(at: datetime) -> str:
    written = at.astimezone(UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
