"""What the journals say to a database: SQL that SQLite and PostgreSQL both understand.

A value's place is `?`. The tables are in `schema` and in `tables`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

# ruff: noqa: S608 - the parts put together here are constants

_WHOLE: Final = (
    "SELECT n, id, namespace, reference, fingerprint, conversation, members, message, "
    "notes, began_at, closed, doubtful, owner, lease_until, fence, state FROM sends"
)
SEND: Final = f"{_WHOLE} WHERE id = ?"
UNDER: Final = f"{_WHOLE} WHERE namespace = ? AND reference = ?"
CALLED: Final = (
    f"{_WHOLE} WHERE n = (SELECT send FROM messages "
    "WHERE namespace = ? AND account = ? AND message_id = ?)"
)
OPEN: Final = f"{_WHOLE} WHERE namespace = ? AND closed = 0 ORDER BY n"
IN_DOUBT: Final = (
    f"{_WHOLE} WHERE namespace = ? AND began_at > ? AND doubtful = 1 "
    "ORDER BY began_at, n"
)
ATTEMPTS: Final = (
    "SELECT account, line, leg, members, began_at, state, outcome, ended_at, next, "
    "request, body FROM attempts WHERE send = ? ORDER BY place"
)
REPORTS: Final = "SELECT leg, member, event FROM reports WHERE send = ?"
ADD: Final = (
    "INSERT INTO sends (id, namespace, reference, fingerprint, conversation, members, "
    "message, notes, began_at, closed, doubtful, owner, lease_until, fence, state) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (namespace, reference) DO NOTHING RETURNING n"
)
STAND: Final = (
    "UPDATE sends SET closed = ?, doubtful = ?, owner = ?, lease_until = ?, "
    "fence = ?, state = ? WHERE n = ?"
)
REWORD: Final = (
    "UPDATE sends SET conversation = ?, members = ?, message = ?, notes = ? WHERE n = ?"
)
TRY: Final = (
    "INSERT INTO attempts (send, place, account, line, leg, members, began_at, state, "
    "outcome, ended_at, next, request, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
END: Final = (
    "UPDATE attempts SET state = ?, outcome = ?, ended_at = ?, next = ? "
    "WHERE send = ? AND place = ?"
)
REPORT: Final = (
    "INSERT INTO reports (send, leg, member, event) VALUES (?,?,?,?) "
    "ON CONFLICT (send, leg, member) DO UPDATE SET event = excluded.event"
)
CALL: Final = (
    "INSERT INTO messages (namespace, account, message_id, send) VALUES (?,?,?,?) "
    "ON CONFLICT (namespace, account, message_id) DO UPDATE SET send = excluded.send"
)
LINE: Final = (
    "SELECT account, line, active_at FROM lines "
    "WHERE namespace = ? AND conversation = ?"
)
SET_LINE: Final = (
    "INSERT INTO lines (namespace, conversation, account, line, active_at, members) "
    "VALUES (?,?,?,?,?,?) ON CONFLICT (namespace, conversation) DO UPDATE SET "
    "account = excluded.account, line = excluded.line, active_at = excluded.active_at, "
    "members = coalesce(excluded.members, lines.members) "
    "WHERE lines.active_at <= excluded.active_at"
)
NEXT_TURN: Final = "SELECT next_at FROM turns WHERE account = ? AND line = ?"
SET_NEXT_TURN: Final = (
    "INSERT INTO turns (account, line, next_at) VALUES (?,?,?) "
    "ON CONFLICT (account, line) DO UPDATE SET next_at = excluded.next_at"
)
ANY_BLOCK: Final = "SELECT 1 FROM consent WHERE namespace = ? LIMIT 1"
CONSENT: Final = (
    "INSERT INTO consent (namespace, subject, blocked, since, how) VALUES (?,?,?,?,?) "
    "ON CONFLICT (namespace, subject) DO UPDATE SET "
    "blocked = excluded.blocked, since = excluded.since, how = excluded.how "
    "WHERE consent.since <= excluded.since"
)
LIFT: Final = (
    "DELETE FROM consent "
    "WHERE namespace = ? AND subject >= ? AND subject < ? AND since <= ?"
)
MEMO: Final = "SELECT value FROM memos WHERE namespace = ? AND name = ?"
SET_MEMO: Final = (
    "INSERT INTO memos (namespace, name, value) VALUES (?,?,?) "
    "ON CONFLICT (namespace, name) DO UPDATE SET value = excluded.value"
)
_KEY: Final = (
    "namespace = ? AND account = ? AND id = ? AND type = ? AND member IN (?, ?)"
)
HOLD: Final = f"SELECT state, taken_until, owner, tries FROM events WHERE {_KEY}"
SET_HOLD: Final = (
    f"UPDATE events SET state = ?, taken_until = ?, owner = ?, tries = ? WHERE {_KEY}"
)
UNSETTLED: Final = (
    "SELECT n, event, state, taken_until, owner, tries FROM events "
    "WHERE namespace = ? AND state = 0 AND n > ? ORDER BY n LIMIT 100"
)
KEEP: Final = (
    "INSERT INTO events "
    "(namespace, account, id, type, member, received_at, conversation, event) "
    "VALUES (?,?,?,?,?,?,?,?) "
    "ON CONFLICT (namespace, id, account, type, member) DO NOTHING RETURNING n"
)
WAIT: Final = (
    "INSERT INTO early (namespace, account, message_id, event) VALUES (?,?,?,?) "
    "ON CONFLICT (namespace, account, message_id, event) DO NOTHING"
)
EARLY: Final = (
    "SELECT events.event FROM early JOIN events ON events.n = early.event "
    "WHERE early.namespace = ? AND early.account = ? AND early.message_id = ? "
    "ORDER BY early.event"
)
COME: Final = "DELETE FROM early WHERE namespace = ? AND account = ? AND message_id = ?"
NOTED: Final = "SELECT value FROM meta WHERE name = ?"
NOTE: Final = (
    "INSERT INTO meta (name, value) VALUES (?,?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
NOTE_ONCE: Final = (
    "INSERT INTO meta (name, value) VALUES (?,?) ON CONFLICT (name) DO NOTHING"
)


@cache
def blocks(several: int) -> str:
    """Return what finds out which of *several* subjects are blocked."""
    places = ",".join("?" * several)
    return (
        "SELECT subject, since, how FROM consent "
        f"WHERE namespace = ? AND blocked = 1 AND subject IN ({places})"
    )
