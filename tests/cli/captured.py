"""A webhook as a carrier signed it, and how a command ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from attrs import frozen

from multigroup.simulator import Network, SteppedClock, ThreadKey
from multigroup.wire import Reply, Request, Response
from tests.helpers.values import ANA, PEOPLE
from tests.helpers.world import NUMBERS, Carrier

__all__ = ["START", "Captured", "Command", "Ran", "capture", "save"]

START: Final = 1_795_000_000.0


@frozen
class Ran:
    """How a command ended: exit status, what it wrote, what it said beside."""

    status: int
    out: str
    said: list[str]

    @property
    def events(self) -> list[Any]:
        """Return the JSON objects it wrote, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Command: TypeAlias = Callable[..., Ran]


@frozen
class Captured:
    """A webhook with its signature, and the secret to check it with."""

    carrier: Carrier
    request: Request
    secret: str

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Save the body and the headers; return where."""
        body, headers = folder / "body.json", folder / "headers.txt"
        body.write_bytes(self.request.body)
        lines = (f"{name}: {value}\n" for name, value in self.request.headers)
        headers.write_text("".join(lines))
        return body, headers


def capture(carrier: Carrier) -> Captured:
    """Return what *carrier* posts when Ana writes to the group."""
    inbox: list[Request] = []

    def post(request: Request, _timeout: float) -> Reply:
        inbox.append(request)
        return Response(200)

    with Network(clock=SteppedClock(START), post=post, seed=7) as network:
        telnyx, vonage = network.telnyx, network.vonage
        telnyx.add_number(NUMBERS["telnyx"], webhook_url="http://app.test/")
        vonage.add_number(NUMBERS["vonage"], inbound_url="http://app.test/")
        thread = ThreadKey(NUMBERS[carrier], frozenset(PEOPLE))
        network.handset(ANA).reply("Dinner?", to=thread)
        network.settle()
    secrets = {"telnyx": telnyx.public_key, "vonage": vonage.signature_secret}
    return Captured(carrier, inbox[0], secrets[carrier])


def save(path: Path, *lines: bytes) -> Path:
    """Write *lines* to a file; return where."""
    path.write_bytes(b"\n".join(lines))
    return path
