"""Output that cannot be written is one line on stderr, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

FULL: Final = Path("/dev/full")
BODY: Final = b'{"message_uuid":"u","to":"14155550101","status":"delivered"}\n'
BUFFERED: Final = {**os.environ, "PYTHONUNBUFFERED": ""}
"""What is written last fails last, unless somebody's settings hide it."""
COMMANDS: Final = (
    "carriers",
    "carriers --json",
    "normalize --help",
    "normalize --carrier vonage",
    "simulate --port 0",
    "demo --carrier telnyx --json",
)


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_in_one_line(command: str) -> None:
    """Every command ends with status 1 and says what the system says."""
    with FULL.open("wb") as full:
        ran = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "multigroup", *command.split()],
            input=BODY,
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    *before, said = ran.stderr.decode().splitlines()

    assert (ran.returncode, said) == (1, "Error: No space left on device")
    assert [line for line in before if not line.startswith("nothing was verif")] == []


def test_a_closed_output_is_no_failure() -> None:
    """Who closes it does not want it."""
    closed = '"$0" -m multigroup carriers >&-'
    ran = subprocess.run(  # noqa: S603 - our own command
        ["sh", "-c", closed, sys.executable],  # noqa: S607 - a shell closes it
        env=BUFFERED,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, b"")
