"""`explain`, `resume` and `worker`: on a journal alone, and on an app's client."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from multigroup.journal import SQLiteJournal
from multigroup.models import LineId, Number
from multigroup.records import Closed, Lease, Round
from tests.cli.captured import Command
from tests.helpers.values import PEOPLE, RED, accepted, begun, ended, record

TELNYX: Final = LineId("telnyx", Number("+12125550100"))
TEXT: Final = "Dinner at 7?"
APP: Final = """
import httpx
from multigroup import {colour} as Colour, Telnyx

def answer(request):
    return httpx.Response(200, json={{"data": {{"id": "m-1"}}}})

def make():
    http = httpx.{http}(transport=httpx.MockTransport(answer))
    line = Telnyx(api_key="KEY").line("+12125550100")
    return Colour(lines=[line], journal="sqlite:///sends.db", http=http)

async def awaited():
    return make()

def broken():
    raise RuntimeError("no settings")

class here:
    client = make()

client = here.client
number = 7
"""
_COUNT: Final = count()

Written = Callable[..., str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, and forget it as a place of modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.fixture
def module(folder: Path) -> Written:
    """Give what writes a module of the application and returns its name."""

    def write(text: str = "", *, colour: str = "Client") -> str:
        name = f"application_{next(_COUNT)}"
        http = "AsyncClient" if colour == "AsyncClient" else "Client"
        given = text or APP.format(colour=colour, http=http)
        (folder / f"{name}.py").write_text(given)
        return name

    return write


def _left(reference: str = "dinner") -> None:
    """Leave a send behind whose process is gone before anything was sent."""
    journal = SQLiteJournal("sends.db")
    journal.reserve(
        record(
            reference=reference,
            began_at=datetime.now(UTC),
            round=Round(members=PEOPLE, line=TELNYX),
            lease=Lease(""),
        )
    )
    journal.close()


def test_explain_needs_no_more_than_the_journal(run: Command) -> None:
    """The story is told with masked numbers, without the text."""
    journal = SQLiteJournal("sends.db")
    journal.reserve(record())
    for change in (begun(), ended(accepted()), Closed()):
        journal.write(RED, change)
    journal.close()

    ran = run("explain", "dinner", "--journal", "sqlite:///sends.db")

    assert (ran.status, ran.said) == (0, [])
    assert "ACCEPTED" in ran.out
    assert "everybody was texted" in ran.out
    assert TEXT not in ran.out
    assert not any(number in ran.out for number in PEOPLE)


@pytest.mark.parametrize("words", [("lunch",), ("dinner", "--namespace", "other")])
def test_an_unknown_reference_is_one_line(run: Command, words: tuple[str, ...]) -> None:
    """The exit status tells a script the same."""
    _left()
    ran = run("explain", *words, "--journal", "sqlite:///sends.db")

    assert (ran.status, ran.out, len(ran.said)) == (1, "", 1)
    assert f"no send has the reference {words[0]!r}" in ran.said[0]


def test_explain_makes_no_journal(run: Command, folder: Path) -> None:
    """A mistyped name is told, and no empty file is left behind."""
    ran = run("explain", "dinner", "--journal", "sqlite:///send.db")

    assert (ran.status, len(ran.said)) == (2, 1)
    assert "send.db" in ran.said[0]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("url", ["memory:", "redis://here", "sqlite:///other.db"])
def test_a_journal_that_cannot_be_read_is_one_line(
    run: Command, folder: Path, url: str
) -> None:
    """What lives in another process, is unknown or is no journal is refused."""
    (folder / "other.db").write_text("no SQLite file at all, but long enough")
    ran = run("explain", "dinner", "--journal", url)

    assert (ran.status, ran.out, len(ran.said)) == (2, "", 1)


@pytest.mark.parametrize("attribute", ["client", "make", "here.client"])
@pytest.mark.parametrize("colour", ["Client", "AsyncClient"])
def test_resume_goes_on_with_what_is_left(
    run: Command, module: Written, colour: str, attribute: str
) -> None:
    """A client of either colour, or what returns one, is found as servers find it."""
    _left()
    app = f"{module(colour=colour)}:{attribute}"

    ran = run("resume", app)

    assert (ran.status, ran.said) == (0, [])
    assert ran.out == "dinner  telnyx:…0100  3 ACCEPTED\n"
    assert run("resume", app).out == ""


def test_a_journal_that_fails_is_one_line(run: Command, module: Written) -> None:
    """Nothing is gone on with, and the exit status says so."""
    failing = """
from multigroup import Client, JournalError, MemoryJournal, Telnyx

class Failing(MemoryJournal):
    def orphans(self, namespace, now):
        raise JournalError("the disk is full")

client = Client(lines=[Telnyx(api_key="KEY").line("+12125550100")], journal=Failing())
"""
    ran = run("resume", f"{module(failing)}:client")

    assert (ran.status, ran.out, ran.said) == (1, "", ["Error: the disk is full"])


def test_a_number_in_a_reference_is_masked(run: Command, module: Written) -> None:
    """References are the application's own and may hold anything; dates stay."""
    _left("2026-11-21 to +1 (415) 555-0101")

    ran = run("resume", f"{module()}:client")

    assert ran.out.startswith("2026-11-21 to …0101  ")


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("application", "is not of the form"),
        ("application:", "is not of the form"),
        (":client", "is not of the form"),
        ("nowhere_at_all:client", "no module 'nowhere_at_all'"),
        ("{}.more:client", "no module"),
        ("{}:absent", "has no 'absent'"),
        ("{}:number", "is a int"),
        ("{}:here", "is a type"),
        ("{}:broken", "failed: RuntimeError: no settings"),
        ("{}:awaited", "coroutine function"),
    ],
)
@pytest.mark.parametrize("command", ["resume", "worker"])
def test_what_is_no_client_is_told(
    run: Command, module: Written, command: str, app: str, said: str
) -> None:
    """Each way to get APP wrong has words of its own, and exit status 2."""
    ran = run(command, app.format(module()))

    assert (ran.status, ran.out) == (2, "")
    assert said in ran.said[-1]
    assert "'APP'" in ran.said[-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("import os; os.environ['NO_SUCH_KEY']", "KeyError: 'NO_SUCH_KEY'"),
    ],
)
def test_a_module_that_fails_is_told(
    run: Command, module: Written, text: str, said: str
) -> None:
    """What the application itself misses is not taken for a missing application."""
    ran = run("resume", f"{module(text)}:client")

    assert ran.status == 2
    assert said in ran.said[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("colour", ["Client", "AsyncClient"])
def test_the_worker_goes_on_until_it_is_told_to_stop(
    module: Written, folder: Path, colour: str, number: signal.Signals
) -> None:
    """It says in one line what was done, and a signal ends it in good order."""
    _left()
    app = f"{module(colour=colour)}:client"
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "multigroup", "worker", app, "--every", "0.01"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as worker:
        try:
            assert worker.stdout is not None
            line = worker.stdout.readline()
            worker.send_signal(number)
            out, said = worker.communicate(timeout=30)
        finally:
            worker.kill()

    assert line.endswith("Z  sends resumed: 1\n")
    assert (worker.returncode, out, said) == (0, "", "")
