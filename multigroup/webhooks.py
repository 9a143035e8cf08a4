"""Inward, without I/O: who handles an event, what a webhook came to, `normalize`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

from attrs import define, evolve, field, frozen

from .errors import ConfigError
from .events import Event
from .phone import lenient
from .providers import bandwidth, telnyx, twilio, vonage
from .providers.reading import as_json
from .wire import Pair, Request

__all__ = [
    "CARRIERS",
    "NEVER",
    "Reception",
    "Router",
    "as_json",
    "normalize",
    "reader_of",
]


@frozen
class Reception:
    """What became of a webhook; answer the carrier with *status*.

    *events* were handled now, *duplicates* had been settled before. *failures* holds
    what handlers raised; the status then asks the carrier to deliver again, unless
    that could not help.
    """

    events: tuple[Event, ...] = ()
    duplicates: tuple[Event, ...] = ()
    failures: tuple[Exception, ...] = ()
    status: int = HTTPStatus.OK


@frozen
class Handler:
    """A function of the application's, and the kind of event it is for.

    *name* tells it from other handlers, also after a restart.
    """

    kind: type[Event]
    call: Callable[[Any], object]
    name: str


@define(eq=False)
class Router:
    """The application's handlers, in the order they were registered."""

    _handlers: list[Handler] = field(factory=list[Handler], init=False)

    def add(self, kind: type[Event], call: Callable[[Any], object]) -> None:
        """Have *call* called with every event of *kind*, subclasses included."""
        name = getattr(call, "__qualname__", type(call).__name__)
        namesakes = sum(
            known.name.partition("~")[0] == name for known in self._handlers
        )
        suffix = f"~{namesakes + 1}" if namesakes else ""
        self._handlers.append(Handler(kind, call, name + suffix))

    def of(self, event: Event) -> list[Handler]:
        """Return the handlers of *event*."""
        return [known for known in self._handlers if isinstance(event, known.kind)]


class _Parser(Protocol):
    def __call__(
        self, body: bytes, *, own: frozenset[str], received_at: datetime
    ) -> Sequence[Event]: ...


_PARSERS: Final[Mapping[str, _Parser]] = {
    "bandwidth": bandwidth.parse,
    "telnyx": telnyx.parse,
    "twilio": twilio.parse,
    "vonage": vonage.parse,
}
CARRIERS: Final = tuple(sorted(_PARSERS))
"""The names of the carriers whose webhooks can be read."""

NEVER: Final = datetime.fromtimestamp(0, UTC)
"""The time of an event whose carrier gave none and which nobody received."""


def normalize(
    carrier: str,
    body: bytes,
    *,
    own: Iterable[str] = (),
    headers: Mapping[str, str] | Iterable[Pair] | None = None,
) -> list[Event]:
    """Return the events in a webhook's *body*. Nothing is verified.

    *own* are our own numbers: without them the first number a message came to counts
    as ours. The content type in *headers* tells JSON from a form; where it is not
    given, the body does. As nobody received the body, `received_at` is the carrier's
    own time, and 1970 where it gave none.

    Raises:
        ConfigError: *carrier* is not one we know.
        PayloadError: *body* is not what such a carrier sends at all.
    """
    return reader_of(carrier, own=own, headers=headers)(body)


def reader_of(
    carrier: str,
    *,
    own: Iterable[str] = (),
    headers: Mapping[str, str] | Iterable[Pair] | None = None,
) -> Callable[[bytes], list[Event]]:
    """Return `normalize` made ready for many bodies of one carrier.

    Raises:
        ConfigError: *carrier* is not one we know.
    """
    parser = _PARSERS.get(carrier)
    if parser is None:
        raise ConfigError(f"carrier {carrier!r} is not known; {_instead(carrier)}")
    numbers = [own] if isinstance(own, str) else own
    ours = frozenset(map(lenient, numbers))
    content_type = _content_type(headers)

    def read(body: bytes) -> list[Event]:
        events = parser(as_json(body, content_type), own=ours, received_at=NEVER)
        return [
            evolve(event, received_at=event.occurred_at, raw=body) for event in events
        ]

    return read


def _content_type(headers: Mapping[str, str] | Iterable[Pair] | None) -> str:
    if headers is None:
        return ""
    return (Request("POST", "", headers).headers.get("content-type") or "").lower()


def _instead(carrier: str) -> str:
    """Return the carrier that was probably meant, or all of them."""
    import difflib  # noqa: PLC0415 - only for those who mistyped

    close = difflib.get_close_matches(carrier.lower(), _PARSERS, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there is {', '.join(CARRIERS)}"
