"""A town under chaos: workers who die, carriers who fail, people who write and stop.

All in one thread and in virtual time, so that what happened can be had again.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, cast

import httpx
from attrs import define, field

from multigroup import (
    AsyncClient,
    Event,
    Journal,
    Line,
    MessageReceived,
    MultigroupError,
    Policy,
    Telnyx,
    Vonage,
    WebhookError,
)
from multigroup.events import EventKey
from multigroup.records import SendRecord, telling
from multigroup.simulator import (
    Network,
    SteppedClock,
    Switch,
    TelnyxFace,
    ThreadKey,
    VonageFace,
    VonageQuirks,
)
from multigroup.wire import Failure, Reply, Request, Response
from tests.helpers.lives import NAMESPACE, Died, Ledger, Life, MortalJournal

__all__ = ["CARRIERS", "NAMESPACE", "PEOPLE", "Carrier", "Town", "Work", "Worker"]

Carrier: TypeAlias = Literal["telnyx", "vonage"]
Work: TypeAlias = Callable[[AsyncClient], Coroutine[Any, Any, object]]

CARRIERS: Final[tuple[Carrier, ...]] = ("telnyx", "vonage")
PEOPLE: Final = ("+14155550101", "+14155550102", "+14155550103")
NUMBERS: Final[dict[Carrier, str]] = {
    "telnyx": "+12125550100",
    "vonage": "+13125550100",
}
PRICES: Final = {"vonage": Decimal("0.0333"), "telnyx": Decimal("0.0240")}
"""What the simulated carriers charge for a copy, in a currency each."""

BEGINNING: Final = 1_800_000_000.0
LEASE: Final = 70.0
"""Seconds after which every lease has run out."""

_KEY: Final = re.compile(rb"([0-9a-f]{32})[.-]([0-9]+)")


@define(eq=False)
class Worker:
    """One process of the application: a life and its client."""

    life: Life
    client: AsyncClient


@define(eq=False)
class Town:
    """The carriers, the people, a journal, two workers, and what all of them did."""

    journal: Journal
    policy: Policy
    first: Carrier
    network: Network = field(init=False)
    workers: list[Worker] = field(factory=list[Worker], init=False)
    ledger: Ledger = field(factory=Ledger, init=False)
    asked: list[str] = field(factory=list[str], init=False)
    handled: Counter[EventKey] = field(factory=Counter[EventKey], init=False)
    heard: set[str] = field(factory=set[str], init=False)
    posted: Counter[str] = field(factory=Counter[str], init=False)
    charged: Counter[tuple[str, str]] = field(
        factory=Counter[tuple[str, str]], init=False
    )
    births: int = field(default=0, init=False)
    _still: int | None = field(default=None, init=False)
    _switches: list[Switch] = field(factory=list[Switch], init=False)

    def __attrs_post_init__(self) -> None:
        network = Network(clock=SteppedClock(BEGINNING), post=self._post, seed=5)
        hooks = "http://127.0.0.1/"
        network.telnyx.add_number(NUMBERS["telnyx"], webhook_url=f"{hooks}telnyx")
        network.vonage.add_number(
            NUMBERS["vonage"], inbound_url=f"{hooks}vonage", status_url=f"{hooks}vonage"
        )
        network.vonage.quirks = VonageQuirks(
            rate=None, usage_on=frozenset({"submitted", "delivered"})
        )
        self.network = network
        self.workers = [self._born(here=True), self._born(here=False)]

    def face(self, carrier: Carrier) -> TelnyxFace | VonageFace:
        """Return the face of *carrier*."""
        return self.network.telnyx if carrier == "telnyx" else self.network.vonage

    def faulty(self, *switches: Switch) -> None:
        """Keep switches to be turned off when all is healed."""
        self._switches += switches

    def heal(self) -> None:
        """End all faults of the carriers."""
        for switch in self._switches:
            switch.off()
        self._switches.clear()
        for carrier in CARRIERS:
            self.face(carrier).hooks.release()

    def act(self, place: int, work: Work) -> object:
        """Have a worker do something, another in its place if it is no more."""
        worker = self.worker(place)
        worker.life.spared = frozenset(self.stopped())
        try:
            with asyncio.Runner() as runner:
                return runner.run(work(worker.client))
        except MultigroupError as error:
            return error
        except Died:
            return None

    def worker(self, place: int) -> Worker:
        """Return the worker at *place*, a new one if that one is no more."""
        if not self.workers[place].life.alive:
            self.workers[place] = self._born(here=bool(self.births % 2))
        return self.workers[place]

    def meanwhile(self, place: int, work: Callable[[], object]) -> None:
        """Do *work* while a worker stands still, on a thread that has no loop yet."""
        before, self._still = self._still, place
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        self._still = before

    def elapse(self, seconds: float) -> None:
        """Let time pass, in which nothing happens."""
        cast("SteppedClock", self.network.clock).advance(seconds)

    def thread(self, carrier: Carrier) -> ThreadKey:
        """Return the group's thread with our number at *carrier*."""
        return ThreadKey(NUMBERS[carrier], frozenset(PEOPLE))

    def copies(self) -> Counter[tuple[str, str]]:
        """Return how often each member's phone shows each text of ours."""
        return Counter(
            (bubble.text, member)
            for member in PEOPLE
            for bubble in self.network.handset(member).bubbles
            if bubble.sender in NUMBERS.values()
        )

    def records(self) -> list[SendRecord]:
        """Return all sends that there are."""
        found = (
            self.journal.recall(NAMESPACE, name) for name in self.ledger.references
        )
        return [record for record in found if record is not None]

    def outcomes(self, record: SendRecord) -> Iterable[tuple[str, object]]:
        """Return what is known of each member's copy, or nothing if none was tried."""
        for member in record.members:
            attempt = telling(record, member)
            yield member, attempt and attempt.outcome

    def stopped(self) -> set[str]:
        """Return who must not be texted."""
        return {block.subject for block in self.journal.blocked(NAMESPACE, PEOPLE)}

    def close(self) -> None:
        """End all lives."""
        for worker in self.workers:
            worker.life.end()
        self.journal.close()
        self.network.close()

    def _born(self, *, here: bool) -> Worker:
        self.births += 1
        life = Life.here() if here else Life.elsewhere(str(self.births))
        journal = MortalJournal(self.journal, life, self.ledger)
        client = AsyncClient(
            lines=sorted(self._lines(), key=lambda line: line.id.account != self.first),
            journal=cast("Journal", journal),
            policy=self.policy,
            http=httpx.AsyncClient(transport=self._transport(life)),
            webhook_url="http://127.0.0.1",
            clock=self.network.clock.now,
            sleep=self._sleeping(life),
        )
        client.on(Event)(self._told)

        async def answer(event: MessageReceived) -> None:
            if event.text in self.asked:
                await client.conversation(event).send(f"Answer to {event.text}")
            self.heard.add(event.text)

        client.on(MessageReceived)(answer)
        return Worker(life, client)

    def _told(self, event: Event) -> None:
        self.handled[event.key] += 1

    def _lines(self) -> tuple[Line, Line]:
        telnyx, vonage = self.network.telnyx, self.network.vonage
        return (
            Telnyx(
                api_key=telnyx.api_key,
                public_key=telnyx.public_key,
                base_url=telnyx.base_url,
            ).line(NUMBERS["telnyx"]),
            Vonage(
                api_key=vonage.api_key,
                api_secret=vonage.api_secret,
                signature_secret=vonage.signature_secret,
                base_url=vonage.base_url,
            ).line(NUMBERS["vonage"]),
        )

    def _sleeping(self, life: Life) -> Callable[[float], Coroutine[Any, Any, None]]:
        async def sleep(seconds: float) -> None:
            life.step()
            self.elapse(seconds)

        return sleep

    def _transport(self, life: Life) -> httpx.MockTransport:
        def carry(request: httpx.Request) -> httpx.Response:
            life.step()
            reply = self._carried(request, life.spared)
            life.step()
            if isinstance(reply, Failure):
                raise getattr(httpx, reply.kind)(reply.kind)
            headers = list(reply.headers)
            return httpx.Response(reply.status, headers=headers, content=reply.body)

        return httpx.MockTransport(carry)

    def _carried(self, request: httpx.Request, spared: frozenset[str]) -> Reply:
        """Have a carrier answer, and note whom it may charge for."""
        carrier: Carrier = "vonage" if "/v1/" in request.url.path else "telnyx"
        headers = request.headers.items()
        asked = Request(request.method, str(request.url), headers, request.content)
        face = self.face(carrier)
        reply = face.handle(asked)
        if face.sends(asked):
            self._posted(carrier, request, reply)
        if any(_bare(member) in request.content for member in spared & self.stopped()):
            self.ledger.wrongs.append("somebody was texted who had written STOP")
        return reply

    def _posted(self, carrier: Carrier, request: httpx.Request, reply: Reply) -> None:
        found = _KEY.search(request.content)
        assert found is not None
        self.posted[found[0].decode()] += 1
        surely_not = (
            reply.unsent if isinstance(reply, Failure) else reply.status // 100 == 4
        )
        if not surely_not:
            copies = 1 if carrier == "vonage" else len(PEOPLE)
            self.charged[carrier, found[1].decode()] += copies

    def _post(self, request: Request, _timeout: float) -> Reply:
        """Bring a webhook to a worker who is up, or to nobody."""
        up = [n for n, worker in enumerate(self.workers) if worker.life.alive]
        place = next((n for n in up if n != self._still), None)
        if place is None:
            return Failure("ConnectError", unsent=True)
        name = request.url.partition("?")[0].rpartition("/")[2]
        answer = self.act(place, lambda client: client.receive(name, request))
        match answer:
            case None:
                return Failure("ReadError")
            case WebhookError():
                return Response(answer.status)
            case MultigroupError():
                return Response(500)
            case _:
                return Response(cast("Any", answer).status)


def _bare(member: str) -> bytes:
    return member.removeprefix("+").encode()
