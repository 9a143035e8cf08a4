"""When a process is killed: drawn by a seed, so that a failure can be had again."""

from __future__ import annotations

import os
from random import Random
from typing import Final, Literal, TypeAlias

from attrs import frozen

__all__ = ["MOMENTS", "SEED", "Moment", "Rehearsal", "moment"]

MOMENTS: Final = int(os.environ.get("MULTIGROUP_KILLS") or 10)
"""Kills of each kind of work; `.ci/long kills` wants more."""

SEED: Final = os.environ.get("MULTIGROUP_KILLS_SEED") or "1"

Kind: TypeAlias = Literal["statement", "arriving", "taken", "delay"]
KINDS: Final[tuple[Kind, ...]] = ("statement", "arriving", "taken", "statement")


@frozen
class Moment:
    """When to kill.

    Before the *n*-th statement to the journal; as the *n*-th request is *arriving* at
    the carrier, which takes it no more; once it is *taken*, before the answer; or after
    a *delay* of *seconds*.
    """

    kind: Kind
    n: int = 0
    seconds: float = 0.0


@frozen
class Rehearsal:
    """What the work takes when nobody is killed."""

    statements: int
    requests: int
    seconds: float


def moment(work: str, number: int, usual: Rehearsal) -> Moment:
    """Return when the *number*-th process that does *work* is to be killed.

    The count is drawn a little past the end: a process that had just ended is one to
    go on after, too.
    """
    chance = Random(f"{SEED} {work} {number}")  # noqa: S311 - no secret
    kind = "delay" if number % 5 == 0 else KINDS[number % len(KINDS)]
    match kind:
        case "statement":
            return Moment(kind, chance.randint(1, usual.statements + 1))
        case "delay":
            return Moment(kind, seconds=chance.uniform(0, usual.seconds * 1.2))
        case _:
            return Moment(kind, chance.randint(1, usual.requests))
