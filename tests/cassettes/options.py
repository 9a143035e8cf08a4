"""The options by which pytest records cassettes instead of running tests."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import pytest

__all__ = ["pytest_addoption", "pytest_cmdline_main", "pytest_report_header"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; each is off unless given."""
    group = parser.getgroup("cassettes", "recording of cassettes")
    group.addoption(
        "--record-simulator",
        action="store_true",
        help="remake cassettes/simulator, then stop",
    )
    group.addoption(
        "--record-live",
        choices=["telnyx", "vonage"],
        help="say what recording with this carrier would send and cost, then stop",
    )
    group.addoption(
        "--really-send",
        action="store_true",
        help="with --record-live: text the members, at your cost, and record it",
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Record if asked to; else let the tests run."""
    carrier = config.getoption("--record-live")
    remake = config.getoption("--record-simulator")
    if not (carrier or remake):
        return None
    from .live import record_live  # noqa: PLC0415 - a run of tests need not load it
    from .record import record_simulator  # noqa: PLC0415

    today = datetime.now(UTC).date()
    if carrier:
        really = config.getoption("--really-send")
        return record_live(carrier, os.environ, today=today, say=_say, really=really)
    made = record_simulator(today)
    for path, wrong in made.items():
        _say(f"{path.parent.name}/{path.name}: {'; '.join(wrong) or 'made'}")
    return int(any(made.values()))


def pytest_report_header() -> str:
    """Say what the cassettes prove."""
    from .files import found  # noqa: PLC0415 - see above

    ours, theirs = len(found(folder="simulator")), len(found(folder="live"))
    return (
        f"cassettes: {ours} made with the simulator (they prove our parsing, not the "
        f"carrier), {theirs} recorded live"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
