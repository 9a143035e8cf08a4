"""Telnyx, outward: one request for the whole group, and who may call us back.

Proven against the manuals named in `facts` and the simulator, not yet against the
live carrier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import ClassVar, Final

from attrs import field, frozen

from ... import codec
from ...effects import Exchange, Program
from ...errors import ConfigError, PayloadError, SignatureError
from ...events import Event
from ...masking import redact, term
from ...models import (
    Accepted,
    Leg,
    NotSent,
    Number,
    Outcome,
    Refused,
    Unknown,
)
from ...signatures import ed25519_keys, ed25519_valid, unix_seconds
from ...wire import Json, Request, Response
from ..base import (
    Capabilities,
    Draft,
    Provider,
    Rail,
    bare_url,
    wait,
)
from ..reading import with_token
from .facts import (
    AMBIGUOUS,
    BY_STATUS,
    CAPABILITIES,
    CODES,
    OTHERWISE,
    THROTTLED,
    WINDOW,
)
from .inquiries import answers, questions
from .webhooks import parse

__all__ = ["Telnyx"]


def _keys(given: str | Sequence[str] | None) -> tuple[bytes, ...]:
    if given is None:
        return ()
    return ed25519_keys([given] if isinstance(given, str) else given)


def _callable_back(_telnyx: object, _attribute: object, value: str | None) -> None:
    if value is not None and not _CALLBACK.fullmatch(value):
        raise ConfigError(
            "webhook_failover_url must be an http or https address without fragment"
        )


_CALLBACK: Final = re.compile(r"https?://[^\s#]+")


def _given(_telnyx: object, _attribute: object, value: str) -> None:
    if not value:
        raise ConfigError("Telnyx needs api_key= (it starts with KEY)")


@frozen(eq=False, kw_only=True)
class Telnyx(Provider):
    """One Telnyx account.

    *public_key* verifies webhooks: base64 from the portal, or several while a key is
    being rotated. *webhook_failover_url* and *use_profile_webhooks* are passed on with
    every message.

    Raises:
        ConfigError: *api_key* is empty or *public_key* is not an Ed25519 key.
    """

    carrier: ClassVar[str] = "telnyx"

    api_key: str = field(repr=False, validator=_given)
    public_key: tuple[bytes, ...] = field(default=None, converter=_keys, repr=False)
    name: str = "telnyx"
    base_url: str = field(default="https://api.telnyx.com/v2", converter=bare_url)
    webhook_failover_url: str | None = field(
        default=None, repr=False, validator=_callable_back
    )
    use_profile_webhooks: bool | None = None
    capabilities: Capabilities = field(default=CAPABILITIES, repr=False)

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return the one request for the whole group."""
        del rail
        key = draft.key(0)
        body = self._body(draft, key)
        headers = {
            "content-type": "application/json",
            "idempotency-key": key.replace(".", "-"),  # dots are not allowed in it
        }
        path = "/messages/group_mms" if len(draft.members) > 1 else "/messages"
        request = Request("POST", self.base_url + path, headers, codec.dumps(body))
        return (Leg(key, draft.members, request),)

    def _body(self, draft: Draft, key: str) -> dict[str, Json]:
        group = len(draft.members) > 1
        message = draft.message
        to: Json = list[Json](draft.members) if group else draft.members[0]
        optional: dict[str, Json] = {
            "text": message.text or None,
            "subject": message.subject or None,
            "media_urls": [item.url for item in message.media] or None,
            "webhook_url": with_token(draft.callback, key),
            "webhook_failover_url": with_token(self.webhook_failover_url, key),
            "use_profile_webhooks": self.use_profile_webhooks,
            "type": None if group else "MMS",
        }
        said = {name: value for name, value in optional.items() if value is not None}
        return {"from": draft.line.number, "to": to, **said}

    def repeatable(self, leg: Leg) -> bool:
        """Tell whether *leg* carries an idempotency key ("Idempotency": 24 h)."""
        return leg.request.headers.get("idempotency-key") is not None

    def inquire(
        self, leg: Leg, *, own: frozenset[str], now: float
    ) -> Program[tuple[Event, ...]]:
        """Return what Telnyx's own lists tell of *leg*, webhooks lost too."""
        asked = questions(self.base_url, leg.key)
        requests = tuple(self.authorize(request, now) for request in asked)
        replies = yield from Exchange(requests)
        received_at = datetime.fromtimestamp(now, UTC)
        return answers(
            replies, leg.key, own=own, received_at=received_at, account=self.name
        )

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with the API key."""
        del now
        headers = request.headers.merged({"authorization": f"Bearer {self.api_key}"})
        return Request(request.method, request.url, headers, request.body)

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* proves; a 2xx without an id proves nothing.

        Nor does one that is replayed where nothing was sent before: another request
        used our key.
        """
        known = self.reread(leg, response)
        replayed = response.headers.get("idempotent-replayed") or ""
        if isinstance(known, Accepted) and replayed.lower() == "true":
            return Unknown("the idempotency key was already in use")
        return known

    def reread(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* to a leg sent again under its key proves."""
        try:
            body = codec.table(codec.loads(response.body))
        except PayloadError:
            body = {}
        if response.status >= HTTPStatus.BAD_REQUEST:
            return _refusal(response, body, leg)
        data = codec.table(body, "data")
        message_id = codec.text(data, "group_message_id") or codec.text(data, "id")
        if message_id is None:
            return Unknown(f"HTTP {response.status} without a message id")
        cost = codec.amount(data.get("cost"), value="amount", currency="currency")
        return Accepted(message_id, cost)

    def verify(self, request: Request, now: float) -> None:
        """Check Ed25519 over `timestamp|body`, and that it was signed in 300 s.

        Raises:
            SignatureError: it does not hold.
            ConfigError: the account has no public key.
        """
        if not self.public_key:
            raise ConfigError(
                f"{self.name} has no public_key= and so cannot verify a webhook"
            )
        written = request.headers.get("telnyx-timestamp") or ""
        timestamp = unix_seconds(written)
        signature = request.headers.get("telnyx-signature-ed25519")
        if timestamp is None or signature is None:
            raise SignatureError("the webhook carries no Telnyx signature")
        signed = written.encode() + b"|" + request.body
        if not ed25519_valid(self.public_key, signature, signed):
            raise SignatureError("the webhook's signature does not fit its body")
        if abs(now - timestamp) > WINDOW:
            raise SignatureError(
                f"the webhook was signed {now - timestamp:+.0f} s ago, "
                f"more than {WINDOW} s off",
                status=503,
            )

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return what a webhook tells."""
        return parse(body, own=own, received_at=received_at, account=self.name)


def _refusal(response: Response, body: dict[str, Json], leg: Leg) -> Outcome:
    status = response.status
    errors = [codec.table(error) for error in codec.items(body, "errors")]
    first = errors[0] if errors else {}
    told = codec.text(first, "code")
    code = term(told) if told else ""
    if code in THROTTLED:
        return NotSent(f"Telnyx is throttling (code {code})", wait(response))
    if code in AMBIGUOUS or (not code and status == HTTPStatus.CONFLICT):
        return Unknown(
            f"HTTP {status}, code {code or 'unreadable'}: perhaps it was taken"
        )
    ruling = CODES.get(code) or BY_STATUS.get(str(status), OTHERWISE)
    detail = redact(codec.text(first, "title") or "")
    alike = [error for error in errors if codec.text(error, "code") == told]
    named = tuple(_named(alike, leg))
    return Refused(code or f"HTTP {status}", ruling.reason, ruling.scope, detail, named)


def _named(errors: Iterable[dict[str, Json]], leg: Leg) -> Iterator[Number]:
    """Yield the members that *errors* point at: `/to/1` is the second of the leg's."""
    for error in errors:
        pointer = codec.text(codec.table(error, "source"), "pointer") or ""
        match = _POINTER.match(pointer)
        if match and int(match[1]) < len(leg.members):
            yield leg.members[int(match[1])]


_POINTER: Final = re.compile(r"/to/([0-9]{1,2})(?:/|\Z)")
