"""Bandwidth's messages: accepted, rung, followed to their end, told by callback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from attrs import field, frozen

from .. import phone
from ..wire import Json, Request
from .bandwidth_media import Shelf, last_part
from .bandwidth_rules import MOST_RECIPIENTS, BandwidthKind, BandwidthOrder
from .bandwidth_shapes import (
    EXPIRED,
    FAILURES,
    BandwidthQuirks,
    BandwidthSent,
    EventType,
    arrived,
    envelope,
    message_id,
    status_event,
)
from .core import Core, uuid_from
from .courier import Courier, Parcel, Policy, doubling
from .face import Face, Signing, as_json
from .handset import Arrival, Bubble, ThreadKey
from .keys import basic

__all__ = ["BandwidthMessages"]

_SENDING_AFTER = 0.5
_FINAL_AFTER = 2.0
_EXPIRES_AFTER = 2 * 3600.0  # errors guide, 9902
_FIRST_OF_CARRIERS = 4700  # errors guide: below, Bandwidth itself refuses

# Webhooks guide: 10 s to answer, any 2xx is success, all else is tried again for 24 h.
# How long the waits are is not published; these are examples.
_POLICY = Policy(
    timeout=10.0,
    success=range(200, 300),
    waits=tuple(doubling(10.0, 3600.0, 24 * 3600)),
    retried=lambda _: True,
    headers={
        "content-type": "application/json; charset=utf-8",
        "user-agent": "BandwidthAPI/v2",
    },
)


@frozen
class _Line:
    kind: BandwidthKind
    inbound_url: str | None = field(repr=False)
    status_url: str | None = field(repr=False)


class BandwidthMessages(Face):
    """The part of Bandwidth behind its API: numbers, messages and their callbacks.

    Callbacks carry `callback_username` and `callback_password` by Basic auth; there is
    no signature. Set the name to "" for an application without credentials.
    """

    name: ClassVar[str] = "bandwidth"
    prefix: ClassVar[str] = "/api/v2"
    throttled_code: ClassVar[str] = "max-message-queue-size-exceeded"

    def __init__(self, core: Core) -> None:
        super().__init__(core, f"http://bandwidth.invalid{self.prefix}")
        self.random = core.stream(self.name)
        self.account_id = f"99{self.random.randrange(10**5):05d}"
        self.application_id = uuid_from(self.random)
        self.callback_username = f"callbacks-{self.random.getrandbits(32):08x}"
        self.callback_password = f"{self.random.getrandbits(128):032x}"
        self.quirks = BandwidthQuirks()
        self.hooks = Courier(core, self.name, _POLICY, self._signed)
        self.shelf = Shelf(core.now)
        self.records: list[BandwidthSent] = []
        self._lines: dict[str, _Line] = {}

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the account's numbers."""
        return tuple(self._lines)

    @property
    def kinds(self) -> Mapping[str, BandwidthKind]:
        """Return of what kind each of the account's numbers is."""
        return {number: line.kind for number, line in self._lines.items()}

    def add_number(
        self,
        number: str,
        *,
        inbound_url: str | None = None,
        status_url: str | None = None,
        kind: BandwidthKind = "local",
    ) -> None:
        """Give the account *number*, or change where its callbacks go.

        The URLs are those of the number's application.

        Raises:
            ValueError: another carrier or a person has the number.
        """
        with self.core.lock:
            self.core.own(number, self)
            self._lines[number] = _Line(kind, inbound_url, status_url)

    def signing(self, request: Request) -> Signing:
        """Return that nothing is signed: the user's password vouches for all of it."""
        if request.headers.get("authorization") is None:
            return Signing("nothing, and there are no credentials")
        user = self.callback_username
        return Signing("nothing: a password is sent along", f"Basic auth, user {user}")

    def blocks(self, member: str) -> bool:
        """Tell whether *member* has opted out and anyone but the application minds."""
        return self.quirks.opt_out == "carrier" and super().blocks(member)

    def inbound(self, arrival: Arrival) -> None:
        """Post `message-received` to the callback URL of the number."""
        self.note_keyword(arrival)
        core, bubble = self.core, arrival.bubble
        sent_id = message_id(core.now(), self.random)
        order = BandwidthOrder(
            sender=bubble.sender,
            to=tuple(sorted(arrival.others | {arrival.number})),
            text=bubble.text,
            media=tuple(self._hosted(sent_id, bubble.media)),
            tag=None,
            priority=None,
            expiration=None,
        )
        statuses = dict.fromkeys(order.to, "RECEIVED")
        sent = BandwidthSent(sent_id, core.when(), order, True, statuses)
        self.records.append(sent)
        event = arrived(arrival, sent, self.application_id)
        self._post("message-received", [event], self._lines[arrival.number].inbound_url)

    def accept(self, order: BandwidthOrder) -> BandwidthSent:
        """Take *order*, ring the handsets, and have the events follow."""
        core = self.core
        statuses = dict.fromkeys(order.to, "QUEUED")
        sent = BandwidthSent(
            message_id(core.now(), self.random), core.when(), order, False, statuses
        )
        self.records.append(sent)
        fates = ((to, self._fate(order, to)) for to in order.to)
        sent.codes = {to: code for to, code in fates if code}
        key = ThreadKey(order.sender, frozenset(order.to) - {order.sender})
        bubble = Bubble(order.sender, order.text, order.media, None, core.when())
        for to in sorted(key.members - sent.codes.keys()):
            core.ring(to, key, bubble)
        core.later(_SENDING_AFTER, partial(self._send_on, sent))
        core.later(_FINAL_AFTER, partial(self._conclude, sent))
        return sent

    def _fate(self, order: BandwidthOrder, to: str) -> int | None:
        """Return the code by which *to* will not get *order*, if so."""
        doomed = self._doom(order)
        if doomed is not None:
            return doomed
        if to == order.sender:
            return 4401
        if to in self.core.owners:
            return None
        if not _served(to):
            return 4432
        if self.blocks(to):
            return 4775
        failing = self.core.handset(to).failing
        return None if failing is None else FAILURES[failing]

    def _doom(self, order: BandwidthOrder) -> int | None:
        """Return the code by which nobody will get *order*, if so."""
        if order.sender not in self._lines:
            return 4403
        if len(order.to) > MOST_RECIPIENTS:
            return 4435
        if order.expiration is not None and order.expiration <= self.core.when():
            return 4360
        ours = f"{self.media_url}/"
        kept = (url.removeprefix(ours) for url in order.media if url.startswith(ours))
        return None if all(self.shelf.has(name) for name in kept) else 4410

    @property
    def media_url(self) -> str:
        """Return where the account's files are."""
        return f"{self.base_url}/users/{self.account_id}/media"

    def _hosted(self, sent_id: str, media: Iterable[str]) -> Iterable[str]:
        for place, url in enumerate(media):
            name = f"{sent_id}/{place}/{last_part(url)}"
            # Nothing is fetched: the file says what it stands for.
            self.shelf.put(name, f"stands for {url}".encode())
            yield f"{self.media_url}/{name}"

    def _send_on(self, sent: BandwidthSent) -> None:
        with self.core.lock:
            onward = [to for to in sent.order.to if not _own(sent.codes.get(to))]
            sent.statuses.update(dict.fromkeys(onward, "SENDING"))
            if self.quirks.mms_dlr and sent.order.mms:
                self._tell("message-sending", sent, onward)

    def _conclude(self, sent: BandwidthSent) -> None:
        quirks, codes = self.quirks, sent.codes
        receipted = quirks.mms_dlr or not sent.order.mms
        with self.core.lock:
            failed = [
                to
                for to in sent.order.to
                if to in codes
                and (receipted or (_own(codes[to]) and quirks.own_refusals))
            ]
            onward = [to for to in sent.order.to if not _own(codes.get(to))]
            if quirks.sent_event:
                self._tell("message-sent", sent, onward)
            handed = [to for to in onward if to not in failed]
            delivered = [to for to in handed if not receipted or self._proven(to)]
            sent.statuses.update(dict.fromkeys(failed, "FAILED"))
            sent.statuses.update(dict.fromkeys(delivered, "DELIVERED"))
            self._tell("message-delivered", sent, delivered)
            self._tell("message-failed", sent, failed)
            silent = [to for to in handed if to not in delivered]
            wait = _EXPIRES_AFTER - _FINAL_AFTER
            if silent and quirks.no_receipt == "failed":
                self.core.later(wait, partial(self._expire, sent, silent))

    def _expire(self, sent: BandwidthSent, silent: list[str]) -> None:
        with self.core.lock:
            sent.codes.update(dict.fromkeys(silent, EXPIRED))
            sent.statuses.update(dict.fromkeys(silent, "FAILED"))
            self._tell("message-failed", sent, silent)

    def _proven(self, to: str) -> bool:
        on_net = to in self.core.owners or self.core.handset(to).on_net
        answers = {"carrier": True, "on_net": on_net, "none": False}
        return answers[self.quirks.receipts]

    def _tell(self, kind: EventType, sent: BandwidthSent, to: Iterable[str]) -> None:
        about = (self.core.when(), self.application_id)
        events = [status_event(sent, one, kind, about, self.quirks) for one in to]
        together = self.quirks.together and self.quirks.body_as == "array"
        bodies = [events] if together else [[event] for event in events]
        line = self._lines.get(sent.order.sender) or next(iter(self._lines.values()))
        for body in bodies:
            if body:
                self._post(kind, body, line.status_url)

    def _post(self, about: str, events: list[dict[str, Json]], url: str | None) -> None:
        body = as_json(envelope(events, self.quirks))
        urls = (url,) if url else ()
        self.hooks.submit(Parcel(about, urls, lambda _number, _url: body))

    def _signed(self, _request: Request, _now: float) -> Mapping[str, str]:
        if not self.callback_username:
            return {}
        pair = basic(self.callback_username, self.callback_password)
        return {"authorization": pair}


def _own(code: int | None) -> bool:
    return code is not None and code < _FIRST_OF_CARRIERS


def _served(number: str) -> bool:
    try:
        phone.parse(number)
    except ValueError:
        return False
    return True
