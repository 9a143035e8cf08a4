"""What it costs to keep a send: a file against no journal, and a full file."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import pytest

from multigroup import Client, SQLiteJournal, Telnyx
from multigroup.journal.owners import me
from tests.benchmarks.carrier import served
from tests.benchmarks.duel import CPU, Duel, Result
from tests.helpers.values import received, record

PEOPLE: Final = tuple(f"+1415555010{place}" for place in range(1, 4))
TEXT: Final = "Dinner at 7?"
FEW: Final = 10_000
MANY: Final = 1_000_000


@CPU
def test_a_send_kept_in_a_file_costs_half_again(tmp_path: Path, duel: Duel) -> None:
    """The reference, the intent and the outcome on the disk: 1.5 x a bare POST."""
    body = {"from": "+12125550100", "to": list(PEOPLE), "text": TEXT}
    headers = {"authorization": "Bearer KEY"}
    with served() as url, httpx.Client() as http:
        line = Telnyx(api_key="KEY", base_url=url).line("+12125550100")
        journal = f"sqlite:///{tmp_path / 'sends.db'}"
        with Client(lines=[line], journal=journal) as client:
            group = client.group(*PEOPLE)
            duel(
                "Telnyx send, SQLite journal (CPU)",
                1.5,
                lambda: group.send(TEXT),
                lambda: http.post(
                    f"{url}/messages/group_mms", json=body, headers=headers
                ),
                rounds=1000,
            )


def test_a_caller_waits_for_two_commits(
    tmp_path: Path, tell: Callable[[Result], None]
) -> None:
    """One before the first byte, with reference and intent; one with the outcome."""
    said: list[str] = []
    with served() as url, closing(SQLiteJournal(tmp_path / "sends.db")) as journal:
        line = Telnyx(api_key="KEY", base_url=url).line("+12125550100")
        with Client(lines=[line], journal=journal) as client:
            client.group(*PEOPLE).send(TEXT)
            assert journal._connection is not None
            journal._connection.set_trace_callback(said.append)
            client.group(*PEOPLE).send(TEXT)

    commits = said.count("BEGIN IMMEDIATE")
    assert commits == 2
    tell(Result("commits a caller waits for, per send", 2, commits, unit=""))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a file with few sends and events, and one with a hundred times as many."""
    folder = tmp_path_factory.mktemp("full")
    few, many = folder / "few.db", folder / "many.db"
    _fill(few, FEW)
    _fill(many, MANY)
    return few, many


def _fill(path: Path, rows: int) -> None:
    """Copy one send and one event until there are *rows* of each, ids at random."""
    with closing(SQLiteJournal(path)) as journal:
        journal.reserve(record("0" * 32, "send-0"))
        journal.store("default", [received("event-0")])
        assert journal._connection is not None
        for table, named in (("sends", "send-"), ("events", "event-")):
            columns = [
                name
                for _, name, *_ in journal._connection.execute(
                    f"PRAGMA table_info({table})"
                )
                if name != "n"
            ]
            fresh = {
                "id": "lower(hex(randomblob(16)))"
                if table == "sends"
                else f"'{named}' || value",
                "reference": f"'{named}' || value",
            }
            copied = ", ".join(fresh.get(name, name) for name in columns)
            journal._connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - our words
                f"SELECT {copied} FROM {table}, (WITH RECURSIVE numbers(value) AS "
                "(SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < ?) "
                f"SELECT value FROM numbers) WHERE {table}.n = 1",
                (rows,),
            )
        journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@CPU
def test_a_claim_costs_the_same_among_a_million(
    files: tuple[Path, Path], duel: Duel
) -> None:
    """An event is found and taken in 2 x the time it takes among ten thousand."""
    few, many = map(SQLiteJournal, files)
    places = itertools.count(1)

    def claim(journal: SQLiteJournal, among: int) -> None:
        key = received(f"event-{next(places) * 7919 % among + 1}").key
        assert journal.claim("default", key, me(), 0.0, 1.0) is not None

    duel(
        "claim among 1 000 000 events, against 10 000 (CPU)",
        2.0,
        lambda: claim(many, MANY),
        lambda: claim(few, FEW),
        rounds=2000,
    )
    few.close()
    many.close()


@CPU
def test_a_look_up_costs_the_same_among_a_million(
    files: tuple[Path, Path], duel: Duel
) -> None:
    """A send is found by its reference in 2 x the time it takes among ten thousand."""
    few, many = map(SQLiteJournal, files)
    places = itertools.count(1)

    def recall(journal: SQLiteJournal, among: int) -> None:
        reference = f"send-{next(places) * 7919 % among + 1}"
        assert journal.recall("default", reference) is not None

    duel(
        "look-up among 1 000 000 sends, against 10 000 (CPU)",
        2.0,
        lambda: recall(many, MANY),
        lambda: recall(few, FEW),
        rounds=2000,
    )
    few.close()
    many.close()
