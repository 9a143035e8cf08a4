"""Bringing a schema of PostgreSQL up to date."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from psycopg import Cursor
from psycopg.sql import SQL, Identifier

from ..errors import ConfigError
from . import statements as sql
from .dsn import Database
from .meta import secret
from .pool import Link
from .tables import STEPS

__all__ = ["lock_of", "run", "upgrade"]

_OLDEST: Final = 12


@cache
def _translated(query: str) -> bytes:
    return query.replace("?", "%s").encode()


def run(
    link: Link, query: str, values: Sequence[object] = ()
) -> Cursor[tuple[Any, ...]]:
    """Run one of our statements."""
    return link.execute(_translated(query), values)


def lock_of(*named: str) -> int:
    """Return the number of the advisory lock of what is so *named*."""
    digest = hashlib.blake2b(repr(named).encode("utf-8", "replace"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def upgrade(
    link: Link, database: Database, steps: tuple[tuple[str, ...], ...] = STEPS
) -> bytes:
    """Bring the tables to the version of *steps*, all or nothing; return the secret.

    Raises:
        ConfigError: they belong to a later version, or to another program, or the
            server is too old.
    """
    if link.info.server_version < _OLDEST * 10_000:
        raise ConfigError(
            f"the journal {database.shown} is on a PostgreSQL older than {_OLDEST}: "
            "use a later one"
        )
    with link.transaction():
        run(link, "SELECT pg_advisory_xact_lock(?)", (lock_of(database.schema),))
        version = _entered(link, database)
        if version > len(steps):
            raise ConfigError(
                f"the journal {database.shown} has tables of version {version} and "
                f"this multigroup knows {len(steps)}: install the later multigroup "
                "again"
            )
        for step in steps[version:]:
            for statement in step:
                run(link, statement)
        if version < len(steps):
            run(link, sql.NOTE, (_VERSION, str(len(steps))))
        return secret(lambda query, values: run(link, query, values))


_VERSION: Final = "version"


def _entered(link: Link, database: Database) -> int:
    """Go to our schema, made if need be; return the version of its tables."""
    schema = Identifier(database.schema)
    there = "SELECT oid FROM pg_namespace WHERE nspname = ?"
    found = run(link, there, (database.schema,)).fetchone()
    if found is None:
        link.execute(SQL("CREATE SCHEMA {}").format(schema))
    link.execute(SQL("SET LOCAL search_path = {}").format(schema))
    tables = "SELECT relname FROM pg_class WHERE relnamespace = ? AND relkind <> 'i'"
    names = {name for (name,) in run(link, tables, found).fetchall()} if found else ()
    if not names:
        return 0
    if not names >= {"meta", "sends"}:
        raise ConfigError(
            f"the schema {database.schema!r} of {database.shown} is another program's: "
            "name one of its own with ?schema="
        )
    noted = run(link, sql.NOTED, (_VERSION,)).fetchone()
    return int(noted[0]) if noted else 0
