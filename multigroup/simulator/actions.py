"""What can be done to one webhook, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from .courier import Courier
from .timeline import Delivery

__all__ = ["ACTIONS", "NotNowError", "act"]


class NotNowError(ValueError):
    """The webhook is in no state for that; the message says which it is in."""


def act(courier: Courier, delivery: Delivery, action: str) -> None:
    """Do *action* to *delivery*, which is one of *courier*'s.

    Raises:
        KeyError: there is no such action.
        NotNowError: it makes no sense at this moment.
    """
    ACTIONS[action](courier, delivery)


def _replay(courier: Courier, delivery: Delivery) -> None:
    if not delivery.attempts:
        raise NotNowError("nothing was sent yet that could be replayed")
    courier.send(delivery, "a replay", request=delivery.attempts[-1].request)


def _duplicate(courier: Courier, delivery: Delivery) -> None:
    _needs_address(delivery)
    courier.send(delivery, "a copy")


def _sign_wrongly(courier: Courier, delivery: Delivery) -> None:
    _needs_address(delivery)
    courier.send(delivery, "wrongly signed", wrongly=True)


def _hold(courier: Courier, delivery: Delivery) -> None:
    _needs_state(delivery, "due")
    courier.park(delivery)


def _release(courier: Courier, delivery: Delivery) -> None:
    _needs_state(delivery, "held")
    courier.unpark(delivery)
    delivery.waved_on = True
    courier.schedule(delivery, 0.0)


def _reorder(courier: Courier, delivery: Delivery) -> None:
    _needs_state(delivery, "due", "held")
    delivery.waved_on = True
    courier.park(delivery, until_overtaken=True)


def _needs_address(delivery: Delivery) -> None:
    if not delivery.parcel.urls:
        raise NotNowError("no webhook URL is set, so it has nowhere to go")


def _needs_state(delivery: Delivery, *states: str) -> None:
    if delivery.state not in states:
        raise NotNowError(f"it is {delivery.state}, not {' or '.join(states)}")


ACTIONS: Mapping[str, Callable[[Courier, Delivery], None]] = MappingProxyType(
    {
        "replay": _replay,
        "duplicate": _duplicate,
        "hold": _hold,
        "release": _release,
        "reorder": _reorder,
        "sign-wrongly": _sign_wrongly,
    }
)
"""*replay* sends the bytes of the last try; *duplicate* is a second delivery by the
carrier, signed anew; *reorder* lets another webhook go first."""
