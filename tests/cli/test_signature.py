"""The command `normalize` with a secret: what is genuine, and what is never shown."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multigroup.cli._bodies import BODY_CAP
from multigroup.cli._signature import VERIFIERS
from multigroup.webhooks import CARRIERS
from tests.cli.captured import START, Captured, Command, Ran, capture, save
from tests.helpers.values import ANA

SECRET = "MULTIGROUP_TEST_SECRET"
WHEN = datetime.fromtimestamp(START, UTC).isoformat()


def test_a_signed_webhook_is_verified(
    captured: Captured, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its headers, the secret and its time, it is said to be genuine."""
    monkeypatch.setenv(SECRET, captured.secret)
    ran = _verified(captured, run, tmp_path)
    assert (ran.status, ran.events[0]["sender"]) == (0, ANA)
    assert ran.said[0].startswith(f"verified: {captured.carrier}")


def test_an_editors_line_end_does_not_break_a_signature(
    captured: Captured, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is what was signed: the body without it."""
    monkeypatch.setenv(SECRET, captured.secret)
    body, _ = captured.write(tmp_path)
    save(body, captured.request.body, b"")
    args = _options(captured, tmp_path)
    ran = run("normalize", "--raw", *args, body)
    assert ran.events[0]["raw"].encode() == captured.request.body


def test_an_altered_webhook_gives_no_event(
    captured: Captured, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line on stderr, and status 1."""
    monkeypatch.setenv(SECRET, captured.secret)
    body, _ = captured.write(tmp_path)
    save(body, captured.request.body.replace(b"Dinner?", b"Lunch??"))
    ran = run("normalize", *_options(captured, tmp_path), body)
    assert (ran.status, ran.out, len(ran.said)) == (1, "", 1)


def test_an_old_webhook_is_stale_unless_its_time_is_given(
    captured: Captured, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how to give it."""
    monkeypatch.setenv(SECRET, captured.secret)
    ran = _verified(captured, run, tmp_path, at="2020-01-01T00:00:00Z")
    assert (ran.status, ran.out) == (1, "")
    assert "--at" in ran.said[0]


def test_a_missing_secret_is_said_without_its_name(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """Whoever gives the secret in place of the name does not see it in a log."""
    body, headers = captured.write(tmp_path)
    words = ("--headers", headers, "--secret-env", captured.secret)
    ran = run("normalize", "--carrier", captured.carrier, *words, body)
    assert (ran.status, len(ran.said)) == (2, 1)
    assert captured.secret not in ran.said[0]


def test_a_secret_of_another_kind_is_not_shown(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what a Telnyx key looks like."""
    monkeypatch.setenv(SECRET, "no-such-key")
    ran = _verified(capture("telnyx"), run, tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "base64" in ran.said[0]
    assert "no-such-key" not in ran.said[0]


def test_a_secret_that_is_no_text_is_refused(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a character in the environment is no reason for a traceback."""
    monkeypatch.setenv(SECRET, "\udcff")
    ran = _verified(capture("vonage"), run, tmp_path)
    assert (ran.status, ran.out, len(ran.said)) == (2, "", 1)


def test_headers_that_cannot_be_read_are_said_so(
    captured: Captured, run: Command, tmp_path: Path
) -> None:
    """One line, status 2, and the headers themselves stay unseen."""
    body, headers = captured.write(tmp_path)
    save(headers, b"no header")
    ran = run("normalize", *_options(captured, tmp_path), body)
    assert (ran.status, ran.out) == (2, "")
    assert ran.said == [
        "Error: the headers file cannot be used: line 1 is not 'Name: value'"
    ]


def test_no_more_is_verified_than_an_endpoint_takes(
    captured: Captured, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A longer body is no webhook."""
    monkeypatch.setenv(SECRET, captured.secret)
    body, _ = captured.write(tmp_path)
    save(body, b" " * BODY_CAP, captured.request.body)
    ran = run("normalize", *_options(captured, tmp_path), body)
    assert (ran.status, ran.out, len(ran.said)) == (2, "", 1)


@pytest.mark.parametrize("options", [["--secret-env", SECRET], ["--at", WHEN]])
def test_verifying_takes_all_its_options(options: list[str], run: Command) -> None:
    """Half of them is a mistake, not an unverified run."""
    ran = run("normalize", "--carrier", "telnyx", *options)
    assert (ran.status, ran.out) == (2, "")
    assert "needs --" in ran.said[-1]


@pytest.mark.parametrize(
    ("password", "status"), [("one:two", 0), ("other", 1), ("", 1)]
)
def test_a_password_proves_no_body(
    password: str,
    status: int,
    run: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bandwidth signs nothing: no more is said of a right password."""
    monkeypatch.setenv(SECRET, "hook:one:two")
    pair = base64.b64encode(f"hook:{password}".encode()).decode()
    headers = save(tmp_path / "headers", f"Authorization: Basic {pair}".encode())
    body = save(tmp_path / "body", b'[{"type":"message-received"}]')
    secret = ("--headers", headers, "--secret-env", SECRET)
    ran = run("normalize", "--carrier", "bandwidth", *secret, body)
    assert (ran.status, len(ran.events)) == (status, 1 - status)
    assert "altered" not in ran.said[0]
    assert ("password" in ran.said[0]) is True


@pytest.mark.parametrize("secret", ["hook", "hook:", ":word"])
def test_half_a_pair_is_refused(
    secret: str, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and password stand in one variable, a colon between them."""
    monkeypatch.setenv(SECRET, secret)
    given = ("--headers", save(tmp_path / "headers", b"A: b"), "--secret-env", SECRET)
    body = save(tmp_path / "body", b"[{}]")
    ran = run("normalize", "--carrier", "bandwidth", *given, body)
    assert (ran.status, ran.out) == (2, "")
    assert "pair" in ran.said[0]


def test_every_carrier_that_is_read_can_be_verified() -> None:
    """The two tables have the same carriers."""
    assert sorted(VERIFIERS) == list(CARRIERS)


def _options(captured: Captured, folder: Path, at: str = WHEN) -> list[str | Path]:
    headers = folder / "headers.txt"
    how = ["--carrier", captured.carrier, "--secret-env", SECRET, "--at", at]
    return [*how, "--headers", headers]


def _verified(captured: Captured, run: Command, folder: Path, at: str = WHEN) -> Ran:
    body, _ = captured.write(folder)
    return run("normalize", *_options(captured, folder, at), body)


def test_a_form_is_verified_with_the_address_it_was_posted_to(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio signs both; without the address nothing can be said, and that is said."""
    url, form = "https://app.example.com/twilio", b"Status=sent&EventType=x"
    signed = f"{url}EventTypexStatussent".encode()
    signature = base64.b64encode(hmac.digest(b"token", signed, "sha1")).decode()
    headers, body = tmp_path / "headers.txt", tmp_path / "body.txt"
    headers.write_text(f"X-Twilio-Signature: {signature}\n")
    body.write_bytes(form + b"\n")
    monkeypatch.setenv(SECRET, "token")
    how = ["--carrier", "twilio", "--secret-env", SECRET, "--headers", headers]

    assert run("normalize", *how, "--url", url, body).status == 0
    assert run("normalize", *how, "--url", f"{url}/", body).status == 1
    without = run("normalize", *how, body)
    assert (without.status, "--url" in without.said[-1]) == (2, True)
