"""Journals: where sends, events and claims are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigError
from .base import Journal
from .memory import MemoryJournal

if TYPE_CHECKING:
    from .postgres import PostgresJournal
    from .sqlite import SQLiteJournal

__all__ = [
    "Journal",
    "MemoryJournal",
    "PostgresJournal",
    "SQLiteJournal",
    "open_journal",
]


def open_journal(journal: str | Journal) -> Journal:
    """Return the journal that a URL names; a journal is returned as it is.

    `sqlite:///` is followed by the file's path: `sqlite:///sends.db` is relative to
    the working directory, `sqlite:////var/lib/app/sends.db` absolute. A database is
    `postgresql://user@host/name`, with `?schema=` if the tables are not to be in the
    schema `multigroup`.

    Raises:
        ConfigError: no journal goes by that URL, or its file or database cannot be
            used, or psycopg is not installed.
    """
    if not isinstance(journal, str):
        return journal
    if journal == "memory:":
        return MemoryJournal()
    scheme, _, rest = journal.partition(":")
    if scheme in {"postgres", "postgresql"}:
        from .postgres import PostgresJournal  # noqa: PLC0415 - an extra of its own

        return PostgresJournal(journal)
    if scheme != "sqlite":
        raise ConfigError(
            f"no journal is known for {scheme!r}: use 'memory:', 'sqlite:///file.db' "
            "or 'postgresql://user@host/name'"
        )
    if not rest.startswith("///") or "?" in rest:
        raise ConfigError(
            "a journal in a file is 'sqlite:///' and a path, without host or options: "
            "'sqlite:///sends.db', or 'sqlite:////var/lib/app/sends.db' from the root"
        )
    from .sqlite import SQLiteJournal  # noqa: PLC0415 - most processes need no SQLite

    return SQLiteJournal(rest.removeprefix("///"))


def __getattr__(name: str) -> object:
    """Load the store that is not always needed at its first use (PEP 562)."""
    if name == "SQLiteJournal":
        from .sqlite import SQLiteJournal  # noqa: PLC0415 - see above

        return SQLiteJournal
    if name == "PostgresJournal":
        from .postgres import PostgresJournal  # noqa: PLC0415 - see above

        return PostgresJournal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
