"""What the SQLite journal says to its file; the tables are in `schema`."""

from __future__ import annotations

from typing import Final

SEND: Final = "SELECT n, id FROM sends WHERE id = ?"
UNDER: Final = "SELECT n, id FROM sends WHERE namespace = ? AND reference = ?"
CALLED: Final = (
    "SELECT n, id FROM sends WHERE n = (SELECT send FROM messages "
    "WHERE namespace = ? AND account = ? AND message_id = ?)"
)
WHOLE: Final = (
    "SELECT id, namespace, reference, fingerprint, conversation, members, message, "
    "notes, began_at, closed FROM sends WHERE n = ?"
)
ATTEMPTS: Final = (
    "SELECT account, line, leg, members, began_at, state, outcome, ended_at, next, "
    "request, body FROM attempts WHERE send = ? ORDER BY place"
)
REPORTS: Final = "SELECT leg, member, event FROM reports WHERE send = ?"
ADD: Final = (
    "INSERT INTO sends (id, namespace, reference, fingerprint, conversation, members, "
    "message, notes, began_at, closed) VALUES (?,?,?,?,?,?,?,?,?,?)"
)
TRY: Final = "INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
END: Final = (
    "UPDATE attempts SET state = ?, outcome = ?, ended_at = ?, next = ? "
    "WHERE send = ? AND place = ?"
)
REPORT: Final = "INSERT OR REPLACE INTO reports VALUES (?,?,?,?)"
CLOSE: Final = "UPDATE sends SET closed = ? WHERE n = ?"
REWORD: Final = "UPDATE sends SET message = ?, notes = ? WHERE n = ?"
CALL: Final = "INSERT OR REPLACE INTO messages VALUES (?,?,?,?)"
LINE: Final = (
    "SELECT account, line, active_at FROM lines "
    "WHERE namespace = ? AND conversation = ?"
)
SET_LINE: Final = "INSERT OR REPLACE INTO lines VALUES (?,?,?,?,?)"
KEY: Final = "namespace = ? AND account = ? AND id = ? AND type = ? AND member = ?"
HOLD: Final = f"SELECT settled, taken_until FROM events WHERE {KEY}"  # noqa: S608
SET_HOLD: Final = f"UPDATE events SET settled = ?, taken_until = ? WHERE {KEY}"  # noqa: S608
KEEP: Final = (
    "INSERT INTO events (namespace, account, id, type, member, received_at, event) "
    "VALUES (?,?,?,?,?,?,?)"
)
WAIT: Final = "INSERT OR IGNORE INTO early VALUES (?,?,?,?)"
WAITING: Final = (
    "SELECT event FROM early WHERE namespace = ? AND account = ? AND message_id = ? "
    "ORDER BY event"
)
EVENT: Final = "SELECT event FROM events WHERE n = ?"
COME: Final = "DELETE FROM early WHERE namespace = ? AND account = ? AND message_id = ?"
