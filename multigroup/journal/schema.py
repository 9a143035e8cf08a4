"""The tables of an SQLite file, and their history."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import ConfigError

__all__ = ["MARK", "STEPS", "own", "transaction", "upgrade"]

MARK: Final = 0x6D67_726A  # "mgrj": tells our files from anybody else's SQLite files

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # Rows lie in the order of time, so that writing touches the end of a table;
        # what is random (ids of ours and of carriers) is in the slim indexes only.
        """CREATE TABLE sends (
            n INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            namespace TEXT NOT NULL,
            reference TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            conversation TEXT NOT NULL,
            members TEXT NOT NULL,
            message TEXT NOT NULL,
            notes TEXT NOT NULL,
            began_at INTEGER NOT NULL,
            closed INTEGER NOT NULL,
            UNIQUE (namespace, reference)
        )""",
        # An attempt holds its leg, frozen: without it nothing could be sent again.
        """CREATE TABLE attempts (
            send INTEGER NOT NULL,
            place INTEGER NOT NULL,
            account TEXT NOT NULL,
            line TEXT NOT NULL,
            leg TEXT NOT NULL,
            members TEXT NOT NULL,
            began_at INTEGER NOT NULL,
            state TEXT NOT NULL,
            outcome TEXT NOT NULL,
            ended_at INTEGER,
            next TEXT NOT NULL,
            request TEXT,
            body BLOB,
            PRIMARY KEY (send, place)
        ) WITHOUT ROWID""",
        """CREATE TABLE reports (
            send INTEGER NOT NULL,
            leg TEXT NOT NULL,
            member TEXT NOT NULL,
            event TEXT NOT NULL,
            PRIMARY KEY (send, leg, member)
        ) WITHOUT ROWID""",
        """CREATE TABLE messages (
            namespace TEXT NOT NULL,
            account TEXT NOT NULL,
            message_id TEXT NOT NULL,
            send INTEGER NOT NULL,
            PRIMARY KEY (namespace, account, message_id)
        ) WITHOUT ROWID""",
        """CREATE TABLE lines (
            namespace TEXT NOT NULL,
            conversation TEXT NOT NULL,
            account TEXT NOT NULL,
            line TEXT NOT NULL,
            active_at INTEGER NOT NULL,
            PRIMARY KEY (namespace, conversation)
        ) WITHOUT ROWID""",
        """CREATE TABLE events (
            n INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL,
            account TEXT NOT NULL,
            id TEXT NOT NULL,
            type TEXT NOT NULL,
            member TEXT NOT NULL,
            received_at INTEGER NOT NULL,
            settled INTEGER NOT NULL DEFAULT 0,
            taken_until REAL NOT NULL DEFAULT 0,
            event TEXT NOT NULL,
            UNIQUE (namespace, id, account, type, member)
        )""",
        """CREATE TABLE early (
            namespace TEXT NOT NULL,
            account TEXT NOT NULL,
            message_id TEXT NOT NULL,
            event INTEGER NOT NULL,
            PRIMARY KEY (namespace, account, message_id, event)
        ) WITHOUT ROWID""",
    ),
    (
        # Who carries a send out, and what a retry or a look-up has still to do.
        "ALTER TABLE sends ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sends ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sends ADD COLUMN lease_until REAL NOT NULL DEFAULT 0",
        "ALTER TABLE sends ADD COLUMN fence INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sends ADD COLUMN state TEXT NOT NULL DEFAULT '{}'",
        """UPDATE sends SET doubtful = 1 WHERE closed = 1
            AND n IN (SELECT send FROM attempts WHERE state = 'UNKNOWN')""",
        # What is under way is little, whatever the file has grown to.
        "CREATE INDEX open_sends ON sends (namespace, n) WHERE closed = 0",
        """CREATE INDEX doubtful_sends ON sends (namespace, began_at)
            WHERE doubtful = 1""",
        """CREATE INDEX sends_of_conversation
            ON sends (namespace, conversation, began_at)""",
        "ALTER TABLE events RENAME COLUMN settled TO state",
        "ALTER TABLE events ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE events ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE events ADD COLUMN conversation TEXT",
        # No JSON functions: older builds of SQLite lack them. Within a string the
        # quotes would be escaped, so this is the event's own conversation.
        """UPDATE events SET conversation =
            substr(event, instr(event, '"conversation":"c1_') + 16, 29)
            WHERE instr(event, '"conversation":"c1_') > 0""",
        "CREATE INDEX open_events ON events (namespace, n) WHERE state = 0",
        """CREATE INDEX events_of_conversation
            ON events (namespace, conversation, received_at)
            WHERE conversation IS NOT NULL""",
        "ALTER TABLE lines ADD COLUMN members TEXT",
        # A person's subject is a keyed digest, a group's is plain: see `sql`.
        """CREATE TABLE consent (
            namespace TEXT NOT NULL,
            subject TEXT NOT NULL,
            blocked INTEGER NOT NULL,
            since INTEGER NOT NULL,
            how TEXT NOT NULL,
            PRIMARY KEY (namespace, subject)
        ) WITHOUT ROWID""",
        """CREATE TABLE turns (
            account TEXT NOT NULL,
            line TEXT NOT NULL,
            next_at REAL NOT NULL,
            PRIMARY KEY (account, line)
        ) WITHOUT ROWID""",
        """CREATE TABLE memos (
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (namespace, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE meta (
            name TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) WITHOUT ROWID""",
    ),
    (
        # Conversations are listed by their last activity.
        "CREATE INDEX lines_by_activity ON lines (namespace, active_at, conversation)",
    ),
)
"""What brings a file from version `n` to `n + 1`: steps are added, never changed."""


def upgrade(
    connection: sqlite3.Connection,
    path: Path,
    steps: tuple[tuple[str, ...], ...] = STEPS,
) -> None:
    """Bring the tables to the version of *steps*, in one transaction.

    Raises:
        ConfigError: the file belongs to a later version, or to another program.
    """
    with transaction(connection):
        version = own(connection, path)
        if version > len(steps):
            raise ConfigError(
                f"the journal {str(path)!r} has tables of version {version} and this "
                f"multigroup knows {len(steps)}: install the later multigroup again"
            )
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        if version < len(steps):
            connection.execute(f"PRAGMA application_id = {MARK}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """Do all of a block that writes, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def own(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of our file's tables; refuse a file of somebody else's."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark != MARK and (version or mark or tables):
        raise ConfigError(
            f"the journal {str(path)!r} is another program's SQLite file: name one of "
            "its own"
        )
    return int(version)
