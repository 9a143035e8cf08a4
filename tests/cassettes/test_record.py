"""Recording, rehearsed with the simulator: what a carrier answers is not known here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import copyfile
from typing import Final
from urllib.parse import urlsplit

import pytest
from attrs import define, field

from multigroup.simulator import Network, SteppedClock
from multigroup.wire import Failure, Response
from tests.helpers.world import Carrier

from .compare import differences
from .files import LIVE, ROOT, SIMULATED, Origin, Tape
from .live import Plan, record_live
from .options import pytest_cmdline_main, pytest_report_header
from .record import Recorder, record_one
from .scenarios import SCENARIOS, Account

TODAY: Final = date(2030, 1, 1)
# Nobody has a number with area code 999, and yet it is none of the fictitious ones.
US, *PEOPLE = (f"+1999234567{last}" for last in range(4))
SETTINGS: Final = {
    "TELNYX_API_KEY": "opensesame",
    "VONAGE_API_KEY": "open",
    "VONAGE_API_SECRET": "sesame",
    "MULTIGROUP_LIVE_LINE": US,
    "MULTIGROUP_LIVE_MEMBERS": ", ".join(PEOPLE),
    "MULTIGROUP_LIVE_PRICE": "0.0240 USD",
}


@define
class Desk:
    """A person who records, with the simulator for a carrier."""

    carrier: Carrier
    network: Network
    root: Path
    said: list[str] = field(factory=list[str])

    def record(self, origin: Origin = SIMULATED, *, really: bool = True) -> int:
        """Record what can be recorded live."""

        def recorder(plan: Plan) -> Recorder:
            account = Account.simulated(self.carrier, self.network)
            here = f"http://{urlsplit(account.base_url or '').netloc}"
            return Recorder(
                origin=origin,
                account=account,
                line=plan.line,
                members=plan.members,
                today=TODAY,
                root=self.root,
                hosts={} if origin.live else {here: f"http://{self.carrier}.invalid"},
            )

        return record_live(
            self.carrier,
            SETTINGS,
            today=TODAY,
            say=self.said.append,
            really=really,
            recorder=recorder,
        )

    @property
    def calls(self) -> int:
        """Return how often the carrier was called."""
        return sum(entry.kind == "call" for entry in self.network.log)

    @property
    def files(self) -> list[Path]:
        """Return what was kept."""
        return sorted(self.root.rglob("*.yaml"))


@pytest.fixture
def desk(carrier: Carrier, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk whose carrier has our number, served by HTTP."""
    network = Network(clock=SteppedClock(1_767_225_600.0), seed=3)
    face = network.telnyx if carrier == "telnyx" else network.vonage
    face.add_number(US)
    with network.serve():
        yield Desk(carrier, network, tmp_path)


@pytest.mark.parametrize("key", [("telnyx", "group"), ("vonage", "half-refused")])
def test_a_cassette_made_again_is_the_same(
    key: tuple[str, str], tmp_path: Path
) -> None:
    """On another day the simulator's cassette is left as it stands, to the byte."""
    kept = ROOT / "simulator" / key[0] / f"{key[1]}.yaml"
    copy = tmp_path / kept.relative_to(ROOT)
    copy.parent.mkdir(parents=True)
    copyfile(kept, copy)

    assert record_one(SCENARIOS[key], TODAY, tmp_path) == (copy, [])
    assert copy.read_bytes() == kept.read_bytes()


def test_without_the_second_switch_nothing_is_sent(desk: Desk) -> None:
    """The dry run calls nobody and keeps nothing."""
    assert desk.record(really=False) == 0

    assert (desk.calls, desk.files) == (0, [])
    assert desk.said[-1].startswith("This was a dry run: nothing was sent")


def test_the_dry_run_says_who_gets_what_and_the_most_it_costs(desk: Desk) -> None:
    """Numbers are masked, and copies are counted even where a refusal is expected."""
    desk.record(really=False)

    said = "\n".join(desk.said)
    copies, cost = {"telnyx": (7, "0.1680"), "vonage": (6, "0.1440")}[desk.carrier]
    assert f"in all: {copies} to pay for, at most {cost} USD" in said
    assert "from …5670 to …5671, …5672, …5673: 'Dinner at 7?', 3 to pay" in said
    assert not any(number[2:] in said for number in (US, *PEOPLE))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TELNYX_API_KEY", "", "TELNYX_API_KEY is not set"),
        ("MULTIGROUP_LIVE_LINE", "28228", "+1 and ten digits"),
        ("MULTIGROUP_LIVE_MEMBERS", "", "MULTIGROUP_LIVE_MEMBERS is not set"),
        ("MULTIGROUP_LIVE_MEMBERS", PEOPLE[0], "name 2 or 3 people"),
        ("MULTIGROUP_LIVE_MEMBERS", f"{PEOPLE[0]},{US}", "name 2 or 3 people"),
        ("MULTIGROUP_LIVE_PRICE", "", "MULTIGROUP_LIVE_PRICE is not set"),
        ("MULTIGROUP_LIVE_PRICE", "cheap", "write it like 0.0240 USD"),
    ],
)
def test_without_consent_or_a_price_nothing_starts(
    name: str, value: str, words: str
) -> None:
    """Whoever is texted was named, and what it costs was said, before anything else."""
    said: list[str] = []
    settings = {**SETTINGS, name: value}

    status = record_live("telnyx", settings, today=TODAY, say=said.append, really=True)

    assert status == 4
    assert len(said) == 1
    assert words in said[0]


def test_a_recording_is_kept_clean(desk: Desk) -> None:
    """Members, our number and keys are replaced, in the request and in the reply."""
    assert desk.record() == 0

    names = {path.stem for path in desk.files}
    assert names >= {"group", "refused"}
    group = Tape.load(next(path for path in desk.files if path.stem == "group"))
    assert group.members == ("+14155550101", "+14155550102", "+14155550103")
    assert group.provenance.line == "+12125550100"
    text = "".join(path.read_text("utf-8") for path in desk.files)
    assert not any(number[2:] in text for number in (US, *PEOPLE))
    assert all(desk.network.handset(number).bubbles for number in PEOPLE)


def test_the_simulator_cannot_pass_for_a_carrier(desk: Desk) -> None:
    """Under live/ its address and its server's name give it away; one send, no file."""
    assert desk.record(LIVE) == 1

    assert desk.files == []
    assert "sent but not kept" in desk.said[-1]
    assert "loopback" in desk.said[-1]
    assert "the simulator's server" in desk.said[-1]
    assert desk.calls == {"telnyx": 1, "vonage": 3}[desk.carrier]


def test_a_reply_that_leaks_is_not_kept(desk: Desk) -> None:
    """The check after the send throws away what the scrubber does not know."""
    body = b'{"data": {"id": "1"}, "contact": "ana@example.com"}'
    face = desk.network.telnyx if desk.carrier == "telnyx" else desk.network.vonage

    with face.answer(Response(200, {"content-type": "application/json"}, body)):
        assert desk.record() == 1

    assert desk.files == []
    assert "a mail address" in desk.said[-1]
    assert "ana@" not in desk.said[-1]


def test_a_carrier_that_does_not_answer_leaves_no_cassette(desk: Desk) -> None:
    """A cut connection is no exchange."""
    face = desk.network.telnyx if desk.carrier == "telnyx" else desk.network.vonage

    with face.answer(Failure("ReadError")):
        assert desk.record() == 1

    assert desk.files == []
    assert "nobody answered" in desk.said[-1]


def test_the_difference_to_the_simulator_is_told() -> None:
    """What only the carrier's reply has, and what it lacks, is named by its place."""
    ours = Tape.load(ROOT / "simulator/vonage/media.yaml")
    theirs = Tape.load(ROOT / "simulator/vonage/throttled.yaml")

    told = differences(ours, theirs)

    assert differences(ours, ours) == []
    assert "reply 0: only live: status 429" in told
    assert "reply 0: only ours: body.message_uuid: str" in told
    assert "reply 0: only live: header retry-after" in told


def test_recording_is_off_by_default(pytestconfig: pytest.Config) -> None:
    """A run of tests runs tests, and says what its cassettes prove."""
    assert pytest_cmdline_main(pytestconfig) is None
    assert "they prove our parsing, not the carrier" in pytest_report_header()


def test_the_command_line_asks_for_keys_first() -> None:
    """Without keys `pytest --record-live` says what is missing, and runs no test."""
    bare = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, "-m", "pytest", "--record-live", "vonage"]

    run = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT.parent, env=bare, capture_output=True, text=True, check=False
    )

    assert run.returncode == 4
    assert run.stdout.startswith("VONAGE_API_KEY is not set. Nothing was sent")
