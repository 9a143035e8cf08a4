"""The tables in PostgreSQL, and their history.

They are those of an SQLite file, so that one set of statements serves both.
"""

from __future__ import annotations

from typing import Final

__all__ = ["STEPS"]

# What is looked up is in the collation "C": quick, and an update of the system's
# locales cannot break an index.
_KEY: Final = 'text COLLATE "C" NOT NULL'

STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        f"""CREATE TABLE sends (
            n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id {_KEY} UNIQUE,
            namespace {_KEY},
            reference {_KEY},
            fingerprint text NOT NULL,
            conversation {_KEY},
            members text NOT NULL,
            message text NOT NULL,
            notes text NOT NULL,
            began_at bigint NOT NULL,
            closed smallint NOT NULL,
            doubtful smallint NOT NULL,
            owner text NOT NULL,
            lease_until double precision NOT NULL,
            fence integer NOT NULL,
            state text NOT NULL,
            UNIQUE (namespace, reference)
        )""",
        "CREATE INDEX open_sends ON sends (namespace, n) WHERE closed = 0",
        """CREATE INDEX doubtful_sends ON sends (namespace, began_at)
            WHERE doubtful = 1""",
        """CREATE INDEX sends_of_conversation
            ON sends (namespace, conversation, began_at)""",
        """CREATE TABLE attempts (
            send bigint NOT NULL,
            place integer NOT NULL,
            account text NOT NULL,
            line text NOT NULL,
            leg text NOT NULL,
            members text NOT NULL,
            began_at bigint NOT NULL,
            state text NOT NULL,
            outcome text NOT NULL,
            ended_at bigint,
            next text NOT NULL,
            request text,
            body bytea,
            PRIMARY KEY (send, place)
        )""",
        f"""CREATE TABLE reports (
            send bigint NOT NULL,
            leg {_KEY},
            member {_KEY},
            event text NOT NULL,
            PRIMARY KEY (send, leg, member)
        )""",
        f"""CREATE TABLE messages (
            namespace {_KEY},
            account {_KEY},
            message_id {_KEY},
            send bigint NOT NULL,
            PRIMARY KEY (namespace, account, message_id)
        )""",
        f"""CREATE TABLE lines (
            namespace {_KEY},
            conversation {_KEY},
            account text NOT NULL,
            line text NOT NULL,
            active_at bigint NOT NULL,
            members text,
            PRIMARY KEY (namespace, conversation)
        )""",
        f"""CREATE TABLE events (
            n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            namespace {_KEY},
            account {_KEY},
            id {_KEY},
            type {_KEY},
            member {_KEY},
            received_at bigint NOT NULL,
            state smallint NOT NULL DEFAULT 0,
            taken_until double precision NOT NULL DEFAULT 0,
            owner text NOT NULL DEFAULT '',
            tries integer NOT NULL DEFAULT 0,
            conversation text COLLATE "C",
            event text NOT NULL,
            UNIQUE (namespace, id, account, type, member)
        )""",
        "CREATE INDEX open_events ON events (namespace, n) WHERE state = 0",
        """CREATE INDEX events_of_conversation
            ON events (namespace, conversation, received_at)
            WHERE conversation IS NOT NULL""",
        f"""CREATE TABLE early (
            namespace {_KEY},
            account {_KEY},
            message_id {_KEY},
            event bigint NOT NULL,
            PRIMARY KEY (namespace, account, message_id, event)
        )""",
        f"""CREATE TABLE consent (
            namespace {_KEY},
            subject {_KEY},
            blocked smallint NOT NULL,
            since bigint NOT NULL,
            how text NOT NULL,
            PRIMARY KEY (namespace, subject)
        )""",
        f"""CREATE TABLE turns (
            account {_KEY},
            line {_KEY},
            next_at double precision NOT NULL,
            PRIMARY KEY (account, line)
        )""",
        f"""CREATE TABLE memos (
            namespace {_KEY},
            name {_KEY},
            value text NOT NULL,
            PRIMARY KEY (namespace, name)
        )""",
        f"CREATE TABLE meta (name {_KEY} PRIMARY KEY, value text NOT NULL)",
    ),
    (
        # Conversations are listed by their last activity.
        "CREATE INDEX lines_by_activity ON lines (namespace, active_at, conversation)",
    ),
)
"""What brings a schema from version `n` to `n + 1`: steps are added, never changed."""
