"""Phone numbers: what a person typed, made E.164 or refused with a reason."""

from __future__ import annotations

from random import Random

import phonenumbers
import pytest

from multigroup.errors import InvalidNumberError
from multigroup.phone import lenient, parse

SERVED = {"US", "CA"}


@pytest.mark.parametrize(
    "written",
    [
        "+14155550101",
        "14155550101",
        "4155550101",
        "(415) 555-0101",
        "415.555.0101",
        "+1 415-555-0101",
        " +1 (415) 555 0101 ",
        "tel:+1-415-555-0101",
        "+\uff11\uff14155550101",
    ],
)
def test_a_number_may_be_written_in_many_ways(written: str) -> None:
    """National, dotted, spaced, international: all become one E.164 number."""
    parsed = parse(written)
    assert parsed.number == "+14155550101"
    assert parsed.known
    assert repr(parsed.number) == "'…0101'"


def test_a_canadian_number_is_served() -> None:
    """Canada shares the numbering plan and its carriers carry group MMS."""
    assert parse("416 555 0101").number == "+14165550101"


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("+1 415 555 0101 x12", "has an extension"),
        ("415-555-0101;ext=7", "has an extension"),
        ("555-0101", "has the wrong number of digits"),
        ("+1415555010", "has the wrong number of digits"),
        ("+141555501011", "has the wrong number of digits"),
        ("911", "has the wrong number of digits"),
        ("+44 20 7946 0958", "has country code +44"),
        ("011 44 20 7946 0958", "has country code +44"),
        ("+18765550101", "belongs to region JM"),
        ("Ana", "is not a phone number"),
        ("", "is not a phone number"),
        ("\ud800", "is not a phone number"),
        ("4" * 5000, "is not a phone number"),
    ],
)
def test_what_cannot_be_a_member_is_refused_with_the_rule(
    written: str, rule: str
) -> None:
    """The error names the rule that was broken and keeps the value whole."""
    with pytest.raises(InvalidNumberError) as caught:
        parse(written)
    assert caught.value.rule.startswith(rule)
    assert caught.value.value == written


@pytest.mark.parametrize(
    "written", ["+1 415 555 0101 x1234", "+44 20 7946 0958", "+18765550101"]
)
def test_an_error_shows_the_last_four_characters_only(written: str) -> None:
    """A whole number never reaches a log by way of an error."""
    with pytest.raises(InvalidNumberError) as caught:
        parse(written)
    shown = str(caught.value)
    assert written[-4:] in shown
    assert written[:-4] not in shown


def test_a_foreign_number_is_named_as_it_was_written() -> None:
    """The value of the error is found again in the caller's own list."""
    with pytest.raises(InvalidNumberError) as caught:
        parse("(876) 555-0101")
    assert caught.value.value == "(876) 555-0101"


def test_an_unknown_range_is_possible_but_not_known() -> None:
    """New area codes appear before metadata does, so the number is taken."""
    parsed = parse("+15551234567")
    assert parsed.number == "+15551234567"
    assert not parsed.known


def test_a_failure_is_a_value_error() -> None:
    """Whoever catches `ValueError` catches bad numbers too."""
    with pytest.raises(ValueError, match="is not a phone number"):
        parse("nobody")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("4155550101", "+14155550101"),
        ("+15551234567", "+15551234567"),
        ("28228", "28228"),
        ("+442079460958", "+442079460958"),
        ("+18765550101", "+18765550101"),
        ("Alerts", "Alerts"),
        ("", ""),
    ],
)
def test_what_a_carrier_sends_is_never_refused(written: str, expected: str) -> None:
    """A +1 number is made E.164; anything else stays as it came."""
    number = lenient(written)
    assert number == expected
    assert repr(number) == f"'{'…' if len(expected) > 4 else ''}{expected[-4:]}'"


def _verdict(written: str) -> str:
    """Return what `phonenumbers` says: served, unknown, or the foreign region."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(written))
    return "unknown" if region is None else "served" if region in SERVED else region


def _ours(written: str) -> str:
    try:
        parsed = parse(written)
    except InvalidNumberError as error:
        return error.rule.split()[3].rstrip(";")
    assert parsed.number == written
    return "served" if parsed.known else "unknown"


def _numbers(count: int) -> list[str]:
    """Return seeded +1 numbers: half anywhere, half in ranges that are in use."""
    random = Random(20261121)  # noqa: S311 - to repeat
    used = [242, 246, 264, 415, 416, 500, 600, 649, 670, 684, 700, 787, 800, 876, 900]
    areas = [*used, *(random.randrange(200, 1000) for _ in used)]
    return [
        f"+1{random.choice(areas)}{random.randrange(10**7):07}"
        if random.random() < 0.5
        else f"+1{random.randrange(10**10):010}"
        for _ in range(count)
    ]


def test_every_plus_one_number_is_judged_as_phonenumbers_judges_it() -> None:
    """On 100 000 random numbers region and verdict agree with the reference."""
    numbers = _numbers(100_000)

    differing = [n for n in numbers if _ours(n) != _verdict(n)]
    verdicts = {_verdict(number) for number in numbers[:5_000]}

    assert differing == []
    assert {"served", "unknown", "JM", "BS"} <= verdicts
