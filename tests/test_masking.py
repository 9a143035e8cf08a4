"""What others wrote is shown where it has the form of a code, a word or an id."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multigroup import Accepted, Delivery, Media, Reason, Refused, Scope
from multigroup.masking import identifier, mask, redact, term
from tests.helpers.values import received, update

UUID: Final = "40319a3c-5f2e-4c1d-9b1a-0123456789ab"
SEND: Final = "0123456789abcdef" * 2
SAID: Final = "Dinner with Ana +14155550101"
TYPES: Final = ("image/jpeg", "application/smil", "audio/3gpp", "text/x-vcard", None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("+14155550101", "…0101"), ("28228", "…8228"), ("0101", "0101"), ("", "")],
)
def test_mask_keeps_four_characters(value: str, expected: str) -> None:
    """All but the end of a value is hidden."""
    assert mask(value) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("to +14155550101 failed", "to …0101 failed"),
        ("to (415) 555-0101.", "to (…0101."),
        ("415.555.0102, 4155550103", "…0102, …0103"),
        ("call 555-0101", "call …0101"),
        ("key KEY0123456789_abcdefgh is bad", "key …efgh is bad"),
        ("code 40305 at 12:30, 99 %", "code 40305 at 12:30, 99 %"),
    ],
)
def test_redact_masks_numbers_and_tokens(said: str, expected: str) -> None:
    """A carrier's own words keep their sense but no number and no credential."""
    assert redact(said) == expected


def test_redact_masks_a_whole_token_that_begins_with_digits() -> None:
    """A hexadecimal token is one token, though it may begin like a number."""
    assert redact("token 12345678deadbeefcafe0123 bad") == "token …0123 bad"


@pytest.mark.parametrize("word", ["40305", "1000", "message.finalized", "read"])
def test_a_word_of_a_vocabulary_is_shown(word: str) -> None:
    """Codes, event types and statuses are what a person looks for in a log."""
    assert term(word) == word


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Meet me at 7", "<12 characters>"),
        ("4155550101", "<10 characters>"),
        ("KEY0123", "<7 characters>"),
        ("stop\n", "<5 characters>"),
        ("a" * 41, "<41 characters>"),
    ],
)
def test_anything_else_in_the_place_of_a_word_is_not_quoted(
    said: str, told: str
) -> None:
    """A sentence, a number or a key in the place of a code shows its length only."""
    assert term(said) == told


@pytest.mark.parametrize(
    "id_",
    [
        *(UUID, UUID.upper(), f"{UUID}:delivered", f"{UUID}/3", SEND, f"{SEND}.0"),
        *(f"SM{SEND}", f"{SEND}/12", "evt-1", "message-1", "in-1", "u:delivered"),
    ],
)
def test_an_id_is_shown(id_: str) -> None:
    """What a log is searched for stays readable."""
    assert identifier(id_) == id_


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (SAID, "<28 characters>"),
        ("14155550101", "<11 characters>"),
        ("+14155550101", "<12 characters>"),
        ("party-14155550101", "<17 characters>"),
        ("ana-415-555-0101", "<16 characters>"),
        (f"{UUID}:14155550101", "<48 characters>"),
        (f"{UUID}\n", "<37 characters>"),
        ("KEY0123456789", "<13 characters>"),
        ("", "<0 characters>"),
        ("a" * 101, "<101 characters>"),
    ],
)
def test_what_is_no_id_is_not_quoted(said: str, told: str) -> None:
    """A text, a number or a key in the place of an id shows its length only."""
    assert identifier(said) == told


@pytest.mark.parametrize("said", [SAID, "<28 characters>"])
def test_what_was_hidden_tells_its_first_length(said: str) -> None:
    """A code is masked as it is read and again as it is shown."""
    assert term(term(said)) == identifier(term(said)) == "<28 characters>"


@pytest.mark.parametrize(
    "field",
    [
        *("id", "message_id", "token", "network", "provider_status", "code"),
        "also_known_as",
    ],
)
@pytest.mark.parametrize("said", [SAID, "14155550101", "+14155550101"])
def test_news_quotes_no_text_and_no_number(field: str, said: str) -> None:
    """Whatever a carrier puts into a field of its own, the event does not show it."""
    given: Any = {field: (said,) if field == "also_known_as" else said}
    event = update(**given)

    assert f"<{len(said)} characters>" in repr(event)
    assert said not in repr(event)
    assert said not in f"{event.key!r} {event.key}"


@pytest.mark.parametrize("field", ["message_id", "provider_thread"])
def test_a_message_quotes_no_text_and_no_number(field: str) -> None:
    """A reply's own ids are held to the form of ids."""
    given: Any = {field: SAID}
    shown = repr(received(**given))

    assert f"{field}='<28 characters>'" in shown


def test_what_is_needed_in_a_log_is_there() -> None:
    """Ids, our token, the network's code and the carrier's word stay readable."""
    names: Any = {"message_id": UUID, "token": f"{SEND}.0", "network": "310260"}
    shown = repr(update(also_known_as=(UUID.upper(),), **names))

    for value in (*names.values(), UUID.upper(), "event-delivered-1", "delivered"):
        assert value in shown


@pytest.mark.parametrize(
    "value",
    [
        Accepted(SAID),
        Refused(SAID, Reason.OTHER, Scope.LINE),
        Delivery(Accepted(SAID), message_id=SAID, code=SAID),
        Media("https://media.example/1", content_type=SAID),
    ],
)
def test_outcomes_and_media_quote_nothing(value: object) -> None:
    """What a reply was read into shows no more than a webhook."""
    assert SAID not in repr(value)
    assert "<28 characters>" in repr(value)


@pytest.mark.parametrize("told", TYPES)
def test_a_media_type_is_shown(told: str | None) -> None:
    """A type as such is worth seeing."""
    assert f"content_type={told!r}" in repr(Media("https://m.example/1", told))
