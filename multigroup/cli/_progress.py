"""How far a long input has come, for people who watch."""

from __future__ import annotations

import os
import stat
import sys
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Meter", "size_of"]

_STEP: Final = 500
"""Bodies from one look to the next: some 20 ms; a shorter input shows no bar."""


def size_of(stream: BinaryIO) -> int | None:
    """Return the size of *stream* if it is a file on disk, not a pipe."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class Meter:
    """Counts bodies, and draws a bar on stderr where that is a terminal.

    None is drawn when the events go to a terminal as well: they show the progress.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.count = 0
        self._stream = stream
        self._size = size_of(stream)
        self._shown = sys.stderr.isatty() and not sys.stdout.isatty()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._draw(self._bar)
            self._bar.stop()

    def tick(self) -> None:
        """Count a body."""
        self.count += 1
        if self._shown and not self.count % _STEP:
            self._bar = self._bar or self._started()
            self._draw(self._bar)

    def say(self, words: str) -> None:
        """Write a line to stderr, above the bar."""
        if self._bar is None:
            click.echo(words, err=True)
        else:
            self._bar.console.print(words, markup=False, soft_wrap=True)

    def _started(self) -> Progress:
        from rich.console import Console  # noqa: PLC0415 - for terminals only
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        bar = Progress(
            TextColumn("{task.fields[bodies]:,} bodies"),
            BarColumn(bar_width=None),
            TaskProgressColumn(show_speed=True),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True, highlight=False),
            expand=True,
        )
        self._task = bar.add_task("", total=self._size, bodies=0)
        bar.start()
        return bar

    def _draw(self, bar: Progress) -> None:
        if self._task is not None:
            done = self.count if self._size is None else self._stream.tell()
            bar.update(self._task, completed=done, bodies=self.count)
