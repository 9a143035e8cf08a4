"""The application that is killed, and that others go on with: sends and answers.

Run as a program it is told by lines on its standard input what to do and says by lines
what it did. In the test's own process it is the next life of the same application.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Literal, Self, TypeVar

import httpx  # noqa: F401 - once, and not in every process that is born
import psycopg  # noqa: F401
from attrs import asdict, define, field, frozen

from multigroup import (
    AsyncClient,
    Client,
    Line,
    MessageReceived,
    Policy,
    Receipt,
    SendError,
    Telnyx,
    Vonage,
)
from multigroup._programs.due import Due
from multigroup.events import Event, EventKey
from multigroup.journal import Journal, open_journal
from multigroup.wire import Request

__all__ = [
    "ANSWER",
    "HANDLER",
    "QUESTION",
    "REFERENCE",
    "TEXT",
    "App",
    "Setting",
    "written",
]

T = TypeVar("T")

REFERENCE: Final = "dinner"
TEXT: Final = "Dinner at 7?"
QUESTION: Final = "Who is in?"
ANSWER: Final = "Ask Ben"
HANDLER: Final = "answering.<locals>.answer"
TIMEOUT: Final = 5.0


@frozen
class Setting:
    """What one trial's application is made with; it goes to the process as JSON."""

    journal: str
    carrier: str
    colour: str
    fan_out: Literal["all", "canary"]
    number: str
    members: tuple[str, ...]
    account: dict[str, str]

    @classmethod
    def read(cls, line: str) -> Self:
        """Return what `written` made *line* of."""
        given: dict[str, Any] = json.loads(line)
        return cls(**{**given, "members": tuple(given["members"])})

    def line(self) -> Line:
        """Return our number at the simulated carrier."""
        kind = Telnyx if self.carrier == "telnyx" else Vonage
        return kind(**self.account).line(self.number)  # type: ignore[arg-type]


def written(setting: Setting) -> str:
    """Return *setting* in one line."""
    return json.dumps(asdict(setting))


@define(eq=False)
class App:
    """One life of the application: a client, and a handler that answers the group."""

    setting: Setting
    journal: Journal = field(init=False)
    client: Client | AsyncClient = field(init=False)
    events: list[Event] = field(factory=list[Event], init=False)
    heard: set[EventKey] = field(factory=set[EventKey], init=False)
    runner: asyncio.Runner = field(factory=asyncio.Runner, init=False)

    def __attrs_post_init__(self) -> None:
        setting = self.setting
        self.journal = open_journal(setting.journal)
        kind = Client if setting.colour == "sync" else AsyncClient
        self.client = kind(
            lines=[setting.line()],
            journal=self.journal,
            policy=Policy(fan_out=setting.fan_out),
            timeout=TIMEOUT,
            webhook_url="http://127.0.0.1",
        )
        self.client.on(Event)(self.events.append)
        self.client.on(MessageReceived)(answering(self))

    def send(self) -> Receipt | SendError:
        """Do the job: text everybody, under the one reference."""
        group = self.client.group(*self.setting.members)
        try:
            return self.wait(group.send(TEXT, reference=REFERENCE))
        except SendError as error:
            return error

    def receive(self, request: Request) -> int:
        """Take a webhook in as a web server would; return the answer's status."""
        got = self.wait(self.client.receive(self.setting.carrier, request))
        self.heard.update(event.key for event in (*got.events, *got.duplicates))
        return got.status

    def run_due(self) -> Due:
        """Do all that has fallen due."""
        return self.wait(self.client.run_due())

    def receipt(self, reference: str) -> Receipt:
        """Return what is known of a send."""
        receipt = self.wait(self.client.receipt(reference))
        assert receipt is not None
        return receipt

    def retry(self, reference: str, *, unknown: bool = False) -> None:
        """Send again to those who surely got nothing, or to whom we do not know."""
        with suppress(SendError):
            self.wait(self.client.retry(reference, unknown=unknown))

    def wait(self, answer: T | Coroutine[Any, Any, T]) -> T:
        """Return *answer*, run to its end if it has to be awaited."""
        if isinstance(answer, Coroutine):
            value: T = self.runner.run(answer)
            return value
        return answer

    def close(self) -> None:
        """Close what is open."""
        self.wait(self.client.close())
        self.runner.close()


def answering(app: App) -> Callable[[MessageReceived], Any]:
    """Return a handler of *app*'s colour; in every life it has the same name."""

    def answer(event: MessageReceived) -> object:
        if event.text != QUESTION:
            return None
        return app.client.conversation(event).send(ANSWER)

    return answer


# What follows runs in the process that is killed.


def say(*words: object) -> None:
    """Tell the test, in one line."""
    print(*words, flush=True)  # noqa: T201 - its way of talking


def halting(journal: Any, at: int) -> Callable[[], int]:
    """Have *journal* stand still for good before its *at*-th statement.

    Returns what counts them.
    """
    run: Callable[..., Any] = journal._run
    count = 0

    def counted(*given: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            say("halted")
            threading.Event().wait()
        return run(*given)

    vars(journal)["_run"] = counted
    return lambda: count


def main() -> None:
    """Bear a process at each `go`, and say when it is dead.

    It talks over our own input and output, as we are silent while it lives. To bear
    one takes a hundredth of the time in which Python comes up.
    """
    say("up")
    while line := sys.stdin.readline():
        if line != "go\n":  # what the last one did not live to read
            continue
        child = os.fork()
        if not child:
            live()
            os._exit(0)
        os.waitpid(child, 0)
        say("dead")


def live() -> None:
    """Say that we are there, be told who we are, and do what comes."""
    say("born", os.getpid())
    app = App(Setting.read(sys.stdin.readline()))
    statements = halting(app.journal, int(sys.stdin.readline()))
    say("ready")
    while line := sys.stdin.readline():
        began, told = time.monotonic(), json.loads(line)
        if told == "send":
            app.send()
            status = 200
        else:
            method, url, headers, body = told
            request = Request(method, url, headers, base64.b64decode(body))
            status = app.receive(request)
        say("did", status, statements(), time.monotonic() - began)


if __name__ == "__main__":
    main()
