"""Inward, without I/O: who handles an event, what a webhook came to, `normalize`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar

from attrs import define, evolve, field, frozen

from .errors import ConfigError
from .events import Event
from .phone import lenient
from .providers import telnyx, vonage

__all__ = ["Reception", "Router", "normalize"]

E = TypeVar("E", bound=Event)
Handler = Callable[[Any], object]


@frozen
class Reception:
    """What became of a webhook; answer the carrier with *status*.

    *events* were handled now, *duplicates* had been settled before. *failures* holds
    what handlers raised; the status then asks the carrier to deliver again.
    """

    events: tuple[Event, ...] = ()
    duplicates: tuple[Event, ...] = ()
    failures: tuple[Exception, ...] = ()
    status: int = HTTPStatus.OK


@define(eq=False)
class Router:
    """The application's handlers, in the order they were registered."""

    _handlers: list[tuple[type[Event], Handler]] = field(
        factory=list[tuple[type[Event], Handler]], init=False
    )

    def add(self, kind: type[Event], handler: Handler) -> None:
        """Have *handler* called with every event of *kind*, subclasses included."""
        self._handlers.append((kind, handler))

    def of(self, event: Event) -> list[Handler]:
        """Return the handlers of *event*."""
        return [handler for kind, handler in self._handlers if isinstance(event, kind)]


class _Parser(Protocol):
    def __call__(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]: ...


_PARSERS: Final[Mapping[str, _Parser]] = {
    "telnyx": telnyx.parse,
    "vonage": vonage.parse,
}
_NEVER: Final = datetime.fromtimestamp(0, UTC)


def normalize(carrier: str, body: bytes, *, own: Iterable[str] = ()) -> list[Event]:
    """Return the events in a webhook's *body*. Nothing is verified.

    *own* are our own numbers: without them the first number a message came to counts
    as ours. As nobody received the body, `received_at` is the carrier's own time.

    Raises:
        ConfigError: *carrier* is not one we know.
        PayloadError: *body* is not what such a carrier sends at all.
    """
    parser = _PARSERS.get(carrier)
    if parser is None:
        known = ", ".join(sorted(_PARSERS))
        raise ConfigError(f"carrier {carrier!r} is not known; there is {known}")
    events = parser(body, own=frozenset(map(lenient, own)), received_at=_NEVER)
    return [evolve(event, received_at=event.occurred_at) for event in events]
