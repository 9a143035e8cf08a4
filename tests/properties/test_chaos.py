"""Whatever happens in whatever order: each is texted once, or there is honest doubt.

Sends, faults of carriers, workers that die or stand still between any two acts, late,
doubled and reordered webhooks, retries, opt-outs. `MULTIGROUP_CHAOS` is the number of
schedules; `.ci/long chaos` tries more of them.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from multigroup import (
    Accepted,
    Journal,
    MemoryJournal,
    Policy,
    SQLiteJournal,
    Unknown,
)
from multigroup.records import SendRecord, receipt
from tests.helpers.lives import Died
from tests.helpers.town import (
    CARRIERS,
    LEASE,
    NAMESPACE,
    PEOPLE,
    PRICES,
    Carrier,
    Town,
)
from tests.helpers.troubles import FAULTS, Deed, Fault, fail, to_do

SCHEDULES: Final = int(os.environ.get("MULTIGROUP_CHAOS") or 200)
REFERENCES: Final = ("breakfast", "lunch", "dinner")
WORKERS: Final = st.integers(0, 1)

DEEDS: Final[tuple[Deed, ...]] = ("send", "send", "retry", "risk", "resume", "due")
FAULT: Final = st.tuples(
    st.sampled_from(CARRIERS), st.sampled_from(FAULTS), st.integers(1, 3)
)
ILLS: Final = st.tuples(
    st.integers(1, 9) | st.integers(1, 30),
    st.lists(st.sampled_from((*DEEDS, "hear", "hear", "hear")), max_size=3),
)
"""After how many steps a worker dies, or what others do while it stands still."""


class Chaos(RuleBasedStateMachine):
    """A town whose day is drawn by chance."""

    def opened(self) -> Journal:
        """Open an empty journal."""
        return MemoryJournal()

    @initialize(
        first=st.sampled_from(CARRIERS),
        fan_out=st.sampled_from(["all", "canary"]),
        on_opt_out=st.sampled_from(["refuse", "refuse", "drop"]),
        failing=st.sampled_from([(), (), (), PEOPLE[:1], PEOPLE]),
    )
    def begin(self, first: Carrier, failing: tuple[str, ...], **policy: Any) -> None:
        """Found the town; some phones can never be reached."""
        self.town = Town(self.opened(), Policy(**policy), first)
        self.failing = failing
        for member in failing:
            self.town.network.handset(member).failing = "carrier_down"
        self.allowed: Counter[tuple[str, str]] = Counter()

    @rule(
        place=WORKERS,
        deed=st.sampled_from(DEEDS),
        name=st.integers(0, 9),
        faults=st.lists(FAULT, max_size=2),
        brief=st.booleans(),
        ill=st.none() | st.none() | ILLS,
    )
    def work(
        self,
        place: int,
        deed: Deed,
        name: int,
        faults: list[tuple[Carrier, Fault, int]],
        brief: bool,  # noqa: FBT001
        ill: tuple[int, list[Deed]] | None,
    ) -> None:
        """Have a worker do something, while carriers fail and it dies or stalls."""
        switches = [fail(self.town, *fault) for fault in faults]
        self.town.faulty(*switches)
        reference = self._reference(deed, name)
        if ill is not None:
            self._befall(place, *ill, reference)
        self._do(place, deed, reference, 9.0 * (name % 2))
        for switch in switches if brief else ():
            switch.off()

    def _reference(self, deed: Deed, number: int) -> str:
        """Return which send is meant; a handler's answers can be retried, too."""
        known = (
            REFERENCES if deed == "send" else self.town.ledger.references or REFERENCES
        )
        return known[number % len(known)]

    def _do(
        self, place: int, deed: Deed, name: str = "", deadline: float = 0.0
    ) -> None:
        if deed == "hear":
            self.town.network.advance(3.0)
            return
        life = self.town.worker(place).life
        life.recalled = None
        self.town.act(place, to_do(deed, name, deadline))
        if deed == "risk":
            self._allow(life.recalled)

    def _allow(self, record: SendRecord | None) -> None:
        """One more copy may come to each of whom nothing was known at that moment."""
        for member, known in self.town.outcomes(record) if record else ():
            if record and isinstance(known, Unknown):
                self.allowed[record.message.text, member] += 1

    @rule(place=WORKERS, ill=ILLS, name=st.sampled_from(REFERENCES))
    def doom(self, place: int, ill: tuple[int, list[Deed]], name: str) -> None:
        """Have something befall a worker in what it does next."""
        self._befall(place, *ill, name)

    def _befall(self, place: int, after: int, deeds: list[Deed], name: str) -> None:
        """Have a worker die after some steps, or stand still during *deeds*."""

        def others() -> None:
            self.town.elapse(LEASE if after % 2 else 1.0)
            for deed in deeds:
                self._do(1 - place, deed, name)

        def then() -> None:
            if not deeds:
                life.end()
                raise Died
            self.town.meanwhile(place, others)

        life = self.town.worker(place).life
        life.interrupt(after, then)

    @rule()
    def heal(self) -> None:
        """End all faults."""
        self.town.heal()

    @rule(place=WORKERS)
    def kill(self, place: int) -> None:
        """End a worker while it does nothing."""
        self.town.worker(place).life.end()

    @rule(seconds=st.sampled_from([0.0, 0.6, 3.0, LEASE, 4000.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass, in which webhooks come."""
        self.town.network.advance(seconds)

    @rule(
        carrier=st.sampled_from(CARRIERS),
        how=st.sampled_from(["double", "hold", "release", "reverse"]),
    )
    def webhooks(self, carrier: Carrier, how: str) -> None:
        """Have a carrier double its next webhooks, keep them back or let them go."""
        hooks = self.town.face(carrier).hooks
        match how:
            case "double":
                hooks.duplicate(3)
            case "hold":
                hooks.hold()
            case _:
                hooks.release(reverse=how == "reverse")

    @rule(member=st.sampled_from(PEOPLE), carrier=st.sampled_from(CARRIERS))
    def ask(self, member: str, carrier: Carrier) -> None:
        """Have a member write something that is answered."""
        question = f"Question {len(self.town.asked)}"
        self.town.asked.append(question)
        self._write(member, carrier, question)

    @precondition(lambda self: len(self.town.ledger.references) > 1)
    @rule(
        member=st.sampled_from(PEOPLE),
        carrier=st.sampled_from(CARRIERS),
        word=st.sampled_from(["STOP", "START"]),
    )
    def opt(self, member: str, carrier: Carrier, word: str) -> None:
        """Have a member opt out or in."""
        self._write(member, carrier, word)

    def _write(self, member: str, carrier: Carrier, text: str) -> None:
        phone = self.town.network.handset(member)
        phone.reply(text, to=self.town.thread(carrier))
        self.town.network.run_due()

    @invariant()
    def all_is_well(self) -> None:
        """Hold what must hold at any time."""
        self.nothing_is_done_twice()
        self.nobody_is_texted_twice()
        self.what_is_told_is_true()
        self.money_is_counted_once()

    def nothing_is_done_twice(self) -> None:
        """No leg is posted twice, and no event given to anybody once it is settled.

        Nor is work taken from who is at it, or anybody texted who wrote STOP; no
        acceptance is forgotten, and no status goes back.
        """
        town = self.town
        assert all(times == 1 for times in town.posted.values())
        assert town.ledger.wrongs == []
        for key, times in town.handled.items():
            assert times <= town.ledger.taken[key]

    def nobody_is_texted_twice(self) -> None:
        """A member has a message once, and once more for each risk that was taken."""
        for place, copies in self.town.copies().items():
            assert copies <= 1 + self.allowed[place], place

    def what_is_told_is_true(self) -> None:
        """Whoever has the message is not told to have surely not got it."""
        copies = self.town.copies()
        for record in self.town.records():
            for member, known in self.town.outcomes(record):
                if copies[record.message.text, member]:
                    assert isinstance(known, Accepted | Unknown), (member, known)

    def money_is_counted_once(self) -> None:
        """A receipt never costs more than the carriers charged."""
        for record in self.town.records():
            cost = receipt(record).cost
            if cost is not None:
                carrier: Carrier = "vonage" if cost.currency == "EUR" else "telnyx"
                copies = self.town.charged[carrier, record.id]
                assert cost.amount <= copies * PRICES[carrier]

    def teardown(self) -> None:
        """When all is well again all doubt is resolved, by evidence or by risk."""
        if not hasattr(self, "town"):
            return
        try:
            self._end()
        finally:
            self.town.close()

    def _end(self) -> None:
        town = self.town
        for worker in town.workers:
            worker.life.spare()
        town.heal()
        for member in PEOPLE:
            self._write(member, "telnyx", "START")
            self._write(member, "vonage", "START")
        for _ in range(3):
            town.elapse(LEASE)
            town.act(0, lambda client: client.run_due())
            town.network.settle()
        self.all_is_well()
        assert town.journal.waiting(NAMESPACE, town.network.now(), 9) == ()
        assert all(town.handled[key] for key in town.ledger.settled)
        self._resolved()
        for name in tuple(town.ledger.references):
            self._do(0, "risk", name)
        town.network.settle()
        self.all_is_well()
        self._resolved()

    def _resolved(self) -> None:
        """Nobody who has it is in doubt, and no send is left open."""
        copies = self.town.copies()
        for record in self.town.records():
            assert record.closed
            assert all(attempt.ended_at for attempt in record.attempts)
            for member, known in self.town.outcomes(record):
                if copies[record.message.text, member]:
                    assert isinstance(known, Accepted)


class ChaosOnDisk(Chaos):
    """The same, with the journal in a file that each schedule has anew."""

    def opened(self) -> Journal:
        """Open a journal in a directory of its own."""
        self.directory = TemporaryDirectory()
        return SQLiteJournal(Path(self.directory.name) / "sends.db")

    def teardown(self) -> None:
        """Remove the file as well."""
        super().teardown()
        if hasattr(self, "directory"):
            self.directory.cleanup()


USUAL: Final = settings(
    max_examples=SCHEDULES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestChaos = Chaos.TestCase
TestChaos.settings = USUAL
TestChaosOnDisk = ChaosOnDisk.TestCase
TestChaosOnDisk.settings = settings(USUAL, max_examples=SCHEDULES // 4)
