"""Keys and signatures, as the carriers make and check them.

Written apart from the library's own verifiers, so that no mistake is made twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from random import Random
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from ..wire import Json

__all__ = [
    "Ed25519Signer",
    "RsaApplication",
    "basic",
    "form_signature",
    "form_signed",
    "hs256",
    "opened",
    "sha256_hex",
]


def basic(name: str, password: str) -> str:
    """Return the `Authorization` header of *name* and *password* (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def sha256_hex(body: bytes) -> str:
    """Return the SHA-256 of *body* in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _compact(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def hs256(claims: dict[str, Json], secret: str) -> str:
    """Return a JWT over *claims*, signed with *secret*."""
    header: Json = {"alg": "HS256", "typ": "JWT"}
    signed = f"{_base64url(_compact(header))}.{_base64url(_compact(claims))}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(digest)}"


def form_signed(url: str, body: bytes) -> str:
    """Return what Twilio signs of the form *body*, posted to *url*.

    It is the URL as it stands, and then every name with its values, all sorted and
    each value once (request validator of twilio-python, read 2026-11-27).
    """
    values: dict[str, set[str]] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        values.setdefault(name, set()).add(value)
    parts = (name + one for name in sorted(values) for one in sorted(values[name]))
    return url + "".join(parts)


def form_signature(url: str, body: bytes, token: str) -> str:
    """Return Twilio's signature of the form *body*, posted to *url*."""
    signed = form_signed(url, body).encode()
    digest = hmac.new(token.encode(), signed, hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def opened(signed: str) -> tuple[str, ...]:
    """Return the parts of a token as they read, what is no base64 left as it is."""
    return tuple(_readable(part) for part in signed.split("."))


def _readable(part: str) -> str:
    try:
        return _unbase64url(part).decode()
    except ValueError:
        return part


class Ed25519Signer:
    """An account's webhook signing key."""

    def __init__(self, random: Random) -> None:
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(random.randbytes(32))
        raw = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(raw).decode()

    def sign(self, message: bytes) -> str:
        """Return the signature of *message* in base64."""
        return base64.b64encode(self._key.sign(message)).decode()


class RsaApplication:
    """An application's key pair, whose private half the application holds."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def claims(self, token: str) -> dict[str, Json] | None:
        """Return what *token* claims, or `None` if this key did not sign it."""
        try:
            head, body, signature = token.split(".")
            header: Json = json.loads(_unbase64url(head))
            claims: Json = json.loads(_unbase64url(body))
            self._key.public_key().verify(
                _unbase64url(signature),
                f"{head}.{body}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (ValueError, binascii.Error, InvalidSignature):
            return None
        if not isinstance(header, dict) or header.get("alg") != "RS256":
            return None
        return claims if isinstance(claims, dict) else None
