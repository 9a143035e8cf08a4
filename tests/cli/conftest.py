"""Commands run in this process, and webhooks to run them on."""

from __future__ import annotations

from pathlib import Path

import pytest

from multigroup.cli.commands import commands
from tests.cli.captured import Captured, Command, Ran, capture
from tests.helpers.world import Carrier


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Command:
    """Give a way to run a command of `multigroup`."""

    def run(*words: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            commands.main([str(word) for word in words], prog_name="multigroup")
        written = capfd.readouterr()
        status = ended.value.code
        assert isinstance(status, int)
        return Ran(status, written.out, written.err.splitlines())

    return run


@pytest.fixture
def captured(carrier: Carrier) -> Captured:
    """Give what either carrier posts when Ana writes to the group."""
    return capture(carrier)
