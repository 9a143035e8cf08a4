"""What may go wrong with webhooks on their way, by count or until turned off."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from attrs import define

from .faults import Switch

__all__ = ["Spoil", "Spoils", "missigned", "tampered"]

Spoil: TypeAlias = Literal[
    "late",
    "twice",
    "out_of_order",
    "unsigned",
    "stale",
    "wrongly_signed",
    "tampered",
    "never",
]

_LAST_DIGIT = re.compile(rb"[0-9](?=[^0-9]*\Z)")


@define(eq=False)
class _Order:
    kind: Spoil
    seconds: float
    left: int | None
    spent: Callable[[], None] | None


class Spoils:
    """Hold what is to be spoilt, in the order asked for."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def add(
        self,
        kind: Spoil,
        *,
        seconds: float = 0.0,
        count: int | None = None,
        spent: Callable[[], None] | None = None,
    ) -> Switch:
        """Spoil the next *count* webhooks, or all until turned off.

        *seconds* is how late or how old, for the kinds that need it; *spent* is called
        when the count is used up.
        """
        order = _Order(kind, seconds, count, spent)
        self._orders.append(order)
        return Switch(lambda: self._drop(order))

    def take(self, kind: Spoil) -> float | None:
        """Return the seconds of a spoil of *kind* to act on now, and count it."""
        for order in self._orders:
            if order.kind != kind:
                continue
            if order.left is not None:
                order.left -= 1
                if order.left <= 0:
                    self._drop(order)
                    if order.spent is not None:
                        order.spent()
            return order.seconds
        return None

    def _drop(self, order: _Order) -> None:
        if order in self._orders:
            self._orders.remove(order)


def tampered(body: bytes) -> bytes:
    """Return *body* with one digit changed."""
    found = _LAST_DIGIT.search(body)
    place = found.start() if found else len(body) - 1
    # The lowest bit turns a digit into its neighbour, so JSON stays JSON.
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


def missigned(headers: Mapping[str, str]) -> dict[str, str]:
    """Return *headers* with one character of the longest value changed.

    The longest is the signature, whatever the carrier: base64 or a token that ends in
    it. The fifth character from the end is never padding, and its bits all count.
    """
    if not headers:
        return {}
    name = max(headers, key=lambda one: len(headers[one]))
    value = headers[name]
    other = "B" if value[-5:-4] == "A" else "A"
    return {**headers, name: value[:-5] + other + value[-4:]}
