"""What a store notes about itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

from . import statements as sql

__all__ = ["secret"]

_DIGESTS: Final = "digests"


def secret(run: Callable[[str, Sequence[object]], Any]) -> bytes:
    """Return the key of the store's digests, drawn when the store is new.

    *run* carries a statement out, within a transaction that may write.
    """
    found = run(sql.NOTED, (_DIGESTS,)).fetchone()
    if found is None:
        run(sql.NOTE, (_DIGESTS, secrets.token_hex(32)))
        found = run(sql.NOTED, (_DIGESTS,)).fetchone()
    return bytes.fromhex(found[0])
