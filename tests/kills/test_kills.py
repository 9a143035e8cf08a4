"""A process that is killed at any moment: nobody is texted twice, nothing is forgotten.

The number of kills and their seed come from the environment; see `moments`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import frozen

from multigroup import Accepted, NotSent, Outcome, Unknown
from multigroup.events import LateAcceptance, MessageReceived
from multigroup.wire import Response
from tests.helpers.stores import PostgresStore, dsn
from tests.kills.app import ANSWER, HANDLER, REFERENCE, TEXT, App, Setting
from tests.kills.moments import MOMENTS, SEED, Rehearsal, moment
from tests.kills.stage import NUMBERS, Nursery, Stage, staged

PEOPLE: Final = tuple(f"+1415555010{n}" for n in range(1, 9))


@contextmanager
def _file(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/sends.db"


@contextmanager
def _schema(folder: Path) -> Iterator[str]:
    store = PostgresStore(folder)
    try:
        yield dsn(schema=store.schema)
    finally:
        store.drop()


JOURNALS: Final = {"sqlite": _file, "postgres": _schema}


@frozen
class Work:
    """What a process is killed at."""

    carrier: str
    members: int
    fan_out: Any = "all"
    asked: bool = False


WORKS: Final = {
    "fan-out": Work("vonage", 8),
    "one-request": Work("telnyx", 8),
    "canary": Work("vonage", 8, "canary"),
    "answer-by-one": Work("telnyx", 3, asked=True),
    "answer-by-many": Work("vonage", 3, asked=True),
}


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """Give processes that are up already."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def journal(store: str, tmp_path: Path) -> Iterator[str]:
    """Name a journal that is empty."""
    with JOURNALS[store](tmp_path) as url:
        yield url


@pytest.fixture
def stage(nursery: Nursery, journal: str, work: str, number: int) -> Iterator[Stage]:
    """Give a carrier, and a process of every second colour."""
    with staged(_setting(WORKS[work], journal, number), nursery) as made:
        yield made


def _setting(work: Work, journal: str, number: int) -> Setting:
    return Setting(
        journal=journal,
        carrier=work.carrier,
        colour="sync" if number % 2 else "async",
        fan_out=work.fan_out,
        number=NUMBERS[work.carrier],
        members=PEOPLE[: work.members],
        account={},
    )


@pytest.fixture(scope="module")
def usual(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give what tells what a work takes when nobody is killed."""

    @cache
    def rehearsed(store: str, name: str, number: int) -> Rehearsal:
        work = WORKS[name]
        with (
            JOURNALS[store](tmp_path_factory.mktemp("usual")) as url,
            staged(_setting(work, url, number), nursery) as stage,
        ):
            stage.live(asked=work.asked)
            assert stage.did is not None
            return stage.did

    return lambda store, name, number: rehearsed(store, name, number % 2)


@pytest.fixture
def killed(stage: Stage, store: str, work: str, number: int, usual: Any) -> Stage:
    """Give the stage on which a process was killed at its work."""
    when = moment(work, number, usual(store, work, number))
    print(SEED, work, number, when)  # noqa: T201 - shown when it fails
    stage.live(when, asked=WORKS[work].asked)
    return stage


def trials(*names: str) -> pytest.MarkDecorator:
    """Return the kills of the works *names*: fewer where the store is another's."""
    given = [
        (store, name, number)
        for store in JOURNALS
        for name in names
        for number in range(MOMENTS if store == "sqlite" else MOMENTS // 3 or 1)
    ]
    return pytest.mark.parametrize(("store", "work", "number"), given)


@trials("fan-out", "one-request", "canary")
def test_a_send_that_was_killed_texts_everybody_once(killed: Stage) -> None:
    """Whoever goes on texts nobody twice, and names those of whom nobody knows."""
    stage, heir = killed, killed.inherit()
    _taken_up_by_two(stage, heir)
    heir.send()  # the job runs again, as jobs do
    assert all(attempt.ended_at for attempt in heir.receipt(REFERENCE).attempts)
    _honest(stage, heir, REFERENCE, TEXT)

    stage.network.settle()
    _resolved(stage, heir, REFERENCE, TEXT)
    _completed(stage, heir, REFERENCE, TEXT)
    heir.send()
    assert set(stage.copies(TEXT).values()) == {1}


@trials("answer-by-one", "answer-by-many")
def test_a_handler_that_was_killed_answers_once(killed: Stage, number: int) -> None:
    """It is run again, to its end, and what it says is said once."""
    stage, heir = killed, killed.inherit()
    if number % 2:  # the carrier delivers again, or we are first
        stage.network.settle()
    _taken_up_by_two(stage, heir)
    stage.network.settle()
    status = stage.post(stage.posts[0], 0)
    key = next(key for key in heir.heard if key.type == MessageReceived.__name__)
    reference = f"re:{key}:{HANDLER}:1"

    assert status == Response(200)
    assert heir.journal.waiting("default", 2e9, 9) == ()
    _resolved(stage, heir, reference, ANSWER)
    _completed(stage, heir, reference, ANSWER)
    assert stage.copies(TEXT) == dict.fromkeys(stage.setting.members, 0)


def _taken_up_by_two(stage: Stage, heir: App) -> None:
    """Have two workers do at once what has fallen due."""
    other = stage.another()
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(app.run_due) for app in (heir, other)]
        for job in jobs:
            job.result(30)
    other.close()


def _known(heir: App, reference: str) -> dict[str, Outcome]:
    """Return what is known of each member's copy."""
    receipt = heir.receipt(reference)
    return {member: known.outcome for member, known in receipt.deliveries.items()}


def _honest(stage: Stage, heir: App, reference: str, text: str) -> None:
    """Nobody has it twice, and of nobody the contrary of what is true is said."""
    known = _known(heir, reference)
    for member, copies in stage.copies(text).items():
        may_be = (Accepted, Unknown) if copies else (Unknown, NotSent)
        assert copies <= 1
        assert isinstance(known[member], may_be), (member, copies, known[member])


def _resolved(stage: Stage, heir: App, reference: str, text: str) -> None:
    """Once the webhooks came, doubt is left of those only whom nobody texted."""
    _honest(stage, heir, reference, text)
    known = _known(heir, reference)
    for member, copies in stage.copies(text).items():
        assert isinstance(known[member], Accepted) == bool(copies)


def _completed(stage: Stage, heir: App, reference: str, text: str) -> None:
    """A retry leaves doubt alone until it is told not to, and then texts the rest."""
    before, known = stage.copies(text), _known(heir, reference)
    heir.retry(reference)
    for member, copies in stage.copies(text).items():
        expected = 0 if isinstance(known[member], Unknown) else 1
        assert copies == expected
    heir.retry(reference, unknown=True)
    stage.network.settle()

    assert set(stage.copies(text).values()) == {1}
    assert {type(known) for known in _known(heir, reference).values()} == {Accepted}
    assert not any(isinstance(event, LateAcceptance) for event in heir.events)
    assert all(copies <= 1 for copies in before.values())
