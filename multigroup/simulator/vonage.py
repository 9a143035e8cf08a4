"""Vonage's Messages API, as its documents describe it (read 2026-11-21)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import ClassVar

from attrs import field, frozen

from ..wire import Json, Request, Response
from .bucket import Bucket
from .core import Core
from .courier import Courier, Parcel, Policy, doubling
from .face import Face, Signing, as_json, from_json, path_of
from .handset import Arrival, Bubble, ThreadKey
from .keys import RsaApplication, basic, hs256, opened, sha256_hex
from .vonage_rules import Leg, Problem, check
from .vonage_shapes import (
    FAILURES,
    OPTED_OUT,
    Late,
    State,
    VonageQuirks,
    inbound,
    status_event,
    with_plus,
    without_plus,
)

__all__ = ["VonageFace"]

_PATH = "/v1/messages"
_SUBMITTED_AFTER = 0.5
_FINAL_AFTER = 2.0
_LONGEST_TOKEN = 24 * 3600  # authentication guide: `exp` at most 24 h away
_LEEWAY = 60.0  # seconds of clock skew; not documented


# Support article on webhook retries, read 2026-11-21: the waits double from 5 s to
# 15 min, for 24 h.
_WAITS = tuple(doubling(5.0, 900.0, 24 * 3600))

# The same article: 15 s to answer; 429 and 5xx are tried again, any other 4xx is lost.
_POLICY = Policy(
    timeout=15.0,
    success=range(200, 206),
    waits=_WAITS,
    retried=lambda status: status == 429 or status >= 500,  # noqa: PLR2004
)


@frozen
class _Line:
    inbound_url: str | None = field(repr=False)
    status_url: str | None = field(repr=False)


class VonageFace(Face):
    """The simulated Vonage: one account with one application."""

    name: ClassVar[str] = "vonage"
    prefix: ClassVar[str] = ""
    throttled_code: ClassVar[str] = "throttled"

    def __init__(self, core: Core) -> None:
        super().__init__(core, "http://vonage.invalid")
        self.api_key = f"{core.random.getrandbits(32):08x}"
        self.api_secret = f"{core.random.getrandbits(64):016x}"
        self.signature_secret = f"{core.random.getrandbits(256):064x}"
        self.application_id = core.uuid()
        self.quirks = VonageQuirks()
        self.hooks = Courier(core, self.name, _POLICY, self._signed)
        self._lines: dict[str, _Line] = {}
        self._bucket = Bucket(core.now)

    @cached_property
    def _application(self) -> RsaApplication:
        return RsaApplication()  # a tenth of a second, so only when asked for

    @property
    def settings(self) -> Mapping[str, str]:
        """Return where the API is, its keys, and the secret that signs webhooks."""
        return {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "signature_secret": self.signature_secret,
            "application_id": self.application_id,
        }

    @property
    def private_key(self) -> str:
        """Return the application's private key, made at first use (PEM, PKCS#8)."""
        return self._application.pem

    @property
    def numbers(self) -> tuple[str, ...]:
        """Return the account's numbers, in E.164 or as short codes."""
        return tuple(self._lines)

    def add_number(
        self,
        number: str,
        *,
        inbound_url: str | None = None,
        status_url: str | None = None,
    ) -> None:
        """Give the account *number* (E.164 or short code), or change its webhooks.

        Raises:
            ValueError: another carrier or a person has the number.
        """
        with self.core.lock:
            self.core.own(number, self)
            self._lines[number] = _Line(inbound_url, status_url)

    def sends(self, request: Request) -> bool:
        """Tell whether *request* is a POST of a message."""
        return request.method == "POST" and path_of(request) == _PATH

    def refusal(self, status: int, code: str, *, title: str, detail: str) -> Response:
        """Return a problem document (RFC 7807), as all of Vonage's errors are."""
        return self._problem(status, code, title or "Error", detail)

    def respond(self, request: Request) -> Response:
        """Answer as the API does."""
        if not self.sends(request):
            why = f"The simulator has not built {request.method} {path_of(request)}."
            return self._problem(404, "not-found", "Not Found", why)
        if not self._authorized(request.headers.get("authorization") or ""):
            title = "You did not provide correct credentials."
            return self._problem(401, "unauthorized", title, "Check key and secret.")
        if not self._bucket.take(self.quirks.rate):
            return self._slow_down()
        return self._order(request)

    def inbound(self, arrival: Arrival) -> None:
        """Post the inbound webhook to the number's URL."""
        self.note_keyword(arrival)
        core = self.core
        event = inbound(arrival, core.uuid(), core.when(), self.quirks)
        self._post("inbound", event, self._lines[arrival.number].inbound_url)

    def signing(self, request: Request) -> Signing:
        """Return the token's header and claims, as they stand and as they read."""
        token = (request.headers.get("authorization") or "").rpartition(" ")[2]
        if not token:
            return Signing("no token")
        signed = token.rpartition(".")[0]
        key = f"HS256, signature secret of the account {self.api_key}"
        return Signing("\n".join((signed, *opened(signed))), key)

    def _authorized(self, given: str) -> bool:
        scheme, _, credentials = given.partition(" ")
        if scheme == "Basic":
            return given == basic(self.api_key, self.api_secret)
        # Without a private key handed out, nobody can have signed a token.
        handed_out = "_application" in self.__dict__
        return scheme == "Bearer" and handed_out and self._genuine(credentials)

    def _genuine(self, token: str) -> bool:
        claims = self._application.claims(token)
        if claims is None or claims.get("application_id") != self.application_id:
            return False
        now, begun = self.core.now(), claims.get("iat")
        if not isinstance(begun, int | float) or not claims.get("jti"):
            return False
        ends = claims.get("exp", begun + 900)  # authentication guide: 15 min
        if not isinstance(ends, int | float) or ends - begun > _LONGEST_TOKEN:
            return False
        return begun - _LEEWAY <= now <= ends

    def _order(self, request: Request) -> Response:
        body = from_json(request.body)
        if body is None:
            return self._invalid(Problem("invalid-json", "Send a JSON object."))
        if "failover" in body:
            why = "The simulator does not run failover workflows."
            return self._problem(501, "not-simulated", "Not simulated", why)
        senders = [without_plus(number) for number in self._lines]
        leg = check(body, senders, strict=self.quirks.strict)
        if isinstance(leg, Problem):
            return self._invalid(leg)
        uuid = self.core.uuid()
        self._accept(leg, uuid)
        return self._answer(202, {"message_uuid": uuid}, "application/json")

    def _accept(self, leg: Leg, uuid: str) -> None:
        core, to = self.core, with_plus(leg.to)
        sender = with_plus(leg.sender)
        people = {to, *(with_plus(one) for one in leg.participants)} - {sender}
        key = ThreadKey(sender, frozenset(people))
        bubble = Bubble(sender, leg.text, leg.media, None, core.when())
        late = self._fate(to)
        if late is None:
            core.ring(to, key, bubble)
        if late is None or late.submitted:
            self._later(_SUBMITTED_AFTER, leg, uuid, ("submitted", None))
        if late is not None:
            self._later(_FINAL_AFTER, leg, uuid, (late.status, late))
        elif self._receipted(to):
            self._later(_FINAL_AFTER, leg, uuid, ("delivered", None))

    def _fate(self, to: str) -> Late | None:
        if to in self.core.owners:
            return None
        if self.blocks(to):
            return OPTED_OUT
        failing = self.core.handset(to).failing
        return None if failing is None else FAILURES[failing]

    def _receipted(self, to: str) -> bool:
        on_net = to in self.core.owners or self.core.handset(to).on_net
        answers = {"carrier": True, "on_net": on_net, "none": False}
        return answers[self.quirks.receipts]

    def _later(self, seconds: float, leg: Leg, uuid: str, state: State) -> None:
        self.core.later(seconds, partial(self._tell, leg, uuid, state))

    def _tell(self, leg: Leg, uuid: str, state: State) -> None:
        with self.core.lock:
            event = status_event(leg, uuid, self.core.when(), state, self.quirks)
            line = self._lines[with_plus(leg.sender)]
            self._post(state[0], event, leg.webhook_url or line.status_url)

    def _post(self, about: str, event: dict[str, Json], url: str | None) -> None:
        body = as_json(event)
        parcel = Parcel(about, (url,) if url else (), lambda _number, _url: body)
        self.hooks.submit(parcel)

    def _signed(self, request: Request, now: float) -> Mapping[str, str]:
        claims: dict[str, Json] = {  # signed webhooks guide
            "iat": int(now),
            "jti": self.core.uuid(),
            "iss": "Vonage",
            "payload_hash": sha256_hex(request.body),
            "api_key": self.api_key,
            "application_id": self.application_id,
        }
        return {"authorization": f"Bearer {hs256(claims, self.signature_secret)}"}

    def _slow_down(self) -> Response:
        refused = self._problem(429, "throttled", "Rate Limit Hit", "Please wait.")
        if not self.quirks.limit_headers:
            return refused
        limit = {  # OpenAPI 1.20.0; the reset is in milliseconds in its example
            "retry-after": "1",
            "x-ratelimit-limit": str(self.quirks.rate),
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(int((self.core.now() + 1) * 1000)),
        }
        return Response(429, refused.headers.merged(limit), refused.body)

    def _invalid(self, problem: Problem) -> Response:
        return self._problem(
            422, problem.fragment, problem.title, problem.detail, problem.invalid
        )

    def _problem(
        self,
        status: int,
        fragment: str,
        title: str,
        detail: str,
        invalid: tuple[tuple[str, str], ...] = (),
    ) -> Response:
        document: dict[str, Json] = {
            "type": f"https://developer.vonage.com/api-errors/messages#{fragment}",
            "title": title,
            "detail": detail,
            "instance": self.core.uuid(),
        }
        if invalid:
            document["invalid_parameters"] = [
                {"name": name, "reason": reason} for name, reason in invalid
            ]
        return self._answer(status, document, "application/problem+json")

    def _answer(self, status: int, document: Json, content_type: str) -> Response:
        headers = {"content-type": content_type, "x-request-id": self.core.uuid()}
        return Response(status, headers, as_json(document))
