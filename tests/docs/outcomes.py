"""What each reply proves, found by asking the adapters themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import httpx

from multigroup import (
    Bandwidth,
    Media,
    Message,
    Number,
    Outcome,
    Provider,
    Refused,
    SendId,
    Telnyx,
    Twilio,
    Vonage,
)
from multigroup._drive.base import UNSENT, failure
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail, outcome
from multigroup.providers.twilio.rail import GroupRail
from multigroup.routing import may_move
from multigroup.wire import Failure, Json, Reply, Response
from tests.docs.markdown import code, table, yes

__all__ = ["PROVIDERS", "answered", "known", "replies", "row"]

PROVIDERS: Final[dict[str, Provider]] = {
    "bandwidth": Bandwidth(
        account_id="1", application_id="1", username="user", password="secret"
    ),
    "telnyx": Telnyx(api_key="KEY"),
    "twilio": Twilio(
        account_sid="AC" + "0" * 32,
        auth_token="token",
        messaging_service_sid="MG" + "0" * 32,
    ),
    "vonage": Vonage(api_key="key", api_secret="secret"),
}
RAILS: Final[dict[str, Rail]] = {"twilio": GroupRail("CH" + "0" * 32)}
_ACCEPTANCE: Final[dict[str, Json]] = {
    "id": "1",  # Bandwidth
    "data": {"id": "1"},  # Telnyx
    "sid": "1",  # Twilio
    "message_uuid": "1",  # Vonage
}
_BROKEN: Final = (
    "ReadTimeout",
    "WriteTimeout",
    "ReadError",
    "WriteError",
    "RemoteProtocolError",
)


def answered(status: int, document: Json = None) -> Response:
    """Return a carrier's answer with *document* in it."""
    return Response(status, {}, json.dumps(document).encode())


def known(carrier: str, reply: Reply) -> Outcome:
    """Return what is known of a leg at *carrier* after *reply*."""
    provider = PROVIDERS[carrier]
    return outcome(provider, _leg(provider), reply)


def row(carrier: str, reply: Reply) -> tuple[str, str, str, str]:
    """Return outcome, reason, scope, and whether another line may try."""
    found = known(carrier, reply)
    refusal = found if isinstance(found, Refused) else None
    return (
        code(type(found).__name__),
        code(refusal and refusal.reason),
        code(refusal and refusal.scope),
        yes(may_move([found])),
    )


def replies() -> str:
    """Return what each way for a request to end proves, on any carrier."""
    return table(
        ("what came back", "what is known", "may another line try"), _replies()
    )


def _replies() -> Iterator[tuple[str, str, str]]:
    for words, reply in _ends():
        for_carrier = {row(carrier, reply)[::3] for carrier in PROVIDERS}
        if len(for_carrier) > 1:
            raise AssertionError(f"the carriers read {words!r} differently")
        ((what, another),) = for_carrier
        yield words, what, another


def _ends() -> Iterator[tuple[str, Reply]]:
    yield "2xx with the carrier's message id", answered(200, _ACCEPTANCE)
    yield "2xx without one: empty, HTML, other JSON", answered(200)
    yield "3xx: no redirect is followed", answered(302)
    yield "408", answered(408)
    yield "429: asked to slow down", answered(429)
    yield "401, 402, 403, 404: a matter of the account", answered(401)
    yield "500, 502, 503, 504, any 5xx", answered(503)
    for name in sorted(UNSENT):
        yield f"exception {code(name)}", _raised(name)
    for name in _BROKEN:
        yield f"exception {code(name)}", _raised(name)
    yield "any other exception", failure(ValueError())
    yield "no end within `Timeouts.total`", Failure("TotalTimeout")
    yield "cancelled while under way", Failure("Cancelled")


def _raised(name: str) -> Failure:
    error = getattr(httpx, name)
    if not issubclass(error, Exception):
        raise TypeError(name)
    return failure(error("so"))


def _leg(provider: Provider) -> Leg:
    line = provider.line("+12125550100")
    members = (Number("+14155550101"), Number("+14155550102"))
    message = Message("", [Media("https://example.com/a.jpg")])
    draft = Draft(SendId("0" * 32), line, members, message, first=1)
    return provider.legs(draft, RAILS.get(provider.carrier, Rail()))[0]
