"""What was said, read back: both ways, the newest first, page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from multigroup import ConfigError, Message, MessageReceived, Page, Said, Thread
from multigroup._drive import Driver
from multigroup._programs.keeping import conversations, history
from multigroup.archive import Mark, ThreadMark
from multigroup.journal import Journal, SQLiteJournal, sql_archive as statements
from multigroup.models import ConversationId, LineId, Number, SendId, conversation_id
from multigroup.records import Closed
from tests.helpers.stores import STORES
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    LINE,
    OTHER_LINE,
    PEOPLE,
    accepted,
    at,
    begun,
    ended,
    leg,
    received,
    record,
    update,
)
from tests.helpers.world import World

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
PAIR: Final = (ANA, BEN)

Spoken = Said | MessageReceived


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give an empty journal of each kind."""
    made = STORES[request.param](tmp_path)
    yield made.open()
    made.drop()


def _say(
    journal: Journal,
    name: str,
    when: float,
    members: tuple[Number, ...] = PEOPLE,
    namespace: str = HERE,
    line: LineId = LINE,
) -> None:
    """Have a send carried out at a time, its name for a text."""
    made = record(
        name,
        name,
        members=members,
        message=Message(name),
        began_at=at(when),
        namespace=namespace,
    )
    key = f"{name}.0"
    journal.reserve(made)
    journal.write(made.id, begun(leg(key, members), line=line, when=when))
    journal.write(made.id, ended(accepted(f"of {name}"), key, when))
    journal.write(made.id, Closed())


def _hear(
    journal: Journal,
    name: str,
    when: float,
    members: tuple[Number, ...] = PEOPLE,
    namespace: str = HERE,
) -> None:
    event = received(
        name,
        when=when,
        text=name,
        members=frozenset(members),
        conversation=conversation_id(members),
    )
    journal.store(namespace, [event])


def _page(
    journal: Journal, before: str | None = None, limit: int = 50
) -> Page[Said | MessageReceived]:
    return Driver(journal).run(history(HERE, GROUP, before, limit))


def _list(journal: Journal, before: str | None = None, limit: int = 50) -> Page[Thread]:
    return Driver(journal).run(conversations(HERE, before, limit))


def _texts(page: Page[Spoken]) -> list[str]:
    return [entry.text for entry in page]


def test_both_directions_are_there_the_newest_first(journal: Journal) -> None:
    """What we said comes with its receipt, what we heard as it was stored."""
    _say(journal, "one", 1)
    _hear(journal, "two", 2)
    _say(journal, "three", 3)

    page = _page(journal)

    assert _texts(page) == ["three", "two", "one"]
    assert page.next is None
    said, heard, _ = page
    assert isinstance(said, Said)
    assert (said.at, said.receipt.reference) == (at(3), "three")
    assert (said.subject, said.media, len(page)) == (None, (), 3)
    assert heard == received("two", when=2, text="two")


def test_a_conversation_that_never_was_is_empty(journal: Journal) -> None:
    """Reading asks for nothing to be there."""
    assert _page(journal) == Page(())
    assert _list(journal) == Page(())


def test_only_what_was_said_in_it_is_shown(journal: Journal) -> None:
    """Other people, other applications and delivery news are not."""
    _say(journal, "ours", 1)
    _say(journal, "another group", 2, PAIR)
    _say(journal, "another application", 3, namespace="other")
    _hear(journal, "to another group", 4, PAIR)
    _hear(journal, "to another application", 5, namespace="other")
    journal.store(HERE, [update(message_id="of ours", received_at=at(6))])

    assert _texts(_page(journal)) == ["ours"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 8])
@pytest.mark.parametrize("apart", [0, 1], ids=["at one moment", "one after another"])
def test_pages_neither_skip_nor_repeat(
    journal: Journal, limit: int, apart: int
) -> None:
    """Though everything is of one microsecond, and more comes in between pages."""
    for n in range(4):
        _say(journal, f"said {n}", apart * 2 * n)
        _hear(journal, f"heard {n}", apart * (2 * n + 1))
    wanted = _texts(_page(journal))

    page = _page(journal, limit=limit)
    seen = _texts(page)
    while page.next is not None:
        _say(journal, f"late {len(seen)}", 100)
        _hear(journal, f"later {len(seen)}", 100)
        page = _page(journal, page.next, limit)
        seen += _texts(page)

    assert len(wanted) == 8
    assert seen == wanted


def test_a_page_that_holds_all_has_no_next(journal: Journal) -> None:
    """Nobody is sent to an empty page."""
    _say(journal, "one", 1)
    _say(journal, "two", 2)

    assert _page(journal, limit=2).next is None
    assert _page(journal, limit=1).next is not None
    assert _list(journal, limit=1).next is None


def test_conversations_come_by_their_last_activity(journal: Journal) -> None:
    """Each with its people and the line it is on by now, in either direction."""
    _say(journal, "one", 1)
    _hear(journal, "two", 2, PAIR)
    _say(journal, "three", 3, (CLEO,), line=OTHER_LINE)
    _say(journal, "another application", 4, namespace="other")

    assert _list(journal).items == (
        Thread(conversation_id((CLEO,)), frozenset({CLEO}), OTHER_LINE, at(3)),
        Thread(conversation_id(PAIR), frozenset(PAIR), LINE, at(2)),
        Thread(GROUP, frozenset(PEOPLE), LINE, at(1)),
    )

    _hear(journal, "four", 4)
    assert [thread.conversation for thread in _list(journal, limit=1)] == [GROUP]


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
def test_conversations_of_one_moment_are_all_listed(
    journal: Journal, limit: int
) -> None:
    """New ones that come meanwhile change nothing of the pages to come."""
    crowd = [Number(f"+141555501{n}") for n in range(20, 29)]
    for number in crowd[:5]:
        _hear(journal, f"of {number}", 1, (number,))
    wanted = [thread.conversation for thread in _list(journal)]

    page = _list(journal, limit=limit)
    seen = [thread.conversation for thread in page]
    while page.next is not None:
        _hear(journal, f"late {len(seen)}", 2, (crowd[-1], crowd[len(seen) % 5 + 3]))
        page = _list(journal, page.next, limit)
        seen += [thread.conversation for thread in page]

    assert len(wanted) == 5
    assert seen == wanted


@pytest.mark.parametrize("how", [_say, _hear])
def test_members_that_were_never_noted_are_found(tmp_path: Path, how: object) -> None:
    """Rows of an earlier version have none: the newest send or message knows them."""
    path = tmp_path / "sends.db"
    journal = SQLiteJournal(path)
    assert callable(how)
    how(journal, "one", 1)
    with sqlite3.connect(path) as other:
        other.execute("UPDATE lines SET members = NULL")
    other.close()

    assert [thread.members for thread in _list(journal)] == [frozenset(PEOPLE)]
    how(journal, "two", 2)
    assert [thread.members for thread in _list(journal)] == [frozenset(PEOPLE)]
    journal.close()


@pytest.mark.parametrize(
    "cursor",
    ["", "1", "1.2.3", "1.0.", "1.0.3\n", "x.0.1", "1.1.ffffffffffffffff", "é.0.1"],
)
def test_a_cursor_of_nobody_is_refused(journal: Journal, cursor: str) -> None:
    """Cursors come back through browsers, and not always as they were given."""
    with pytest.raises(ConfigError, match="cursor"):
        _page(journal, cursor)
    with pytest.raises(ConfigError, match="cursor"):
        _list(journal, cursor)


def test_a_time_that_never_comes_is_no_cursor() -> None:
    """Beyond the year 9999 there is no page."""
    far = "7" * 15
    with pytest.raises(ConfigError, match="cursor"):
        Mark.read(f"{far}.0.1")
    with pytest.raises(ConfigError, match="cursor"):
        ThreadMark.read(f"{far}.{GROUP}")


def test_a_cursor_is_read_as_it_was_written() -> None:
    """Times before 1970 included, which no clock should tell."""
    for moment in (at(0.000001), at(-3_000_000_000.5)):
        mark, thread = Mark(moment, 1, 77), ThreadMark(moment, ConversationId(GROUP))
        assert Mark.read(str(mark)) == mark
        assert ThreadMark.read(str(thread)) == thread


@pytest.mark.parametrize("limit", [0, -1, 1001, 2.5])
def test_a_page_has_from_one_to_a_thousand_entries(
    journal: Journal, limit: Any
) -> None:
    """Anything else is refused before the journal is asked."""
    with pytest.raises(ConfigError, match="limit"):
        _page(journal, limit=limit)


def test_a_client_reads_its_conversations_back(world: World) -> None:
    """Whatever its colour and carrier, after a send and somebody's answer."""
    world.send("Dinner at 7?", reference="dinner")
    world.phone().reply("I am in")
    world.network.run_due()
    group = world.client.group(*PEOPLE)

    newest = world.wait(group.history(limit=1))
    assert _texts(newest) == ["I am in"]
    (said,) = world.wait(group.history(before=newest.next))
    assert isinstance(said, Said)
    assert (said.text, said.receipt) == ("Dinner at 7?", world.receipt("dinner"))

    page = world.wait(world.client.conversations(limit=1))
    (thread,) = page
    assert (thread.conversation, thread.members) == (group.id, frozenset(PEOPLE))
    assert (thread.line, page.next) == (world.line.id, None)
    assert world.wait(group.history(before=None, limit=2)).items[0] == newest.items[0]


def test_sends_of_an_id_are_found_by_no_one_else(journal: Journal) -> None:
    """The receipt in the history is the one of the send, as it is by now."""
    _say(journal, "one", 1)
    journal.store(HERE, [update(message_id="of one", received_at=at(9))])

    (said,) = _page(journal)

    assert isinstance(said, Said)
    assert said.receipt.send_id == SendId("one")
    assert said.receipt.deliveries[ANA].status == "delivered"


@pytest.mark.parametrize(
    "query",
    [
        statements.SENDS_OF,
        statements.MESSAGES_OF,
        statements.LISTED,
        statements.SENDS_FROM,
        statements.EVENTS_FROM,
    ],
)
def test_no_page_sorts_the_whole_file(tmp_path: Path, query: str) -> None:
    """Indexes and rows lie in the order that is asked for, however many there are."""
    path = tmp_path / "sends.db"
    SQLiteJournal(path).close()
    values = ("default", *[0] * (query.count("?") - 1))

    with sqlite3.connect(path) as file:
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    file.close()

    assert len(plan) == 1
    assert plan[0].startswith("SEARCH")
