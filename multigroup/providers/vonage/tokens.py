"""The JWT an application signs its requests with (RS256).

Parsing the key costs 70 ms and signing 1 ms, so the key is parsed once and a token
used again until 80 % of its life is over.
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

from attrs import define, field

from ... import codec
from ...errors import ConfigError
from ...wire import Json
from .facts import TOKEN_LIFE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["Tokens"]


def _is_pem(_tokens: object, _attribute: object, value: str) -> None:
    if "PRIVATE KEY-----" not in value:
        raise ConfigError("private_key must be the PEM text of the application key")


@define(eq=False)
class Tokens:
    """Issues an application's tokens.

    Raises:
        ConfigError: *private_key* is not the PEM text of a private key.
    """

    application_id: str = field(repr=False)
    private_key: str = field(repr=False, validator=_is_pem)
    _key: RSAPrivateKey | None = field(default=None, init=False, repr=False)
    _token: str = field(default="", init=False, repr=False)
    _renew_at: float = field(default=0.0, init=False)

    def at(self, now: float) -> str:
        """Return a token fit for use at *now* (Unix seconds).

        Raises:
            ConfigError: the key is not a readable RSA key.
        """
        if not self._token or now >= self._renew_at:
            self._key = self._key or _rsa_key(self.private_key)
            self._token = _signed(self._key, self._claims(now))
            self._renew_at = now + 0.8 * TOKEN_LIFE
        return self._token

    def _claims(self, now: float) -> dict[str, Json]:
        unique = uuid.uuid5(uuid.NAMESPACE_OID, f"{self.application_id} {now!r}")
        return {
            "application_id": self.application_id,
            "iat": int(now),
            "exp": int(now) + TOKEN_LIFE,
            "jti": str(unique),
        }


def _rsa_key(pem: str) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import (  # noqa: PLC0415 - 30 ms
        RSAPrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except Exception:  # noqa: BLE001 - the library has an error for every oddity
        raise ConfigError("private_key is not a readable PEM private key") from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("private_key must be an RSA key: Vonage takes RS256 only")
    return key


def _signed(key: RSAPrivateKey, claims: dict[str, Json]) -> str:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    head = _base64url(codec.dumps({"alg": "RS256", "typ": "JWT"}))
    signed = head + b"." + _base64url(codec.dumps(claims))
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + _base64url(signature)).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
