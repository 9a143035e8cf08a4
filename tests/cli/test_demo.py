"""The command `demo`: what it promises to show, it shows, by JSON and to people."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, TypeAlias

import pytest

RUNS = {
    "both": ["--json"],
    "telnyx": ["--json", "--carrier", "telnyx"],
    "vonage": ["--json", "--carrier", "vonage"],
    "people": ["--carrier", "telnyx"],
}
ONE_CARRIER = ["send", "reply", "settle"]

Facts: TypeAlias = list[dict[str, Any]]


@pytest.fixture(scope="module")
def outputs() -> dict[str, str]:
    """Run the demo in every way at once; give what each run wrote."""
    running = {
        name: subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "multigroup", "demo", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        for name, options in RUNS.items()
    }
    try:
        ended = {name: one.communicate(timeout=60) for name, one in running.items()}
    finally:
        for one in running.values():
            one.kill()
    assert {name: one.returncode for name, one in running.items()} == dict.fromkeys(
        RUNS, 0
    )
    assert {name: said for name, (_, said) in ended.items()} == dict.fromkeys(RUNS, "")
    return {name: out for name, (out, _) in ended.items()}


@pytest.fixture(scope="module")
def facts(outputs: dict[str, str]) -> dict[str, Facts]:
    """Give the facts that the runs with JSON told."""
    return {
        name: [json.loads(line) for line in out.splitlines()]
        for name, out in outputs.items()
        if "--json" in RUNS[name]
    }


def fact(told: Facts, scene: str, kind: str) -> dict[str, Any]:
    """Return the first fact of *kind* in *scene*."""
    return next(f for f in told if (f["scene"], f["fact"]) == (scene, kind))


@pytest.mark.parametrize(
    ("name", "scenes"),
    [
        (
            "both",
            [
                *(f"telnyx_{part}" for part in ONE_CARRIER),
                *(f"vonage_{part}" for part in ONE_CARRIER),
                "failover",
                "forgery",
                "lost_reply",
            ],
        ),
        *(
            (one, [*(f"{one}_{part}" for part in ONE_CARRIER), "forgery", "lost_reply"])
            for one in ("telnyx", "vonage")
        ),
    ],
)
def test_the_scenes_come_in_order(
    name: str, scenes: list[str], facts: dict[str, Facts]
) -> None:
    """With one carrier, failover is left out."""
    assert list(dict.fromkeys(fact["scene"] for fact in facts[name])) == scenes


@pytest.mark.parametrize(
    ("run", "carrier", "legs"),
    [
        ("both", "telnyx", 1),
        ("both", "vonage", 3),
        ("telnyx", "telnyx", 1),
        ("vonage", "vonage", 3),
    ],
)
def test_a_group_takes_the_carriers_number_of_requests(
    run: str, carrier: str, legs: int, facts: dict[str, Facts]
) -> None:
    """And all phones show one thread with everybody in it."""
    scene = f"{carrier}_send"
    assert fact(facts[run], scene, "sent")["legs"] == legs
    phones = fact(facts[run], scene, "phones")["phones"]
    latest = {name: threads[-1] for name, threads in phones.items()}
    assert {name: set(thread["with"]) for name, thread in latest.items()} == {
        name: set(phones) - {name} for name in phones
    }
    assert all(len(thread["bubbles"]) == 1 for thread in latest.values())


@pytest.mark.parametrize("carrier", ["telnyx", "vonage"])
def test_a_reply_is_read_into_the_same_conversation(
    carrier: str, facts: dict[str, Facts]
) -> None:
    """The event has the same conversation that the send had, on both carriers."""
    told = facts["both"]
    event = fact(told, f"{carrier}_reply", "event")["event"]
    sent = fact(told, "telnyx_send", "sent")
    assert (event["type"], event["provider"]) == ("message_received", carrier)
    assert event["sender"] in event["members"]
    assert len(event["members"]) == 3
    assert event["conversation"] == sent["conversation"]


def test_telnyx_confirms_its_own_handsets_only(facts: dict[str, Facts]) -> None:
    """One copy is delivered, two stay unconfirmed, and a note says that is normal."""
    members = fact(facts["both"], "telnyx_settle", "deliveries")["members"]
    statuses = sorted(member["states"][-1] for member in members)
    assert statuses == ["delivered", "unconfirmed", "unconfirmed"]
    assert "normal" in fact(facts["both"], "telnyx_settle", "note")["words"]


def test_vonage_tells_the_cost_later(facts: dict[str, Facts]) -> None:
    """It is unknown, not nought, until the status webhooks came."""
    told = facts["both"]
    assert fact(told, "vonage_send", "cost")["cost"] is None
    members = fact(told, "vonage_settle", "deliveries")["members"]
    assert {member["states"][-1] for member in members} == {"delivered"}
    total = fact(told, "vonage_settle", "cost")["cost"]
    assert float(total["amount"]) > 0
    assert total["currency"] == members[0]["cost"]["currency"]


def test_failover_says_why_and_that_the_thread_moved(facts: dict[str, Facts]) -> None:
    """Three legs were not sent, one request on the other line was accepted."""
    told = facts["both"]
    attempts = fact(told, "failover", "moved")["attempts"]
    outcomes = [attempt["outcome"] for attempt in attempts]
    assert outcomes == ["NOT_SENT", "NOT_SENT", "NOT_SENT", "ACCEPTED"]
    assert "nothing was sent, so it moved on" in attempts[0]["then"]
    moved = fact(told, "failover", "thread_moved")
    assert moved["left"].startswith("vonage:")
    assert moved["joined"].startswith("telnyx:")


@pytest.mark.parametrize("run", ["both", "telnyx", "vonage"])
def test_an_altered_webhook_is_answered_401(run: str, facts: dict[str, Facts]) -> None:
    """A flipped byte is enough."""
    assert fact(facts[run], "forgery", "refused")["status"] == 401


def test_the_genuine_second_try_is_not_lost(facts: dict[str, Facts]) -> None:
    """Telnyx delivers again what was refused."""
    event = fact(facts["both"], "forgery", "event")["event"]
    assert (event["type"], event["text"]) == ("message_received", "Who pays?")


@pytest.mark.parametrize("run", ["both", "telnyx", "vonage"])
def test_a_lost_reply_is_unknown_and_never_sent_again(
    run: str, facts: dict[str, Facts]
) -> None:
    """Each phone shows it once; the carrier's webhooks resolve it."""
    told = facts[run]
    unknown = fact(told, "lost_reply", "unknown")["outcomes"]
    resolved = fact(told, "lost_reply", "resolved")["outcomes"]
    assert set(unknown.values()) == {"UNKNOWN"}
    assert set(resolved.values()) == {"ACCEPTED"}
    assert unknown.keys() == resolved.keys()
    assert " once:" in fact(told, "lost_reply", "not_repeated")["words"]


def test_text_in_a_file_has_no_escape_codes(outputs: dict[str, str]) -> None:
    """It is the same story, in 80 columns, for people."""
    text = outputs["people"]
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "5/5" in text
    assert "UncertainError" in text
