"""The two clocks."""

from __future__ import annotations

import time

import pytest

from multigroup.simulator import SteppedClock, WallClock


def test_a_stepped_clock_moves_only_when_told() -> None:
    """Time stands still between two calls of `advance`."""
    clock = SteppedClock(100.0)
    assert clock.now() == 100.0
    clock.advance(2.5)
    assert clock.now() == 102.5


def test_time_does_not_go_back() -> None:
    """A negative step is refused."""
    with pytest.raises(ValueError, match="cannot go back"):
        SteppedClock(100.0).advance(-1)


def test_a_stepped_clock_starts_at_the_real_time() -> None:
    """Webhooks signed at its start look fresh to an application."""
    before = time.time()
    assert before <= SteppedClock().now() <= time.time()


def test_a_wall_clock_tells_the_real_time() -> None:
    """It lies between two readings of the system's clock."""
    before = time.time()
    assert before <= WallClock().now() <= time.time()
