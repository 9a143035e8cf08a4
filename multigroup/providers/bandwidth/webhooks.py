"""Bandwidth, inward: what a webhook's body says, a list of events or one alone.

Two of our own numbers in a group get a copy each, under ids of their own; both tell the
same members, and so are of one conversation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from attrs import frozen

from ... import codec
from ...errors import PayloadError
from ...events import DeliveryUpdated, Event, EventKey, Meaning, MessageReceived
from ...masking import redact, term
from ...models import DeliveryStatus, Media, Number, Reason, conversation_id
from ...phone import lenient
from ...wire import Json
from ..reading import Body, own_token
from .facts import CODES, FAILURE, STATUSES, UNCONFIRMED, WITHOUT_RECEIPTS

__all__ = ["parse"]


def parse(
    body: bytes,
    *,
    own: frozenset[str],
    received_at: datetime,
    account: str = "bandwidth",
    mms_dlr: bool = False,
) -> Sequence[Event]:
    """Return the events in a Bandwidth webhook's *body*, unverified.

    *mms_dlr* says that the account gets real receipts of MMS.

    Raises:
        PayloadError: *body* is neither a JSON object nor a list with one in it.
    """
    document = codec.loads(body)
    entries = document if isinstance(document, list) else [document]
    if not any(isinstance(entry, dict) for entry in entries):
        raise PayloadError("the body is JSON but holds no object")
    digest = hashlib.sha256(body).hexdigest()[:32]  # once: there may be many entries
    told: dict[EventKey, Event] = {}
    for place, entry in enumerate(entries):
        read = Body("bandwidth", account, body, codec.table(entry), own, received_at)
        for event in _events(_News.of(read, digest, place), mms_dlr=mms_dlr):
            told.setdefault(event.key, event)
    return tuple(told.values())


def _numbers(holder: dict[str, Json], name: str) -> list[Number]:
    """Return the numbers under *name*: a list, or one alone."""
    written = (codec.text({name: entry}, name) for entry in codec.items(holder, name))
    return [lenient(number) for number in written if number]


@frozen
class _News:
    """One entry of a body: its message, whom it went to and, by *to*, whose news it is.

    *spare* names it where Bandwidth does not; *digest* is of the whole body.
    """

    read: Body
    message: dict[str, Json]
    group: tuple[Number, ...]
    to: tuple[Number, ...]
    digest: str
    spare: str

    @classmethod
    def of(cls, read: Body, digest: str, place: int) -> Self:
        """Return what *read* holds, which stands at *place* in its body."""
        message = codec.table(read.document, "message")
        group, to = (_numbers(holder, "to") for holder in (message, read.document))
        spare = f"{digest}/{place}"
        return cls(read, message, tuple(group), tuple(to), digest, spare)

    def said(self, name: str) -> str | None:
        """Return what the entry itself says under *name*."""
        return codec.text(self.read.document, name)

    @property
    def message_id(self) -> str | None:
        """Return Bandwidth's id of the message, which is one for the whole group."""
        return codec.text(self.message, "id")

    @property
    def code(self) -> str | None:
        """Return the code of a failure; of nothing else is it read."""
        told = self.said("errorCode") if self.said("type") == FAILURE else None
        return term(told) if told else None

    def keys(self, word: str) -> Iterator[tuple[Number | None, str]]:
        """Yield who the news concerns, each with the news' id.

        Their place in the group tells whose it is: a number would be shown in logs. A
        failure that comes with another code is other news.
        """
        alone = self.group if len(self.group) == 1 else (None,)
        places: dict[Number | None, int] = {
            number: place for place, number in enumerate(self.group)
        }
        known = self.message_id is not None and term(word) == word
        said = f"{word}.{self.code}" if self.code else word
        for place, member in enumerate(dict.fromkeys(self.to or alone)):
            if known and member in places:
                yield member, f"{self.message_id}:{said}:{places[member]}"
            else:
                yield member, f"{self.spare}.{place}"

    def about(self, key: str) -> dict[str, Any]:
        """Return what every event says of itself."""
        at = self.said("time") or codec.text(self.message, "time")
        return self.read.about(key, at)


def _events(news: _News, *, mms_dlr: bool) -> Iterator[Event]:
    kind = news.said("type") or ""
    if kind == "message-received":
        yield _received(news)
    elif kind in STATUSES:
        for member, key in news.keys(kind):
            yield _updated(news, kind, member, key, mms_dlr=mms_dlr)
    elif news.message_id is None:  # all of these in a body are one event
        yield news.read.unread("event type", kind, news.digest)
    else:
        _, key = next(news.keys(kind))
        yield news.read.unread("event type", kind, key)


def _received(news: _News) -> Event:
    key = news.message_id or news.spare
    senders = _numbers(news.message, "from")
    if not senders:
        return news.read.strange("a message without a sender", key)
    line = news.read.line([*_numbers(news.message, "owner"), *news.to, *news.group])
    members = frozenset({*senders, *news.group} - {line, *news.read.own})
    urls = (codec.text({"url": u}, "url") for u in codec.items(news.message, "media"))
    return MessageReceived(
        sender=senders[0],
        line=line,
        members=members,
        conversation=conversation_id(members),
        message_id=news.message_id,
        text=codec.text(news.message, "text") or "",
        media=tuple(Media(url) for url in urls if url),
        **news.about(key),
    )


def _updated(
    news: _News, word: str, member: Number | None, key: str, *, mms_dlr: bool
) -> DeliveryUpdated:
    status, meaning = _statuses(news, mms_dlr=mms_dlr)[word]
    code = news.code
    unproven = code in UNCONFIRMED
    ruling = None if unproven else CODES.get(code or "")
    detail = news.said("description") if word == FAILURE else None
    if unproven:
        status = DeliveryStatus.UNCONFIRMED
    elif ruling is not None and ruling.reason is Reason.EXPIRED:
        status = DeliveryStatus.EXPIRED
    unruled = Reason.OTHER if code and not unproven else None
    return DeliveryUpdated(
        member=member,
        status=status,
        provider_status=word,
        code=code,
        detail=redact(detail) if detail else None,
        reason=ruling.reason if ruling else unruled,
        scope=ruling.scope if ruling else None,
        message_id=news.message_id,
        token=own_token(codec.text(news.message, "tag")),
        network=news.said("carrierName"),
        meaning=meaning,
        **news.about(key),
    )


def _statuses(
    news: _News, *, mms_dlr: bool
) -> Mapping[str, tuple[DeliveryStatus, Meaning | None]]:
    """Return what the status words mean: an SMS always gets real receipts."""
    sms = len(news.group) == 1 and not codec.items(news.message, "media")
    return STATUSES if sms or mms_dlr else WITHOUT_RECEIPTS
