"""The command `simulate`, run as a process of its own."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from multigroup.simulator.front import HOSTS

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
        self.page = ""

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
        opening = json.loads(made.out.readline())
        made.settings, made.page = opening["carriers"], opening["page"]
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def test_the_first_line_says_where_and_how(running: Running) -> None:
    """It has an address, keys and numbers for each carrier."""
    assert [*running.settings] == ["telnyx", "vonage", "bandwidth", "twilio"]
    assert running.settings["telnyx"]["base_url"].endswith("/v2")
    assert running.settings["telnyx"]["numbers"] == ["+14155550150"]
    assert running.settings["vonage"]["numbers"] == ["+14155550160"]
    assert len(running.settings["vonage"]["signature_secret"]) == 64
    assert running.settings["bandwidth"]["base_url"].endswith("/api/v2")
    assert running.settings["bandwidth"]["numbers"] == ["+14155550170"]
    assert running.settings["twilio"]["base_url"].endswith("/v1")
    assert running.settings["twilio"]["numbers"] == ["+14155550180"]


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


def test_the_page_is_there(running: Running) -> None:
    """Its address stands in the first line."""
    assert "Simulated carriers" in httpx.get(running.page, trust_env=False).text


def test_it_ends_with_a_page_open(running: Running) -> None:
    """A browser that listens does not hold up the end."""
    url = f"{running.page}api/events"
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("GET", url) as answer,
    ):
        assert next(answer.iter_lines()).startswith("id: ")
        assert running.stop() == (0, "")


@pytest.mark.parametrize("running", [["--stepped"]], indirect=True, ids=["stepped"])
def test_time_may_stand_still(running: Running) -> None:
    """It moves by steps on the page."""
    answer = httpx.post(
        f"{running.page}api/clock", json={"seconds": 60}, trust_env=False
    )
    assert answer.status_code == 200


def test_to_other_machines_it_warns() -> None:
    """The wildcard address lets anybody in, and is told as this machine's own."""
    running = Running("--json", "--host", "0.0.0.0")  # noqa: S104 - to be warned about
    opening = json.loads(running.out.readline())
    assert opening["page"].startswith("http://127.0.0.1:")
    status, complaints = running.stop()
    assert status == 0
    assert "other machines" in complaints


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


@pytest.mark.parametrize(
    "running",
    [["--carrier", "twilio", "--carrier", "bandwidth", "--seed", "1"]],
    indirect=True,
    ids=["carriers"],
)
def test_carriers_can_be_chosen(running: Running) -> None:
    """Only those are served, and each takes its own credentials."""
    assert [*running.settings] == ["bandwidth", "twilio"]
    twilio, bandwidth = running.settings["twilio"], running.settings["bandwidth"]
    made = httpx.post(
        twilio["base_url"] + "/Conversations",
        auth=(twilio["account_sid"], twilio["auth_token"]),
        data={"FriendlyName": "Dinner"},
        trust_env=False,
    )
    assert made.status_code == 201
    sent = httpx.post(
        f"{bandwidth['base_url']}/users/{bandwidth['account_id']}/messages",
        auth=(bandwidth["username"], bandwidth["password"]),
        json={
            "applicationId": bandwidth["application_id"],
            "from": bandwidth["numbers"][0],
            "to": [A, B],
            "text": "Hello",
        },
        trust_env=False,
    )
    assert sent.status_code == 202
    events = [running.event() for _ in range(4)]
    assert [event["carrier"] for event in events if event["kind"] == "call"] == [
        "twilio",
        "bandwidth",
    ]


def test_the_private_key_goes_to_a_file(tmp_path: Path) -> None:
    """Only its owner can read it."""
    path = tmp_path / "key.pem"
    running = Running("--vonage-key-file", str(path))
    assert running.out.readline().startswith("page      url")
    running.stop()
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert path.stat().st_mode & 0o077 == 0


def test_without_json_it_writes_for_people() -> None:
    """Addresses and keys come a line each, then the events."""
    running = Running()
    try:
        lines = [running.out.readline().split() for _ in range(31)]
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


def test_by_https_there_is_an_export_line_per_sdk() -> None:
    """Its variables lead a client that knows nothing of us to the carrier."""
    pytest.importorskip("trustme", reason="the extra `tls` is not installed")
    running = Running("--json", "--tls", "--tls-port", "0")
    try:
        tls = json.loads(running.out.readline())["tls"]
        assert {"telnyx", "vonage"} <= set(tls["exports"]) <= set(tls["base_urls"])
        for name, line in tls["exports"].items():
            variables = dict(pair.split("=", 1) for pair in line.split()[1:])
            proxy = variables.pop("HTTPS_PROXY")
            ((_, ca_file),) = variables.items()
            trusted = ssl.create_default_context(cafile=ca_file)
            with httpx.Client(proxy=proxy, verify=trusted) as client:
                answer = client.get(f"https://{HOSTS[name][0]}/")
                assert answer.status_code in {401, 404}
        assert running.stop() == (0, "")
        assert not Path(tls["ca_file"]).exists()
    finally:
        running.process.kill()
        running.process.communicate()


def test_for_people_the_export_lines_can_be_pasted() -> None:
    """They stand whole on lines of their own, below the settings."""
    pytest.importorskip("trustme", reason="the extra `tls` is not installed")
    running = Running("--tls", "--tls-port", "0")
    try:
        lines = [running.out.readline()]
        while not lines[-1].endswith("# vonage's SDK\n"):
            lines.append(running.out.readline())
        pasted = [line for line in lines if line.startswith("export HTTPS_PROXY=")]
        assert len(pasted) >= 2
        assert any(line.split()[:2] == ["tls", "ca_file"] for line in lines)
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
