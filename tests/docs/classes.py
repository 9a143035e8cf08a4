"""Events, errors and their enums, read from the classes themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import attrs

from multigroup import (
    DeliveryStatus,
    Event,
    MultigroupError,
    errors as errors_module,
    events as events_module,
)
from tests.docs import words
from tests.docs.markdown import code, paragraphs, table, yes

__all__ = [
    "error_classes",
    "errors",
    "event_classes",
    "events",
    "meanings",
    "reasons",
    "statuses",
    "tree",
]

_DRAWN: Final = re.compile(r"```\n(.*?)```", re.DOTALL)


def event_classes() -> list[type[Event]]:
    """Return the event classes, the base first."""
    return [
        found
        for found in vars(events_module).values()
        if inspect.isclass(found) and issubclass(found, Event)
    ]


def error_classes() -> list[type[MultigroupError]]:
    """Return the error classes in the order of their module."""
    return [
        found
        for found in vars(errors_module).values()
        if inspect.isclass(found) and issubclass(found, MultigroupError)
    ]


def events() -> str:
    """Return every event with its fields."""
    return "\n\n".join(map(_event, event_classes()))


def _event(kind: type[Event]) -> str:
    fields = list(_fields(kind))
    hidden = [code(field.name) for field in fields if field.repr is False]
    parts = [
        f"## {kind.__name__}",
        paragraphs(kind),
        table(
            ("field", "type", "what it holds", "what `None` means"),
            (
                (code(field.name), code(written(kind, field)), *_told(kind, field.name))
                for field in fields
            ),
        ),
    ]
    if hidden:
        parts.append(f"Left out of `repr`: {', '.join(hidden)}.")
    return "\n\n".join(parts)


def _fields(kind: type[Event]) -> Iterator[attrs.Attribute[object]]:
    return (field for field in attrs.fields(kind) if not field.inherited)


def written(kind: type[Event], field: attrs.Attribute[object]) -> str:
    """Return a field's type as the code has it: others may resolve `field.type`."""
    return str(vars(kind)["__annotations__"][field.name])


def _told(kind: type[Event], name: str) -> tuple[str, str]:
    return words.FIELDS[kind.__name__][name]


def statuses() -> str:
    """Return the delivery statuses in the order in which they can rise."""
    return table(
        ("status", "rank", "final", "what it means"),
        (
            (code(status), str(status.rank), yes(status.final), words.STATUSES[status])
            for status in DeliveryStatus
        ),
    )


def reasons() -> str:
    """Return the reasons."""
    rows = ((code(reason), told) for reason, told in words.REASONS.items())
    return table(("reason", "what it means"), rows)


def meanings() -> str:
    """Return what a good status may prove."""
    rows = ((code(meaning), told) for meaning, told in words.MEANINGS.items())
    return table(("meaning", "what is proven"), rows)


def tree() -> str:
    """Return the tree as the errors module draws it."""
    drawn = _DRAWN.search(paragraphs(errors_module))
    if drawn is None:
        raise LookupError("the errors module draws no tree")
    return f"```text\n{drawn[1]}```"


def errors() -> str:
    """Return every error with what to do about it."""
    return "\n\n".join(map(_error, error_classes()))


def _error(kind: type[MultigroupError]) -> str:
    advice = words.ERRORS[kind.__name__]
    above = ", ".join(code(base.__name__) for base in kind.__bases__)
    return "\n\n".join(
        [
            f"## {kind.__name__}",
            paragraphs(kind),
            "\n".join(
                [
                    f"- **Is a** {above}.",
                    f"- **When.** {advice.when}",
                    f"- **Was anything sent?** {advice.sent}",
                    f"- **What to do.** {advice.do}",
                ]
            ),
        ]
    )
