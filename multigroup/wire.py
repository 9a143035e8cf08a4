"""What travels: requests, responses and transport failures as small frozen values.

Nothing here does I/O. A `repr` shows no header, no body and no query string: those
carry credentials, message text and tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from attrs import field, frozen

__all__ = ["Failure", "Headers", "Json", "Reply", "Request", "Response"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""Any JSON document, as `json.loads` gives it."""

Pair: TypeAlias = tuple[str | bytes, str | bytes]


class Headers(tuple[tuple[str, str], ...]):
    """Header fields in order, names in lower case; `get` ignores case."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show the names only: values carry credentials."""
        return f"<Headers {', '.join(name for name, _ in self)}>"

    def get(self, name: str) -> str | None:
        """Return the value of *name*, repeated fields joined by `, ` (RFC 9110)."""
        wanted = name.lower()
        values = [value for key, value in self if key == wanted]
        return ", ".join(values) if values else None

    def merged(self, extra: Mapping[str, str]) -> Headers:
        """Return these fields with those of *extra* in place of their namesakes."""
        lower = {name.lower(): value for name, value in extra.items()}
        kept = (pair for pair in self if pair[0] not in lower)
        return Headers((*kept, *lower.items()))


def _headers(given: Mapping[str, str] | Iterable[Pair]) -> Headers:
    if isinstance(given, Headers):
        return given
    if isinstance(given, Mapping):
        fields = cast("Mapping[str, str]", given)
        return Headers((name.lower(), value) for name, value in fields.items())
    return Headers((_text(name).lower(), _text(value)) for name, value in given)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _without_query(url: str) -> str:
    return repr(url.split("?", 1)[0].split("#", 1)[0])


def _size(body: bytes) -> str:
    return f"<{len(body)} bytes>"


@frozen
class Request:
    """An HTTP request as it stands on the wire.

    *headers* may be given as a mapping or as pairs of `str` or `bytes`, as ASGI
    servers hold them. For a webhook, *body* must be the raw bytes as received: a
    body parsed and written again no longer fits its signature.
    """

    method: str
    url: str = field(repr=_without_query)
    headers: Headers = field(default=Headers(), converter=_headers, repr=False)
    body: bytes = field(default=b"", repr=_size)


@frozen
class Response:
    """An HTTP response, its body read whole."""

    status: int
    headers: Headers = field(default=Headers(), converter=_headers, repr=False)
    body: bytes = field(default=b"", repr=_size)


@frozen
class Failure:
    """An exchange that ended without a response.

    *kind* is the class name of the transport's exception. *unsent* is true only when
    no byte of the request can have left: the one case where a leg is `NotSent`.
    """

    kind: str
    unsent: bool = False


Reply: TypeAlias = Response | Failure
"""What one exchange gave."""
