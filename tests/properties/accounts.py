"""Accounts with keys, and webhooks signed for them by the simulator's own signers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from multigroup import Client, Provider, Telnyx, Vonage
from multigroup.simulator.keys import Ed25519Signer, hs256, sha256_hex
from multigroup.wire import Json, Request
from tests.helpers.world import Carrier
from tests.properties.strategies import OWN

__all__ = ["ACCOUNTS", "NOW", "SECRET", "client", "signed", "token"]

NOW: Final = 1_795_000_000.0
SECRET: Final = "our-signature-secret-of-32-chars!"
SIGNER: Final = Ed25519Signer(Random(7))  # noqa: S311 - the same in every run

ACCOUNTS: Final[Mapping[Carrier, Provider]] = {
    "telnyx": Telnyx(api_key="KEY", public_key=SIGNER.public_key),
    "vonage": Vonage(api_key="key", api_secret="secret", signature_secret=SECRET),
}


def client() -> Client:
    """Return a client with a line at each carrier, in the year of `NOW`."""
    lines = [ACCOUNTS[carrier].line(number) for carrier, number in OWN.items()]
    return Client(lines=lines, clock=lambda: NOW)


def token(body: bytes, **claims: Any) -> str:
    """Return Vonage's token of *body*."""
    usual: dict[str, Json] = {
        "iat": int(NOW),
        "iss": "Vonage",
        "payload_hash": sha256_hex(body),
    }
    return hs256(usual | claims, SECRET)


def signed(carrier: Carrier, body: bytes, at: float = NOW) -> Request:
    """Return the webhook of *body* as *carrier* signs it."""
    if carrier == "vonage":
        headers = {"authorization": f"Bearer {token(body, iat=int(at))}"}
    else:
        stamp = str(int(at))
        signature = SIGNER.sign(f"{stamp}|".encode() + body)
        headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
    return Request("POST", f"https://app.example/{carrier}", headers, body)
