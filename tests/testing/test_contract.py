"""The contract itself: an adapter that is broken in one way fails the test of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    Accepted,
    DeliveryUpdated,
    Event,
    MessageReceived,
    PayloadError,
    Reason,
    Refused,
    Scope,
    SignatureError,
    Unknown,
    Unrecognized,
    Vonage,
)
from multigroup.effects import Exchange
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail
from multigroup.testing import ProviderContract
from multigroup.wire import Request, Response
from tests.providers import test_contract as whole

Method = Callable[..., Any]


def but(request: Request, **headers: str) -> Request:
    """Return *request* with other headers."""
    merged = request.headers.merged(headers)
    return Request(request.method, request.url, merged, request.body)


def restless_legs(self: Vonage, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
    """Write other bytes each time."""
    return tuple(
        evolve(leg, request=but(leg.request, trace=str(uuid.uuid4())))
        for leg in Vonage.legs(self, draft, rail)
    )


def namesakes(self: Vonage, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
    """Give all legs the key of the first."""
    return tuple(
        evolve(leg, key=draft.key(0)) for leg in Vonage.legs(self, draft, rail)
    )


def one_left_out(self: Vonage, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
    """Forget the last member."""
    return Vonage.legs(self, draft, rail)[:-1]


def signed_legs(self: Vonage, draft: Draft, rail: Rail) -> tuple[Leg, ...]:
    """Write the credentials into the journal."""
    return tuple(
        evolve(leg, request=self.authorize(leg.request, 0))
        for leg in Vonage.legs(self, draft, rail)
    )


def rewriting(self: Vonage, request: Request, now: float) -> Request:
    """Change the body as it leaves."""
    leaving = Vonage.authorize(self, request, now)
    return evolve(leaving, body=leaving.body + b" ")


def wrong_password(self: Vonage, request: Request, now: float) -> Request:
    """Send what the carrier refuses."""
    return but(Vonage.authorize(self, request, now), authorization="Basic no")


def talkative(self: Vonage) -> str:
    """Show a secret."""
    return f"<Vonage {self.api_secret}>"


def trusting(self: Vonage, leg: Leg, response: Response) -> object:
    """Take any success for an acceptance."""
    if response.status < 300:
        return Accepted("surely")
    return Vonage.read(self, leg, response)


def vague(self: Vonage, leg: Leg, response: Response) -> object:
    """Know nothing of refusals."""
    known = Vonage.read(self, leg, response)
    return Unknown("who knows") if isinstance(known, Refused) else known


def brittle(_self: Vonage, _leg: Leg, response: Response) -> object:
    """Expect JSON of every answer."""
    return Accepted(json.loads(response.body)["message_uuid"])


def condemning(self: Vonage, leg: Leg, response: Response) -> object:
    """Blame the account, so that another carrier texts the group again."""
    known = Vonage.read(self, leg, response)
    if isinstance(known, Refused):
        return Refused(known.code, Reason.OTHER, Scope.ACCOUNT)
    return known


def hasty(self: Vonage, draft: Draft) -> Any:
    """Ring the phones while setting up."""
    for leg in self.legs(draft, Rail()):
        yield from Exchange((self.authorize(leg.request, 0),))
    return Rail()


def refusing(_self: Vonage, _request: Request, _now: float) -> None:
    """Take nothing."""
    raise SignatureError("no")


def credulous(_self: Vonage, _request: Request, _now: float) -> None:
    """Take everything."""


def reading(change: Callable[[Event], object]) -> Method:
    """Return a `parse` each of whose events is changed, or left out for `None`."""

    def parse(self: Vonage, body: bytes, **more: Any) -> list[object]:
        changed = map(change, Vonage.parse(self, body, **more))
        return [event for event in changed if event is not None]

    return parse


def loading(self: Vonage, body: bytes, **more: Any) -> object:
    """Expect an object in every body."""
    try:
        return Vonage.parse(self, body, **more)
    except PayloadError as error:
        raise KeyError("status") from error


def alone(event: Event) -> Event:
    """Lose the group."""
    if isinstance(event, MessageReceived):
        return evolve(event, members=frozenset({event.sender}))
    return event


def nameless(event: Event) -> Event:
    """Lose what an event is about."""
    if isinstance(event, DeliveryUpdated):
        return evolve(event, token=None, message_id="?")
    return event


BROKEN: Final[Mapping[str, tuple[str, Method]]] = {
    "test_legs_are_deterministic": ("legs", restless_legs),
    "test_leg_keys_are_unique": ("legs", namesakes),
    "test_every_member_is_in_one_leg": ("legs", one_left_out),
    "test_legs_carry_no_credentials": ("legs", signed_legs),
    "test_authorizing_adds_headers_only": ("authorize", rewriting),
    "test_no_secret_is_shown": ("__repr__", talkative),
    "test_a_message_goes_round": ("authorize", wrong_password),
    "test_only_an_id_is_an_acceptance": ("read", trusting),
    "test_an_error_is_classed_by_its_status": ("read", vague),
    "test_an_unreadable_answer_is_no_surprise": ("read", brittle),
    "test_a_refusal_condemns_what_it_should": ("read", condemning),
    "test_a_half_refused_group_is_told_apart": ("read", vague),
    "test_a_lost_reply_is_one_post_per_leg": ("prepare", hasty),
    "test_a_genuine_webhook_passes": ("verify", refusing),
    "test_a_flipped_byte_is_a_forgery": ("verify", credulous),
    "test_another_secret_is_a_forgery": ("verify", credulous),
    "test_a_stale_webhook_is_refused": ("verify", credulous),
    "test_an_unsigned_webhook_is_refused": ("verify", credulous),
    "test_a_group_message_is_read": ("parse", reading(alone)),
    "test_news_is_matched_to_its_leg": ("parse", reading(nameless)),
    "test_an_unknown_word_is_kept": (
        "parse",
        reading(lambda event: None if isinstance(event, Unrecognized) else event),
    ),
    "test_any_body_is_events_or_a_payload_error": ("parse", loading),
    "test_parsing_is_pure": (
        "parse",
        reading(lambda event: evolve(event, id=str(uuid.uuid4()))),
    ),
    "test_every_event_is_told_apart": (
        "parse",
        reading(lambda event: evolve(event, account="somebody's")),
    ),
}
"""Each test of the contract, and a method that must make it fail."""


def held_to(name: str, method: Method) -> Any:
    """Return the contract of a Vonage whose method *name* is *method*."""
    kind: Any = type("Broken", (Vonage,), {name: method})

    class Contract(whole.TestVonage):
        def _account(self, signature: str) -> Any:
            key, secret = self.secrets[:2]
            return kind(api_key=key, api_secret=secret, signature_secret=signature)

        def provider(self) -> Any:
            return self._account(whole.SECRET)

        def stranger(self) -> Any:
            return self._account(whole.OTHER_SECRET)

    return Contract()


@pytest.mark.parametrize("test", BROKEN)
def test_a_broken_adapter_fails_the_test_of_it(test: str) -> None:
    """Each test of the contract notices the fault that it is there for."""
    contract = held_to(*BROKEN[test])

    with pytest.raises((AssertionError, KeyError, SignatureError, ValueError)):
        getattr(contract, test)()


@pytest.mark.parametrize("test", BROKEN)
def test_an_adapter_that_is_whole_passes(test: str) -> None:
    """The same stage with nothing broken on it gives no alarm."""
    getattr(held_to("carrier", "vonage"), test)()  # type: ignore[arg-type]


def test_every_test_of_the_contract_is_proven() -> None:
    """Nothing is in the contract that no fault was tried on."""
    tests = {name for name in dir(ProviderContract) if name.startswith("test_")}

    assert tests == set(BROKEN)
