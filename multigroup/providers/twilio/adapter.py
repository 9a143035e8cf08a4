"""Twilio, outward: a conversation per group and line, and one message in it.

Proven against the manuals named in `facts`, not yet against the live carrier.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from attrs import Attribute, Factory, field, frozen

from ... import codec
from ...effects import Exchange, Program
from ...errors import ConfigError, SignatureError
from ...events import Event
from ...models import Accepted, Leg, Message, NotSent, Number, Outcome, Scope, Unknown
from ...signatures import hmac_sha1_valid
from ...wire import Request, Response
from ..base import LOOK_UP, Capabilities, Draft, Flow, Line, Provider, Rail, bare_url
from .facts import CAPABILITIES, CODES
from .inquiries import answers, question
from .rail import GroupRail, prepared
from .replies import Answer
from .rosters import Rosters
from .signing import signed_texts
from .site import Site, form_request
from .webhooks import parse

__all__ = ["Twilio"]

_SERVICE: Final = re.compile("MG[0-9a-fA-F]{32}")
_ACCOUNT: Final = re.compile("AC[0-9a-fA-F]{32}")
_FIRST: Final = ".0"


def _tokens(given: str | Sequence[str] | None) -> tuple[str, ...]:
    tokens = () if given is None else (given,) if isinstance(given, str) else (*given,)
    if not all(tokens):
        raise ConfigError("auth_token is empty: anybody could sign with it")
    return tokens


def _shape(
    pattern: re.Pattern[str], words: str
) -> Callable[[object, Attribute[str], str], None]:
    def check(_twilio: object, attribute: Attribute[str], value: str) -> None:
        if not pattern.fullmatch(value):
            raise ConfigError(f"{attribute.name} must be {words}")

    return check


def _public(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return bare_url(given)
    except ConfigError:
        raise ConfigError(
            "public_url must be http(s)://host[:port][/path], without user or query"
        ) from None


def _hook(_twilio: object, _attribute: object, value: str) -> None:
    if value not in ("conversations", "classic"):
        raise ConfigError(
            f"inbound={value!r} is neither 'conversations' nor 'classic': name the "
            "hook that tells of messages, as each comes by both"
        )


def _credentials(twilio: Twilio) -> str:
    if twilio.api_key and twilio.api_secret:
        pair = f"{twilio.api_key}:{twilio.api_secret}"
    elif twilio.auth_token and not (twilio.api_key or twilio.api_secret):
        pair = f"{twilio.account_sid}:{twilio.auth_token[0]}"
    else:
        raise ConfigError("Twilio needs auth_token=, or api_key= and api_secret=")
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@frozen(eq=False, kw_only=True)
class Twilio(Provider):
    """One Twilio account, by group texting in Conversations (classic).

    *auth_token* verifies webhooks, also where *api_key* and *api_secret* are what
    requests are sent with; several may be given while it is being changed, the first
    is used for sending. *messaging_service_sid* is the service that holds the 10DLC
    campaign. *public_url* is how the webhook endpoint's address begins for the carrier,
    if proxies change it on its way. *inbound* names the one hook that tells of
    messages.

    Raises:
        ConfigError: credentials are missing, or a setting is none of its kind.
    """

    carrier: ClassVar[str] = "twilio"

    account_sid: str = field(validator=_shape(_ACCOUNT, "AC and 32 hex digits"))
    auth_token: tuple[str, ...] = field(default=None, converter=_tokens, repr=False)
    api_key: str | None = field(default=None, repr=False)
    api_secret: str | None = field(default=None, repr=False)
    messaging_service_sid: str = field(
        validator=_shape(_SERVICE, "the MG… of the service that holds the campaign")
    )
    public_url: str | None = field(default=None, converter=_public)
    inbound: Literal["conversations", "classic"] = field(
        default="conversations", validator=_hook
    )
    name: str = "twilio"
    base_url: str = field(
        default="https://conversations.twilio.com/v1", converter=bare_url
    )
    capabilities: Capabilities = field(default=CAPABILITIES, repr=False)
    _credentials: str = field(
        default=Factory(_credentials, takes_self=True), init=False, repr=False
    )
    _rosters: Rosters = field(factory=Rosters, init=False, repr=False)

    def unsupported(
        self, line: Line, members: Sequence[Number], message: Message
    ) -> str | None:
        """Return why *line* cannot carry *message*: a conversation of one, for one."""
        if len(members) == 1:
            return f"{self.name} texts groups only: two members or more"
        return super().unsupported(line, members, message)

    def prepare(self, draft: Draft) -> Flow:
        """Find or make the conversation of exactly these members and this line."""
        site = Site(
            account=self.name,
            base_url=self.base_url,
            service=self.messaging_service_sid,
            number=draft.line.number,
            members=draft.members,
            authorize=self.authorize,
        )
        return (yield from prepared(site, draft))

    def legs(self, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
        """Return the one message, written by our projected number.

        With the header its own webhook comes back too, and our token in it: that
        proves it taken if the answer is lost.
        """
        if not isinstance(rail, GroupRail):
            return ()
        key = draft.key(0)
        fields = (
            ("Author", draft.line.number),
            ("Body", draft.message.text),
            ("Attributes", codec.dumps({"leg": key}).decode()),
        )
        url = f"{self.base_url}/Conversations/{rail.sid}/Messages"
        request = form_request("POST", url, fields)
        headers = request.headers.merged({"x-twilio-webhook-enabled": "true"})
        request = Request(request.method, request.url, headers, request.body)
        return (Leg(key, draft.members, request),)

    def authorize(self, request: Request, now: float) -> Request:
        """Return *request* with Basic credentials."""
        del now
        headers = request.headers.merged({"authorization": self._credentials})
        return Request(request.method, request.url, headers, request.body)

    def read(self, leg: Leg, response: Response) -> Outcome:
        """Return what *response* proves; a 2xx without an id proves nothing.

        The code for a conversation that was closed meanwhile is not documented, so a
        refusal of a send's first leg that may be about that has it looked at.
        """
        answer = Answer.of(response)
        if answer.fine:
            message_id = codec.text(answer.document, "sid")
            if message_id is None:
                return Unknown(f"HTTP {response.status} without a message id")
            return Accepted(message_id)
        if answer.throttled:
            return NotSent(f"{self.name} is throttling", answer.patience)
        refusal = answer.refusal()
        of_account = answer.status in (401, 402)
        known = refusal.scope is not Scope.LINE if answer.code in CODES else of_account
        if known or not leg.key.endswith(_FIRST):
            return refusal
        why = f"the conversation does not take it ({refusal.code})"
        return NotSent(why, stale=True)

    def inquire(
        self, leg: Leg, *, own: frozenset[str], now: float
    ) -> Program[tuple[Event, ...]]:
        """Return the message of *leg* if it is among the conversation's last."""
        del own
        request = self.authorize(question(leg), now)
        (reply,) = yield from Exchange((request,))
        received_at = datetime.fromtimestamp(now, UTC)
        return answers(reply, leg.key, received_at=received_at, account=self.name)

    def completed(
        self, event: Event, *, own: frozenset[str], now: float
    ) -> Program[Event]:
        """Return *event* with its members, whom a conversation's webhooks leave out."""
        asked = self._rosters.question(self.base_url, event)
        if asked is not None:
            requests = (self.authorize(asked, now),)
            (reply,) = yield from Exchange(requests, within=LOOK_UP)
            self._rosters.learn(event, reply)
        return self._rosters.completed(event, own)

    def verify(self, request: Request, now: float) -> None:
        """Check HMAC-SHA1 over address and form; of its age the carrier says nothing.

        `request.url` must be what Twilio called, or *public_url* what that began with.

        Raises:
            SignatureError: it does not hold.
            ConfigError: the account has no auth token.
        """
        del now
        if not self.auth_token:
            raise ConfigError(
                f"{self.name} has no auth_token= and so cannot verify a webhook: it is "
                "signed with that, also where an API key sends"
            )
        signature = request.headers.get("x-twilio-signature")
        if signature is None:
            raise SignatureError("the webhook carries no Twilio signature")
        secrets = [token.encode() for token in self.auth_token]
        signed = signed_texts(request, self.public_url)
        if not hmac_sha1_valid(secrets, signature, signed):
            raise SignatureError(
                "the webhook's signature does not fit its address and body: behind a "
                "proxy give public_url="
            )

    def parse(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]:
        """Return what a webhook tells; of messages only what comes by our hook."""
        return parse(
            body,
            own=own,
            received_at=received_at,
            account=self.name,
            inbound=self.inbound,
        )
