"""The journal in PostgreSQL: who gets ahead of whom, what is lost, what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors as pg

from multigroup.archive import Cut
from multigroup.errors import ConfigError, JournalError
from multigroup.journal import PostgresJournal, open_journal
from multigroup.journal.dsn import database
from multigroup.journal.migrate import run, upgrade
from multigroup.journal.pgerrors import explained
from multigroup.journal.pool import BusyError, Link, Pool
from multigroup.journal.port import Access
from multigroup.journal.postgres import AHEAD
from multigroup.journal.sql import OvertakenError
from multigroup.journal.tables import STEPS
from multigroup.models import DeliveryStatus, SendId, conversation_id
from multigroup.records import Reopened, receipt
from tests.helpers.stores import DSN, PostgresStore, dsn, need_server
from tests.helpers.values import (
    ANA,
    LINE,
    ME,
    OTHER_LINE,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    received,
    record,
    update,
)

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
NAME: Final = (HERE, LINE.account, "m-1")


@pytest.fixture
def store() -> Iterator[PostgresStore]:
    """Give a schema of the test's own."""
    made = PostgresStore()
    yield made
    made.drop()


@pytest.fixture
def journal(store: PostgresStore) -> PostgresJournal:
    """Give an empty journal."""
    return store.open()


@pytest.fixture
def other(store: PostgresStore) -> PostgresJournal:
    """Give the journal of another process on the same schema."""
    return store.open()


@pytest.fixture
def admin(store: PostgresStore) -> Iterator[Link]:
    """Give a connection that sees all tables of the test, and may end others."""
    settings = f"-c search_path={store.schema}"
    with psycopg.connect(DSN, autocommit=True, options=settings) as link:
        yield link


# Who gets ahead of whom


def _waiting(admin: Link, store: PostgresStore) -> bool:
    """Tell whether a transaction of this test waits for a lock."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = ? AND wait_event_type = 'Lock'"
    )
    return run(admin, asked, (store.schema,)).fetchone() != (0,)


Behind = Callable[[Callable[[], object]], "Future[Any]"]


@pytest.fixture
def behind(store: PostgresStore, admin: Link) -> Iterator[Behind]:
    """Give what starts something that has to wait for the transaction we are in."""
    with ThreadPoolExecutor(1) as pool:

        def start(act: Callable[[], object]) -> Future[Any]:
            fate = pool.submit(act)
            while not _waiting(admin, store):
                assert not fate.done()
            return fate

        yield start


def test_who_reserves_second_is_told_of_the_first(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """Both looked and saw nothing there; only one has it."""
    with journal._transaction(Access.WRITE):
        assert journal._under(HERE, "dinner") is None
        journal._add(record("first"))
        fate = behind(lambda: other.reserve(record("second"), begun()))

    reserved = fate.result()
    assert (reserved.ours, reserved.record) == (False, record("first"))
    assert other.recall(HERE, "dinner") == record("first")


def test_an_event_that_two_store_at_once_is_fresh_once(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """A carrier that delivers twice at once has told once; the rest is kept."""
    with journal._transaction(Access.DURABLE):
        journal._keep(HERE, received("a"), ())
        fate = behind(lambda: other.store(HERE, [received("b"), received("a")]))

    assert [stored.fresh for stored in fate.result()] == [True, False]
    assert {event.id for event in journal.waiting(HERE, 0, 9)} == {"a", "b"}


def test_who_stores_the_same_events_in_another_order_waits(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """Before the first of them, so that the two cannot lock each other out."""
    several = [received("a"), received("b")]
    with journal._transaction(Access.DURABLE):
        journal._make_room_for(HERE, several)
        fate = behind(lambda: other.store(HERE, several[::-1]))
        for event in several:
            journal._keep(HERE, event, ())
    assert [stored.fresh for stored in fate.result()] == [False, False]


def test_two_that_write_one_send_lose_nothing(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """The second reads the send after the first has written it."""
    legs = [leg(f"{RED}.{number}", (who,)) for number, who in enumerate(PEOPLE)]
    journal.reserve(record(), begun(*legs))

    with journal._transaction(Access.WRITE):
        held = journal._send(RED)
        assert held is not None
        fate = behind(lambda: other.write(RED, ended(accepted("m-2"), f"{RED}.1")))
        journal._change(held, ended(accepted("m-1")))

    outcomes = [attempt.outcome for attempt in fate.result().attempts]
    assert outcomes[:2] == [accepted("m-1"), accepted("m-2")]


def test_who_claims_second_does_not_have_it(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """A claim is read again once the row is free."""
    journal.store(HERE, [received()])
    key = received().key
    with journal._transaction(Access.WRITE):
        hold = journal._hold(HERE, key)
        assert hold is not None
        fate = behind(lambda: other.claim(HERE, key, ME, 100, 160))
        journal._set_hold(HERE, key, hold._replace(until=160, owner=ME))
    assert fate.result() is False


def test_a_reply_waits_for_news_that_is_being_stored(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """News that found no send is there when the reply names the message."""
    journal.reserve(record(), begun())
    with journal._transaction(Access.DURABLE):
        assert journal._concerned(HERE, update()) is None
        fate = behind(lambda: other.write(RED, ended(accepted())))
        journal._keep(HERE, update(), [NAME])

    told = receipt(fate.result()).deliveries[ANA]
    assert told.status == DeliveryStatus.DELIVERED


def test_news_waits_for_a_reply_that_is_being_written(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """It finds the send by the name that the reply brought."""
    journal.reserve(record(), begun())
    with journal._transaction(Access.WRITE):
        held = journal._send(RED)
        assert held is not None
        journal._change(held, ended(accepted()))
        fate = behind(lambda: other.store(HERE, [update()]))

    assert fate.result()[0].event == update(reference="dinner")
    told = journal.recall(HERE, "dinner")
    assert told is not None
    assert receipt(told).deliveries[ANA].status == DeliveryStatus.DELIVERED


def test_a_send_that_is_just_taken_up_again_is_not_erased(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """It was old and over a moment ago, and is not any more."""
    journal.reserve(record(closed=True))
    with journal._transaction(Access.WRITE):
        held = journal._under(HERE, "dinner")
        assert held is not None
        journal._change(held, Reopened(members=PEOPLE, line=None))
        cut = Cut(at(99), at(99))
        fate = behind(lambda: other.prune(HERE, cut, (0, 0), 9))

    assert fate.result().sends == 0
    assert [orphan.id for orphan in other.orphans(HERE, 0)] == [RED]


def test_a_send_that_is_just_erased_is_begun_anew(
    journal: PostgresJournal, other: PostgresJournal, behind: Behind
) -> None:
    """Who reserves its reference meanwhile has a new send, and not half of the old."""
    journal.reserve(record(closed=True))
    with journal._transaction(Access.WRITE):
        ((n, held),) = journal._sends_from(HERE, 0, 9)
        fate = behind(lambda: other.reserve(record("again"), begun(leg("again.0"))))
        journal._drop_send(n, held)

    assert fate.result().ours
    assert fate.result().record.id == "again"


def test_the_last_line_is_the_latest_whoever_writes_last(
    journal: PostgresJournal, other: PostgresJournal
) -> None:
    """One that looked before the other wrote does not take it back."""
    with journal._transaction(Access.WRITE):
        assert journal._line(HERE, GROUP) is None
        other.store(HERE, [received(when=9)])
        journal._set_line(HERE, GROUP, OTHER_LINE, at(5), None)
    assert journal.last_line(HERE, GROUP) == (LINE, at(9))


def test_those_who_lock_each_other_both_come_through(
    journal: PostgresJournal, other: PostgresJournal
) -> None:
    """The server ends one of them, nothing of it was kept, and it is done again."""
    for send in ("a", "b"):
        journal.reserve(record(send, send), begun(leg(f"{send}.0")))
    barrier = Barrier(2)

    def change(mine: PostgresJournal, first: str, second: str) -> None:
        with mine._transaction(Access.WRITE):
            mine._send(SendId(first))
            barrier.wait(10)
            mine._send(SendId(second))

    def again(mine: PostgresJournal, first: str, second: str) -> bool:
        try:
            change(mine, first, second)
        except OvertakenError:
            return True
        return False

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(again, journal, "a", "b")
        two = pool.submit(again, other, "b", "a")
    assert sorted([one.result(), two.result()]) == [False, True]


def test_many_at_once_keep_the_contract(store: PostgresStore) -> None:
    """Of eight threads on two journals one has each reference, event and claim."""
    journals = [store.open(), store.open()]
    barrier = Barrier(8)

    def race(thread: int) -> list[tuple[bool, int, bool]]:
        mine = journals[thread % 2]
        answers: list[tuple[bool, int, bool]] = []
        for n in range(10):
            news = [received(f"{n}-a"), received(f"{n}-b"), update(id=f"{n}")]
            barrier.wait(20)
            won = mine.reserve(record(f"{thread}-{n}", f"dinner-{n}"), begun())
            kept = mine.store(HERE, news if thread % 4 < 2 else news[::-1])
            took = mine.claim(HERE, news[0].key, f"{ME}{thread}", 100, 160)
            fresh = sum(stored.fresh for stored in kept)
            answers.append((won.ours, fresh, took is True))
        return answers

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(race, range(8)))

    for n in range(10):
        won, fresh, took = zip(*(answers[n] for answers in told), strict=True)
        assert (sum(won), sum(fresh), sum(took)) == (1, 3, 1)


def test_who_is_overtaken_for_ever_is_told(journal: PostgresJournal) -> None:
    """Trying again has an end."""
    tries: list[int] = []

    def overtaken() -> None:
        tries.append(1)
        raise OvertakenError

    with pytest.raises(JournalError, match="overtaken by other writers"):
        journal._again(overtaken)
    assert len(tries) == 20


# What is on the disk, and by whose clock


@pytest.mark.parametrize("default", ["on", "off", "local"])
def test_only_what_must_waits_for_the_disk(
    store: PostgresStore, journal: PostgresJournal, default: str
) -> None:
    """An intent does wherever it is sent; the rest outlives the process at once."""
    del journal
    options = f"-c synchronous_commit={default}"
    mine = PostgresJournal(dsn(options=options), schema=store.schema)
    told: dict[Access, str] = {}
    for access in Access:
        with mine._transaction(access):
            (told[access],) = mine._run("SHOW synchronous_commit").fetchone() or ("",)
    mine.close()

    assert told[Access.WRITE] == "off"
    assert told[Access.DURABLE] == ("on" if default == "off" else default)


@pytest.mark.parametrize("isolation", ["serializable", r"repeatable\ read"])
def test_what_the_server_does_by_default_does_not_matter(
    store: PostgresStore, isolation: str
) -> None:
    """Each transaction says itself how it reads and that it writes."""
    options = (
        f"-c default_transaction_isolation={isolation} "
        "-c default_transaction_read_only=on"
    )
    mine = PostgresJournal(dsn(options=options), schema=store.schema)
    assert mine.reserve(record()).ours
    with mine._transaction(Access.WRITE):
        (how,) = mine._run("SHOW transaction_isolation").fetchone() or ("",)
    mine.close()
    assert how == "read committed"


def test_a_send_is_read_as_it_was_at_one_time(
    journal: PostgresJournal, other: PostgresJournal
) -> None:
    """What is written while it is read is either all there or not at all."""
    journal.reserve(record(), begun())
    with journal._transaction(Access.READ):
        assert journal._under(HERE, "nothing yet") is None
        other.write(RED, ended(accepted()))
        held = journal._under(HERE, "dinner")
    assert held is not None
    assert (held.closed, held.attempts[0].outcome.word) == (False, "UNKNOWN")


@pytest.mark.parametrize("now", [0.0, 1e12])
def test_a_turn_goes_by_the_databases_clock(
    journal: PostgresJournal, now: float
) -> None:
    """Machines whose clocks differ share a line all the same."""
    waits = [journal.turn(LINE, 1, 0.001, now) for _ in range(2)]
    assert waits == [0, pytest.approx(1000, abs=60)]


def test_a_turn_is_one_statement(
    journal: PostgresJournal, other: PostgresJournal
) -> None:
    """So that of two machines none overwrites the other's; a free line is free."""
    assert journal.turn(LINE, 1, 1e9, 0) == 0
    assert other.turn(LINE, 2, 0.001, 0) == pytest.approx(0, abs=1e-3)
    assert journal.turn(LINE, 1, 0.001, 0) == pytest.approx(2000, abs=60)


class _Slow(PostgresJournal):
    """A journal that takes long between two looks at the clock."""

    def _run(self, query: str, values: Sequence[object] = ()) -> Any:
        """Let the line's next turn come near before it is asked for."""
        if query == AHEAD:
            super()._run("UPDATE turns SET next_at = 0")
        return super()._run(query, values)


def test_a_turn_that_was_not_taken_never_looks_taken(store: PostgresStore) -> None:
    """It was too far ahead, though the clock went on before it was told how far."""
    store.open().turn(LINE, 1, 0.001, 0)
    slow = _Slow(DSN, schema=store.schema)
    assert slow.turn(LINE, 1, 0.001, 0, limit=500.0) > 500
    slow.close()


# What is lost


def _end(admin: Link, *links: Link) -> None:
    """End the server's side of connections, and wait until it is gone."""
    for link in links:
        run(admin, "SELECT pg_terminate_backend(?, 10000)", (link.info.backend_pid,))


def test_connections_lost_while_idle_are_replaced(
    journal: PostgresJournal, admin: Link
) -> None:
    """A restart of the server between two sends is not noticed."""
    barrier = Barrier(3)

    def read(_number: int) -> None:
        with journal._transaction(Access.READ):
            barrier.wait(10)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(read, range(3)))
    idle = list(journal._sessions._pool._idle)
    assert len(idle) == 3
    _end(admin, *idle)

    assert journal.reserve(record()).ours
    assert len(journal._sessions._pool._idle) == 1


@pytest.mark.parametrize("act", ["read", "write"])
def test_a_connection_lost_in_a_transaction_keeps_nothing(
    journal: PostgresJournal, admin: Link, act: str
) -> None:
    """It is told, never done again by itself, and the next one is sound."""

    def lose() -> None:
        with journal._transaction(Access.WRITE):
            journal._add(record())
            _end(admin, journal._sessions.current.link)
            if act == "read":
                journal._under(HERE, "dinner")
            else:
                journal._add(record("second", "lunch"))

    with pytest.raises(JournalError, match="nothing of it was kept"):
        lose()
    assert journal.recall(HERE, "dinner") is None
    assert journal.reserve(record()).ours


def test_a_commit_that_is_not_answered_is_uncertain_and_not_repeated(
    journal: PostgresJournal, admin: Link
) -> None:
    """Whether it was kept nobody knows, and the error says so."""
    entered: list[int] = []

    def lose() -> None:
        with journal._transaction(Access.DURABLE):
            entered.append(1)
            journal._add(record())
            _end(admin, journal._sessions.current.link)

    with pytest.raises(JournalError, match="is not known"):
        journal._again(lose)
    assert len(entered) == 1
    assert journal.reserve(record("again")).ours


def test_what_was_read_is_true_though_the_connection_is_lost(
    journal: PostgresJournal, admin: Link
) -> None:
    """A reader has nothing to commit."""
    journal.reserve(record())
    with journal._transaction(Access.READ):
        held = journal._under(HERE, "dinner")
        _end(admin, journal._sessions.current.link)
    assert held == record()
    assert journal.recall(HERE, "dinner") == record()


def test_a_server_that_comes_back_is_used_again(
    store: PostgresStore, admin: Link
) -> None:
    """While it is away each transaction is told so, and none keeps a place taken."""
    store.open()
    journal = PostgresJournal(DSN, schema=store.schema, connections=1)
    _end(admin, *journal._sessions._pool._idle)
    here = journal._sessions._database
    journal._sessions._database = database("postgresql://me@127.0.0.1:1/gone")
    for _ in range(2):
        with pytest.raises(JournalError, match="cannot be reached"):
            journal.reserve(record())

    journal._sessions._database = here

    assert journal.reserve(record()).ours
    journal.close()


def test_a_beginning_that_the_server_refuses_is_told(
    store: PostgresStore, journal: PostgresJournal
) -> None:
    """It is not tried again, and its connection is not used again."""
    good = dict(journal._sessions._begin)
    journal._sessions._begin[Access.WRITE] = b"BEGIN; SELECT 1/0"
    with pytest.raises(JournalError, match="22012"):
        journal.reserve(record())
    assert journal._sessions._pool._idle == []
    journal._sessions._begin.update(good)
    assert store.open().reserve(record()).ours


def test_a_commit_that_the_server_refuses_keeps_nothing(
    journal: PostgresJournal, admin: Link
) -> None:
    """Its answer is clear, so the journal goes on with the same connection."""
    run(
        admin,
        "ALTER TABLE sends ADD UNIQUE (fingerprint) DEFERRABLE INITIALLY DEFERRED",
    )
    journal.reserve(record())
    with pytest.raises(JournalError, match="23505") as caught:
        journal.reserve(record("second", "lunch"))
    assert record().fingerprint not in str(caught.value)
    assert journal.recall(HERE, "lunch") is None
    assert len(journal._sessions._pool._idle) == 1


def test_a_server_that_went_away_is_a_journal_error() -> None:
    """A send stops before its first byte, and the error says where to look."""
    need_server()
    store = PostgresStore()
    journal = store.open()
    journal.close()
    gone = database("postgresql://me@127.0.0.1:1/gone", store.schema)
    journal._sessions._database = gone
    with pytest.raises(JournalError, match=r"127\.0\.0\.1:1/gone cannot be reached"):
        journal.recall(HERE, "dinner")
    store.drop()


@pytest.mark.parametrize("table", ["sends", None], ids=["table", "schema"])
def test_tables_that_went_away_are_a_journal_error(
    store: PostgresStore, journal: PostgresJournal, admin: Link, table: str | None
) -> None:
    """Nothing is taken for a send that is not there."""
    gone = f"TABLE {table}" if table else f"SCHEMA {store.schema}"
    run(admin, f"DROP {gone} CASCADE")
    with pytest.raises(JournalError, match="has lost its tables"):
        journal.recall(HERE, "dinner")


def test_an_error_within_a_transaction_leaves_a_sound_connection(
    journal: PostgresJournal,
) -> None:
    """What was begun is undone, and its connection is used again."""

    def fail() -> None:
        with journal._transaction(Access.WRITE):
            journal._add(record())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert len(journal._sessions._pool._idle) == 1
    assert journal.recall(HERE, "dinner") is None


def test_a_closed_journal_opens_itself_again(
    store: PostgresStore, journal: PostgresJournal, admin: Link
) -> None:
    """One client's end is not the end of another on the same journal."""
    journal.reserve(record())
    journal.close()
    mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ?"
    while run(admin, mine, (store.schema,)).fetchone() != (0,):
        pass
    assert journal.recall(HERE, "dinner") == record()


FORK: Final = """
import os, sys
from multigroup.journal import PostgresJournal
from tests.helpers.values import record

journal = PostgresJournal(sys.argv[1], schema=sys.argv[2])
journal.reserve(record("parent", "before"))
child = os.fork()
me = "parent" if child else "child"
for n in range(20):
    journal.reserve(record(f"{me}-{n}", f"{me}-{n}"))
if not child:
    journal.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert all(journal.recall("default", f"{w}-{n}")
           for w in ("parent", "child") for n in range(20))
journal.close()
print("sound")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_uses_the_journal_too(store: PostgresStore) -> None:
    """Neither uses nor closes a connection of the other."""
    assert _said(FORK, DSN, store.schema) == "sound\n"


def _said(code: str, *given: str) -> str:
    ran = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-X", "dev", "-c", code, *given],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


# The connections


class _Lent:
    """A connection as the pool sees it."""

    def __init__(self) -> None:
        self.closed = False

    @property
    def info(self) -> Any:
        """Say that no transaction is under way."""
        return type(
            "Info", (), {"transaction_status": psycopg.pq.TransactionStatus.IDLE}
        )

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def test_a_pool_lends_each_connection_to_one() -> None:
    """The one given back last is warm, and so the next to be taken."""
    pool = Pool(_Lent, 2, 0)  # type: ignore[arg-type] # it asks no more of them
    one, two = pool.take(), pool.take()
    assert one is not two
    with pytest.raises(BusyError):
        pool.take()
    pool.give_back(one)
    pool.give_back(two)
    assert pool.take() is two


def test_a_pool_that_cannot_connect_has_lost_no_place() -> None:
    """A server that comes back is used again."""
    down = [True]

    def connect() -> Any:
        if down[0]:
            raise psycopg.OperationalError
        return _Lent()

    pool = Pool(connect, 1, 0)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            pool.take()
    down[0] = False
    assert isinstance(pool.take(), _Lent)


def test_a_lost_connection_is_not_lent_again() -> None:
    """Its place is, for another one."""
    pool = Pool(_Lent, 1, 0)  # type: ignore[arg-type] # see above
    lost = pool.take()
    lost.close()
    pool.give_back(lost)
    assert pool.take() is not lost


def test_more_threads_than_connections_take_turns(store: PostgresStore) -> None:
    """Nobody opens one connection more."""
    store.open()
    journal = PostgresJournal(DSN, schema=store.schema, connections=2)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: journal.reserve(record(f"{n}", f"{n}")), range(40)))
    assert len(journal._sessions._pool._idle) <= 2
    journal.close()


# What is refused


def test_tables_are_in_a_schema_of_their_own(
    store: PostgresStore, journal: PostgresJournal, admin: Link
) -> None:
    """The user's are not touched, and two schemas are two journals."""
    asked = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'attempts'"
    journal.reserve(record())
    found = {name for (name,) in run(admin, asked).fetchall()}
    assert store.schema in found
    assert "public" not in found

    second = PostgresStore()
    assert second.open().recall(HERE, "dinner") is None
    second.drop()


@pytest.mark.parametrize("isolation", [r"read\ committed", "serializable"])
def test_those_who_open_a_new_schema_at_once_make_it_once(
    store: PostgresStore, isolation: str
) -> None:
    """Whoever comes second finds it made, however the server reads by default."""
    url = dsn(options=f"-c default_transaction_isolation={isolation}")
    with ThreadPoolExecutor(4) as pool:
        opened = list(
            pool.map(lambda _: PostgresJournal(url, schema=store.schema), range(4))
        )
    assert sum(each.reserve(record()).ours for each in opened) == 1
    for each in opened:
        each.close()


def test_newer_tables_are_left_alone(
    store: PostgresStore, journal: PostgresJournal, admin: Link
) -> None:
    """An old release does not write into tables that it does not know."""
    del journal
    run(admin, "UPDATE meta SET value = ? WHERE name = 'version'", ("99",))
    with pytest.raises(ConfigError, match="install the later multigroup"):
        store.open()


def test_a_later_release_adds_its_steps(
    store: PostgresStore, journal: PostgresJournal, admin: Link
) -> None:
    """It finds the sends and the secret of the earlier one; once it is done it is."""
    journal.reserve(record())
    where = database(DSN, store.schema)
    later = (*STEPS, ("ALTER TABLE sends ADD COLUMN later text",), ("SELECT 1",))

    assert upgrade(admin, where, later) == journal._secret
    assert upgrade(admin, where, later) == journal._secret

    asked = "SELECT reference, later FROM sends"
    assert run(admin, asked).fetchone() == ("dinner", None)
    noted = "SELECT value FROM meta WHERE name = 'version'"
    assert run(admin, noted).fetchone() == (str(len(later)),)


def test_an_upgrade_that_fails_changes_nothing(
    store: PostgresStore, journal: PostgresJournal, admin: Link
) -> None:
    """Half an upgrade would be tables that no release understands."""
    broken = (*STEPS, ("ALTER TABLE sends ADD COLUMN later text", "NONSENSE"))
    with pytest.raises(pg.SyntaxError):
        upgrade(admin, database(DSN, store.schema), broken)
    assert journal.reserve(record()).ours
    with pytest.raises(pg.UndefinedColumn):
        run(admin, "SELECT later FROM sends")


def test_another_programs_schema_is_refused(store: PostgresStore, admin: Link) -> None:
    """Our tables do not lie among somebody else's; an empty schema will do."""
    run(admin, f"CREATE SCHEMA {store.schema}")
    run(admin, "CREATE TABLE theirs (x int)")
    with pytest.raises(ConfigError, match="another program's"):
        store.open()
    run(admin, "DROP TABLE theirs")
    assert store.open().reserve(record()).ours


@pytest.mark.parametrize("reference", ["\ud800", "a\0b", "é" * 5000])
def test_a_strange_reference_is_kept_or_refused(
    journal: PostgresJournal, reference: str
) -> None:
    """Half a character and a zero cannot be stored; everything else is a name."""
    if len(reference) > 9:
        assert journal.reserve(record(reference=reference)).ours
        assert journal.recall(HERE, reference) == record(reference=reference)
    else:
        with pytest.raises(JournalError, match="lone surrogate"):
            journal.reserve(record(reference=reference))


def test_a_reference_that_no_index_holds_is_refused(journal: PostgresJournal) -> None:
    """The error says how long it may be, and quotes nothing."""
    long = "".join(map(chr, range(0x4E00, 0x4E00 + 9000)))
    with pytest.raises(JournalError, match="less than 2 kB") as caught:
        journal.reserve(record(reference=long))
    assert caught.value.__suppress_context__
    assert long[:3] not in str(caught.value)


def test_a_subject_is_no_number_in_the_tables(
    journal: PostgresJournal, admin: Link
) -> None:
    """Forgetting a number keeps the opt-out; a group is there as it is."""
    journal.store(HERE, [received(text="stop")])
    ((subject,),) = run(admin, "SELECT subject FROM consent").fetchall()
    assert len(subject) == 64
    assert ANA[2:] not in subject


ANYWHERE: Final = database("postgresql://me:s3cret@db.example:5433/app?schema=mine")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BusyError(), "had no connection free for 10 s"),
        (pg.ReadOnlySqlTransaction(), "name the primary server"),
        (pg.InsufficientPrivilege(), "grant CREATE on the database"),
        (pg.DiskFull(), "make room"),
        (pg.TooManyConnections(), "max_connections"),
        (pg.LockNotAvailable(), "for longer than 10 s"),
        (pg.QueryCanceled(), "statement_timeout"),
        (pg.UntranslatableCharacter(), "UTF8"),
        (pg.CheckViolation("quotes +14155550101"), r"failed \(23514\): report this"),
        (psycopg.InterfaceError("quotes"), r"failed \(InterfaceError\): report this"),
        (
            psycopg.OperationalError("no\n  route, s3cret"),
            r"reached: no route, \*\*\*$",
        ),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_failure_is_told_with_the_way_out(error: Exception, told: str) -> None:
    """In our own words, which quote nothing that stands in a row."""
    with pytest.raises(JournalError, match=told) as caught:
        raise explained(ANYWHERE, error) or AssertionError
    assert str(caught.value).startswith("the journal postgresql://db.example:5433/app ")
    assert "quotes" not in str(caught.value)


@pytest.mark.parametrize("error", [pg.SerializationFailure(), pg.DeadlockDetected()])
def test_what_helps_to_be_repeated_is_no_failure_yet(error: Exception) -> None:
    """Nothing of it was kept, the server says."""
    assert isinstance(explained(ANYWHERE, error), OvertakenError)


def test_what_is_not_the_stores_is_left_as_it_is() -> None:
    """A mistake of ours keeps its own name."""
    assert explained(ANYWHERE, ZeroDivisionError()) is None


# Its address


@pytest.mark.parametrize(
    ("url", "shown", "schema", "secrets"),
    [
        ("postgres://h/d", "postgresql://h/d", "multigroup", ()),
        ("postgresql://u:p%40w@h:5/d?schema=x", "postgresql://h:5/d", "x", ("p@w",)),
        ("postgresql:///d?host=/run/pg", "postgresql:///run/pg/d", "multigroup", ()),
        ("postgresql://h/d?password=pw&schema=x_1", "postgresql://h/d", "x_1", ("pw",)),
        ("postgresql://a:1,b:2/d", "postgresql://a,b:1,2/d", "multigroup", ()),
        ("postgresql://u@[::1]:5/d", "postgresql://::1:5/d", "multigroup", ()),
    ],
)
def test_an_address_is_shown_without_credentials(
    url: str, shown: str, schema: str, secrets: tuple[str, ...]
) -> None:
    """Its repr neither; everything libpq knows may stand in it."""
    where = database(url)
    assert (where.shown, where.schema, where.secrets) == (shown, schema, secrets)
    assert repr(where) == f"Database(shown={shown!r}, schema={schema!r})"


def test_settings_in_the_address_win(store: PostgresStore) -> None:
    """Ours are for those who said nothing."""
    del store
    assert (
        "connect_timeout=3" in database("postgresql://h/d?connect_timeout=3").conninfo
    )
    assert "connect_timeout=10" in database("postgresql://h/d").conninfo
    assert database("postgresql://h/d?schema=a", "b").schema == "b"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3/cret@h/d",
        "postgresql://u:53/cret@h/d",
        "postgresql://u:s3@cret@h/d",
        "postgresql://u:s3?cret@h/d",
        "postgresql://u:s3cret@h:port/d",
        "postgresql://u:s3%zzcret@h/d",
        "postgresql://u:s3cret@h/d?nonsense=1",
    ],
)
def test_an_address_that_may_be_misread_is_refused(url: str) -> None:
    """The error says how to write it, and shows nothing of it."""
    with pytest.raises(ConfigError, match="%40 for '@'") as caught:
        open_journal(url)
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("name", ["Big", "pg_mine", "1st", 'a"b', "a b", "x" * 64])
def test_a_schema_has_a_plain_name(name: str) -> None:
    """So that it needs no quoting, and the server takes it."""
    with pytest.raises(ConfigError, match="cannot be the schema"):
        database("postgresql://h/d", name)


@pytest.mark.parametrize("secret", ["s3cret", "p%40ss"])
def test_an_error_of_the_connection_shows_no_password(secret: str) -> None:
    """Nor does what it was caused by."""
    url = f"postgresql://nobody:{secret}@127.0.0.1:1/nowhere"
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:1/nowhere") as caught:
        PostgresJournal(url)
    told = f"{caught.value}{caught.value.__cause__}"
    assert not any(each in told for each in (secret, "p@ss"))
    assert caught.value.__suppress_context__


def test_a_journal_shows_where_it_is_and_no_more(journal: PostgresJournal) -> None:
    """Neither user nor password."""
    assert repr(journal) == f"PostgresJournal({database(DSN).shown!r})"


def test_an_old_server_is_refused() -> None:
    """It would fail later, and in its own words."""

    class Old:
        info = type("Info", (), {"server_version": 110022})

    with pytest.raises(ConfigError, match="older than 12"):
        upgrade(Old(), ANYWHERE)  # type: ignore[arg-type] # its version is all it has


WITHOUT: Final = """
import sys
sys.modules["psycopg"] = None
from multigroup import ConfigError
from multigroup.journal import open_journal
import multigroup.journal
for act in (lambda: open_journal("postgresql://h/d"),
            lambda: multigroup.journal.PostgresJournal):
    try:
        act()
    except ConfigError as error:
        print(error)
"""


def test_without_psycopg_the_extra_is_named() -> None:
    """Nobody else needs it, and it is loaded for nobody else."""
    told = "a journal in PostgreSQL needs psycopg: pip install 'multigroup[postgres]'\n"
    assert _said(WITHOUT) == told * 2


def test_psycopg_is_loaded_only_for_its_journal(tmp_path: Any) -> None:
    """A file needs none of it."""
    code = (
        "import sys\nfrom multigroup.journal import open_journal\n"
        "open_journal('memory:')\nopen_journal('sqlite:///' + sys.argv[1]).close()\n"
        "print('psycopg' in sys.modules)"
    )
    assert _said(code, str(tmp_path / "sends.db")) == "False\n"


def test_a_url_opens_the_journal(store: PostgresStore) -> None:
    """With the schema it names."""
    opened = open_journal(dsn(schema=store.schema))
    assert isinstance(opened, PostgresJournal)
    opened.reserve(record())
    assert store.open().recall(HERE, "dinner") == record()
    opened.close()
