"""What the simulator's switches say of themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import attrs

from multigroup.simulator import (
    BandwidthQuirks,
    TelnyxQuirks,
    TwilioQuirks,
    VonageQuirks,
)
from tests.docs.markdown import code, table

__all__ = ["QUIRKS", "explained", "quirks"]

QUIRKS: Final[Mapping[str, type[Any]]] = {
    "telnyx": TelnyxQuirks,
    "vonage": VonageQuirks,
    "bandwidth": BandwidthQuirks,
    "twilio": TwilioQuirks,
}

_ATTRIBUTE: Final = re.compile(
    r"^    (\w+): (.*?)(?=^    \w+: |\Z)", re.DOTALL | re.MULTILINE
)


def quirks(carrier: str) -> str:
    """Return the switches of *carrier*: values, default and meaning of each."""
    return table(
        ("switch", "values, the default first", "what it decides"), _rows(carrier)
    )


def explained(kind: type[Any]) -> dict[str, str]:
    """Return what the docstring of *kind* says of each attribute."""
    _, _, listed = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    found = _ATTRIBUTE.findall(listed)
    return {name: " ".join(words.split()) for name, words in found}


def _rows(carrier: str) -> Iterator[tuple[str, str, str]]:
    kind = QUIRKS[carrier]
    hints, words = get_type_hints(kind), explained(kind)
    for field in attrs.fields(kind):
        yield (
            code(field.name),
            _values(hints[field.name], field.default),
            words[field.name],
        )


def _values(hint: object, default: object) -> str:
    first = _written(default)
    others: list[str] = []
    if hint is bool:
        others = [_written(not default)]
    elif get_origin(hint) is Literal:
        others = [_written(one) for one in get_args(hint) if one != default]
    return ", ".join(code(one) for one in [first, *others])


def _written(value: object) -> str:
    return repr(value).replace("'", '"')
