"""What a courier carries, and how patiently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import field, frozen

from ..wire import Failure, Json, Reply, Request, Response

__all__ = ["REFUSED", "Parcel", "Policy", "Sign", "Trial", "doubling"]

REFUSED = "RemoteDestinationRefused"
"""The `Failure.kind` of a webhook whose address is not on this machine."""

Sign: TypeAlias = Callable[[Request, float], Mapping[str, str]]
"""Returns the headers by which a webhook shows where it is from, as of a time."""


def doubling(first: float, longest: float, within: float) -> Iterator[float]:
    """Yield waits that double from *first* up to *longest*, *within* in all."""
    wait, spent = first, 0.0
    while spent + wait <= within:
        yield wait
        spent += wait
        wait = min(wait * 2, longest)


def _json() -> Mapping[str, str]:
    return {"content-type": "application/json"}


@frozen
class Policy:
    """How a carrier delivers: patience, what counts as success, when it tries again.

    *waits* lie between the tries at one URL. *retried* judges a status that is no
    success; a lost connection or a timeout is always tried again. *headers* are on
    every webhook, signed or not.
    """

    timeout: float
    success: range
    waits: tuple[float, ...]
    retried: Callable[[int], bool]
    headers: Mapping[str, str] = field(factory=_json)

    def settled(self, reply: Reply) -> bool:
        """Tell whether *reply* ends the matter."""
        if isinstance(reply, Failure):
            return reply.kind == REFUSED
        return self.succeeds(reply) or not self.retried(reply.status)

    def succeeds(self, reply: Reply) -> bool:
        """Tell whether the event was taken."""
        return isinstance(reply, Response) and reply.status in self.success

    def url_for(self, parcel: Parcel, number: int) -> str:
        """Return the URL that try *number* goes to."""
        return parcel.urls[(number - 1) // (len(self.waits) + 1)]

    def wait_after(self, parcel: Parcel, number: int) -> float | None:
        """Return how long to wait after try *number*; `None` if it was the last."""
        per_url = len(self.waits) + 1
        if number >= per_url * len(parcel.urls):
            return None
        at_this_url = number % per_url  # 0: the next try is at the next URL, at once
        return self.waits[at_this_url - 1] if at_this_url else 0.0


@frozen
class Parcel:
    """One event: where to, in which order, and its body for a try at a URL.

    *document* is the event itself, for a carrier that keeps what it delivered.
    """

    about: str
    urls: tuple[str, ...]
    render: Callable[[int, str], bytes]
    document: dict[str, Json] = field(factory=dict[str, Json], repr=False)


@frozen
class Trial:
    """One try at a parcel, and how it went; none follows the *last*."""

    request: Request = field(repr=False)
    reply: Reply
    began: float
    ended: float
    success: bool
    last: bool
