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

import pytest
from attrs import define, frozen
from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["CPU", "FRESH", "SLACK", "TOLD", "WALL", "Duel", "Fresh", "Result"]

SLACK: Final = 2.0
"""How many times its budget a ratio may reach before a run fails: machines differ, and
a benchmark that cries wolf is switched off."""


@define(eq=False)
class Fresh:
    """Interpreters that have loaded nothing, and a clock that moves by what they say.

    What it costs to start one is not in it.
    """

    seconds: float = 0.0

    def run(self, code: str) -> None:
        """Run *code*, which prints how many seconds it took, in a new interpreter."""
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        )
        self.seconds += float(done.stdout)

    def told(self) -> float:
        """Return all the seconds told so far."""
        return self.seconds


FRESH: Final = Fresh()

CPU: Final = pytest.mark.benchmark(group="CPU", timer=time.process_time)
WALL: Final = pytest.mark.benchmark(group="by the wall clock", timer=time.perf_counter)
TOLD: Final = pytest.mark.benchmark(group="in fresh interpreters", timer=FRESH.told)
"""What a benchmark is measured by, both sides alike."""


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


@frozen
class Duel:
    """Measures ours with pytest-benchmark, and theirs by the same clock in between."""

    benchmark: BenchmarkFixture
    clock: Callable[[], float]
    tell: Callable[[Result], None]

    def __call__(
        self,
        name: str,
        budget: float,
        ours: Callable[[], object],
        theirs: Callable[[], object],
        *,
        rounds: int,
        warm_up: int = 20,
    ) -> float:
        """Hold the ratio of *ours* to *theirs* against *budget*; return *ours*.

        One call of each per round, because a loop over one thing runs from a warm
        cache, which no application does that has other work between two messages.
        """
        baseline: list[float] = []

        def turn() -> None:
            start = self.clock()
            theirs()
            baseline.append(self.clock() - start)

        mine = self._median(ours, turn, rounds, warm_up)
        other = statistics.median(baseline[warm_up:])
        self._tell(Result(name, budget, mine, other))
        return mine

    def alone(
        self, name: str, budget: float, ours: Callable[[], object], *, rounds: int
    ) -> None:
        """Hold the seconds that *ours* takes against *budget*."""
        mine = self._median(ours, lambda: None, rounds, 0)
        self._tell(Result(name, budget, mine, unit="s"))

    def _median(
        self,
        ours: Callable[[], object],
        turn: Callable[[], None],
        rounds: int,
        warm_up: int,
    ) -> float:
        self.benchmark.pedantic(ours, setup=turn, rounds=rounds, warmup_rounds=warm_up)
        if self.benchmark.stats is None:
            pytest.skip("nothing was measured, as pytest-benchmark was told")
        return float(self.benchmark.stats.stats.median)

    def _tell(self, result: Result) -> None:
        self.benchmark.extra_info |= {
            "work": result.name,
            "ratio": result.ratio,
            "budget": result.budget,
            "baseline": result.theirs,
        }
        self.tell(result)
