"""JSON in and out: tolerant readers for what carriers send, one converter for ours.

The readers take any JSON and never raise: what is not of the expected shape is absent.
Carriers change types without notice, and a message must not be lost over it.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from .errors import PayloadError
from .events import Event
from .models import LineId, Money, Number, Outcome
from .wire import Json

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "amount",
    "dump",
    "dumps",
    "event_type",
    "items",
    "loads",
    "moment",
    "query_value",
    "table",
    "text",
]


_ABSURD: Final = 15
"""Digits before the point that no price has: such a sum could not be added up."""


def loads(body: bytes) -> Json:
    """Return the JSON document in *body*, lone surrogates replaced.

    Raises:
        PayloadError: *body* is not JSON, or is nested too deeply to be read.
    """
    try:
        document: Json = json.loads(
            body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
        )
        # one byte is found at memory speed, so most bodies are searched only once
        if b"\\" in body and (b"\\ud" in body or b"\\uD" in body):
            clean = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
            document = json.loads(clean)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the body is not readable JSON: {error}") from None
    return document


def dumps(document: Json) -> bytes:
    """Return *document* as compact JSON bytes, ready to be sent and signed."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def table(document: Json, *path: str) -> dict[str, Json]:
    """Return the object at *path* below *document*, or an empty one."""
    for step in path:
        document = document.get(step) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def items(document: dict[str, Json], name: str) -> list[Json]:
    """Return the list under *name*; a lone value counts as a list of one."""
    value = document.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(document: dict[str, Json], name: str) -> str | None:
    """Return the string or number under *name* as text; empty counts as absent."""
    value = document.get(name)
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def amount(document: Json, *, value: str, currency: str) -> Money | None:
    """Return the money in the object *document*, or `None` if it is not said."""
    holder = table(document)
    number, unit = text(holder, value), text(holder, currency)
    if number is None or unit is None:
        return None
    try:
        parsed = Decimal(number)
    except InvalidOperation:
        return None
    sane = parsed.is_finite() and parsed.adjusted() < _ABSURD
    return Money(parsed, unit.upper()) if sane else None


def moment(written: str | None) -> datetime | None:
    """Return an ISO 8601 time as an aware one (UTC unless it says otherwise)."""
    try:
        parsed = datetime.fromisoformat(written or "")
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def query_value(url: str | None, name: str) -> str | None:
    """Return the first value of *name* in the query of *url*, letters and digits only.

    Values of ours need no percent-decoding; any other value is not ours.
    """
    match = re.search(
        rf"[?&]{re.escape(name)}=([\w.-]+)(?:[&#]|$)", url or "", re.ASCII
    )
    return match[1] if match else None


def event_type(event: Event) -> str:
    """Return the event's class name in snake_case, such as `message_received`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(event).__name__).lower()


def dump(value: object) -> Json:
    """Return one of our frozen values as plain JSON; sets are sorted."""
    plain: Json = _converter().unstructure(value)
    return plain


@cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - 70 ms that a send never needs
    from cattrs.gen import make_dict_unstructure_fn  # noqa: PLC0415

    converter = Converter()
    converter.register_unstructure_hook(Number, str)
    converter.register_unstructure_hook(StrEnum, lambda word: word.value)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    converter.register_unstructure_hook(
        LineId, lambda line: f"{line.account}:{line.number}"
    )
    converter.register_unstructure_hook(bytes, _readable)
    converter.register_unstructure_hook_func(_is_frozenset, _sorted)

    def typed(cls: type[Event]) -> Callable[[Event], dict[str, Any]]:
        plain = make_dict_unstructure_fn(cls, converter)

        def tell(event: Event) -> dict[str, Any]:
            return {"type": event_type(event), **plain(event)}

        return tell

    def worded(cls: type[Outcome]) -> Callable[[Outcome], dict[str, Any]]:
        plain = make_dict_unstructure_fn(cls, converter)
        return lambda known: {"word": known.word, **plain(known)}

    converter.register_unstructure_hook_factory(_is_event, typed)
    converter.register_unstructure_hook_factory(_is_outcome, worded)
    return converter


def _is_event(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Event)


def _is_outcome(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Outcome)


def _is_frozenset(cls: object) -> bool:
    return getattr(cls, "__origin__", cls) is frozenset


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(map(str, values))


def _readable(body: bytes) -> str:
    """Return UTF-8 as it is, anything else in base64."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()
