"""How long an exchange may take, and how a thread keeps to it."""

from __future__ import annotations

import math
import threading
import time
from typing import Self

from attrs import Attribute, field, frozen

from ..errors import ConfigError

__all__ = ["Deadline", "Timeouts", "TotalTimeout"]


class TotalTimeout(TimeoutError):  # noqa: N818 - its name is what a receipt shows
    """The exchange took longer than `Timeouts.total`."""


def _positive(_timeouts: object, attribute: Attribute[float], value: float) -> None:
    if not 0 < value < math.inf:
        raise ConfigError(f"{attribute.name} timeout of {value} s: give more than 0")


@frozen(kw_only=True)
class Timeouts:
    """How long to wait for a carrier, in seconds.

    *silence* is the longest pause between two bytes, *total* the longest exchange.
    """

    connect: float = field(default=5.0, validator=_positive)
    silence: float = field(default=20.0, validator=_positive)
    total: float = field(default=30.0, validator=_positive)

    @classmethod
    def of(cls, total: float | None) -> Self:
        """Return the usual limits, or those of an exchange of *total* seconds."""
        if total is None:
            return cls()
        usual = cls()
        return cls(
            connect=min(usual.connect, total),
            silence=min(usual.silence, total),
            total=total,
        )


class Deadline(threading.local):
    """When the exchange on this thread must have ended, by the monotonic clock.

    httpx limits each silence only: a server that drips its headers would hold the
    thread for ever.
    """

    until: float = math.inf

    def cap(self, timeout: float | None) -> float:
        """Return *timeout*, or what is left where that is less.

        Raises:
            TotalTimeout: nothing is left.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TotalTimeout
        return left if timeout is None else min(timeout, left)
