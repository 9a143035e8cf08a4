"""The command `simulate`, run as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

COMMAND = "from multigroup.cli.simulate import simulate; simulate()"
A, B = "+14155550101", "+14155550102"


class Running:
    """A command under way."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-c", COMMAND, "--port", "0", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.settings: Any = None

    @property
    def out(self) -> IO[str]:
        """Return what it writes."""
        assert self.process.stdout is not None
        return self.process.stdout

    def type(self, line: str) -> None:
        """Write *line* to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def event(self) -> Any:
        """Read one event."""
        return json.loads(self.out.readline())

    def send(self) -> int:
        """Send to a group by its Telnyx."""
        telnyx = self.settings["telnyx"]
        answer = httpx.post(
            telnyx["base_url"] + "/messages/group_mms",
            headers={"authorization": f"Bearer {telnyx['api_key']}"},
            json={"from": telnyx["numbers"][0], "to": [A, B], "text": "Hello"},
            trust_env=False,
        )
        return answer.status_code

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """End it; return its exit status and its complaints."""
        self.process.send_signal(how)
        _, complaints = self.process.communicate(timeout=20)
        return self.process.returncode, complaints


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Run the command with JSON and the options in the marker's parameter."""
    made = Running("--json", *getattr(request, "param", ()))
    try:
        made.settings = json.loads(made.out.readline())["carriers"]
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def test_the_first_line_says_where_and_how(running: Running) -> None:
    """It has an address, keys and numbers for each carrier."""
    assert set(running.settings) == {"telnyx", "vonage"}
    assert running.settings["telnyx"]["base_url"].endswith("/v2")
    assert running.settings["telnyx"]["numbers"] == ["+14155550150"]
    assert running.settings["vonage"]["numbers"] == ["+14155550160"]
    assert len(running.settings["vonage"]["signature_secret"]) == 64


def test_every_event_is_a_line(running: Running) -> None:
    """Two phones ring and a call was answered."""
    assert running.send() == 200
    events = [running.event() for _ in range(3)]
    assert [event["kind"] for event in events] == ["ring", "ring", "call"]
    assert (events[2]["carrier"], events[2]["status"]) == ("telnyx", 200)


def test_a_phone_answers_when_told(running: Running) -> None:
    """A number and a text on standard input make a reply."""
    running.send()
    for _ in range(3):
        running.event()
    running.type("")
    running.type(f"{A} On my way")
    assert running.event()["words"] == f"{A} writes on +14155550150"


def test_what_makes_no_sense_is_complained_about(running: Running) -> None:
    """A phone without a thread cannot answer, and the command goes on."""
    running.type(f"{A} Hello?")
    running.type("hello")
    assert running.send() == 200
    running.event()
    status, complaints = running.stop()
    assert status == 0
    assert "no such thread" in complaints


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(running: Running, how: signal.Signals) -> None:
    """Ctrl-C and `kill` give exit status 0 and no traceback."""
    assert running.stop(how) == (0, "")


@pytest.mark.parametrize(
    "running",
    [["--seed", "1", "--telnyx-number", A, "--telnyx-number", B]],
    indirect=True,
    ids=["numbers"],
)
def test_numbers_can_be_chosen(running: Running) -> None:
    """Named, they replace the default."""
    assert running.settings["telnyx"]["numbers"] == [A, B]


def test_the_private_key_goes_to_a_file(tmp_path: Path) -> None:
    """Only its owner can read it."""
    path = tmp_path / "key.pem"
    running = Running("--vonage-key-file", str(path))
    assert running.out.readline().startswith("telnyx  base_url")
    running.stop()
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert path.stat().st_mode & 0o077 == 0


def test_without_json_it_writes_for_people() -> None:
    """Addresses and keys come a line each, then the events."""
    running = Running()
    try:
        lines = [running.out.readline().split() for _ in range(10)]
        found = {(line[0], line[1]): line[2] for line in lines}
        running.settings = {
            "telnyx": {
                "base_url": found["telnyx", "base_url"],
                "api_key": found["telnyx", "api_key"],
                "numbers": [found["telnyx", "numbers"]],
            }
        }
        assert running.send() == 200
        assert running.out.readline().split()[1] == "ring"
        assert running.stop() == (0, "")
    finally:
        running.process.kill()
        running.process.communicate()


def test_a_taken_port_is_said_plainly(running: Running) -> None:
    """No traceback, and exit status 1."""
    port = httpx.URL(running.settings["telnyx"]["base_url"]).port
    other = Running("--port", str(port))
    _, complaints = other.process.communicate(timeout=20)
    assert other.process.returncode == 1
    assert complaints.startswith("Error: cannot listen")
