"""Every kind of journal, empty and for one test alone."""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from multigroup.journal import (
    Journal,
    MemoryJournal,
    PostgresJournal,
    SQLiteJournal,
)

__all__ = ["DSN", "STORES", "PostgresStore", "Store", "dsn", "need_server"]

DSN: Final = os.environ.get(
    "MULTIGROUP_TEST_DSN", "postgresql://postgres@127.0.0.1:5432/postgres"
)


class Store(ABC):
    """Where journals of a test keep their things."""

    clock_of_its_own = False

    def __init__(self) -> None:
        self._opened: list[Journal] = []

    def open(self) -> Journal:
        """Open a journal on it, as one more process would."""
        self._opened.append(self._open())
        return self._opened[-1]

    def reopen(self) -> Journal:
        """Close all journals and open another, as the next process does."""
        self._close()
        return self.open()

    def drop(self) -> None:
        """Close all journals, and leave nothing behind."""
        self._close()

    def _close(self) -> None:
        while self._opened:
            self._opened.pop().close()

    @abstractmethod
    def _open(self) -> Journal: ...


class MemoryStore(Store):
    """The memory of a process: all its journals are one."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        del folder
        self._journal = MemoryJournal()

    def _open(self) -> Journal:
        return self._journal


class SQLiteStore(Store):
    """A file in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / "journal.db"

    def _open(self) -> Journal:
        return SQLiteJournal(self._path)


class PostgresStore(Store):
    """A schema of the test's own on the server that `MULTIGROUP_TEST_DSN` names."""

    clock_of_its_own = True

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        del folder
        need_server()
        self.schema = f"test_{secrets.token_hex(8)}"

    def open(self) -> PostgresJournal:
        """Open a journal on it, whose connections bear the schema's name."""
        made = self._open()
        self._opened.append(made)
        return made

    def _open(self) -> PostgresJournal:
        url = dsn(application_name=self.schema)
        return PostgresJournal(url, schema=self.schema)

    def drop(self) -> None:
        """Close all journals and drop the schema."""
        super().drop()
        with psycopg.connect(DSN) as link:
            drop = SQL("DROP SCHEMA IF EXISTS {} CASCADE")
            link.execute(drop.format(Identifier(self.schema)))


STORES: Final[dict[str, Callable[[Path], Store]]] = {
    "memory": MemoryStore,
    "sqlite": SQLiteStore,
    "postgres": PostgresStore,
}
"""Every store has to keep the contract; another one joins by a line here."""


def dsn(**settings: str) -> str:
    """Return the server's address with further *settings*."""
    added = urlencode(settings, quote_via=quote)
    return f"{DSN}{'&' if '?' in DSN else '?'}{added}"


def need_server() -> None:
    """Skip the test if no server answers; where all is there by design, fail."""
    missing = _missing()
    if missing and "CI" in os.environ:
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@cache
def _missing() -> str:
    try:
        psycopg.connect(DSN, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL for MULTIGROUP_TEST_DSN: {' '.join(str(error).split())}"
    return ""
