"""What has to be begun anew in a child process, and without keeping it alive."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["Forked", "after_fork"]


class Forked(Protocol):
    """Something that cannot be shared with a child process."""

    def _forked(self) -> None: ...


def after_fork(thing: Forked) -> None:
    """Have *thing* begin anew in every child that is forked while it lives."""
    found = weakref.ref(thing)

    def tell() -> None:
        there = found()
        if there is not None:
            there._forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=tell)
