"""The SQLite file: where it may lie, how it is opened, what goes wrong with it."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from ..errors import ConfigError, JournalError, MultigroupError
from .schema import own, transaction, upgrade

__all__ = [
    "connect",
    "explain",
    "file_system",
    "networked",
    "place",
    "supported",
    "wipe",
]

PATIENCE: Final = 10.0
"""Seconds to wait for another process that is writing."""

Greeting: TypeAlias = Callable[[sqlite3.Connection], None]

_TRIES: Final = 20
_OLDEST: Final = (3, 35)

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


def connect(path: Path, greet: Greeting = lambda _: None) -> sqlite3.Connection:
    """Open the journal at *path*, made if need be, its tables up to date.

    *greet* is called in a transaction, before anything else is done in the file.

    Raises:
        ConfigError: the file cannot be opened, written or understood, or SQLite is
            older than 3.35.
    """
    supported(sqlite3.sqlite_version_info)
    _make(path)
    try:
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
            with transaction(connection):
                greet(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        explain(path, error, ConfigError)
        raise
    return connection


def wipe(connection: sqlite3.Connection, path: Path, *, thorough: bool) -> None:
    """Leave nothing in the log of what was erased, nor in the file if *thorough*.

    Only then are other processes waited for. What is erased is overwritten, but a page
    that was split before may hold a copy of it where nobody looks: only a file written
    anew is known to have none.

    Raises:
        JournalError: another process is reading, so that the log has to stay.
    """
    empty = "PRAGMA wal_checkpoint(TRUNCATE)"
    if not thorough:
        (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            connection.execute(empty).fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience}")
        return
    connection.execute("VACUUM")
    (busy, *_) = connection.execute(empty).fetchone()
    if busy:
        raise JournalError(
            f"the journal {str(path)!r} is being read by another process, so its log "
            "still holds what was erased: try again"
        )


def supported(version: tuple[int, ...]) -> None:
    """Check that SQLite can answer an insert with the row it made.

    Raises:
        ConfigError: it cannot.
    """
    if version < _OLDEST:
        raise ConfigError(
            f"SQLite {'.'.join(map(str, version))} is too old for a journal, which "
            f"needs {'.'.join(map(str, _OLDEST))}: install a later Python or SQLite, "
            "or use another journal"
        )


def _make(path: Path) -> None:
    """Make the file readable by its owner alone: it holds text and phone numbers."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError:  # it is there already, or SQLite will say what is wrong
        return


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    own(connection, path)
    connection.execute("PRAGMA secure_delete = ON")  # freed room holds nothing
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
