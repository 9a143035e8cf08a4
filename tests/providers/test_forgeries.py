"""Webhooks that are not the carrier's: refused before a byte of them is read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from multigroup import ConfigError, SignatureError, Telnyx, Vonage
from multigroup.wire import Request

NOW = 1_795_000_000.0
BODY = b'{"text":"I bring dessert"}'
DAY = 24 * 3600

KEY, OTHER_KEY = (
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2)
)
SECRET, OTHER_SECRET = "our-signature-secret-of-32-chars!", "another-account's-secret"


def _public(key: ed25519.Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return base64.b64encode(raw).decode()


TELNYX = Telnyx(api_key="KEY", public_key=_public(KEY))
VONAGE = Vonage(api_key="key", api_secret="secret", signature_secret=SECRET)


def _telnyx(
    body: bytes = BODY,
    *,
    key: ed25519.Ed25519PrivateKey = KEY,
    at: object = int(NOW),
    **headers: str | None,
) -> Request:
    signature = key.sign(f"{at}|".encode() + body)
    signed: dict[str, str | None] = {
        "Telnyx-Signature-Ed25519": base64.b64encode(signature).decode(),
        "Telnyx-Timestamp": str(at),
        **{f"Telnyx-{name.title()}": value for name, value in headers.items()},
    }
    kept = {name: value for name, value in signed.items() if value is not None}
    return Request("POST", "https://app.example/telnyx", kept, body)


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _claims(body: bytes = BODY, **claims: Any) -> dict[str, Any]:
    said = {
        "iat": int(NOW),
        "jti": "c5ba8f24",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": "key",
        **claims,
    }
    return {name: value for name, value in said.items() if value is not None}


def _token(
    claims: object, *, secret: str = SECRET, head: object = None, digest: str = "sha256"
) -> str:
    first = {"typ": "JWT", "alg": "HS256"} if head is None else head
    signed = f"{_part(json.dumps(first).encode())}.{_part(json.dumps(claims).encode())}"
    return f"{signed}.{_part(hmac.digest(secret.encode(), signed.encode(), digest))}"


def _vonage(authorization: str | None, body: bytes = BODY) -> Request:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Request("POST", "https://app.example/vonage", headers, body)


def _signed(body: bytes = BODY, secret: str = SECRET, **claims: Any) -> Request:
    return _vonage(f"Bearer {_token(_claims(body, **claims), secret=secret)}", body)


def _status(account: Telnyx | Vonage, request: Request, now: float = NOW) -> int:
    """Return the status a webhook is refused with."""
    with pytest.raises(SignatureError) as caught:
        account.verify(request, now)
    assert request.body.decode("latin-1") not in str(caught.value) or not request.body
    return caught.value.status


def test_genuine_webhooks_pass() -> None:
    """What the carriers sign as their manuals say is taken, whatever its body."""
    for body in (BODY, b"", b"\x00\xff", b"not json", BODY * 1000):
        TELNYX.verify(_telnyx(body), NOW)
        VONAGE.verify(_signed(body), NOW)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_one_flipped_bit_is_a_forgery(place: int) -> None:
    """No byte of a body can change under its signature."""
    altered = bytearray(BODY)
    altered[place] ^= 1
    telnyx, vonage = _telnyx(), _signed()

    for account, genuine in ((TELNYX, telnyx), (VONAGE, vonage)):
        forged = Request("POST", genuine.url, genuine.headers, bytes(altered))
        assert _status(account, forged) == 401


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], b"{}"])
def test_another_body_under_a_genuine_signature_is_a_forgery(body: bytes) -> None:
    """A signature is of one body: no other can be put beneath it."""
    telnyx, vonage = _telnyx(), _signed()

    assert _status(TELNYX, Request("POST", "/t", telnyx.headers, body)) == 401
    assert _status(VONAGE, Request("POST", "/v", vonage.headers, body)) == 401


def test_a_body_written_again_no_longer_fits() -> None:
    """The bytes as received are signed, not the document in them."""
    body = b'{ "text" : "caf\\u00e9" }'
    again = json.dumps(json.loads(body)).encode()

    telnyx = Request("POST", "/t", _telnyx(body).headers, again)
    vonage = Request("POST", "/v", _signed(body).headers, again)

    assert _status(TELNYX, telnyx) == 401
    assert _status(VONAGE, vonage) == 401


def test_a_signature_by_another_key_is_a_forgery() -> None:
    """Somebody else's key or secret signs nothing for us."""
    assert _status(TELNYX, _telnyx(key=OTHER_KEY)) == 401
    assert _status(VONAGE, _signed(secret=OTHER_SECRET)) == 401


def test_several_keys_hold_while_one_is_rotated() -> None:
    """Each of the keys given is good, in any order, and no third one."""
    both = [_public(KEY), _public(OTHER_KEY)]
    telnyx = Telnyx(api_key="KEY", public_key=both)
    vonage = Vonage(
        api_key="k", api_secret="s", signature_secret=[SECRET, OTHER_SECRET]
    )
    third = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x03" * 32)

    for key, secret in ((KEY, SECRET), (OTHER_KEY, OTHER_SECRET)):
        telnyx.verify(_telnyx(key=key), NOW)
        vonage.verify(_signed(secret=secret), NOW)
    assert _status(telnyx, _telnyx(key=third)) == 401
    assert _status(vonage, _signed(secret="third")) == 401


def test_an_account_without_a_key_verifies_nothing() -> None:
    """Without a key every webhook is a setting to mend, never a pass."""
    telnyx = Telnyx(api_key="KEY")
    no_keys = Telnyx(api_key="KEY", public_key=[])
    vonage = Vonage(api_key="key", api_secret="secret")

    for account, request in (
        (telnyx, _telnyx()),
        (no_keys, _telnyx()),
        (vonage, _signed(secret="")),
        (vonage, _vonage(None)),
    ):
        with pytest.raises(ConfigError, match=account.name):
            account.verify(request, NOW)


@pytest.mark.parametrize("secret", ["", [""], [SECRET, ""]])
def test_an_empty_secret_is_refused_when_given(secret: str | list[str]) -> None:
    """Anybody could sign with an empty secret, so none is accepted."""
    with pytest.raises(ConfigError, match="signature_secret"):
        Vonage(api_key="key", api_secret="secret", signature_secret=secret)


def test_no_secrets_at_all_is_like_none_given() -> None:
    """An empty list of secrets verifies nothing, rather than everything."""
    account = Vonage(api_key="key", api_secret="secret", signature_secret=[])

    with pytest.raises(ConfigError, match="signature_secret"):
        account.verify(_signed(secret=""), NOW)


@pytest.mark.parametrize("off", [-300, -1, 0, 1, 300])
def test_telnyx_may_be_five_minutes_off(off: int) -> None:
    """A timestamp within 300 s either way is fresh."""
    TELNYX.verify(_telnyx(at=int(NOW) + off), NOW)


@pytest.mark.parametrize("off", [-301, 301, -DAY, DAY])
def test_telnyx_stale_or_early_is_asked_for_again(off: int) -> None:
    """A genuine signature at the wrong time answers 503: the carrier signs anew."""
    assert _status(TELNYX, _telnyx(at=int(NOW) + off)) == 503


@pytest.mark.parametrize("off", [-DAY - 300, -DAY, 0, 300])
def test_vonage_may_be_a_day_old(off: int) -> None:
    """Its retries go on for a day, perhaps under the first signature."""
    VONAGE.verify(_signed(iat=NOW + off), NOW)


@pytest.mark.parametrize("off", [-DAY - 301, 301, -6 * 365 * DAY])
def test_vonage_stale_or_early_is_asked_for_again(off: int) -> None:
    """A genuine token at the wrong time answers 503."""
    assert _status(VONAGE, _signed(iat=NOW + off)) == 503


def test_a_forgery_is_not_asked_for_again_for_its_age() -> None:
    """A bad signature is 401 however old: 503 would have forgeries retried."""
    old = int(NOW) - 2 * DAY

    assert _status(TELNYX, _telnyx(key=OTHER_KEY, at=old)) == 401
    assert _status(VONAGE, _signed(secret=OTHER_SECRET, iat=old)) == 401


@pytest.mark.parametrize("header", ["signature-ed25519", "timestamp"])
@pytest.mark.parametrize("value", [None, ""])
def test_telnyx_without_a_header_is_refused(header: str, value: str | None) -> None:
    """Each of the two headers is needed, and an empty one is none."""
    request = _telnyx()
    kept = [pair for pair in request.headers if pair[0] != f"telnyx-{header}"]
    if value is not None:
        kept.append((f"telnyx-{header}", value))

    assert _status(TELNYX, Request("POST", "/t", kept, BODY)) == 401


@pytest.mark.parametrize("header", [None, ""])
def test_vonage_without_a_token_is_asked_for_again(header: str | None) -> None:
    """Vonage is known to send unsigned webhooks now and then: 503 has them resent."""
    assert _status(VONAGE, _vonage(header)) == 503


HOSTILE = [
    "9" * 5000,
    "-1",
    "+1795000000",
    " 1795000000",
    "1795000000 ",
    "1795000000.0",
    "1e9",
    "0x6AFD",
    "١٧٩٥٠٠٠٠٠٠",
    "²",
    "\ud800",
    "\x00",
    "NaN",
    "1_795_000_000",
    "1795000000, 1795000000",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_timestamp_is_refused_quietly(value: str) -> None:
    """Whatever a timestamp header holds, it is a forgery and not a fault of ours."""
    genuine = _telnyx()
    headers = genuine.headers.merged({"telnyx-timestamp": value})

    assert _status(TELNYX, Request("POST", "/t", headers, BODY)) == 401


@pytest.mark.parametrize(
    "value",
    ["!", "AAAA", "A" * 88, "\ud800", "é" * 88, "=" * 88, "A" * 100_000, "\x00"],
)
def test_a_hostile_signature_is_refused_quietly(value: str) -> None:
    """Neither a short nor a long nor an unreadable signature is an error of ours."""
    headers = _telnyx().headers.merged({"telnyx-signature-ed25519": value})

    assert _status(TELNYX, Request("POST", "/t", headers, BODY)) == 401


def test_headers_given_twice_are_refused() -> None:
    """A second field of the same name can smuggle nothing past the check."""
    telnyx, vonage = _telnyx(), _signed()

    for account, genuine in ((TELNYX, telnyx), (VONAGE, vonage)):
        doubled = [*genuine.headers, *genuine.headers]
        assert _status(account, Request("POST", "/", doubled, BODY)) == 401


def test_header_names_may_be_written_in_any_case() -> None:
    """Servers hand headers over in capitals, in lower case or as bytes."""
    for account, genuine in ((TELNYX, _telnyx()), (VONAGE, _signed())):
        for changed in (str.upper, str.lower, str.title):
            pairs = [
                (changed(name).encode(), v.encode()) for name, v in genuine.headers
            ]
            account.verify(Request("POST", "/", pairs, BODY), NOW)


HEADERS = [
    "Bearer",
    "Bearer ",
    "Bearer a.b",
    "Bearer a.b.c",
    "Bearer a.b.c.d",
    "Bearer ..",
    "Bearer ====.====.====",
    "Basic a2V5OnNlY3JldA==",
    "Bearer \ud800.\ud800.\ud800",
    "Bearer é.é.é",
    "Bearer " + "A" * 200_000,
    "Bearer " + ".".join(["A" * 50_000] * 3),
    "\x00",
    "Token",
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_hostile_authorization_is_refused_quietly(header: str) -> None:
    """What is not a token signed by us is a forgery, whatever it is instead."""
    assert _status(VONAGE, _vonage(header)) == 401


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    """HTTP's schemes ignore case, and the token after it is the same."""
    VONAGE.verify(_vonage(scheme + _token(_claims())), NOW)


@pytest.mark.parametrize(
    "alg", ["none", "NONE", "HS512", "RS256", "hs256", "", None, 1]
)
def test_the_algorithm_is_not_the_forgers_to_choose(alg: object) -> None:
    """A token that names another algorithm is refused even with a good signature."""
    token = _token(_claims(), head={"typ": "JWT", "alg": alg})

    assert _status(VONAGE, _vonage(f"Bearer {token}")) == 401


@pytest.mark.parametrize("signature", ["", "AA", "bm9uZQ"])
def test_an_unsigned_token_is_a_forgery(signature: str) -> None:
    """`alg: none` with an empty or invented signature is no token at all."""
    head, claims, _ = _token(_claims(), head={"alg": "none"}).split(".")

    assert _status(VONAGE, _vonage(f"Bearer {head}.{claims}.{signature}")) == 401


def test_a_token_of_another_digest_is_a_forgery() -> None:
    """HS256 means SHA-256: the same secret with another digest does not do."""
    token = _token(_claims(), digest="sha512")

    assert _status(VONAGE, _vonage(f"Bearer {token}")) == 401


@pytest.mark.parametrize("issuer", [None, "", "vonage", "Nexmo", ["Vonage"], 1])
def test_only_vonage_issues_its_tokens(issuer: object) -> None:
    """A token signed with our secret for another purpose is refused."""
    assert _status(VONAGE, _signed(iss=issuer)) == 401


@pytest.mark.parametrize(
    "claimed",
    [
        None,
        "",
        "0" * 64,
        hashlib.sha256(BODY).hexdigest()[:-1],
        hashlib.sha1(BODY).hexdigest(),  # noqa: S324 - it must not do
        [hashlib.sha256(BODY).hexdigest()],
        True,
        "\ud800",
    ],
)
def test_a_token_must_name_its_body(claimed: object) -> None:
    """Without the body's own hash a good token proves nothing about the body."""
    assert _status(VONAGE, _signed(payload_hash=claimed)) == 401


def test_the_bodys_hash_may_be_in_capitals() -> None:
    """Hexadecimal is the same in either case."""
    VONAGE.verify(_signed(payload_hash=hashlib.sha256(BODY).hexdigest().upper()), NOW)


@pytest.mark.parametrize("issued", [None, str(int(NOW)), True, [], {}, ""])
def test_a_token_must_say_when_it_was_issued(issued: object) -> None:
    """A time that is missing or no number is refused."""
    assert _status(VONAGE, _signed(iat=issued)) == 401


@pytest.mark.parametrize(
    "issued",
    [float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), 0],
    ids=["nan", "inf", "-inf", "huge", "-huge", "zero"],
)
def test_an_impossible_time_is_refused_quietly(issued: float) -> None:
    """No number in the place of a time is an error of ours."""
    assert _status(VONAGE, _signed(iat=issued)) in {401, 503}


@pytest.mark.parametrize("claims", [[], "x", None, 5, {}])
def test_claims_that_are_no_object_are_refused(claims: object) -> None:
    """A well-signed token of something else is not a webhook's."""
    assert _status(VONAGE, _vonage(f"Bearer {_token(claims)}")) == 401
    assert _status(VONAGE, _vonage(f"Bearer {_token(_claims(), head=[])}")) == 401
