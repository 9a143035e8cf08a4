"""Signatures, checked by other code than made them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from multigroup.simulator.keys import Ed25519Signer, RsaApplication, hs256, sha256_hex


def _part(document: dict[str, Any]) -> str:
    raw = json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _token(pem: str, claims: dict[str, Any], alg: str = "RS256") -> str:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signed = f"{_part({'alg': alg})}.{_part(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture(scope="module")
def application() -> RsaApplication:
    """Give an application, whose key takes a moment to make."""
    return RsaApplication()


def test_an_ed25519_signature_fits_the_published_key() -> None:
    """The public key checks what the signer signed."""
    signer = Ed25519Signer(Random(1))  # noqa: S311 - to repeat
    raw = base64.b64decode(signer.public_key)
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    key.verify(base64.b64decode(signer.sign(b"1|{}")), b"1|{}")


def test_a_seed_repeats_the_key() -> None:
    """The same randomness makes the same key, other randomness another."""
    made = [Random(seed) for seed in (1, 1, 2)]  # noqa: S311 - to repeat
    keys = [Ed25519Signer(random).public_key for random in made]
    assert keys[0] == keys[1] != keys[2]


def test_an_hs256_token_is_a_jwt() -> None:
    """Its third part is the HMAC of the first two."""
    head, claims, signature = hs256({"iss": "Vonage"}, "secret").split(".")
    digest = hmac.new(b"secret", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == digest
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {"iss": "Vonage"}


def test_a_body_s_hash_is_in_hexadecimal() -> None:
    """SHA-256 of nothing is a well-known number."""
    assert sha256_hex(b"").startswith("e3b0c44298fc1c14")


def test_a_token_of_the_application_is_read(application: RsaApplication) -> None:
    """What the private key signed gives its claims."""
    token = _token(application.pem, {"jti": "1"})
    assert application.claims(token) == {"jti": "1"}


@pytest.mark.parametrize("spoilt", ["a.b", "a.b.c", "!.!.!", ""])
def test_what_is_no_token_claims_nothing(
    application: RsaApplication, spoilt: str
) -> None:
    """Junk is refused without an exception."""
    assert application.claims(spoilt) is None


def test_another_key_s_token_claims_nothing(application: RsaApplication) -> None:
    """A signature by somebody else's key is no signature."""
    stranger = RsaApplication()
    assert application.claims(_token(stranger.pem, {"jti": "1"})) is None


def test_another_algorithm_claims_nothing(application: RsaApplication) -> None:
    """A token that names no RS256 is refused although its signature fits."""
    token = _token(application.pem, {"jti": "1"}, alg="none")
    assert application.claims(token) is None
