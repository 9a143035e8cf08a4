"""Lives of a worker in virtual time: they end, or stand still, between any two acts.

An act is a call to the journal or to a carrier. A life that ended does nothing more,
cleaning up included, as a process that was killed; one that stood still goes on, while
others took its work for abandoned.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Self, TypeVar

from attrs import define, evolve, field

from multigroup.effects import Reserved, Stored
from multigroup.events import Event, EventKey
from multigroup.journal import Journal
from multigroup.journal.owners import _started, host
from multigroup.models import Accepted, SendId
from multigroup.records import Begun, Change, Reopened, SendRecord

__all__ = ["NAMESPACE", "Died", "Ledger", "Life", "MortalJournal"]

T = TypeVar("T")

NAMESPACE: Final = "default"


class Died(BaseException):
    """The process is no more."""


@define(eq=False)
class Life:
    """One process, as others see it: by the name of *owner*.

    *recalled* is the send that it looked up first, of what it does now; *spared* are
    those who had written STOP when it began.
    """

    owner: str
    alive: bool = field(default=True, init=False)
    recalled: SendRecord | None = field(default=None, init=False)
    spared: frozenset[str] = field(default=frozenset(), init=False)
    _double: subprocess.Popen[bytes] | None = None
    _acts: int = field(default=0, init=False)
    _then: Callable[[], None] | None = field(default=None, init=False)

    @property
    def seen_dead(self) -> bool:
        """Tell whether others know that it ended: of another machine nobody does."""
        return not self.alive and not self.owner.startswith("elsewhere/")

    @classmethod
    def here(cls) -> Self:
        """Return a life on this machine, whose end everybody sees at once.

        A process that sleeps stands in for it.
        """
        double = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL)  # noqa: S607
        return cls(f"{host()}/{double.pid}/{_started(double.pid)}", double)

    @classmethod
    def elsewhere(cls, name: str) -> Self:
        """Return a life on another machine: only its lease tells of its end."""
        return cls(f"elsewhere/boot/{name}")

    def interrupt(self, after: int, then: Callable[[], None]) -> None:
        """Have *then* done after so many steps of its work."""
        self._acts, self._then = after, then

    def spare(self) -> None:
        """Have it live on undisturbed."""
        self._then = None

    def end(self) -> None:
        """End it, for whoever can see it."""
        self.alive = False
        if self._double is not None:
            self._double.kill()
            self._double.wait(10)
            self._double = None

    def step(self) -> None:
        """Go on to the next step, if there is one.

        Raises:
            Died: there is not.
        """
        if self.alive and self._then is not None:
            self._acts -= 1
            if self._acts <= 0:
                then, self._then = self._then, None
                then()
        if not self.alive:
            raise Died


@define(eq=False)
class Ledger:
    """What all lives together did to one journal, and what none of them may do.

    *taken* counts how often each event was given to somebody. *wrongs* says in words
    what should not have been given to anybody.
    """

    references: list[str] = field(factory=list[str], init=False)
    taken: Counter[EventKey] = field(factory=Counter[EventKey], init=False)
    settled: set[EventKey] = field(factory=set[EventKey], init=False)
    wrongs: list[str] = field(factory=list[str], init=False)
    _leases: dict[SendId, tuple[Life, float]] = field(
        factory=dict[SendId, tuple[Life, float]], init=False
    )
    _holds: dict[EventKey, tuple[Life, float]] = field(
        factory=dict[EventKey, tuple[Life, float]], init=False
    )

    def compare(self, old: SendRecord | None, new: SendRecord | None) -> None:
        """Note if anything that was known of a send is known no more."""
        if old is None or new is None:
            return
        for was, now in zip(old.attempts, new.attempts, strict=False):
            if isinstance(was.outcome, Accepted) and now.outcome != was.outcome:
                dearer = isinstance(now.outcome, Accepted) and was.outcome.cost is None
                if not dearer:
                    self.wrongs.append(f"{was.leg} was accepted, and is not now")
        for place, report in old.reports.items():
            if new.reports[place].status.rank < report.status.rank:
                self.wrongs.append(f"{place[0]} was {report.status}, and is less now")

    def lease(self, life: Life, record: SendRecord) -> None:
        """Note until when *life* has a send, if it is the one that has it."""
        if record.lease.owner == life.owner:
            self._leases[record.id] = (life, record.lease.until)

    def take_over(self, life: Life, record: SendRecord, now: float) -> None:
        """Note that *life* was given a send that somebody had."""
        if _working(self._leases.get(record.id), now):
            self.wrongs.append(f"{record.reference} was taken from who worked on it")
        self.lease(life, record)

    def claim(self, life: Life, key: EventKey, now: float, until: float) -> None:
        """Note that *life* may handle an event now."""
        self.taken[key] += 1
        if key in self.settled:
            self.wrongs.append(f"{key} was settled, and given to somebody")
        if _working(self._holds.get(key), now):
            self.wrongs.append(f"{key} was taken from who handled it")
        self._holds[key] = (life, until)

    def settle(self, key: EventKey, *, done: bool, claim: float | None) -> None:
        """Note that nobody has an event any more, unless another claimed it since."""
        held = self._holds.get(key)
        if not done and held is not None and claim not in (None, held[1]):
            return
        self._holds.pop(key, None)
        if done:
            self.settled.add(key)


def _working(holder: tuple[Life, float] | None, now: float) -> bool:
    """Tell whether *holder* is at work, as far as anybody else can know."""
    return holder is not None and holder[1] > now and not holder[0].seen_dead


@define(eq=False)
class MortalJournal:
    """A journal as one *life* uses it, under its own name of an owner."""

    inner: Journal
    life: Life
    ledger: Ledger
    blocks: ClassVar[bool] = False
    durable: ClassVar[bool] = True

    def reserve(self, record: SendRecord, begun: Begun | None = None) -> Reserved:
        """Reserve for our life."""
        ours = evolve(record, lease=evolve(record.lease, owner=self.life.owner))
        if record.reference not in self.ledger.references:
            self.ledger.references.append(record.reference)

        def reserve() -> Reserved:
            held = self.inner.reserve(ours, begun)
            self.ledger.lease(self.life, held.record)
            return held

        return self._step(reserve)

    def take_over(
        self, send: SendId, owner: str, now: float, until: float
    ) -> SendRecord | None:
        """Take over for our life."""
        del owner
        owner = self.life.owner

        def take_over() -> SendRecord | None:
            record = self.inner.take_over(send, owner, now, until)
            if record is not None:
                self.ledger.take_over(self.life, record, now)
            return record

        return self._step(take_over)

    def write(
        self, send: SendId, change: Change, fence: int | None = None
    ) -> SendRecord:
        """Write; what is reopened is our life's."""
        if isinstance(change, Reopened):
            change = evolve(change, owner=self.life.owner)

        def write() -> SendRecord:
            before = self._all()
            record = self.inner.write(send, change, fence)
            self.ledger.lease(self.life, record)
            self._compare(before)
            return record

        return self._step(write)

    def store(self, namespace: str, events: Sequence[Event]) -> tuple[Stored, ...]:
        """Store, and look whether any send knows less for it."""

        def store() -> tuple[Stored, ...]:
            before = self._all()
            stored = self.inner.store(namespace, events)
            self._compare(before)
            return stored

        return self._step(store)

    def _all(self) -> dict[str, SendRecord | None]:
        names = self.ledger.references
        return {name: self.inner.recall(NAMESPACE, name) for name in names}

    def _compare(self, before: dict[str, SendRecord | None]) -> None:
        for name, new in self._all().items():
            self.ledger.compare(before.get(name), new)

    def recall(self, namespace: str, reference: str) -> SendRecord | None:
        """Look a send up."""

        def recall() -> SendRecord | None:
            record = self.inner.recall(namespace, reference)
            self.life.recalled = self.life.recalled or record
            return record

        return self._step(recall)

    def claim(
        self, namespace: str, key: EventKey, owner: str, now: float, until: float
    ) -> bool | None:
        """Claim for our life."""
        del owner
        owner = self.life.owner

        def claim() -> bool | None:
            free = self.inner.claim(namespace, key, owner, now, until)
            if free:
                self.ledger.claim(self.life, key, now, until)
            return free

        return self._step(claim)

    def settle(
        self,
        namespace: str,
        key: EventKey,
        *,
        done: bool,
        claim: float | None = None,
        **more: Any,
    ) -> None:
        """Settle, and note what is over."""

        def settle() -> None:
            self.inner.settle(namespace, key, done=done, claim=claim, **more)
            self.ledger.settle(key, done=done, claim=claim)

        self._step(settle)

    def close(self) -> None:
        """Leave the journal to the others."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return any other operation, done between two steps."""
        work = getattr(self.inner, name)
        return lambda *given, **named: self._step(lambda: work(*given, **named))

    def _step(self, work: Callable[[], T]) -> T:
        """Do *work* between two steps: a life may end before it, or after."""
        self.life.step()
        answer = work()
        self.life.step()
        return answer
