"""Recording: one send through vcrpy, checked for leaks before the file is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import yaml
from attrs import frozen

from multigroup import __version__
from multigroup.simulator import Network, SteppedClock
from tests.helpers.world import NUMBERS, PEOPLE

from .files import ROOT, SIMULATED, Origin, Provenance, recording
from .leaks import leaks
from .scenarios import NOBODY, SCENARIOS, Account, Ending, Scenario, end
from .scrub import Scrubber, in_order

__all__ = ["OUR_LINE", "Recorder", "record_one", "record_simulator"]

OUR_LINE: Final = "+12125550100"
"""What stands for our own number, whichever it is."""

_START: Final = 1_767_225_600.0


@frozen(kw_only=True)
class Recorder:
    """Records scenarios of one *account* under *root*.

    *line* is our own number and *members* those who may be texted, all in E.164.
    """

    origin: Origin
    account: Account
    line: str
    members: tuple[str, ...]
    today: date
    root: Path = ROOT
    hosts: Mapping[str, str] = {}

    def path(self, wanted: Scenario) -> Path:
        """Return where the cassette of *wanted* is kept."""
        place = self.root / self.origin.folder / wanted.carrier
        return place / f"{wanted.name}.yaml"

    def people(self, wanted: Scenario) -> tuple[str, ...]:
        """Return who is texted."""
        return tuple(sorted(self.members[: wanted.people]))

    def record(self, wanted: Scenario) -> list[str]:
        """Send *wanted*, and keep the cassette unless something is wrong with it.

        Returns what is wrong.
        """
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / "cassette.yaml"
            ending = self._send(wanted, draft)
            if not draft.exists():
                return [f"nobody answered ({ending.error and ending.error.__name__})"]
            text = draft.read_text("utf-8")
        wrong = leaks(text, live=self.origin.live, secrets=self._secrets())
        if not wrong:
            _keep(self.path(wanted), text)
        return wrong

    def _send(self, wanted: Scenario, draft: Path) -> Ending:
        sender = self.line if wanted.ours else NOBODY
        people = self.people(wanted)
        names = {self.line: OUR_LINE, **in_order(self.members)}
        about = Provenance(
            made_with=self.origin.made_with,
            version=__version__,
            date=self.today,
            carrier=wanted.carrier,
            scenario=wanted.name,
            line=names.get(sender, sender),
        )
        scrub = Scrubber(names, secrets=self._credentials(), hosts=self.hosts)
        with recording(draft, self.origin, about, scrub) as note:
            ending = end(wanted, self.account.line(sender), people, http=self._http)
            known = ending.receipt.deliveries
            note({names[str(one)]: known[one].outcome.word for one in sorted(known)})
        return ending

    def _http(self) -> httpx.AsyncClient:
        """Return a client that sends a fan-out in order: over one connection."""
        return httpx.AsyncClient(
            limits=httpx.Limits(max_connections=1),
            timeout=httpx.Timeout(20.0),
            trust_env=self.origin.live,
        )

    def _credentials(self) -> tuple[str, ...]:
        given = (self.account.key, self.account.secret)
        return tuple(secret for secret in given if secret)

    def _secrets(self) -> Sequence[str]:
        names = {self.line: OUR_LINE, **in_order(self.members)}
        real = [number[2:] for number, name in names.items() if number != name]
        return (*self._credentials(), *real)


def record_simulator(today: date, root: Path = ROOT) -> dict[Path, list[str]]:
    """Remake every cassette under `simulator/`; return what is wrong with each."""
    return dict(record_one(wanted, today, root) for wanted in SCENARIOS.values())


def record_one(wanted: Scenario, today: date, root: Path) -> tuple[Path, list[str]]:
    """Make one cassette with the simulator; return where it is, and what is wrong."""
    network = Network(clock=SteppedClock(_START), seed=11)
    network.telnyx.add_number(NUMBERS["telnyx"])
    network.vonage.add_number(NUMBERS["vonage"])
    with network.serve():
        account = Account.simulated(wanted.carrier, network)
        place = urlsplit(account.base_url or "")
        recorder = Recorder(
            origin=SIMULATED,
            account=account,
            line=NUMBERS[wanted.carrier],
            members=PEOPLE,
            today=today,
            root=root,
            hosts={f"http://{place.netloc}": f"http://{wanted.carrier}.invalid"},
        )
        wanted.prepare(network)
        return recorder.path(wanted), recorder.record(wanted)


def _keep(path: Path, text: str) -> None:
    """Write *text* to *path*, unless only version and date would change."""
    if path.exists() and _lasting(path.read_text("utf-8")) == _lasting(text):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _lasting(text: str) -> object:
    document = yaml.safe_load(text)
    about = {**document["provenance"], "date": None, "version": None}
    return {**document, "provenance": about}
