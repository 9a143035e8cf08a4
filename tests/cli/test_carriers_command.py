"""The command `carriers`: the code's own tables, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress

import attrs
import pytest

from multigroup import Bandwidth, Capabilities, Telnyx, Twilio, Vonage
from multigroup.cli.carriers import CARRIERS, ROWS
from multigroup.webhooks import CARRIERS as READ
from tests.cli.captured import Command

FIELDS = {field.name for field in attrs.fields(Capabilities)}


def test_json_has_every_field_of_every_carrier(run: Command) -> None:
    """Sources and their date included."""
    ran = run("carriers", "--json")
    told = json.loads(ran.out)
    assert (ran.status, ran.said) == (0, [])
    assert list(told) == list(READ)
    assert all(set(can) == FIELDS for can in told.values())
    assert all(can["sources"] and can["as_of"] for can in told.values())
    assert told["vonage"]["group_from"] == ["long_code", "short_code"]


def test_it_tells_what_the_adapters_go_by() -> None:
    """There is one table of a carrier's capabilities, not two."""
    telnyx = Telnyx(api_key="KEY")
    vonage = Vonage(api_key="key", api_secret="secret")
    bandwidth = Bandwidth(
        account_id="1", application_id="1", username="user", password="secret"
    )
    twilio = Twilio(
        account_sid="AC" + "a" * 32,
        auth_token="token",
        messaging_service_sid="MG" + "5" * 32,
    )
    assert CARRIERS["bandwidth"] is bandwidth.capabilities
    assert CARRIERS["telnyx"] is telnyx.capabilities
    assert CARRIERS["twilio"] is twilio.capabilities
    assert CARRIERS["vonage"] is vonage.capabilities


def test_people_are_shown_every_field() -> None:
    """A new capability needs words for people."""
    assert set(ROWS) == FIELDS


def test_plain_text_names_the_carrier_in_every_line(run: Command) -> None:
    """So that it can be searched, in 80 columns and without colour."""
    lines = run("carriers").out.splitlines()
    assert {line.split()[0] for line in lines} == set(READ)
    assert max(map(len, lines)) <= 80
    assert "telnyx    members              up to 8" in lines
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_gets_a_table_of_its_width(width: int) -> None:
    """A column per carrier, and no line is broken."""
    shown = _on_terminal(width).splitlines()
    head = next(line for line in shown if "telnyx" in line)
    assert "vonage" in head
    assert width - 8 < max(map(len, shown)) <= width
    assert any("one request per" in line and "member" in line for line in shown)


def _on_terminal(width: int) -> str:
    """Run the command on a terminal that knows no colours; return what it shows."""
    reader, writer = pytest.importorskip("pty").openpty()
    # A dumb terminal is taken for one of 80 columns unless its lines are known, too.
    size = {"COLUMNS": str(width), "LINES": "50"}
    kind = {"TERM": "dumb", "PYTHONIOENCODING": "utf-8", **size}
    command = [sys.executable, "-m", "multigroup", "carriers"]
    with subprocess.Popen(command, stdout=writer, env={**os.environ, **kind}):  # noqa: S603
        os.close(writer)
        shown = b""
        with suppress(OSError):  # how Linux says that the other end is closed
            while piece := os.read(reader, 4096):
                shown += piece
    os.close(reader)
    return shown.decode()
