"""What holds for every carrier's adapter: lines, limits, outcomes, kept secrets."""

from __future__ import annotations

import base64
import json

import pytest

from multigroup import (
    Accepted,
    Bandwidth,
    ConfigError,
    InvalidNumberError,
    LineKind,
    Media,
    Message,
    NotSent,
    Number,
    Provider,
    Reason,
    Scope,
    SendId,
    Telnyx,
    Unknown,
    Vonage,
)
from multigroup.models import Leg
from multigroup.providers.base import Draft, Rail, Ruling, outcome, rulings
from multigroup.providers.reading import token_in, with_token
from multigroup.wire import Failure, Request, Response

PEOPLE = tuple(Number(f"+141555501{n:02}") for n in range(1, 12))
OURS = "+12125550100"
SECRETS = ("KEY-of-ours", "api-key-of-ours", "api-secret-of-ours", "hook-secret")
PUBLIC = base64.b64encode(b"\x07" * 32).decode()

CARRIERS: dict[str, Provider] = {
    "bandwidth": Bandwidth(
        account_id="9900000",
        application_id="app-1",
        username="api-key-of-ours",
        password="api-secret-of-ours",
        callback_credentials=("hook-user", "hook-secret"),
    ),
    "telnyx": Telnyx(api_key="KEY-of-ours", public_key=PUBLIC),
    "vonage": Vonage(
        api_key="api-key-of-ours",
        api_secret="api-secret-of-ours",
        signature_secret="hook-secret",
    ),
}
IDS = {
    "bandwidth": {"id": "m-1"},
    "telnyx": {"data": {"id": "m-1"}},
    "vonage": {"message_uuid": "m-1"},
}

LEG = f"{'5e4d' * 8}.0"


@pytest.fixture(params=sorted(CARRIERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    """Give each carrier's account in turn."""
    return CARRIERS[str(request.param)]


def _draft(provider: Provider, members: int = 3, first: int = 0) -> Draft:
    return Draft(
        send=SendId("5e4d" * 8),
        line=provider.line(OURS),
        members=PEOPLE[:members],
        message=Message("Dinner at 7?"),
        first=first,
        callback=f"https://app.example/{provider.name}",
    )


def _legs(provider: Provider, members: int = 3, first: int = 0) -> tuple[Leg, ...]:
    return provider.legs(_draft(provider, members, first), Rail())


def _taken(provider: Provider, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(IDS[provider.name]).encode())


def test_an_id_of_the_carrier_proves_acceptance(provider: Provider) -> None:
    """Any 2xx with the carrier's own id is an acceptance under that id."""
    (leg, *_) = _legs(provider)

    for status in (200, 201, 202):
        assert outcome(provider, leg, _taken(provider, status)) == Accepted("m-1")


@pytest.mark.parametrize("status", [100, 199, 301, 302, 307, 408, 500, 502, 503, 504])
def test_a_status_that_proves_nothing_is_unknown(
    provider: Provider, status: int
) -> None:
    """A redirect, a timeout or a fault of theirs leaves open whether it was sent."""
    (leg, *_) = _legs(provider)

    known = outcome(provider, leg, _taken(provider, status))

    assert isinstance(known, Unknown)
    assert str(status) in known.why


@pytest.mark.parametrize(
    "body", [b"", b"<html>OK</html>", b"[]", b"null", b"{}", b'{"data":[]}', b"\xff"]
)
def test_a_success_without_an_id_is_unknown(provider: Provider, body: bytes) -> None:
    """A 2xx that does not bear the carrier's id proves nothing."""
    (leg, *_) = _legs(provider)

    assert isinstance(outcome(provider, leg, Response(200, {}, body)), Unknown)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "15"}, 15.0),
        ({"x-ratelimit-reset": "2"}, 2.0),
        ({"Retry-After": "3", "X-RateLimit-Reset": "1769182705723"}, 3.0),
        ({"X-RateLimit-Reset": "1769182705723"}, 0.0),
        ({"Retry-After": "Sat, 21 Nov 2026 08:00:00 GMT"}, 0.0),
        ({"Retry-After": "-1"}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_throttled_leg_was_not_sent(
    provider: Provider, headers: dict[str, str], wait: float
) -> None:
    """A 429 means nothing was sent; a carrier that names no seconds asks for none."""
    (leg, *_) = _legs(provider)

    known = outcome(provider, leg, Response(429, headers, b"slow down"))

    assert isinstance(known, NotSent)
    assert known.wait == wait


def test_only_a_failure_before_the_first_byte_is_not_sent(provider: Provider) -> None:
    """A connection that failed is safe to go round; one that broke off is not."""
    (leg, *_) = _legs(provider)

    refused = outcome(provider, leg, Failure("ConnectError", unsent=True))
    broken = outcome(provider, leg, Failure("ReadTimeout"))

    assert isinstance(refused, NotSent)
    assert "ConnectError" in refused.why
    assert isinstance(broken, Unknown)
    assert "ReadTimeout" in broken.why


def test_legs_hold_no_credentials(provider: Provider) -> None:
    """A leg can be written to a journal: credentials join it only as it leaves."""
    for leg in _legs(provider):
        request = leg.request
        written = f"{request.url} {list(request.headers)} {request.body!r}"
        assert not any(secret in written for secret in SECRETS)
        assert request.headers.get("authorization") is None
        sent = provider.authorize(request, 1.0)
        assert sent.headers.get("authorization")
        assert (sent.method, sent.url, sent.body) == (
            request.method,
            request.url,
            request.body,
        )


def test_legs_are_written_once_and_alike(provider: Provider) -> None:
    """The same draft gives the same bytes, so that a leg can be replayed exactly."""
    assert _legs(provider) == _legs(provider)
    assert all(isinstance(leg.request.body, bytes) for leg in _legs(provider))


def test_leg_keys_never_repeat_within_a_send(provider: Provider) -> None:
    """A second batch of a send goes on counting where the first one ended."""
    first = _legs(provider)
    second = _legs(provider, first=len(first))

    keys = [leg.key for leg in (*first, *second)]

    assert keys == [f"{'5e4d' * 8}.{n}" for n in range(len(keys))]


def test_every_member_is_rung_exactly_once(provider: Provider) -> None:
    """Together the legs of a batch ring every member's phone, and no phone twice."""
    for size in range(1, 9):
        rung = [member for leg in _legs(provider, size) for member in leg.members]
        assert rung == list(PEOPLE[:size])


@pytest.mark.parametrize("carrier", ["telnyx", "vonage"])
def test_a_carrier_is_told_to_call_back_with_our_token(carrier: str) -> None:
    """Where a message may name an address, each leg's own key stands in it."""
    provider = CARRIERS[carrier]
    for leg in _legs(provider):
        told = json.loads(leg.request.body)["webhook_url"]
        assert told.startswith(f"https://app.example/{provider.name}?")
        assert token_in(told) == leg.key


@pytest.mark.parametrize(
    "url", ["https://app.example/t", "https://app.example/t?a=1", "http://h:8080/t?"]
)
def test_a_token_put_into_an_address_is_found_again(url: str) -> None:
    """The token survives the way into an address and back, whatever the query."""
    called = with_token(url, LEG)

    assert called is not None
    assert called.startswith(url)
    assert token_in(called) == LEG
    assert token_in(f"{called}&more=1") == LEG


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://app.example",
        "https://app.example/?legs=1",
        "?leg=%00",
        "?leg=14155550101",
    ],
)
def test_an_address_without_our_token_has_none(url: str | None) -> None:
    """Nothing but a token of ours is taken for one."""
    assert token_in(url) is None
    assert with_token(None, LEG) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+12125550100", LineKind.LONG_CODE),
        ("(212) 555-0100", LineKind.LONG_CODE),
        ("+18005550100", LineKind.TOLL_FREE),
        ("+18335550100", LineKind.TOLL_FREE),
        ("28228", LineKind.SHORT_CODE),
        ("282280", LineKind.SHORT_CODE),
    ],
)
def test_the_kind_of_a_line_is_read_from_its_number(
    provider: Provider, number: str, kind: LineKind
) -> None:
    """Digits tell a short code, 8xx area codes toll-free, the rest are long codes."""
    line = provider.line(number)

    assert line.kind is kind
    assert provider.line(number, kind="toll_free").kind is LineKind.TOLL_FREE


def test_a_line_must_be_a_number_of_a_known_kind(provider: Provider) -> None:
    """What is no number, or no kind of line, is refused where it is written."""
    for wrong in ("2822", "+442079460100", "hello", ""):
        with pytest.raises(InvalidNumberError):
            provider.line(wrong)
    with pytest.raises(ConfigError, match="long_code"):
        provider.line(OURS, kind="landline")


def test_a_group_beyond_the_carriers_limit_is_unsupported(provider: Provider) -> None:
    """As many members as the carrier takes pass; one more is refused with the limit."""
    limit = provider.capabilities.max_members
    line, text = provider.line(OURS), Message("hi")

    assert provider.unsupported(line, PEOPLE[:limit], text) is None
    why = provider.unsupported(line, PEOPLE[: limit + 1], text)

    assert why is not None
    assert str(limit) in why
    assert str(limit + 1) in why


def test_a_toll_free_line_cannot_text_a_group(provider: Provider) -> None:
    """Neither carrier lists toll-free numbers for groups; one person is fine."""
    line = provider.line("+18005550100")

    assert "toll_free" in (provider.unsupported(line, PEOPLE[:2], Message("hi")) or "")
    assert provider.unsupported(line, PEOPLE[:1], Message("hi")) is None


def test_short_codes_text_groups_at_vonage_only() -> None:
    """Telnyx documents long codes alone, Vonage short codes as well."""
    refusals = {
        name: one.unsupported(one.line("28228"), PEOPLE[:2], Message("hi"))
        for name, one in CARRIERS.items()
    }

    assert "short_code" in (refusals["telnyx"] or "")
    assert refusals["vonage"] is None


def test_what_a_carrier_cannot_say_is_unsupported() -> None:
    """A subject at Vonage, 11 media at Telnyx, 3001 characters: refused with why."""
    telnyx, vonage = CARRIERS["telnyx"], CARRIERS["vonage"]
    pictures = [Media(f"https://files.example/{n}.jpg") for n in range(11)]
    two = PEOPLE[:2]

    def why(one: Provider, message: Message) -> str:
        return one.unsupported(one.line(OURS), two, message) or ""

    assert "subject" in why(vonage, Message("hi", subject="Dinner"))
    assert why(telnyx, Message("hi", subject="Dinner")) == ""
    assert "11" in why(telnyx, Message("hi", pictures))
    assert why(telnyx, Message("hi", pictures[:10])) == ""
    assert "3001" in why(vonage, Message("x" * 3001, pictures))
    assert why(vonage, Message("x" * 3000, pictures)) == ""


def test_secrets_never_show(provider: Provider) -> None:
    """No repr of an account, its line or a draft shows a key or a secret."""
    line = provider.line(OURS)
    shown = f"{provider!r} {provider} {line!r} {line} {_draft(provider)!r}"

    assert provider.name in shown
    assert PUBLIC not in shown
    assert "hook-secret" not in shown
    assert not any(secret in shown for secret in SECRETS)
    assert "5550100" not in repr(line)


def test_an_applications_private_key_never_shows() -> None:
    """The PEM and the application's id stay out of the account's repr."""
    pem = "-----BEGIN PRIVATE KEY-----\nSecretKeyMaterial\n-----END PRIVATE KEY-----"
    account = Vonage(application_id="app-of-ours", private_key=pem)

    shown = f"{account!r} {account.line(OURS)!r}"

    assert "SecretKeyMaterial" not in shown
    assert "app-of-ours" not in shown


def test_a_base_url_may_end_in_a_slash() -> None:
    """A slash after the base address makes no difference to what is called."""
    with_slash = Telnyx(api_key="KEY", base_url="https://carrier.example/v2/")
    without = Telnyx(api_key="KEY", base_url="https://carrier.example/v2")

    urls = [_legs(one)[0].request.url for one in (with_slash, without)]

    assert urls == ["https://carrier.example/v2/messages/group_mms"] * 2


def test_setting_up_rings_no_phone(provider: Provider) -> None:
    """With keys in hand, no carrier needs anything done before its legs are written."""
    flow = provider.prepare(_draft(provider))

    with pytest.raises(StopIteration) as ended:
        next(flow)

    assert ended.value.value == Rail()


def test_rulings_are_written_as_rows_of_codes() -> None:
    """A row gives each of its codes the same reason and scope."""
    table = rulings(
        (Reason.SPAM, Scope.MESSAGE, "1 2"), (Reason.ACCOUNT, Scope.ACCOUNT, "3")
    )

    spam = Ruling(Reason.SPAM, Scope.MESSAGE)
    assert table == {"1": spam, "2": spam, "3": Ruling(Reason.ACCOUNT, Scope.ACCOUNT)}


def test_a_request_shows_neither_query_nor_body(provider: Provider) -> None:
    """What stands in a log of a leg on its way out is address and size alone."""
    (leg, *_) = _legs(provider)
    sent = provider.authorize(leg.request, 1.0)
    secret = Request(sent.method, f"{sent.url}?leg=token", sent.headers, sent.body)

    shown = repr(secret)

    assert "token" not in shown
    assert "Dinner" not in shown
    assert not any(word in shown for word in ("Bearer", "Basic", *SECRETS))
