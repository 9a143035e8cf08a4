"""Webhook signatures: small checks that fail closed, in constant time.

Every function takes hostile input: a header may hold anything a socket can carry.
They answer; what a failure means is for the carrier's adapter to say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from .errors import ConfigError
from .wire import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = [
    "basic_is",
    "basic_pair",
    "bearer",
    "body_hash_is",
    "ed25519_keys",
    "ed25519_valid",
    "hmac_sha1_valid",
    "hs256_claims",
    "unix_seconds",
]

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_KEY_SIZE = 32
_PART = "[A-Za-z0-9_=-]+"
_TOKEN = re.compile(rf"({_PART})\.({_PART})\.({_PART})", re.ASCII)
_BASIC = re.compile("basic +([A-Za-z0-9+/]+={0,2})", re.ASCII | re.IGNORECASE)
_BEARER = re.compile(rf"bearer +({_PART}\.{_PART}\.{_PART})", re.ASCII | re.IGNORECASE)


def unix_seconds(value: str | None) -> int | None:
    """Return a header's Unix time, or `None` if it is not one."""
    return int(value) if value and _SECONDS.fullmatch(value) else None


def ed25519_keys(written: Iterable[str]) -> tuple[bytes, ...]:
    """Return raw public keys from base64 of their 32 bytes.

    Raises:
        ConfigError: a key is not such base64.
    """
    keys = tuple(_base64(key) for key in written)
    if not all(key is not None and len(key) == _KEY_SIZE for key in keys):
        raise ConfigError(
            "public_key must be base64 of 32 bytes, as the carrier's portal shows it"
        )
    return tuple(key for key in keys if key is not None)


def ed25519_valid(keys: Iterable[bytes], signature: str | None, signed: bytes) -> bool:
    """Tell whether *signature* (base64) over *signed* was made with one of *keys*."""
    raw = _base64(signature or "")
    return raw is not None and any(_fits(_ed25519(key), raw, signed) for key in keys)


def _fits(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


@cache
def _ed25519(key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric import (  # noqa: PLC0415 - 30 ms
        ed25519,
    )

    return ed25519.Ed25519PublicKey.from_public_bytes(key)


def bearer(header: str | None) -> str | None:
    """Return the JWT of an `Authorization: Bearer` header, or `None`."""
    match = _BEARER.fullmatch(header.strip()) if header else None
    return match[1] if match else None


def basic_pair(user: str, password: str) -> bytes:
    """Return user and password as the Basic scheme has them (RFC 7617, UTF-8).

    Raises:
        ConfigError: one of them is empty or is no text, or *user* has a colon in it.
    """
    if not user or not password or ":" in user:
        raise ConfigError("give a user without a colon, and a password: neither empty")
    try:
        return f"{user}:{password}".encode()
    except UnicodeEncodeError:
        raise ConfigError("user and password must be text") from None


def basic_is(header: str | None, pairs: Iterable[bytes]) -> bool:
    """Tell whether an `Authorization: Basic` header holds one of *pairs*."""
    match = _BASIC.fullmatch(header.strip()) if header else None
    given = _base64(match[1]) if match else None
    if given is None:
        return False
    claimed = hashlib.sha256(given).digest()  # of one length, whatever was given
    valid = False
    for pair in pairs:  # every pair is tried, so that time tells nothing
        valid |= hmac.compare_digest(hashlib.sha256(pair).digest(), claimed)
    return valid


def hs256_claims(token: str, secrets: Iterable[bytes]) -> dict[str, Json] | None:
    """Return the claims of *token* if one of *secrets* signed it with HS256.

    The algorithm is pinned: a token that names another is not valid, whatever its
    signature.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    head, claims, signature = match.groups()
    signed = f"{head}.{claims}".encode()
    raw = _base64url(signature)
    valid = False
    for secret in secrets:  # every secret is tried, so that time tells nothing
        digest = hmac.digest(secret, signed, "sha256")
        valid |= hmac.compare_digest(digest, raw)
    if not valid or not _names_hs256(head):
        return None
    return _json_object(claims)


def hmac_sha1_valid(
    secrets: Iterable[bytes], signature: str | None, signed: Iterable[bytes]
) -> bool:
    """Tell whether *signature* (base64) is of one of *signed*, by one of *secrets*."""
    raw = _base64(signature or "") or b""
    texts = tuple(signed)
    valid = False
    for secret in secrets:  # all are tried, so that time tells nothing
        for text in texts:
            valid |= hmac.compare_digest(hmac.digest(secret, text, "sha1"), raw)
    return valid


def body_hash_is(claimed: Json, body: bytes) -> bool:
    """Tell whether *claimed* is the hexadecimal SHA-256 of exactly *body*."""
    if not isinstance(claimed, str):
        return False
    actual = hashlib.sha256(body).hexdigest().encode()
    return hmac.compare_digest(actual, claimed.lower().encode("utf-8", "replace"))


def _base64(value: str) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # binascii.Error is one, and so is a character beyond ASCII
        return None


def _base64url(part: str) -> bytes:
    bare = part.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except ValueError:
        return b""


@lru_cache(maxsize=8)  # of signed tokens only, and a carrier writes but one head
def _names_hs256(head: str) -> bool:
    return _json_object(head).get("alg") == "HS256"


def _json_object(part: str) -> dict[str, Json]:
    try:
        document: Json = json.loads(_base64url(part))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
