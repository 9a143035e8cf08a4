"""No simulated carrier goes unjudged unseen."""

from __future__ import annotations

from pathlib import Path

from multigroup.simulator import Network
from tests.oracles.sdks import AWAITED, ORACLES


def test_every_simulated_carrier_is_judged_or_awaited() -> None:
    """A carrier that joins has its SDK's module, or its name where one looks for it."""
    carriers = {face.name for face in Network(seed=1).faces}
    assert carriers <= set(ORACLES) | AWAITED
    assert not set(ORACLES) & AWAITED


def test_every_module_is_there() -> None:
    """The list of modules is the list of files."""
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert files - {Path(__file__).name} == set(ORACLES.values())
