"""What the pages show as output is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.generate import DOCS

SHOWN: Final = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TUTORIAL: Final = DOCS / "tutorial/first-group.md"
NORMALIZE: Final = DOCS / "howto/normalize.md"


def test_the_tutorial_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """A learner sees on the screen what stands on the page, block by block."""
    namespace: dict[str, object] = {"__name__": "tutorial"}
    printed = shown = ""
    for kind, block in SHOWN.findall(TUTORIAL.read_text("utf-8")):
        if kind == "text":
            shown = block
            assert printed == shown
            printed = ""
        else:
            assert printed == ""
            exec(compile(block, TUTORIAL.name, "exec"), namespace)  # noqa: S102 - ours
            printed = capsys.readouterr().out
    assert shown
    assert printed == ""


def dialogue(page: Path) -> Iterator[tuple[str, str]]:
    """Yield each command of a page's console blocks, and what is shown below it."""
    for block in CONSOLE.findall(page.read_text("utf-8")):
        for turn in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = turn.partition("\n")
            yield command, output


def test_the_commands_on_the_page_print_what_it_shows(tmp_path: Path) -> None:
    """Whoever pastes them, in order, sees the same."""
    turns = list(dialogue(NORMALIZE))
    marks = [f"{command}\necho ---" for command, _ in turns]
    python = Path(sys.executable).parent
    ran = subprocess.run(  # noqa: S603 - our own page
        ["sh", "-c", f"PATH={python}:$PATH\n" + "\n".join(marks)],  # noqa: S607
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ran.stdout.split("---\n")[:-1] == [output for _, output in turns]
    assert ran.stderr == ""
