"""The bar that a long input has on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.captured import Captured, save

COMMAND = [sys.executable, "-m", "multigroup", "normalize", "--carrier"]
FEED = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1]), sys.stdout)"


@pytest.fixture
def hooks(captured: Captured, tmp_path: Path) -> Path:
    """Give a file of 600 lines, the last of them bad."""
    return save(tmp_path / "hooks", *[captured.request.body] * 599, b"{bad")


@pytest.fixture
def terminal() -> tuple[int, int]:
    """Give both ends of a terminal."""
    ends: tuple[int, int] = pytest.importorskip("pty").openpty()
    return ends


def test_a_file_has_a_bar_that_fills(
    captured: Captured, hooks: Path, terminal: tuple[int, int], tmp_path: Path
) -> None:
    """It counts bodies on stderr, and the events are as without it."""
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        shown = _watched([captured.carrier, hooks], None, stdout.fileno(), terminal)
    assert len(out.read_bytes().splitlines()) == 599
    assert "600 bodies" in shown
    assert "100%" in shown
    assert "line 600: the body is not readable JSON" in shown


def test_a_pipe_has_a_bar_that_only_moves(
    captured: Captured, hooks: Path, terminal: tuple[int, int]
) -> None:
    """Nobody knows how long it is."""
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", FEED, hooks], stdout=subprocess.PIPE
    ) as feed:
        assert feed.stdout is not None
        shown = _watched(
            [captured.carrier], feed.stdout.fileno(), subprocess.DEVNULL, terminal
        )
    assert "600 bodies" in shown
    assert "%" not in shown


def test_a_short_input_has_none(
    captured: Captured, terminal: tuple[int, int], tmp_path: Path
) -> None:
    """One body is read before a bar could be drawn."""
    body, _ = captured.write(tmp_path)
    shown = _watched([captured.carrier, body], None, subprocess.DEVNULL, terminal)
    assert shown.startswith("nothing was verified")
    assert "\x1b" not in shown


def _watched(
    words: list[str | Path], stdin: int | None, stdout: int, terminal: tuple[int, int]
) -> str:
    """Run the command with a terminal for its stderr; return what that shows."""
    reader, writer = terminal
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *words], stdin=stdin, stdout=stdout, stderr=writer
    ):
        os.close(writer)
        shown = b""
        with suppress(OSError):  # how Linux says that the other end is closed
            while piece := os.read(reader, 4096):
                shown += piece
    os.close(reader)
    return shown.decode()
