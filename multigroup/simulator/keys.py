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

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from ..wire import Json

__all__ = ["Ed25519Signer", "RsaApplication", "hs256", "sha256_hex"]


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
