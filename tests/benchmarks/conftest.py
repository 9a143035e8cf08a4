"""What a benchmark is given, and the table of ratios at the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.duel import Duel, Result

_RESULTS: Final = pytest.StashKey[list[Result]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Result], None]:
    """Give what puts a result into the table and holds it against its budget."""

    def put(result: Result) -> None:
        request.config.stash.setdefault(_RESULTS, []).append(result)
        assert result.in_order, str(result)

    return put


@pytest.fixture
def duel(
    request: pytest.FixtureRequest,
    benchmark: BenchmarkFixture,
    tell: Callable[[Result], None],
) -> Duel:
    """Give what measures two things by turns, by the clock that the test names."""
    clock = request.node.get_closest_marker("benchmark")
    assert clock is not None, "mark the test with CPU, WALL or TOLD"
    return Duel(benchmark, clock.kwargs["timer"], tell)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    results = config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("ours against the baseline of the same run")
    for result in results:
        terminalreporter.line(str(result))
