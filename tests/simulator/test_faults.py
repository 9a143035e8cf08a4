"""Switches and the answers they put in place of a carrier's own."""

from __future__ import annotations

from multigroup.simulator.faults import Faults, Switch
from multigroup.wire import Failure

LOST = Failure("ReadError")


def test_a_switch_turns_off_once() -> None:
    """Turning off twice acts once."""
    calls: list[str] = []
    switch = Switch(lambda: calls.append("off"))
    with switch:
        assert calls == []
    switch.off()
    assert calls == ["off"]


def test_a_counted_fault_wears_out() -> None:
    """After its count is spent there is nothing more to take."""
    faults = Faults()
    faults.add(LOST, after=True, count=2)
    taken = [faults.take(after=True) for _ in range(3)]
    assert taken == [LOST, LOST, None]


def test_a_fault_lasts_until_turned_off() -> None:
    """Without a count the switch alone ends it."""
    faults = Faults()
    with faults.add(LOST, after=False, count=None):
        assert [faults.take(after=False) for _ in range(3)] == [LOST] * 3
    assert faults.take(after=False) is None


def test_before_and_after_acceptance_are_kept_apart() -> None:
    """A fault that follows acceptance does not replace it."""
    faults = Faults()
    faults.add(LOST, after=True, count=1)
    assert faults.take(after=False) is None
    assert faults.take(after=True) == LOST


def test_a_spent_fault_may_still_be_turned_off() -> None:
    """The switch of a fault that wore out does nothing."""
    faults = Faults()
    switch = faults.add(LOST, after=True, count=1)
    faults.take(after=True)
    switch.off()
    assert faults.take(after=True) is None
