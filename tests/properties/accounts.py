"""Accounts with keys, and webhooks signed for them by the simulator's own signers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from multigroup import Bandwidth, Client, Provider, Telnyx, Vonage
from multigroup.simulator.keys import Ed25519Signer, hs256, sha256_hex
from multigroup.wire import Json, Request
from tests.properties.strategies import LINES, Reader

__all__ = ["ACCOUNTS", "NOW", "SECRET", "client", "signed", "token"]

NOW: Final = 1_795_000_000.0
SECRET: Final = "our-signature-secret-of-32-chars!"
SIGNER: Final = Ed25519Signer(Random(7))  # noqa: S311 - the same in every run

HOOK: Final = ("hook-user", "hook-password")
ACCOUNTS: Final[Mapping[Reader, Provider]] = {
    "bandwidth": Bandwidth(
        account_id="9900000",
        application_id="app-of-ours",
        username="user",
        password="password",
        callback_credentials=HOOK,
    ),
    "telnyx": Telnyx(api_key="KEY", public_key=SIGNER.public_key),
    "vonage": Vonage(api_key="key", api_secret="secret", signature_secret=SECRET),
}


def client() -> Client:
    """Return a client with a line at each carrier, in the year of `NOW`."""
    lines = [ACCOUNTS[carrier].line(number) for carrier, number in LINES.items()]
    return Client(lines=lines, clock=lambda: NOW)


def token(body: bytes, **claims: Any) -> str:
    """Return Vonage's token of *body*."""
    usual: dict[str, Json] = {
        "iat": int(NOW),
        "iss": "Vonage",
        "payload_hash": sha256_hex(body),
    }
    return hs256(usual | claims, SECRET)


def signed(carrier: Reader, body: bytes, at: float = NOW) -> Request:
    """Return the webhook of *body* as *carrier* signs it, or vouches for it."""
    if carrier == "bandwidth":
        pair = base64.b64encode(":".join(HOOK).encode()).decode()
        headers = {"authorization": f"Basic {pair}"}
    elif carrier == "vonage":
        headers = {"authorization": f"Bearer {token(body, iat=int(at))}"}
    else:
        stamp = str(int(at))
        signature = SIGNER.sign(f"{stamp}|".encode() + body)
        headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
    return Request("POST", f"https://app.example/{carrier}", headers, body)
