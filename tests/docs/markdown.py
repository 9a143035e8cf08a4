"""Tables and paragraphs in Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

__all__ = ["code", "paragraphs", "table", "yes"]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar inside a cell is escaped."""
    return "\n".join(
        [
            f"| {' | '.join(head)} |",
            f"|{'---|' * len(head)}",
            *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
        ]
    )


def code(value: object) -> str:
    """Return *value* as code, or nothing for `None`."""
    return "" if value is None else f"`{value}`"


def yes(answer: object) -> str:
    """Return yes or no."""
    return "yes" if answer else "no"


def paragraphs(documented: object) -> str:
    """Return the docstring of *documented*, without its indentation."""
    return inspect.getdoc(documented) or ""


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")
