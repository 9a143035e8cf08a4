"""Measuring two things against each other on a machine that is never quiet.

Both run by turns, so that they share whatever the machine is doing; the median of each
stands for it. Nothing here is a claim in seconds: only the ratio of one run is told.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from attrs import frozen

__all__ = ["SLACK", "Result", "duel", "in_fresh_interpreter"]

SLACK: Final = 2.0
"""How many times its budget a ratio may reach before a run fails: machines differ, and
a benchmark that cries wolf is switched off."""


@frozen
class Result:
    """What one measurement came to: *ours* and *theirs* in seconds."""

    name: str
    budget: float
    ours: float
    theirs: float = 1.0
    unit: str = "x"

    @property
    def ratio(self) -> float:
        """Return how much ours costs of theirs."""
        return self.ours / self.theirs

    @property
    def in_order(self) -> bool:
        """Tell whether the budget is kept, with the slack a strange machine needs."""
        return self.ratio <= self.budget * SLACK

    def __str__(self) -> str:
        """Return a line of the table."""
        told = f"{self.ratio:8.2f} {self.unit}  (budget {self.budget:g} {self.unit})"
        return f"{self.name:54}{told}"


def duel(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
    warm_up: int = 20,
) -> tuple[float, float]:
    """Return the median of *ours* and of *theirs*, one call of each per round.

    One call, because a loop over one thing runs from a warm cache, which no
    application does that has other work between two messages.
    """
    for _ in range(warm_up):
        theirs(), ours()
    mine: list[float] = []
    other: list[float] = []
    for _ in range(rounds):
        start = clock()
        theirs()
        between = clock()
        ours()
        mine.append(clock() - between)
        other.append(between - start)
    return statistics.median(mine), statistics.median(other)


def in_fresh_interpreter(code: str) -> float:
    """Return what *code* prints, run by a Python that has loaded nothing."""
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    return float(done.stdout)
