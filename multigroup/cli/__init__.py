"""The command line. Its commands are loaded when they are called for."""

from __future__ import annotations

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
    commands()
