"""Vonage, outward: one request per member, each naming all the others.

Handsets make one thread of them. Proven against the manuals named in `facts` and the
simulator, not yet against the live carrier.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urlsplit

from attrs import Factory, field, frozen

from ... import codec
from ...errors import ConfigError, PayloadError, SignatureError
from ...events import Event
from ...masking import redact
from ...models import (
    Accepted,
    Leg,
    Media,
    Outcome,
    Refused,
    Unknown,
)
from ...signatures import bearer, body_hash_is, hs256_claims
from ...wire import Json, Request, Response
from ..base import (
    Capabilities,
    Draft,
    Provider,
    Rail,
    bare_url,
)
from ..reading import with_token
from .facts import (
    BY_STATUS,
    BY_TITLE,
    CAPABILITIES,
    DECLARED,
    MEDIA_TYPES,
    OTHERWISE,
    SKEW,
    UNTOLD,
    WINDOW,
)
from .tokens import Tokens
from .webhooks import parse

__all__ = ["Vonage"]


def _secrets(given: str | Sequence[str] | None) -> tuple[bytes, ...]:
    if given is None:
        return ()
    secrets = [given] if isinstance(given, str) else list(given)
    if not all(secrets):
        raise ConfigError("signature_secret is empty: anybody could sign with it")
    return tuple(secret.encode() for secret in secrets)


def _issuer(vonage: Vonage) -> Tokens | None:
    if vonage.application_id and vonage.private_key:
        return Tokens(vonage.application_id, vonage.private_key)
    if vonage.api_key and vonage.api_secret:
        return None
    raise ConfigError(
        "Vonage needs api_key= and api_secret=, or application_id= and private_key="
    )


@frozen(eq=False, kw_only=True)
class Vonage(Provider):
    """One Vonage account.

    Give *api_key* and *api_secret* (Basic), or *application_id* and *private_key* (PEM;
    JWT). *signature_secret* verifies webhooks: the account's, or several while it is
    being rotated. *max_members* is ours, as the carrier documents none.

    Raises:
        ConfigError: neither pair of credentials is whole, or a secret is empty.
    """

    carrier: ClassVar[str] = "vonage"

    api_key: str | None = field(default=None, repr=False)
    api_secret: str | None = field(default=None, repr=False)
    application_id: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    signature_secret: tuple[bytes, ...] = field(
        default=None, converter=_secrets, repr=False
    )
    name: str = "vonage"
    base_url: str = field(default="https://api.nexmo.com", converter=bare_url)
    capabilities: Capabilities = field(default=CAPABILITIES, repr=False)
    _tokens: Tokens | None = field(
        default=Factory(_issuer, takes_self=True), init=False, repr=False
    )

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return one request per member, each naming all the others."""
        del rail
        url = f"{self.base_url}/v1/messages"
        headers = {"content-type": "application/json", "accept": "application/json"}
        said = _said(draft)
        legs: list[Leg] = []
        for index, member in enumerate(draft.members):
            key = draft.key(index)
            others: list[Json] = [_bare(n) for n in draft.members if n != member]
            body: dict[str, Json] = {**said, "to": _bare(member), "client_ref": key}
            if others:
                body["mms"] = {"participants": others}
            if draft.callback:
                body["webhook_url"] = with_token(draft.callback, key)
            request = Request("POST", url, headers, codec.dumps(body))
            legs.append(Leg(key, (member,), request))
        return tuple(legs)

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with a JWT, or with Basic credentials."""
        if self._tokens is not None:
            value = f"Bearer {self._tokens.at(now)}"
        else:
            pair = f"{self.api_key}:{self.api_secret}".encode()
            value = f"Basic {base64.b64encode(pair).decode()}"
        headers = request.headers.merged({"authorization": value})
        return Request(request.method, request.url, headers, request.body)

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* proves; a 2xx without an id proves nothing."""
        del leg
        try:
            body = codec.table(codec.loads(response.body))
        except PayloadError:
            body = {}
        if response.status >= HTTPStatus.BAD_REQUEST:
            title = codec.text(body, "title") or ""
            ruling = (
                BY_TITLE.get(title.lower())
                or BY_STATUS.get(str(response.status))
                or OTHERWISE
            )
            detail = redact(codec.text(body, "detail") or title)
            code = f"HTTP {response.status}"
            return Refused(code, ruling.reason, ruling.scope, detail)
        message_id = codec.text(body, "message_uuid")
        if message_id is None:
            return Unknown(f"HTTP {response.status} without a message id")
        return Accepted(message_id)

    def verify(self, request: Request, now: float) -> None:
        """Check the JWT (HS256), its issuer and age, and that it is of this body.

        Raises:
            SignatureError: it does not hold. The status is 503 when there is no JWT at
                all or it is stale: the manual asks for a retry of the rare unsigned
                webhook.
            ConfigError: the account has no signature secret.
        """
        if not self.signature_secret:
            raise ConfigError(
                f"{self.name} has no signature_secret= and so cannot verify a webhook"
            )
        header = request.headers.get("authorization")
        if not header:
            raise SignatureError("the webhook carries no signature", status=503)
        token = bearer(header)
        claims = hs256_claims(token, self.signature_secret) if token else None
        if claims is None:
            raise SignatureError("the webhook's token is not signed with our secret")
        if claims.get("iss") != "Vonage":
            raise SignatureError("the webhook's token was not issued by Vonage")
        if not body_hash_is(claims.get("payload_hash"), request.body):
            raise SignatureError("the webhook's token is not of this body")
        issued = claims.get("iat")
        if isinstance(issued, bool) or not isinstance(issued, int | float):
            raise SignatureError("the webhook's token does not say when it was issued")
        if not now - WINDOW <= issued <= now + SKEW:  # no sum: it may be any number
            raise SignatureError("the webhook is stale or from the future", status=503)

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return what a webhook tells."""
        return parse(body, own=own, received_at=received_at, account=self.name)


def _bare(number: str) -> str:
    """Return *number* as Vonage writes it: E.164 without the plus."""
    return number.removeprefix("+")


def _said(draft: Draft) -> dict[str, Json]:
    """Return the part of the body that is the same for every member."""
    message = draft.message
    common: dict[str, Json] = {
        "channel": "mms",
        "from": _bare(draft.line.number),
        "webhook_version": "v1",
    }
    if not message.media:
        return {**common, "message_type": "text", "text": message.text}
    content: list[dict[str, Json]] = [
        {"type": _media_type(item), "url": item.url} for item in message.media
    ]
    if message.text:
        content[0]["caption"] = message.text
    if len(content) > 1:
        return {**common, "message_type": "content", "content": list[Json](content)}
    kind = str(content[0].pop("type"))
    return {**common, "message_type": kind, kind: content[0]}


def _media_type(item: Media) -> str:
    """Return Vonage's word for *item*: what was declared goes before the ending."""
    declared = (item.content_type or "").partition(";")[0].strip().lower()
    main, _, subtype = declared.partition("/")
    if main in DECLARED:
        return main
    if declared in UNTOLD:
        subtype = urlsplit(item.url).path.rpartition(".")[2].lower()
    return MEDIA_TYPES.get(subtype, "file")
