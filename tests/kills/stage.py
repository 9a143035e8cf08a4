"""Where it happens: a carrier on loopback, a process to be killed, and its heirs."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from attrs import define, evolve, field

from multigroup import WebhookError
from multigroup.simulator import (
    Entry,
    Network,
    SteppedClock,
    Switch,
    TelnyxFace,
    ThreadKey,
    VonageFace,
    VonageQuirks,
)
from multigroup.wire import Failure, Reply, Request, Response
from tests.kills.app import QUESTION, App, Setting, written
from tests.kills.moments import Moment, Rehearsal

__all__ = ["NUMBERS", "Nursery", "Stage", "staged"]

ROOT: Final = Path(__file__).parents[2]
NEVER: Final = Moment("statement", 0)
NUMBERS: Final = {"telnyx": "+12125550100", "vonage": "+13125550100"}
HOOKS: Final = "http://127.0.0.1/hooks"


@define(eq=False)
class Nursery:
    """A process that bears the ones to be killed, one after another."""

    _mother: subprocess.Popen[str] = field(init=False)
    _child: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.app"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.hear() == "up\n"

    def bear(self) -> None:
        """Have a process born that waits for its setting."""
        self.say("go")
        word, child = self.hear().split()
        assert word == "born"
        self._child = int(child)

    def say(self, line: str) -> None:
        """Tell the process, if it lives, else nobody."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(f"{line}\n")
        self._mother.stdin.flush()

    def hear(self) -> str:
        """Wait for what the process says; nothing if it is dead."""
        assert self._mother.stdout is not None
        line = self._mother.stdout.readline()
        if line == "dead\n":
            self._child = 0
            return ""
        return line

    def kill(self) -> None:
        """Kill the process, from whatever thread, if it is not known to be dead."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)

    def bury(self) -> None:
        """Kill the process and wait until it is dead."""
        self.kill()
        while self._child:
            self.hear()

    def close(self) -> None:
        """End the mother, too."""
        self.bury()
        self._mother.communicate(timeout=10)


@define(eq=False)
class Stage:
    """One trial: a served network, a process on it, and what comes after its end."""

    network: Network
    setting: Setting
    process: Nursery
    heir: App | None = field(default=None, init=False)
    posts: list[Request] = field(factory=list[Request], init=False)
    did: Rehearsal | None = field(default=None, init=False)
    calls: int = field(default=0, init=False)
    _moment: Moment = field(default=NEVER, init=False)
    _silence: list[Switch] = field(factory=list[Switch], init=False)

    @property
    def face(self) -> TelnyxFace | VonageFace:
        """Return the carrier's face."""
        telnyx = self.setting.carrier == "telnyx"
        return self.network.telnyx if telnyx else self.network.vonage

    def live(self, moment: Moment = NEVER, *, asked: bool = False) -> None:
        """Have the process do its work until it is killed, or has done it.

        It is to send, or if *asked* to handle what a member wrote.
        """
        self._moment = moment
        self.process.bear()
        self.process.say(written(self.setting))
        self.process.say(str(moment.n if moment.kind == "statement" else 0))
        if self.process.hear():
            self._work(asked=asked)
        self.process.bury()
        self._moment = NEVER
        self._drain()
        for silence in self._silence:
            silence.off()

    def _drain(self) -> None:
        """Wait until whatever the process had sent has come.

        The carrier takes requests in the order they came, so ours are the last. It is
        asked twice, as a connection is taken a turn before its first request.
        """
        for _ in range(2):
            httpx.get(f"{self.face.base_url}/nothing", trust_env=False)

    def _work(self, *, asked: bool) -> None:
        moment = self._moment
        timer = threading.Timer(moment.seconds, self.process.kill)
        if moment.kind == "delay":
            timer.start()
        if moment == Moment("arriving", 1):
            self._fall_silent()
        if asked:
            key = ThreadKey(self.setting.number, frozenset(self.setting.members))
            writer = self.network.handset(self.setting.members[0])
            writer.reply(QUESTION, to=key)
            self.network.run_due()
        else:
            self._tell("send")
        timer.cancel()
        if moment.kind == "delay":
            timer.join()

    def watch(self, entry: Entry) -> None:
        """Count the requests that came to the carrier; kill at the one that is due."""
        if entry.kind != "call":
            return
        self.calls += 1
        moment = self._moment
        if moment.kind == "arriving" and self.calls == moment.n - 1:
            self._fall_silent()
        if moment.kind in {"arriving", "taken"} and self.calls == moment.n:
            self.process.kill()

    def _fall_silent(self) -> None:
        """Take no more requests: they come, and nothing is answered."""
        self._silence.append(self.face.answer(Failure("ReadTimeout")))

    def _tell(self, task: object) -> int | None:
        """Have the process do *task*; return the status, or nothing if it died."""
        self.process.say(json.dumps(task))
        line = self.process.hear()
        if line == "halted\n":
            self.process.bury()
        if not line.startswith("did "):
            return None
        _, status, statements, seconds = line.split()
        self.did = Rehearsal(int(statements), self.calls, float(seconds))
        return int(status)

    def post(self, request: Request, _timeout: float) -> Reply:
        """Bring a webhook to the heir, or as long as there is none to the process."""
        self.posts.append(request)
        if self.heir is not None:
            return Response(_received(self.heir, request))
        body = base64.b64encode(request.body).decode()
        headers = [list(pair) for pair in request.headers]
        status = self._tell([request.method, request.url, headers, body])
        return Failure("ReadError") if status is None else Response(status)

    def inherit(self) -> App:
        """Return the application's next life, which gets the webhooks from now on."""
        self.heir = App(self.setting)
        return self.heir

    def another(self) -> App:
        """Return one more worker on the same journal, of the other colour."""
        colour = "async" if self.setting.colour == "sync" else "sync"
        return App(evolve(self.setting, colour=colour))

    def copies(self, text: str) -> dict[str, int]:
        """Return how often each member's phone shows *text* of ours."""
        return {
            member: sum(
                bubble.text == text and bubble.sender == self.setting.number
                for bubble in self.network.handset(member).bubbles
            )
            for member in self.setting.members
        }


@contextmanager
def staged(setting: Setting, process: Nursery) -> Iterator[Stage]:
    """Give a stage on which nothing has happened, and clear it up."""
    network = Network(clock=SteppedClock(), seed=7)
    stage = Stage(network, setting, process)
    network.post = stage.post
    network.vonage.quirks = VonageQuirks(rate=None)
    network.telnyx.add_number(NUMBERS["telnyx"], webhook_url=f"{HOOKS}/telnyx")
    network.vonage.add_number(NUMBERS["vonage"], inbound_url=f"{HOOKS}/vonage")
    network.on_entry(stage.watch)
    with network.serve():
        stage.setting = evolve(setting, account=_account(stage.face))
        try:
            yield stage
        finally:
            process.bury()
            if stage.heir is not None:
                stage.heir.close()


def _account(face: TelnyxFace | VonageFace) -> dict[str, str]:
    account = {"api_key": face.api_key, "base_url": face.base_url}
    if isinstance(face, TelnyxFace):
        return {**account, "public_key": face.public_key}
    secrets = {"api_secret": face.api_secret, "signature_secret": face.signature_secret}
    return {**account, **secrets}


def _received(app: App, request: Request) -> int:
    try:
        return app.receive(request)
    except WebhookError as error:
        return error.status
