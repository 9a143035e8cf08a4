"""A captured webhook's signature: the secret's way in, and the check."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import click

from ..errors import ConfigError, SignatureError
from ..providers.bandwidth import Bandwidth
from ..providers.base import Provider
from ..providers.telnyx import Telnyx
from ..providers.twilio import Twilio
from ..providers.vonage import Vonage
from ..wire import Headers, Request

__all__ = ["Unusable", "genuine", "verifier"]

_UNUSED: Final = "unused"  # who only verifies sends nothing


def _pair(secret: str) -> tuple[str, str]:
    user, _, password = secret.partition(":")
    return user, password


VERIFIERS: Final[Mapping[str, Callable[[str], Provider]]] = {
    "bandwidth": lambda secret: Bandwidth(
        account_id=_UNUSED,
        application_id=_UNUSED,
        client_id=_UNUSED,
        client_secret=_UNUSED,
        callback_credentials=_pair(secret),
    ),
    "telnyx": lambda secret: Telnyx(api_key=_UNUSED, public_key=secret),
    "twilio": lambda secret: Twilio(
        account_sid="AC" + "0" * 32,
        messaging_service_sid="MG" + "0" * 32,
        auth_token=secret,
    ),
    "vonage": lambda secret: Vonage(
        api_key=_UNUSED, api_secret=_UNUSED, signature_secret=secret
    ),
}
ADDRESSED: Final = frozenset({"twilio"})
"""Carriers whose signature is of the address, too, which no capture holds."""

_SIGNED_BY: Final = ("telnyx-timestamp", "authorization")
_LATE: Final = " (for one captured earlier, --at says when it came)"


class Unusable(click.ClickException):
    """Something given that cannot be worked with: one line, and exit status 2."""

    exit_code = 2


def verifier(carrier: str, secret_env: str) -> Provider:
    """Return what verifies *carrier*'s webhooks with the secret in *secret_env*.

    Raises:
        Unusable: there is no secret, or none of the carrier's kind.
    """
    # The name is never repeated: whoever mistakes the option gives the secret itself.
    secret = os.environ.get(secret_env, "").strip()
    if not secret:
        raise Unusable("the environment variable of --secret-env is not set, or empty")
    try:
        return VERIFIERS[carrier](secret)
    except UnicodeError:
        raise Unusable("the secret in --secret-env's variable is not text") from None
    except ConfigError as error:
        raise Unusable(f"the secret in --secret-env's variable: {error}") from None


def genuine(
    provider: Provider, url: str, headers: Headers, body: bytes, now: float
) -> bytes:
    """Return *body* as it was signed: editors end it with a line end that was not.

    Raises:
        ClickException: it is not proven to be the carrier's; exit status 1.
    """
    failures: list[SignatureError] = []
    for candidate in dict.fromkeys((body, body.rstrip(b"\r\n"))):
        try:
            provider.verify(Request("POST", url, headers, candidate), now)
        except SignatureError as error:
            failures.append(error)
        else:
            return candidate
    told = max(failures, key=lambda error: error.status)  # stale beats unfit
    signed = any(headers.get(name) for name in _SIGNED_BY)
    late = signed and told.status == HTTPStatus.SERVICE_UNAVAILABLE
    raise click.ClickException(f"{told}{_LATE if late else ''}")
