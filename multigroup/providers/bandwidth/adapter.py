"""Bandwidth, outward: one request for the whole group, and who may call us back.

Proven against the manuals named in `facts`, not yet against the live carrier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar, Final, TypeAlias, cast

from attrs import Factory, field, frozen

from ... import codec
from ...effects import Exchange, Now
from ...errors import ConfigError, PayloadError, SignatureError
from ...events import Event
from ...masking import redact, term
from ...models import Accepted, Leg, Number, Outcome, Refused, Scope, Unknown
from ...signatures import basic_is, basic_pair
from ...wire import Json, Request, Response
from ..base import Capabilities, Draft, Flow, Provider, Rail, bare_url
from .facts import API, BY_FIELD, BY_STATUS, CAPABILITIES, CODES, OTHERWISE, TOKENS
from .tokens import Tokens, basic
from .webhooks import parse

__all__ = ["Bandwidth"]

Pair: TypeAlias = tuple[str, str]

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _pairs(given: Pair | Sequence[Pair] | None) -> tuple[bytes, ...]:
    """Return the pairs of user and password in *given*: one, several or none."""
    entries = list(given or ())
    if entries and all(isinstance(entry, str) for entry in entries):
        entries = [cast("Pair", tuple(entries))]
    try:
        return tuple(basic_pair(*map(_text, (user, word))) for user, word in entries)
    except (ConfigError, TypeError, ValueError):
        raise ConfigError(
            "callback_credentials must be a pair (user, password), or a list of pairs, "
            "as the application at Bandwidth has them: nothing empty, no colon in user"
        ) from None


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _identifies(_account: object, attribute: object, value: str) -> None:
    if not _ID.fullmatch(value):
        name = getattr(attribute, "name", "")
        raise ConfigError(f"Bandwidth needs {name}=, as the portal shows it")


def _address(url: str) -> str:
    try:
        return bare_url(url)
    except ConfigError as error:
        raise ConfigError(str(error).replace("base_url", "token_url")) from None


def _keys(account: Bandwidth) -> bytes | Tokens:
    if account.client_id and account.client_secret:
        pair = basic_pair(account.client_id, account.client_secret)
        return Tokens(account.token_url, pair)
    if account.username and account.password:
        return basic_pair(account.username, account.password)
    raise ConfigError(
        "Bandwidth needs client_id= and client_secret= (API Credentials), or "
        "username= and password= (an API User, which ends on 2026-12-02)"
    )


@frozen(eq=False, kw_only=True)
class Bandwidth(Provider):
    """One Bandwidth account and one of its messaging applications.

    Give *client_id* and *client_secret* (OAuth 2.0), or *username* and *password*
    (Basic, until Bandwidth ends it). *callback_credentials* are the user and password
    that the application's webhooks come with: one pair, or several, as inbound and
    outbound ones may differ. *mms_dlr* says that MMS receipts are switched on at the
    account; without them `message-delivered` proves no more than that Bandwidth has
    handed the message on.

    Raises:
        ConfigError: an id is missing, no pair of credentials is whole, or
            *callback_credentials* are no pairs.
    """

    carrier: ClassVar[str] = "bandwidth"

    account_id: str = field(repr=False, validator=_identifies)
    application_id: str = field(repr=False, validator=_identifies)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    callback_credentials: tuple[bytes, ...] = field(
        default=None, converter=_pairs, repr=False
    )
    mms_dlr: bool = False
    name: str = "bandwidth"
    base_url: str = field(default=API, converter=bare_url)
    token_url: str = field(default=TOKENS, converter=_address)
    capabilities: Capabilities = field(default=CAPABILITIES, repr=False)
    _own: bytes | Tokens = field(
        default=Factory(_keys, takes_self=True), init=False, repr=False
    )

    def prepare(self, draft: Draft) -> Flow:
        """Have a token at hand, where client id and secret are given."""
        del draft
        tokens = self._own
        if isinstance(tokens, Tokens):
            now = yield from Now()
            if not tokens.fresh(now):
                (reply,) = yield from Exchange((tokens.question(),))
                missing = tokens.take(reply, now)
                if missing is not None:
                    return missing
        return Rail()

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return the one request for the whole group."""
        del rail
        key = draft.key(0)
        message = draft.message
        body: dict[str, Json] = {
            "applicationId": self.application_id,
            "from": draft.line.number,
            "to": list[Json](draft.members),
            "tag": key,
        }
        if message.text:
            body["text"] = message.text
        if message.media:
            body["media"] = [item.url for item in message.media]
        headers = {"content-type": "application/json", "accept": "application/json"}
        url = f"{self.base_url}/users/{self.account_id}/messages"
        request = Request("POST", url, headers, codec.dumps(body))
        return (Leg(key, draft.members, request),)

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with the account's credentials if it goes to the API itself.

        No other host is shown them, whatever address a leg or a message holds.

        Raises:
            ConfigError: a token is needed, and none was got by `prepare`.
        """
        del now
        if not request.url.startswith(f"{self.base_url}/"):
            return request
        own = self._own
        value = own.header() if isinstance(own, Tokens) else basic(own)
        headers = request.headers.merged({"authorization": value})
        return Request(request.method, request.url, headers, request.body)

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* proves; a 2xx without an id proves nothing.

        After a 401 another token is got for the next send.
        """
        refused = response.status == HTTPStatus.UNAUTHORIZED
        if refused and isinstance(self._own, Tokens):
            self._own.doubt()
        try:
            body = codec.table(codec.loads(response.body))
        except PayloadError:
            body = {}
        if response.status >= HTTPStatus.BAD_REQUEST:
            return _refusal(response.status, body, leg)
        message_id = codec.text(body, "id")
        if message_id is None:
            return Unknown(f"HTTP {response.status} without a message id")
        return Accepted(message_id)

    def verify(self, request: Request, now: float) -> None:
        """Check the user and password that the webhook came with.

        They prove neither its body nor its age: Bandwidth signs nothing.

        Raises:
            SignatureError: they are not ours.
            ConfigError: the account has no callback credentials.
        """
        del now
        if not self.callback_credentials:
            raise ConfigError(
                f"{self.name} has no callback_credentials= and so cannot verify a "
                "webhook"
            )
        header = request.headers.get("authorization")
        if not basic_is(header, self.callback_credentials):
            raise SignatureError("the webhook does not come with our user and password")

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return what a webhook tells."""
        return parse(
            body,
            own=own,
            received_at=received_at,
            account=self.name,
            mms_dlr=self.mms_dlr,
        )


def _refusal(status: int, body: dict[str, Json], leg: Leg) -> Refused:
    errors = [codec.table(error) for error in codec.items(body, "fieldErrors")]
    first = errors[0] if errors else {}
    about = (codec.text(first, "fieldName") or "").partition("[")[0]
    code = codec.text(body, "errorCode") or codec.text(body, "type") or ""
    ruling = (
        CODES.get(code)
        or BY_STATUS.get(str(status))
        or BY_FIELD.get(about)
        or OTHERWISE
    )
    words = [codec.text(one, "description") or "" for one in (*errors, body)]
    told = next(filter(None, words), None) or codec.text(body, "error") or ""
    blamed = leg.members if ruling.scope is Scope.MEMBER else ()
    named = tuple(_quoted(blamed, words))
    return Refused(
        term(code) if code else f"HTTP {status}",
        ruling.reason,
        ruling.scope,
        redact(told),
        named,
    )


def _quoted(members: Sequence[Number], words: Sequence[str]) -> Sequence[Number]:
    """Return who of *members* is quoted in *words*."""
    said = set(_NUMBER.findall(" ".join(words)))
    return [member for member in members if member in said]


_NUMBER: Final = re.compile(r"\+[0-9]+")
