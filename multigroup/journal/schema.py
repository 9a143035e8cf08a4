"""The SQLite file: where it may lie, how it is opened, its tables and their history."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..errors import ConfigError, JournalError, MultigroupError

__all__ = [
    "STEPS",
    "connect",
    "explain",
    "file_system",
    "networked",
    "place",
    "upgrade",
]


PATIENCE: Final = 10.0
"""Seconds to wait for another process that is writing."""

MARK: Final = 0x6D67_726A  # "mgrj": tells our files from anybody else's SQLite files
_TRIES: Final = 20

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
)
"""What brings a file from version `n` to `n + 1`: steps are added, never changed."""

_NETWORKED: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|glusterfs|lustre"
    r"|fuse\.(sshfs|rclone|s3fs|gcsfuse|glusterfs)"
)

_OCTAL: Final = re.compile(r"\\([0-7]{3})")  # how a mount table writes a space

_TROUBLE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "is held by another process for longer than "
    f"{PATIENCE:g} s: keep other programs' transactions short, then try again",
    sqlite3.SQLITE_READONLY: "cannot be written: give this user the right to write "
    "the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: its directory must exist and both must "
    "be readable and writable",
    sqlite3.SQLITE_CORRUPT: "is damaged: put a backup in its place, or a new name",
    sqlite3.SQLITE_NOTADB: "is not an SQLite file: name another file",
    sqlite3.SQLITE_FULL: "has no room left on its disk: make room, then try again",
    sqlite3.SQLITE_IOERR: "cannot be read or written by the disk it is on: look into "
    "the system's log, then try again",
}


def place(path: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a journal, once a journal may be there.

    Raises:
        ConfigError: *path* is no file's, or on a network file system.
    """
    given = os.fspath(path)
    try:
        whole = Path(given).resolve()
        if not given or given.startswith(":") or whole.is_dir():
            raise ConfigError(
                f"the journal {given!r} is not a file: name one such as 'sends.db', or "
                "use 'memory:'"
            )
        if not whole.parent.is_dir():
            raise ConfigError(
                f"the journal {given!r} cannot be made: make its directory first"
            )
    except (OSError, ValueError):
        raise ConfigError(f"the journal {given!r} is no possible path") from None
    kind = file_system(whole, _mounts())
    if networked(kind):
        raise ConfigError(
            f"the journal {given!r} is on a network file system ({kind}), where its "
            "locks cannot be trusted: put it on a local disk"
        )
    return whole


def file_system(path: Path, mounts: str) -> str:
    """Return the type of the file system of *path*, by the text of `/proc/mounts`."""
    found, kind = -1, ""
    for entry in mounts.splitlines():
        _, where, named, *_ = entry.split(" ")
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), where))
        if path.is_relative_to(point) and len(point.parts) >= found:
            found, kind = len(point.parts), named  # a later mount hides an earlier one
    return kind


def networked(kind: str) -> bool:
    """Tell whether a file system of that type is on another machine."""
    return _NETWORKED.fullmatch(kind) is not None


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: nobody tells
        return ""


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal at *path*, made if need be, its tables up to date.

    Raises:
        ConfigError: the file cannot be opened, written or understood.
    """
    _make(path)
    try:
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        explain(path, error, ConfigError)
        raise
    return connection


def _make(path: Path) -> None:
    """Make the file readable by its owner alone: it holds text and phone numbers."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:  # it is there already, or SQLite will say what is wrong
        return


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _own(connection, path)
    for _ in range(_TRIES):
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            # Changing the mode does not wait for whoever else is opening the file;
            # a transaction does.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    else:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise ConfigError(
            f"the journal {str(path)!r} cannot have a write-ahead log on this disk: "
            "put it on another one"
        )
    upgrade(connection, path)


def upgrade(
    connection: sqlite3.Connection,
    path: Path,
    steps: tuple[tuple[str, ...], ...] = STEPS,
) -> None:
    """Bring the tables to the version of *steps*, in one transaction.

    Raises:
        ConfigError: the file belongs to a later version, or to another program.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _own(connection, path)
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
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _own(connection: sqlite3.Connection, path: Path) -> int:
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


def explain(
    path: Path, error: BaseException | None, kind: type[MultigroupError] = JournalError
) -> None:
    """Raise what SQLite failed with as *kind*: the file, the rule, the way out."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        told = _TROUBLE.get(code, f"failed ({_word(error)}): report this as a bug")
        raise kind(f"the journal {str(path)!r} {told}") from error
    if isinstance(error, UnicodeEncodeError):
        raise kind(
            f"the journal {str(path)!r} cannot hold half a character (a lone "
            "surrogate) in a reference, a namespace or an id: leave it out"
        ) from None


def _word(error: sqlite3.Error) -> str:
    """Return SQLite's own name of the error, which quotes nothing."""
    return getattr(error, "sqlite_errorname", type(error).__name__)
