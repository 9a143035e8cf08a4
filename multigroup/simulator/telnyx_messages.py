"""Telnyx's messages: accepted, rung, followed to their end, told by webhook."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from attrs import field, frozen

from ..wire import Json, Request
from .core import Core
from .courier import Courier, Parcel, Policy
from .face import Face, Signing, as_json
from .handset import Arrival, Bubble, ThreadKey
from .keys import Ed25519Signer
from .telnyx_deliveries import Deliveries
from .telnyx_rules import Kind, Order
from .telnyx_shapes import (
    FAILURES,
    Sent,
    TelnyxQuirks,
    inbound,
    message_id,
    outbound,
)

__all__ = ["KEPT", "TelnyxMessages"]

KEPT = 10_000
"""How many messages can be looked up: a long run must not eat the machine's memory."""

_SENT_AFTER = 0.5
_FINAL_AFTER = 2.0

# Receiving webhooks guide: 2 s to answer, three tries per URL. How long the waits are
# is not published; these are examples.
_POLICY = Policy(
    timeout=2.0, success=range(200, 300), waits=(1.0, 4.0), retried=lambda _: True
)


@frozen
class _Line:
    kind: Kind
    webhook_url: str | None = field(repr=False)
    failover_url: str | None = field(repr=False)


class TelnyxMessages(Face):
    """The part of Telnyx behind its API: numbers, messages and their webhooks."""

    name: ClassVar[str] = "telnyx"
    prefix: ClassVar[str] = "/v2"
    throttled_code: ClassVar[str] = "10011"

    def __init__(self, core: Core) -> None:
        super().__init__(core, "http://telnyx.invalid/v2")
        self.profile_id = core.uuid()
        self.quirks = TelnyxQuirks()
        self.deliveries = Deliveries(core.uuid, core.uuid())
        keep = self.deliveries.keep
        self.hooks = Courier(core, self.name, _POLICY, self._signed, keep)
        self._signer = Ed25519Signer(core.random)
        self._lines: dict[str, _Line] = {}
        self._sent: dict[str, Sent] = {}

    @property
    def public_key(self) -> str:
        """Return the key that checks this account's webhooks, in base64."""
        return self._signer.public_key

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the account's numbers."""
        return tuple(self._lines)

    def add_number(
        self,
        number: str,
        *,
        webhook_url: str | None = None,
        failover_url: str | None = None,
        kind: Kind = "long_code",
    ) -> None:
        """Give the account *number*, or change where its webhooks go.

        The URLs are those of the messaging profile: they get what people write, and
        what becomes of sends that name no URL of their own.

        Raises:
            ValueError: another carrier or a person has the number.
        """
        with self.core.lock:
            self.core.own(number, self)
            self._lines[number] = _Line(kind, webhook_url, failover_url)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Return of what kind each of the account's numbers is."""
        return {number: line.kind for number, line in self._lines.items()}

    def inbound(self, arrival: Arrival) -> None:
        """Post `message.received` to the number's webhook URLs."""
        word = self.note_keyword(arrival)
        ids = (message_id(self.core.now(), self.core.random), self.profile_id)
        payload = inbound(arrival, word, ids, self.quirks)
        line = self._lines[arrival.number]
        self._event("message.received", payload, (line.webhook_url, line.failover_url))

    def signing(self, request: Request) -> Signing:
        """Return the timestamp and the body with a bar between (webhook guide)."""
        stamp = request.headers.get("telnyx-timestamp") or "no timestamp"
        text = f"{stamp}|{request.body.decode(errors='replace')}"
        return Signing(text, f"Ed25519, public key {self.public_key}")

    def accept(self, order: Order, *, group: bool) -> Sent:
        """Take *order*, ring the handsets, and have the events follow."""
        core = self.core
        ids = {to: message_id(core.now(), core.random) for to in order.to}
        sent = Sent(
            id=message_id(core.now(), core.random),
            order=order,
            group=group,
            profile_id=self.profile_id,
            received_at=core.when(),
            statuses=dict.fromkeys(order.to, "queued"),
            own_ids=ids,
        )
        self._sent[sent.id] = sent
        if len(self._sent) > KEPT:
            del self._sent[next(iter(self._sent))]
        key = ThreadKey(order.sender, frozenset(order.to) - {order.sender})
        bubble = Bubble(
            order.sender, order.text or "", order.media, order.subject, core.when()
        )
        for to in sorted(key.members):
            core.ring(to, key, bubble)
        core.later(_SENT_AFTER, partial(self._progress, sent))
        core.later(_FINAL_AFTER, partial(self._finalize, sent))
        return sent

    def _progress(self, sent: Sent) -> None:
        with self.core.lock:
            sent.sent_at = self.core.when()
            sent.statuses.update(dict.fromkeys(sent.order.to, "sent"))
            if self.quirks.send_sent_event:
                self._tell("message.sent", sent)

    def _finalize(self, sent: Sent) -> None:
        with self.core.lock:
            if self.quirks.finalized == "never":
                return
            sent.completed_at = self.core.when()
            for place, to in enumerate(sent.order.to):
                self._conclude(sent, to, place)
            self._tell("message.finalized", sent)

    def _conclude(self, sent: Sent, to: str, place: int) -> None:
        if to in self.core.owners:
            sent.statuses[to] = "delivered"
            return
        phone = self.core.handset(to)
        if phone.failing is None:
            # Group guide: other networks' phones give no receipt, so not `delivered`.
            known = phone.on_net or not sent.group
            sent.statuses[to] = "delivered" if known else "unknown"
            return
        status, code, title = FAILURES[phone.failing]
        sent.statuses[to] = status
        sent.errors[to] = {
            "code": code,
            "title": title,
            "source": {"pointer": f"/to/{place}/phone_number"},
        }

    def _tell(self, event_type: str, sent: Sent) -> None:
        order, line = sent.order, self._lines[sent.order.sender]
        urls: tuple[str | None, ...] = (order.webhook_url, order.failover_url)
        if order.use_profile:  # API reference: the message's own first
            urls += (line.webhook_url, line.failover_url)
        together = self.quirks.finalized == "all"
        parts = [order.to] if together else [(to,) for to in order.to]
        for part in parts:
            payload = outbound(sent, part, self.quirks, event=True)
            self._event(event_type, payload, urls)

    def _event(
        self, event_type: str, payload: dict[str, Json], urls: tuple[str | None, ...]
    ) -> None:
        data: dict[str, Json] = {
            "record_type": "event",
            "id": self.core.uuid(),
            "event_type": event_type,
            "occurred_at": self.core.when().isoformat(timespec="milliseconds"),
            "payload": payload,
        }

        def render(number: int, url: str) -> bytes:
            meta: dict[str, Json] = {"attempt": number, "delivered_to": url}
            return as_json(
                {"data": data, "meta": meta} if self.quirks.meta else {"data": data}
            )

        given = tuple(dict.fromkeys(url for url in urls if url))
        self.hooks.submit(Parcel(event_type, given, render, data))

    def _signed(self, request: Request, now: float) -> Mapping[str, str]:
        stamp = str(int(now))
        signature = self._signer.sign(stamp.encode() + b"|" + request.body)
        return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": stamp}
