"""No cassette holds what it must not, and the check that says so can say no."""

from __future__ import annotations

from typing import Final

import pytest

from .files import LIVE, ROOT, SIMULATED, Tape, found
from .leaks import leaks

CLEAN: Final = (ROOT / "simulator/telnyx/group.yaml").read_text("utf-8")
REAL: Final = "9992345671"  # no area code of anybody's, and yet not a fictitious number
ABROAD: Final = "999234567123"  # no country's code
TOKEN: Final = "abc123" * 6


@pytest.mark.parametrize("tape", found(), ids=str)
def test_no_cassette_leaks(tape: Tape) -> None:
    """No secret, real number, foreign host, port or id; nothing simulated in live."""
    live = LIVE.folder in tape.path.parts

    assert leaks(tape.path.read_text("utf-8"), live=live) == []


def test_nothing_but_cassettes_lies_in_their_folder() -> None:
    """What the check does not look into has no place there."""
    files = (path for path in ROOT.rglob("*") if path.is_file())
    loose = {path.name for path in files if path.suffix != ".yaml"}

    assert loose == {"README.md"}
    assert len(found()) == len(list(ROOT.rglob("*.yaml")))


def test_each_cassette_says_where_it_comes_from() -> None:
    """The folder and the head of the file tell the same."""
    for origin in (SIMULATED, LIVE):
        for tape in found(folder=origin.folder):
            about = tape.provenance
            assert about.made_with == origin.made_with
            assert (about.carrier, about.scenario) == (
                tape.path.parent.name,
                tape.path.stem,
            )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("Dinner", f"+1{REAL}", "phone number"),
        ("Dinner", f"1{REAL}", "phone number"),
        ("Dinner", f"({REAL[:3]}) {REAL[3:6]}-{REAL[6:]}", "phone number"),
        ("Dinner", "+442079460000", "phone number"),
        ("Dinner", f"%2B1{REAL}", "phone number"),
        ("Dinner", f"%2b1{REAL}", "phone number"),
        ("Dinner", f"%252B1{REAL}", "phone number"),
        ("Dinner", f"\\u002b1{REAL}", "phone number"),
        ("Dinner", f"\\u002B{ABROAD}", "phone number"),
        ("Dinner", "%2B445550100", "phone number"),
        ("Dinner", "%252b445550100", "phone number"),
        ("Dinner", "\\u002B445550100", "phone number"),
        ("Dinner", "".join(f"\\u003{digit}" for digit in REAL), "phone number"),
        ("Dinner", f"x1{REAL}", "phone number"),
        ("Dinner", f"tel{REAL}x", "phone number"),
        ("Dinner", ABROAD, "phone number"),
        ("Dinner", f"to{ABROAD}.", "phone number"),
        ("telnyx.invalid", "127.0.0.1:43210", "loopback"),
        ("telnyx.invalid", "localhost", "loopback"),
        ("telnyx.invalid", "telnyx.invalid:43210", "port"),
        ("telnyx.invalid", "hooks.example.net", "host"),
        ("00000000-0000-4000-8000-", "40319a3c-5f2e-4c1d-9b1a-", "id"),
        ("Dinner", TOKEN, "credential"),
        ("Dinner", "-----BEGIN PRIVATE KEY-----", "private key"),
        ("Dinner", "ana@example.com", "mail"),
        ("Bearer <secret>", "Bearer opensesame", "Authorization"),
        ("idempotency-key", "x-api-key", "headers that nobody allowed"),
        ("server", "set-cookie", "headers that nobody allowed"),
        (
            "      server:\n      - uvicorn",
            "      content-encoding: [br]",
            "compressed",
        ),
        ("string: '", "string: !!binary 'AAAA'\n    x: '", "no text"),
        ("  made_with: multigroup.simulator\n", "", "where it comes from"),
    ],
)
def test_a_dirty_cassette_is_refused(before: str, after: str, words: str) -> None:
    """Each thing that must not be in a file is found, and not repeated."""
    assert before in CLEAN

    wrong = leaks(CLEAN.replace(before, after), live=False)

    assert any(words in one for one in wrong)
    assert REAL not in str(wrong)
    assert ABROAD not in str(wrong)


@pytest.mark.parametrize(
    "clean",
    [
        *("+14155550101", "%2B14155550101", "\\u002b14155550101", "x4155550101"),
        *("1767225600000", "00000000-0000-4000-8000-000000000012", "tel14155550101"),
    ],
)
def test_what_the_scrubber_leaves_is_no_leak(clean: str) -> None:
    """Fictitious numbers, our times and our ids pass in every spelling."""
    assert leaks(CLEAN.replace("Dinner", clean), live=False) == []


def test_a_cassette_without_exchanges_is_refused() -> None:
    """A recording in which nobody answered proves nothing."""
    head = CLEAN.partition("interactions:")[0]

    assert leaks(f"{head}interactions: []", live=False) == ["it holds no exchange"]


def test_this_runs_secrets_are_looked_for() -> None:
    """A key or a member's number is found even where no pattern knows its shape."""
    assert leaks(CLEAN, live=False, secrets=["Dinner"]) == [
        "it holds a credential or a number of this run"
    ]


def test_the_name_of_this_machine_is_looked_for() -> None:
    """A file does not tell on whose machine it was made."""
    named = CLEAN.replace("Dinner", "made on Annas-Laptop")

    assert leaks(named, live=False) == []
    assert leaks(named, live=False, machine="annas-laptop") == ["it names this machine"]


def test_a_simulated_cassette_has_no_place_in_live() -> None:
    """By its head, its host and its server's name, each by itself, it is found out."""
    assert leaks(CLEAN, live=True) == [
        "it was made with the simulator and does not belong here",
        "it was recorded against the simulator's host",
        "the simulator's server answered it",
    ]
