"""The table at the end of a run of benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from tests.benchmarks.duel import Result

_RESULTS: Final = pytest.StashKey[list[Result]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[Result], None]:
    """Give what puts a result into the table and holds it against its budget."""

    def put(result: Result) -> None:
        request.config.stash.setdefault(_RESULTS, []).append(result)
        assert result.in_order, str(result)

    return put


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    results = config.stash.get(_RESULTS, [])
    if results:
        terminalreporter.section("ours against the baseline of the same run")
    for result in results:
        terminalreporter.line(str(result))
