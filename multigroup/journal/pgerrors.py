"""What PostgreSQL fails with, in our own words: the rule and the way out.

Its own words may quote what stands in a row, numbers among it, so they are not passed
on but for a connection that could not be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import psycopg

from ..errors import JournalError, MultigroupError
from .dsn import Database
from .pool import PATIENCE, BusyError
from .sql import OvertakenError

__all__ = ["explained"]

_TROUBLE: Final[Mapping[str, str]] = {
    "22021": "cannot hold such text: its encoding has to be UTF8",
    "22P05": "cannot hold such text: its encoding has to be UTF8",
    "25006": "only reads: name the primary server, not a standby",
    "3D000": "is not there: make the database first",
    "3F000": "has lost its schema: put a backup in its place, or open it anew",
    "42501": "does not let this user in: grant CREATE on the database, or make the "
    "schema and grant USAGE and CREATE on it",
    "42P01": "has lost its tables: put a backup in their place, or open it anew",
    "53100": "has no room left on its disk: make room, then try again",
    "53300": "has no connection left: raise its max_connections, or use fewer",
    "54000": "cannot hold a reference or an id that long: use less than 2 kB",
    "55P03": f"is held by another transaction for longer than {PATIENCE:g} s: look for "
    "one that somebody left open, then try again",
    "57014": "took too long and was told to stop: raise its statement_timeout",
}

_OVERTAKEN: Final = ("40001", "40P01")  # serialization failure, deadlock


def explained(
    database: Database,
    error: BaseException,
    kind: type[MultigroupError] = JournalError,
) -> Exception | None:
    """Return what to raise in the place of *error*; `None` if it is not of the store.

    The connection it came by is not lost: nothing of the transaction was kept.
    """
    match error:
        case BusyError():
            told = (
                f"had no connection free for {PATIENCE:g} s: allow more with "
                "PostgresJournal(…, connections=…)"
            )
        case UnicodeEncodeError() | psycopg.DataError(sqlstate=None):
            told = (  # found before it was sent
                "cannot hold half a character (a lone surrogate) or a zero in a "
                "reference, a namespace or an id: leave it out"
            )
        case psycopg.Error(sqlstate=code) if code in _OVERTAKEN:
            return OvertakenError()
        case psycopg.OperationalError(sqlstate=None):
            why = database.mask(" ".join(str(error).split()))
            told = f"cannot be reached: {why}"
        case psycopg.Error(sqlstate=code):
            unknown = f"failed ({code or type(error).__name__}): report this as a bug"
            told = _TROUBLE.get(code or "", unknown)
        case _:
            return None
    return kind(f"the journal {database.shown} {told}")
