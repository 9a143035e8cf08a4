"""Webhook signatures: they fail closed, whatever a socket can carry."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from multigroup.errors import ConfigError
from multigroup.signatures import (
    basic_is,
    basic_pair,
    bearer,
    body_hash_is,
    ed25519_keys,
    ed25519_valid,
    hmac_sha1_valid,
    hs256_claims,
    unix_seconds,
)

SIGNED = b'1795248000|{"data": {}}'
PRIVATE = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3)]
HOSTILE = [
    None,
    "",
    "\xe9",
    "\ud800",
    "=",
    "====",
    "A",
    "AAAA",
    "!" * 88,
    "9" * 5000,
    "A" * 1_000_000,
    " " * 88,
    "\x00",
]


def _name(value: object) -> str:
    """Name a hostile value by its beginning and its length."""
    written = ascii(value)
    return f"{written[:16]}*{len(written)}"


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return base64.b64encode(raw).decode()


def _signature(key: Ed25519PrivateKey, signed: bytes = SIGNED) -> str:
    return base64.b64encode(key.sign(signed)).decode()


KEYS = ed25519_keys(map(_public, PRIVATE[:2]))


def _part(document: object) -> str:
    return _bare(json.dumps(document).encode())


def _bare(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _token(claims: object, secret: bytes = b"right", alg: Any = "HS256") -> str:
    return _sealed(f"{_part({'typ': 'JWT', 'alg': alg})}.{_part(claims)}", secret)


def _sealed(signed: str, secret: bytes = b"right") -> str:
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_bare(digest)}"


UNREADABLE = [b"\xff", b"{", b"[" * 100_000, b'{"iat": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("key", PRIVATE[:2], ids=["old", "new"])
def test_any_of_several_keys_may_have_signed(key: Ed25519PrivateKey) -> None:
    """While a key is being rotated both are valid."""
    assert ed25519_valid(KEYS, _signature(key), SIGNED)


def test_another_key_is_not_valid() -> None:
    """A signature by a key we were not given proves nothing."""
    assert not ed25519_valid(KEYS, _signature(PRIVATE[2]), SIGNED)
    assert not ed25519_valid((), _signature(PRIVATE[0]), SIGNED)


@pytest.mark.parametrize("place", [0, 11, len(SIGNED) - 1])
def test_one_flipped_bit_of_the_body_is_noticed(place: int) -> None:
    """The signature binds timestamp, separator and body."""
    altered = bytearray(SIGNED)
    altered[place] ^= 1
    assert not ed25519_valid(KEYS, _signature(PRIVATE[0]), bytes(altered))


@pytest.mark.parametrize("place", [0, 31, 32, 63])
def test_one_flipped_bit_of_the_signature_is_noticed(place: int) -> None:
    """Both halves of a signature count."""
    raw = bytearray(PRIVATE[0].sign(SIGNED))
    raw[place] ^= 1
    assert not ed25519_valid(KEYS, base64.b64encode(raw).decode(), SIGNED)


@pytest.mark.parametrize("signature", HOSTILE, ids=_name)
def test_a_hostile_signature_is_not_valid(signature: str | None) -> None:
    """No header value is an error: it is simply no signature."""
    assert not ed25519_valid(KEYS, signature, SIGNED)


def test_a_cut_or_lengthened_signature_is_not_valid() -> None:
    """64 bytes are a signature, no more and no fewer."""
    raw = PRIVATE[0].sign(SIGNED)
    for wrong in (raw[:63], raw + b"\x00", raw + raw):
        assert not ed25519_valid(KEYS, base64.b64encode(wrong).decode(), SIGNED)


def test_a_public_key_is_32_bytes_in_base64() -> None:
    """The key is taken as the carrier's portal shows it."""
    written = _public(PRIVATE[0])
    assert ed25519_keys([written]) == (base64.b64decode(written),)


@pytest.mark.parametrize(
    "written",
    ["", "AAAA", "not base64!", "\xe9", "\ud800", base64.b64encode(b"x" * 33).decode()],
    ids=ascii,
)
def test_anything_else_is_no_public_key(written: str) -> None:
    """A wrong key is told at once, not at the first webhook."""
    with pytest.raises(ConfigError, match="base64 of 32 bytes"):
        ed25519_keys([_public(PRIVATE[0]), written])


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1795248000", 1795248000), ("0", 0), ("007", 7), ("9" * 12, 10**12 - 1)],
)
def test_a_timestamp_is_up_to_twelve_digits(value: str, expected: int) -> None:
    """Unix seconds are read as a number."""
    assert unix_seconds(value) == expected


@pytest.mark.parametrize(
    "value",
    [*HOSTILE, "9" * 13, "-1", "1.5", "1e9", " 1", "1\n", "\u0661\u0662", "1_000"],
    ids=_name,
)
def test_what_is_not_a_timestamp_is_none(value: str | None) -> None:
    """Signs, spaces, other scripts' digits and 5000 digits are no time."""
    assert unix_seconds(value) is None


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer  a.b.c", " BEARER a.b.c "])
def test_a_bearer_token_is_three_parts(header: str) -> None:
    """The scheme's case and spaces around it make no difference."""
    assert bearer(header) == "a.b.c"


@pytest.mark.parametrize(
    "header",
    [
        *HOSTILE,
        *("Bearer a.b", "Bearer a.b.c.d", "Bearer a..c", "Basic a.b.c"),
        *("Bearera.b.c", "Bearer a.b.\xe9", "Bearer a.b.c more", "Bearer \ud800.b.c"),
    ],
    ids=_name,
)
def test_what_is_no_bearer_token_is_none(header: str | None) -> None:
    """Other schemes and other characters are no token."""
    assert bearer(header) is None


def test_the_right_secret_opens_the_claims() -> None:
    """A token signed with our secret tells its claims."""
    claims = {"iss": "Vonage", "iat": 1795248000}
    assert hs256_claims(_token(claims), [b"right"]) == claims


def test_any_of_several_secrets_may_have_signed() -> None:
    """While a secret is being rotated both are valid, in any order."""
    token = _token({"a": 1})
    assert hs256_claims(token, [b"right", b"other"]) == {"a": 1}
    assert hs256_claims(token, [b"other", b"right"]) == {"a": 1}


@pytest.mark.parametrize("secrets", [[], [b"wrong"], [b""], [b"righ"], [b"right "]])
def test_another_secret_opens_nothing(secrets: list[bytes]) -> None:
    """Without the secret that signed it a token proves nothing."""
    assert hs256_claims(_token({"a": 1}), secrets) is None


@pytest.mark.parametrize(
    "alg", ["none", "None", "RS256", "HS512", "hs256", None], ids=ascii
)
def test_a_token_that_names_another_algorithm_is_refused(alg: str | None) -> None:
    """The algorithm is ours to choose, even when the signature would fit."""
    assert hs256_claims(_token({"a": 1}, alg=alg), [b"right"]) is None


def test_an_unsigned_token_is_refused() -> None:
    """`alg: none` with an empty or absent signature opens nothing."""
    head, claims, _ = _token({"a": 1}, alg="none").split(".")
    assert hs256_claims(f"{head}.{claims}.", [b"right"]) is None
    assert hs256_claims(f"{head}.{claims}.=", [b"right"]) is None


def test_altered_claims_are_noticed() -> None:
    """The signature binds head and claims."""
    head, _, signature = _token({"payload_hash": "aa"}).split(".")
    other = _part({"payload_hash": "bb"})
    assert hs256_claims(f"{head}.{other}.{signature}", [b"right"]) is None
    assert hs256_claims(f"{_part({})}.{other}.{signature}", [b"right"]) is None


@pytest.mark.parametrize("claims", [[], "text", 3, None])
def test_signed_claims_that_are_no_object_are_empty(claims: object) -> None:
    """Nothing can be read from them, and nothing breaks."""
    assert hs256_claims(_token(claims), [b"right"]) == {}


@pytest.mark.parametrize("raw", UNREADABLE, ids=_name)
def test_signed_claims_that_are_not_json_are_empty(raw: bytes) -> None:
    """Whoever holds the secret still cannot break the reader."""
    signed = f"{_part({'alg': 'HS256'})}.{_bare(raw)}"
    assert hs256_claims(_sealed(signed), [b"right"]) == {}


@pytest.mark.parametrize("raw", UNREADABLE, ids=_name)
def test_a_signed_head_that_is_not_json_names_no_algorithm(raw: bytes) -> None:
    """A token whose head cannot be read is refused."""
    signed = f"{_bare(raw)}.{_part({'a': 1})}"
    assert hs256_claims(_sealed(signed), [b"right"]) is None


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b", "a.b.c.d", "..", "\xe9.\xe9.\xe9", "\ud800.b.c"],
    ids=ascii,
)
def test_what_is_no_token_opens_nothing(token: str) -> None:
    """Any text may be given; only a signed token is believed."""
    assert hs256_claims(token, [b"right"]) is None


def test_a_body_hash_is_the_hexadecimal_sha_256() -> None:
    """Exactly the bytes received count, in either case of the digits."""
    digest = hashlib.sha256(b'{"a": 1}').hexdigest()
    assert body_hash_is(digest, b'{"a": 1}')
    assert body_hash_is(digest.upper(), b'{"a": 1}')
    assert not body_hash_is(digest, b'{"a":1}')
    assert not body_hash_is(digest, b"")
    assert not body_hash_is(digest[:-1] + "g", b'{"a": 1}')
    assert not body_hash_is(digest[:-1], b'{"a": 1}')


@pytest.mark.parametrize(
    "claimed", [None, True, 0, [], {}, "", "\xe9" * 64, "\ud800", "0" * 64, "9" * 5000]
)
def test_another_claim_is_not_the_hash(claimed: Any) -> None:
    """A claim may be any JSON; only the digest is the digest."""
    assert not body_hash_is(claimed, b"{}")


PAIRS = [basic_pair("hook", "p:ass"), basic_pair("caf\u00e9", "\u00fc")]


def _basic(pair: bytes) -> str:
    return f"Basic {base64.b64encode(pair).decode()}"


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("scheme", ["Basic ", "basic ", "BASIC  ", " Basic "])
def test_each_pair_is_taken(pair: bytes, scheme: str) -> None:
    """Any of the pairs will do, and the scheme may be written in any case."""
    header = scheme + base64.b64encode(pair).decode()

    assert basic_is(header, PAIRS)
    assert basic_is(header, [PAIRS[1], PAIRS[0]])
    assert not basic_is(header, [])


@pytest.mark.parametrize(
    "pair", [b"", b":", b"hook", b"hook:", b"hook:p:as", b"hook:p:ass ", b"Hook:p:ass"]
)
def test_no_other_pair_is_taken(pair: bytes) -> None:
    """Neither a part of a pair nor one that resembles it."""
    assert not basic_is(_basic(pair), PAIRS)


@pytest.mark.parametrize("value", HOSTILE, ids=_name)
def test_a_hostile_basic_header_is_none_of_ours(value: str | None) -> None:
    """Whatever stands there, the answer is no and nothing is raised."""
    assert not basic_is(value, PAIRS)
    assert not basic_is(f"Basic {value}", PAIRS)
    assert not basic_is(f"Bearer {base64.b64encode(PAIRS[0]).decode()}", PAIRS)
    assert not basic_is(f"{_basic(PAIRS[0])}, {_basic(PAIRS[0])}", PAIRS)


@pytest.mark.parametrize(
    "pair", [("", "p"), ("u", ""), ("u:v", "p"), ("\ud800", "p"), ("u", "\ud800")]
)
def test_a_pair_that_cannot_be_one_is_refused(pair: tuple[str, str]) -> None:
    """Anybody could guess an empty password, and a colon ends the user's name."""
    with pytest.raises(ConfigError):
        basic_pair(*pair)


def test_a_sha1_signature_is_of_one_of_the_texts_by_one_of_the_secrets() -> None:
    """The right pair holds wherever it stands; anything else does not."""
    digest = hmac.digest(b"right", b"said", "sha1")
    signature = base64.b64encode(digest).decode()

    assert hmac_sha1_valid([b"other", b"right"], signature, [b"said", b"sung"])
    assert hmac_sha1_valid([b"right", b"other"], signature, [b"sung", b"said"])
    for secrets, given, texts in (
        ([b"other"], signature, [b"said"]),
        ([b"right"], signature, [b"sung"]),
        ([b"right"], signature, []),
        ([], signature, [b"said"]),
        ([b"right"], None, [b"said"]),
        ([b"right"], "\udcff", [b"said"]),
        ([b"right"], base64.b64encode(digest[:-1]).decode(), [b"said"]),
    ):
        assert not hmac_sha1_valid(secrets, given, texts)
