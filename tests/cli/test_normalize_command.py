"""The command `normalize`: bodies in, events out, and what it says beside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import multigroup
from multigroup.cli._bodies import BODY_CAP
from tests.cli.captured import Captured, Command, save
from tests.helpers.values import ANA, PEOPLE
from tests.helpers.world import NUMBERS, Carrier

COMMAND = [sys.executable, "-m", "multigroup", "normalize", "--carrier"]


def piped(carrier: Carrier, body: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the command as the middle of a pipe."""
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, carrier], input=body, capture_output=True, timeout=60, check=False
    )


def test_an_event_is_a_line_of_json(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """It has its type in snake_case, its own field names, and members in order."""
    body, _ = captured.write(tmp_path)
    own = NUMBERS[captured.carrier]
    ran = run("normalize", "--carrier", captured.carrier, "--own", own, body)
    (event,) = ran.events
    assert ran.status == 0
    assert (event["type"], event["text"]) == ("message_received", "Dinner?")
    assert (event["sender"], event["line"]) == (ANA, own)
    assert event["members"] == sorted(PEOPLE)
    assert event["occurred_at"].endswith("+00:00")
    assert "raw" not in event


def test_it_says_that_nothing_was_verified(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """One line on stderr, and none of it among the events."""
    body, _ = captured.write(tmp_path)
    ran = run("normalize", "--carrier", captured.carrier, body)
    (said,) = ran.said
    assert said.startswith("nothing was verified")


def test_media_are_objects(run: Command, tmp_path: Path) -> None:
    """Each has its address and the type the carrier gave, or null."""
    url = "https://media.example/1.jpg"
    payload = {
        "from": {"phone_number": ANA},
        "to": [{"phone_number": NUMBERS["telnyx"]}],
        "media": [{"url": url, "content_type": "image/jpeg"}, {"url": url}],
    }
    body = {"data": {"event_type": "message.received", "payload": payload}}
    path = save(tmp_path / "body", json.dumps(body).encode())
    (event,) = run("normalize", "--carrier", "telnyx", path).events
    told = [(item["url"], item["content_type"]) for item in event["media"]]
    assert told == [(url, "image/jpeg"), (url, None)]


def test_the_body_comes_along_when_asked_for(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """`--raw` gives it as it was received."""
    body, _ = captured.write(tmp_path)
    (event,) = run("normalize", "--raw", "--carrier", captured.carrier, body).events
    assert event["raw"].encode() == captured.request.body


def test_standard_input_is_read_without_a_file(captured: Captured) -> None:
    """The command can stand in a pipe."""
    ran = piped(captured.carrier, captured.request.body)
    assert json.loads(ran.stdout)["sender"] == ANA
    assert ran.stderr.startswith(b"nothing was verified")


def test_a_time_nobody_gave_is_null(run: Command, tmp_path: Path) -> None:
    """1970 would be a lie."""
    path = save(tmp_path / "body", b'{"data":{"event_type":"call.answered"}}')
    (event,) = run("normalize", "--carrier", "telnyx", path).events
    assert event["type"] == "unrecognized"
    assert (event["occurred_at"], event["received_at"]) == (None, None)


def test_a_form_is_told_from_json(run: Command, tmp_path: Path) -> None:
    """These carriers send none, so it is unrecognized, and raw shows it unchanged."""
    form = b"From=%2B14155550101&Body=Hi+there"
    path = save(tmp_path / "body", form, b"")
    ran = run("normalize", "--carrier", "vonage", "--raw", path)
    (event,) = ran.events
    assert (ran.status, event["type"]) == (0, "unrecognized")
    assert event["raw"].encode() == form


@pytest.mark.parametrize("body", [b"", b"\n\n", b"hello", b"{", b"[]", b"<a b=1>"])
def test_an_unreadable_body_is_one_line_and_status_2(
    body: bytes, run: Command, tmp_path: Path
) -> None:
    """Nothing else is said, and nothing is written."""
    ran = run("normalize", "--carrier", "telnyx", save(tmp_path / "body", body))
    assert (ran.status, ran.out, len(ran.said)) == (2, "", 1)


def test_a_body_too_long_is_an_unreadable_one(run: Command, tmp_path: Path) -> None:
    """The line says so, and nothing of it is shown."""
    path = save(tmp_path / "body", b'"' + b"x" * BODY_CAP + b'"')
    ran = run("normalize", "--carrier", "telnyx", path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.said == ["Error: the body is longer than 1 MiB, which no carrier's is"]


@pytest.mark.parametrize("body", [b"[]", b"5", b"hello", b"{bad"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_single_bad_body_has_no_line_number(
    body: bytes, end: bytes, run: Command, tmp_path: Path
) -> None:
    """It is told as an error, whatever kind of bad it is."""
    path = tmp_path / "body"
    path.write_bytes(body + end)
    (said,) = run("normalize", "--carrier", "telnyx", path).said
    assert said.startswith("Error: ")


def test_forms_after_a_damaged_line_go_through(run: Command, tmp_path: Path) -> None:
    """As JSON does: one later line that is a body tells that all lines are."""
    form = b"message_uuid=a&to=12125550100&from=14155550101&message_type=text&text=hi"
    ran = run("normalize", "--carrier", "vonage", save(tmp_path / "hooks", b"x", form))
    (event,) = ran.events
    assert (ran.status, event["text"], event["sender"]) == (2, "hi", ANA)
    assert ran.said[0].startswith("line 1: ")


def test_bad_lines_are_named_and_the_others_go_through(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """Their numbers are those an editor shows, and the end tells how many."""
    good = captured.request.body
    path = save(tmp_path / "hooks", good, b"\r", b"{bad", good + b"\r", b"bad", b"")
    ran = run("normalize", "--carrier", captured.carrier, path)
    assert ran.status == 2
    assert [event["sender"] for event in ran.events] == [ANA, ANA]
    assert [said.partition(":")[0] for said in ran.said[1:3]] == ["line 3", "line 5"]
    assert ran.said[3:] == ["Error: 2 of 4 lines could not be read: skipped"]


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--carrier", "Telnix", "did you mean 'telnyx'?"),
        ("--carrier", "qqqq", "there is bandwidth, telnyx, twilio, vonage"),
        ("--at", "yesterday", "ISO 8601"),
    ],
)
def test_a_mistyped_option_is_answered_with_the_way_out(
    option: str, value: str, hint: str, run: Command
) -> None:
    """Status 2, and a hint."""
    ran = run("normalize", "--carrier", "telnyx", option, value)
    assert ran.status == 2
    assert hint in ran.said[-1]


def test_a_short_code_may_be_ours(run: Command, tmp_path: Path) -> None:
    """Vonage sends groups from them, too."""
    hook = b'{"message_type":"text","from":"14155550101","to":"28228"}'
    path = save(tmp_path / "body", hook)
    (event,) = run("normalize", "--carrier", "vonage", "--own", "28228", path).events
    assert (event["line"], event["members"]) == ("28228", [ANA])


@pytest.mark.parametrize("own", ["+445550100", "28228", "(212) 555-0100"])
def test_a_number_of_ours_is_any_that_the_function_takes(
    own: str, run: Command, tmp_path: Path
) -> None:
    """`--own` knows what is ours by the rule of `normalize(own=…)`."""
    written = {"from": "14155550101", "to": own, "message_type": "text"}
    body = json.dumps(written).encode()
    path = save(tmp_path / "body", body)
    (event,) = run("normalize", "--carrier", "vonage", "--own", own, path).events
    (same,) = multigroup.normalize("vonage", body, own=[own])
    assert isinstance(same, multigroup.MessageReceived)
    assert (event["line"], event["members"]) == (same.line, [ANA])


def test_a_reader_who_leaves_ends_it_quietly(
    captured: Captured, tmp_path: Path
) -> None:
    """`| head` is no error, and leaves no traceback."""
    hooks = save(tmp_path / "hooks", *[captured.request.body] * 2000)
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, captured.carrier, hooks],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["sender"] == ANA
        process.stdout.close()
        said = process.stderr.read().splitlines()
    assert (process.returncode, len(said)) == (0, 1)


def test_a_body_from_a_pipe_is_told_at_once(captured: Captured) -> None:
    """A log that is followed shows each webhook as it comes."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, captured.carrier],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(captured.request.body + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["sender"] == ANA
        process.stdin.close()
