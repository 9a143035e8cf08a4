"""Virtual time moving on, written once for both colours.

Each function is a generator that yields webhooks to be delivered and is sent what the
application answered; who runs it blocks or awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final, TypeAlias, TypeVar

from ..simulator import Network, SteppedClock
from ..simulator.agenda import Errand
from ..wire import Reply

__all__ = ["Moves", "NotSeenError", "advancing", "waiting"]

T = TypeVar("T")

Moves: TypeAlias = Generator[Errand, Reply, T]

_LOOK_EVERY: Final = 15.0  # seconds, as often as `WebhookApp` does what is due
_SHOWN: Final = 12


class NotSeenError(AssertionError):
    """What was waited for did not come true; the message tells what was seen."""


def due(network: Network) -> Moves[None]:
    """Do what is due now."""
    while True:
        with network.lock:
            job = network.agenda.pop(network.now())
        if job is None:
            return
        errand = job()
        if errand is not None:  # unlocked: the application may call back
            errand.done((yield errand))


def advancing(network: Network, clock: SteppedClock, seconds: float) -> Moves[None]:
    """Move the clock by *seconds* and do, in order, what falls due on the way."""
    end = clock.now() + seconds
    yield from due(network)
    while (next_due := network.agenda.next_due()) is not None and next_due <= end:
        clock.advance(max(0.0, next_due - clock.now()))
        yield from due(network)
    clock.advance(max(0.0, end - clock.now()))


def waiting(
    network: Network, clock: SteppedClock, condition: Callable[[], T], within: float
) -> Moves[T]:
    """Move on until *condition* returns something true.

    Raises:
        NotSeenError: *within* seconds were not enough.
    """
    began = clock.now()
    yield from due(network)
    while not (value := condition()):
        left = began + within - clock.now()
        if left <= 0:
            raise NotSeenError(_seen(network, condition, within))
        yield from advancing(network, clock, _step(network, min(left, _LOOK_EVERY)))
    return value


def _step(network: Network, most: float) -> float:
    next_due = network.agenda.next_due()
    if next_due is None:
        return most
    return min(most, max(0.0, next_due - network.now()))


def _seen(network: Network, condition: Callable[[], object], within: float) -> str:
    """Return what there is to see, without any message's text."""
    name = getattr(condition, "__qualname__", repr(condition))
    lines = [f"{name} did not come true in {within:g} s of virtual time", "phones:"]
    lines += [f"  {phone!r}" for phone in network.handsets] or ["  none"]
    lines.append(f"the last of {len(network.log)} entries in the log:")
    shown = list(network.log)[-_SHOWN:]
    lines += [f"  {one.at:%H:%M:%S} {one.kind} {one.words}" for one in shown]
    return "\n".join(lines)
