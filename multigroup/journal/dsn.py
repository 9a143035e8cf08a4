"""The URL of a PostgreSQL database: what is in it, and what of it may be shown."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import field, frozen
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ..errors import ConfigError

__all__ = ["SCHEMA", "Database", "database"]

SCHEMA: Final = "multigroup"
"""Where our tables are unless another schema is named: never among the user's."""

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")

_USUAL: Final = {
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "fallback_application_name": "multigroup",
    # A peer that vanished is noticed within a minute, not after the system's two hours.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


@frozen
class Database:
    """Where to connect to; *shown* names it without credentials."""

    conninfo: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    shown: str
    schema: str

    def mask(self, told: str) -> str:
        """Return *told* without the secrets that may be quoted in it."""
        for secret in self.secrets:
            told = told.replace(secret, "***")
        return told


def database(url: str, schema: str | None = None) -> Database:
    """Return what *url* says; `?schema=` in it names a schema, as *schema* does.

    Raises:
        ConfigError: *url* or the schema's name cannot be understood.
    """
    place, _, query = url.partition("?")
    _check(place)
    settings = [each for each in query.split("&") if each]
    named = [each for each in settings if each.startswith("schema=")]
    rest = "&".join(each for each in settings if each not in named)
    schema = schema or (named[-1].removeprefix("schema=") if named else SCHEMA)
    if not _NAME.fullmatch(schema) or schema.startswith("pg_"):
        raise ConfigError(
            f"{schema!r} cannot be the schema of a journal: use small letters, digits "
            "and underscores, such as 'multigroup'"
        )
    try:
        given = conninfo_to_dict(f"{place}?{rest}")
    except ProgrammingError:  # its message quotes what may be a secret
        raise _unclear() from None
    secrets = [
        str(given[name]) for name in ("password", "sslpassword") if name in given
    ]
    settled: dict[str, Any] = {**_USUAL, **given}
    return Database(make_conninfo(**settled), tuple(secrets), _shown(given), schema)


def _check(place: str) -> None:
    """Refuse what would be read in another way than it was meant."""
    authority, _, path = place.partition("://")[2].partition("/")
    host = authority.rpartition("@")[2]
    ports = re.findall(r":([^:,\]]*)(?:,|$)", host)
    if "@" in path or authority.count("@") > 1 or not "".join(ports or "0").isdecimal():
        raise _unclear()


def _unclear() -> ConfigError:
    return ConfigError(
        "the journal's URL is no PostgreSQL URL: write 'postgresql://user@host/name', "
        "and in a password %40 for '@', %2F for '/', %3A for ':', %3F for '?' and %25 "
        "for '%'"
    )


def _shown(given: dict[str, Any]) -> str:
    host, port = given.get("host", ""), given.get("port", "")
    where = f"{host}:{port}" if port else host
    return f"postgresql://{where}/{given.get('dbname', '')}"
