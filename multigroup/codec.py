"""JSON in and out: tolerant readers for what carriers send, one converter for ours.

The readers take any JSON and never raise: what is not of the expected shape is absent.
Carriers change types without notice, and a message must not be lost over it.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast, get_args, get_origin

from . import events
from .errors import PayloadError
from .events import Event
from .masking import term
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
    "load_event",
    "loads",
    "moment",
    "query_value",
    "table",
    "text",
]


_ABSURD: Final = 9
"""Digits before the point that no price has: a number of another kind got there."""

_CURRENCY: Final = re.compile("[A-Z]{3}")
"""ISO 4217's; what is said in other words cannot be added up."""

_EVENTS: Final[Mapping[str, type[Event]]] = {
    "delivery_updated": events.DeliveryUpdated,
    "late_acceptance": events.LateAcceptance,
    "message_received": events.MessageReceived,
    "opted_in": events.OptedIn,
    "opted_out": events.OptedOut,
    "send_failed": events.SendFailed,
    "thread_moved": events.ThreadMoved,
    "unrecognized": events.Unrecognized,
}


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
    number, unit = text(holder, value), (text(holder, currency) or "").upper()
    if number is None or not _CURRENCY.fullmatch(unit):
        return None
    try:
        parsed = Decimal(number)
    except InvalidOperation:
        return None
    sane = parsed.is_finite() and parsed.adjusted() < _ABSURD
    return Money(parsed, unit) if sane else None


def moment(written: str | None) -> datetime | None:
    """Return an ISO 8601 time as an aware one (UTC unless it says otherwise)."""
    try:
        parsed = datetime.fromisoformat(written or "")
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)
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
    """Return one of our frozen values as plain JSON; sets are sorted.

    Bytes that are UTF-8 stay readable. Others are in base64, and so is the rare text
    that could be mistaken for such base64.
    """
    plain: Json = _converter().unstructure(value)
    return plain


def load_event(document: Json) -> Event:
    """Return the event that `dump` made *document* of, equal to it in every field.

    Fields that have a default may be absent and unknown ones are passed over, so that
    releases can read each other's events.

    Raises:
        PayloadError: *document* is not an event as `dump` writes it.
    """
    given = table(document)
    kind = text(given, "type") or ""
    if kind not in _EVENTS:
        known = ", ".join(_EVENTS)
        raise PayloadError(f"event type {term(kind)!r} is none of {known}")
    try:
        event: Event = _converter().structure(given, _EVENTS[kind])
    except Exception as error:  # noqa: BLE001 - cattrs has one for every oddity
        from cattrs import transform_error  # noqa: PLC0415 - see below

        broken = "; ".join(transform_error(error))
        raise PayloadError(f"the {kind} event cannot be read: {broken}") from None
    return event


@cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - 70 ms that a send never needs

    converter = Converter()
    _teach_writing(converter)
    _teach_reading(converter)
    return converter


def _teach_writing(converter: Converter) -> None:
    from cattrs.gen import make_dict_unstructure_fn  # noqa: PLC0415 - see above

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


def _teach_reading(converter: Converter) -> None:
    """Have nothing made to fit: what `dump` does not write is an error."""

    def exactly(kind: type, made: Callable[[Any], object], written: type = str) -> None:
        def read(value: object, _kind: object) -> object:
            if type(value) is not written:
                raise TypeError
            return made(value)

        converter.register_structure_hook(kind, read)

    for kind in (str, Number):
        exactly(kind, kind)
    exactly(int, int, int)
    exactly(bool, bool, bool)
    exactly(bytes, _as_bytes)
    exactly(datetime, _aware)
    exactly(Decimal, _decimal)
    exactly(LineId, _line_id)
    converter.register_structure_hook(StrEnum, lambda word, kind: kind(word))

    def several(value: object, kind: Any) -> object:
        if not isinstance(value, list):
            raise TypeError
        of, entries = get_args(kind)[0], cast("list[object]", value)
        return get_origin(kind)(converter.structure(entry, of) for entry in entries)

    converter.register_structure_hook_func(_is_several, several)


def _is_event(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Event)


def _is_outcome(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, Outcome)


def _is_frozenset(cls: object) -> bool:
    return getattr(cls, "__origin__", cls) is frozenset


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(map(str, values))


def _is_several(kind: object) -> bool:
    return get_origin(kind) in (frozenset, tuple)


def _aware(written: str) -> datetime:
    parsed = datetime.fromisoformat(written)
    if parsed.tzinfo is None:
        raise ValueError
    return parsed


def _decimal(written: str) -> Decimal:
    parsed = Decimal(written)
    if not parsed.is_finite():
        raise ValueError
    return parsed


def _line_id(written: str) -> LineId:
    account, number = written.rsplit(":", 1)
    return LineId(account, Number(number))


def _readable(body: bytes) -> str:
    return (base64.b64encode(body) if _is_veiled(body) else body).decode()


def _as_bytes(written: str) -> bytes:
    return _unveiled(written.encode()) or written.encode()


def _is_veiled(body: bytes) -> bool:
    """Tell whether *body* must be in base64, or would be read as if it were."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return _unveiled(body) is not None


def _unveiled(body: bytes) -> bytes | None:
    """Return what *body* is the base64 of, or `None` if it stands for itself."""
    try:
        inner = base64.b64decode(body, validate=True)
    except ValueError:
        return None
    exact = inner and base64.b64encode(inner) == body
    return inner if exact and _is_veiled(inner) else None
