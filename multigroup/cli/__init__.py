"""The command line. Its commands are loaded when they are called for."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the `multigroup` command."""
    try:
        from .commands import commands  # noqa: PLC0415 - click may be absent
    except ModuleNotFoundError as error:
        sys.exit(
            f"the multigroup command needs {error.name}: pip install 'multigroup[all]'"
        )
    if sys.stdout is None:  # it was closed: `>&-`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until we end
    try:
        commands()
    except OSError as error:
        # What could not be written goes nowhere, so that Python's end does not try.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(f"Error: {error.strerror or error}")
