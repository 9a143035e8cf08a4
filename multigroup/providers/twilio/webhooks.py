"""Twilio, inward: what a webhook's form says, of a conversation or the classic hook.

A conversation's hook says who wrote and in which conversation, not who else is in it;
the classic one names the others in fields that no manual mentions. Both bring the same
message, with nothing in common to tell it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve

from ... import codec
from ...errors import PayloadError
from ...events import DeliveryUpdated, Event, MessageReceived
from ...masking import term
from ...models import DeliveryStatus, Media, Number, Reason, conversation_id
from ...phone import lenient
from ...wire import Json
from ..reading import Body, as_json, own_token
from .facts import CODES, MEDIA_URL, OPT_WORDS, OURS, QUIET, STATUSES

__all__ = ["attributes_token", "parse", "taken"]

_MOST: Final = 20  # others in a group, and files of a message: more is mischief


def parse(
    body: bytes,
    *,
    own: frozenset[str],
    received_at: datetime,
    account: str = "twilio",
    inbound: str | None = None,
) -> Sequence[Event]:
    """Return the events in a Twilio webhook's *body*, unverified: a form, or as JSON.

    *inbound* is the hook that messages are taken from; without it, both.

    Raises:
        PayloadError: *body* is neither a form nor a JSON object.
    """
    document = as_json(body)
    read = Body.read("twilio", account, document, own, received_at)
    read = evolve(read, raw=body)
    kind = codec.text(read.document, "EventType") or ""
    if kind == "onDeliveryUpdated":
        return (_updated(read),)
    by_hook = {"onMessageAdded": "conversations", "": "classic"}.get(kind)
    if kind in QUIET:
        return (read.strange(f"{kind} tells of no message"),)
    if by_hook is None:
        return (read.unread("event type", kind),)
    if by_hook == "conversations" and _wrote_ourselves(read):
        return (_our_own(read),)
    if inbound not in (None, by_hook):
        wishes = tuple(_wish(read))  # only the classic hook tells of them
        other = f"a message by another hook than inbound={inbound!r}"
        return wishes or (read.strange(other),)
    return (_added(read),) if by_hook == "conversations" else tuple(_classic(read))


def _wrote_ourselves(read: Body) -> bool:
    source = codec.text(read.document, "Source") or ""
    author = codec.text(read.document, "Author") or ""
    return source in OURS or author in read.own


def _our_own(read: Body) -> Event:
    """Return what the webhook of a message of ours proves: that it was taken."""
    form = read.document
    key = codec.text(form, "MessageSid")
    token = attributes_token(codec.text(form, "Attributes"))
    if key is None or token is None:
        return read.strange("a message that another program wrote for us", key)
    return taken(read, key, token, codec.text(form, "DateCreated"))


def taken(read: Body, key: str, token: str, at: str | None) -> DeliveryUpdated:
    """Return the news that the message *key*, of the leg *token*, is at the carrier."""
    return DeliveryUpdated(
        member=None,
        status=DeliveryStatus.ACCEPTED,
        provider_status="accepted",
        message_id=key,
        token=token,
        **read.about(f"{key}:accepted", at),
    )


def attributes_token(written: str | None) -> str | None:
    """Return the leg key that we put into a message's attributes."""
    try:
        attributes = codec.loads((written or "").encode("utf-8", "replace"))
    except PayloadError:
        return None
    return own_token(codec.text(codec.table(attributes), "leg"))


def _added(read: Body) -> Event:
    form = read.document
    key, author = codec.text(form, "MessageSid"), codec.text(form, "Author")
    if author is None:
        return read.strange("a message without an author", key)
    return MessageReceived(
        sender=lenient(author),
        line=None,
        members=None,
        conversation=None,
        provider_thread=codec.text(form, "ConversationSid"),
        message_id=key,
        text=codec.text(form, "Body") or "",
        media=tuple(_files(form)),
        **read.about(key, codec.text(form, "DateCreated")),
    )


def _files(form: dict[str, Json]) -> Iterator[Media]:
    """Yield the files of a conversation's message; each needs our credentials."""
    try:
        listed = codec.loads((codec.text(form, "Media") or "[]").encode())
    except PayloadError:
        return
    service = codec.text(form, "ChatServiceSid")
    for entry in codec.items({"media": listed}, "media")[:_MOST]:
        file = codec.table(entry)
        sid, size = codec.text(file, "Sid"), file.get("Size")
        if sid and service and (sid + service).isalnum():
            yield Media(
                f"{MEDIA_URL}/{service}/Media/{sid}",
                codec.text(file, "ContentType"),
                size if type(size) is int and size >= 0 else None,
            )


def _classic(read: Body) -> Iterator[Event]:
    form = read.document
    key = codec.text(form, "MessageSid") or codec.text(form, "SmsSid")
    sender, to = codec.text(form, "From"), codec.text(form, "To")
    if sender is None or to is None or "MessageStatus" in form:
        yield read.strange("neither a message nor a delivery", key)
        return
    who, line = lenient(sender), lenient(to)
    members = _members(read, who, line, key or "")
    yield MessageReceived(
        sender=who,
        line=line,
        members=members,
        conversation=None if members is None else conversation_id(members),
        message_id=key,
        text=codec.text(form, "Body") or "",
        media=tuple(_attached(form)),
        **read.about(key, None),
    )
    yield from _wish(read)


def _wish(read: Body) -> Iterator[Event]:
    """Yield the opt-out that the carrier took a message by the classic hook for."""
    form = read.document
    key = codec.text(form, "MessageSid") or codec.text(form, "SmsSid")
    word = (codec.text(form, "OptOutType") or "").upper()
    sender, to = codec.text(form, "From"), codec.text(form, "To")
    if word in OPT_WORDS and sender:
        line = lenient(to) if to else None
        about = read.about(key, None)
        yield OPT_WORDS[word](member=lenient(sender), line=line, **about)


def _members(
    read: Body, sender: Number, line: Number, key: str
) -> frozenset[Number] | None:
    """Return everyone but us; `None` where others are in the group and not named.

    A text with nothing attached that came as an MMS came to a group.
    """
    named = (codec.text(read.document, f"OtherRecipients{n}") for n in range(_MOST))
    others = {lenient(number) for number in named if number}
    plain = (codec.text(read.document, "NumMedia") or "0") == "0"
    if not others and plain and key.startswith("MM"):
        return None
    return frozenset({sender, *others} - {line, *read.own})


def _attached(form: dict[str, Json]) -> Iterator[Media]:
    for place in range(_MOST):
        url = codec.text(form, f"MediaUrl{place}")
        if url:
            yield Media(url, codec.text(form, f"MediaContentType{place}"))


def _updated(read: Body) -> Event:
    form = read.document
    word = codec.text(form, "Status") or ""
    message_id = codec.text(form, "MessageSid")
    participant = codec.text(form, "ParticipantSid")
    receipt = codec.text(form, "DeliveryReceiptSid")
    named = receipt or (participant and message_id and f"{message_id}:{participant}")
    said = word if term(word) == word else read.digest  # ids are logged
    key = f"{named}:{said}" if named else None
    if word not in STATUSES:
        return read.unread("delivery status", word, key)
    status, meaning = STATUSES[word]
    told = codec.text(form, "ErrorCode")
    code = term(told) if told and told != "0" else None
    ruling = CODES.get(code or "")
    channel = codec.text(form, "ChannelMessageSid")
    changed = codec.text(form, "DateUpdated") or codec.text(form, "DateCreated")
    return DeliveryUpdated(
        member=None,
        participant=participant,
        status=status,
        provider_status=word,
        code=code,
        reason=ruling.reason if ruling else Reason.OTHER if code else None,
        scope=ruling.scope if ruling else None,
        message_id=message_id,
        also_known_as=(channel,) if channel else (),
        meaning=meaning,
        **read.about(key, changed),
    )
