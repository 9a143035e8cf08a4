"""What the demo has to tell, before anybody decides how it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from attrs import field, frozen

from ...wire import Json
from .stage import Stage

__all__ = ["Fact", "Scene"]


@frozen
class Fact:
    """One thing that happened: its *kind*, a line for people, data for programs."""

    kind: str
    words: str = ""
    data: dict[str, Json] = field(factory=dict[str, Json])


Play: TypeAlias = Callable[[Stage], Iterator[Fact]]


@frozen
class Scene:
    """A titled part of the demo; *waiting* is shown while it works."""

    name: str
    title: str
    waiting: str
    play: Play
