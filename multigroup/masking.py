"""What may be shown of what others wrote: numbers, secrets and words stay out of logs.

A carrier may put anything anywhere: a sentence in the place of a code, another
program's reference in the place of ours. Whatever is shown is held to a grammar.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "identifier",
    "mask",
    "redact",
    "shown_id",
    "shown_ids",
    "shown_term",
    "shown_type",
    "term",
]

_SHOWN: Final = 4


def mask(value: str) -> str:
    """Return *value* with all but its last four characters hidden."""
    return f"…{value[-_SHOWN:]}" if len(value) > _SHOWN else value


def redact(text: str) -> str:
    """Return *text* with long digit runs and token-like words masked.

    For a carrier's own words, which may quote a phone number or a credential.
    """
    return _SENSITIVE.sub(lambda match: mask(match[0]), text)


_SENSITIVE: Final = re.compile(r"[\w.~+/=-]{20,}|\+?[0-9][0-9() .-]{5,}[0-9]")


def term(said: str) -> str:
    """Return *said* if it can be a code or a word of a carrier's vocabulary.

    Where a code belongs a carrier may put a sentence, which may quote what was said:
    of anything else only the length is told.
    """
    return said if _TERM.fullmatch(said) else _length(said)


_TERM: Final = re.compile(r"[0-9]{1,6}|(?=.{1,40}\Z)[a-z]+(?:[._-][a-z]+)*", re.DOTALL)


def identifier(said: str) -> str:
    """Return *said* if it looks like an id that a machine made.

    That is a UUID or 32 hexadecimal digits, with up to two capitals before them, or a
    lower-case word; words and one short number may follow. A phone number is none, and
    a sentence is none: of those only the length is told.
    """
    return said if _ID.fullmatch(said) else _length(said)


_ID: Final = re.compile(
    r"(?=.{1,100}\Z)"
    r"(?:[A-Z]{0,2}[0-9a-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|[a-z]+)(?:[.:/_-][a-z]+)*(?:[.:/_-][0-9]{1,4})?",
    re.DOTALL,
)


def shown_id(value: str | None) -> str:
    """Return the `repr` of an id that somebody else made."""
    return repr(value if value is None else identifier(value))


def shown_ids(values: tuple[str, ...]) -> str:
    """Return the `repr` of several ids that somebody else made."""
    return repr(tuple(map(identifier, values)))


def shown_term(value: str | None) -> str:
    """Return the `repr` of a word that somebody else chose."""
    return repr(value if value is None else term(value))


def shown_type(value: str | None) -> str:
    """Return the `repr` of a media type that somebody else told."""
    if value is None or _MEDIA_TYPE.fullmatch(value):
        return repr(value)
    return repr(_length(value))


_MEDIA_TYPE: Final = re.compile(
    r"(?=.{1,60}\Z)(?!(?:.*[0-9]){7})[a-z]+/[a-z0-9]+(?:[.+-][a-z0-9]+)*", re.DOTALL
)


def _length(said: str) -> str:
    return said if _TOLD.fullmatch(said) else f"<{len(said)} characters>"


_TOLD: Final = re.compile("<[0-9]{1,7} characters>")
"""What is shown twice still tells the first length."""
