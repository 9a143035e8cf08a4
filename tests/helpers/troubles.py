"""What workers do and what carriers do instead of their work, by name."""

from __future__ import annotations

from typing import Any, Final, Literal

from multigroup import AsyncClient
from multigroup.simulator import Switch
from multigroup.wire import Failure, Reply, Response
from tests.helpers.town import PEOPLE, Carrier, Town, Work

__all__ = ["FAULTS", "Deed", "Fault", "fail", "to_do"]

Deed = Literal["send", "retry", "risk", "resume", "due", "hear"]
Fault = Literal["refuse", "throttle", "wait", "lose", "drop", "break", "spoil", "down"]
REFUSAL: Final = (
    b'{"errors":[{"code":"40305","title":"Invalid from"}],"title":"Invalid sender"}'
)
_REPLIES: Final[dict[Fault, tuple[Reply, bool]]] = {
    "refuse": (Response(422, {}, REFUSAL), False),
    "throttle": (Response(429, {}, b"{}"), False),
    "wait": (Response(429, {"retry-after": "2"}, b"{}"), False),
    "lose": (Failure("ReadError"), True),
    "drop": (Failure("ReadError"), False),
    "break": (Response(500, {}, b""), False),
    "spoil": (Response(500, {}, b""), True),
}
"""What a carrier answers instead, and whether it took the message before."""

FAULTS: Final[tuple[Fault, ...]] = (*_REPLIES, "down")


def to_do(deed: Deed, name: str, deadline: float = 0.0) -> Work:
    """Return *deed* as a client does it; *name* is the send's reference."""

    def work(client: AsyncClient) -> Any:
        match deed:
            case "send":
                group = client.group(*PEOPLE)
                text = f"Shall we have {name}?"
                return group.send(text, reference=name, deadline=deadline)
            case "resume":
                return client.resume()
            case "due":
                return client.run_due()
            case _:
                return client.retry(name, unknown=deed == "risk")

    return work


def fail(town: Town, carrier: Carrier, fault: Fault, count: int) -> Switch:
    """Have *carrier* fail as *fault* says, *count* times or until it is healed."""
    face = town.face(carrier)
    if fault == "down":
        return face.outage()
    reply, after = _REPLIES[fault]
    return face.answer(reply, count=count, after_acceptance=after)
