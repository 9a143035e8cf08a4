"""What a caller asked for, read from a JSON object with plain complaints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from attrs import frozen

from ...wire import Json
from ..face import from_json

__all__ = ["Asked", "NotUnderstoodError"]


class NotUnderstoodError(ValueError):
    """What is wrong with what was asked, in words."""


@frozen
class Asked:
    """The fields of a request's body, each read as what it must be."""

    fields: Mapping[str, Json]

    @classmethod
    def read(cls, body: bytes) -> Asked:
        """Return the fields of *body*; an empty one has none.

        Raises:
            NotUnderstoodError: it is no JSON object.
        """
        document = from_json(body or b"{}")
        if document is None:
            raise NotUnderstoodError("send a JSON object")
        return cls(document)

    def text(self, name: str, default: str | None = None, *, most: int = 5000) -> str:
        """Return the string *name*; without *default* it must be there."""
        found = self.fields.get(name, default)
        if not isinstance(found, str) or len(found) > most:
            raise NotUnderstoodError(
                f"{name} must be text of at most {most} characters"
            )
        return found

    def number(self, name: str, default: float, *, most: float) -> float:
        """Return the number *name*, which lies between 0 and *most*."""
        found = self.fields.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise NotUnderstoodError(f"{name} must be a number")
        if not 0 <= found <= most:
            raise NotUnderstoodError(f"{name} must lie between 0 and {most:g}")
        return float(found)

    def count(self, name: str) -> int | None:
        """Return how many times, or `None` for always."""
        if self.fields.get(name) is None:
            return None
        found = int(self.number(name, 0, most=10_000))
        if found < 1:
            raise NotUnderstoodError(f"{name} must be at least 1")
        return found

    def flag(self, name: str) -> bool:
        """Return the boolean *name*."""
        found = self.fields.get(name)
        if not isinstance(found, bool):
            raise NotUnderstoodError(f"{name} must be true or false")
        return found

    def texts(self, name: str, *, most: int) -> tuple[str, ...]:
        """Return the strings in the list *name*; none if it is not there."""
        found = self.fields.get(name, [])
        if not isinstance(found, list) or len(found) > most:
            raise NotUnderstoodError(f"{name} must be a list of at most {most}")
        if not all(isinstance(one, str) for one in found):
            raise NotUnderstoodError(f"{name} must be a list of strings")
        return tuple(cast("list[str]", found))

    def object(self, name: str) -> Asked | None:
        """Return the fields of the object *name*, or `None` if it is not there."""
        found = self.fields.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise NotUnderstoodError(f"{name} must be an object")
        return Asked(found)
