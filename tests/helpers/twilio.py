"""How the tests call the simulated Twilio."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from multigroup.wire import Response

__all__ = [
    "OTHER",
    "OURS",
    "A",
    "B",
    "C",
    "Call",
    "Rail",
    "error_of",
    "get",
    "join",
    "opened",
    "read",
    "say",
]

A, B, C = "+14155550101", "+14155550102", "+14155550103"
OURS, OTHER = "+14155550180", "+14155550181"
Call = Callable[..., Response]
Rail = Callable[..., str]


def read(reply: Response) -> Any:
    """Return the document in *reply*."""
    return json.loads(reply.body)


def error_of(reply: Response) -> tuple[int, int]:
    """Return the status and the code of an error, which must agree with its body."""
    error = read(reply)
    assert error["status"] == reply.status
    assert error["more_info"].endswith(str(error["code"]))
    return reply.status, error["code"]


def opened(twilio: Call, **fields: str) -> str:
    """Make a conversation; return its SID."""
    reply = twilio("POST", "/Conversations", fields)
    assert reply.status == 201
    return str(read(reply)["sid"])


def join(twilio: Call, sid: str, **binding: str) -> Response:
    """Add a participant with these parts of a messaging binding."""
    form = {
        name if name in ("Identity", "Attributes") else f"MessagingBinding.{name}": one
        for name, one in binding.items()
    }
    return twilio("POST", f"/Conversations/{sid}/Participants", form)


def say(twilio: Call, sid: str, text: str = "Hello", **fields: str) -> Response:
    """Send a message as our number."""
    form = {"Author": OURS, "Body": text, **fields}
    return twilio("POST", f"/Conversations/{sid}/Messages", form)


def get(twilio: Call, path: str) -> Any:
    """Return the document at *path*."""
    return read(twilio("GET", path))
