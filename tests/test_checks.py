"""What is refused before a byte leaves: bad rosters and impossible messages."""

from __future__ import annotations

import pytest

from multigroup import Media
from multigroup._programs.checks import check_reference, compose, roster
from multigroup.errors import (
    InvalidMessageError,
    InvalidNumberError,
    MultigroupError,
)
from tests.helpers.values import ANA, BEN, CLEO

OWN = frozenset({"+12125550100"})
PICTURE = "https://media.example/cat.jpg?sig=s3cret"


def _refused(*members: str, strict: bool = False) -> InvalidNumberError:
    with pytest.raises(InvalidNumberError) as caught:
        roster(members, own=OWN, strict=strict)
    return caught.value


def test_members_are_made_e164_and_sorted() -> None:
    """However the numbers are written and ordered, the roster is the same."""
    found = roster(["(415) 555-0103", "415.555.0101", "+14155550102"])
    assert found.members == (ANA, BEN, CLEO)
    assert found.notes == ()


def test_members_may_come_from_any_iterable() -> None:
    """A set or a generator will do."""
    assert roster({ANA, BEN}).members == (ANA, BEN)
    assert roster(number for number in (BEN, ANA)).members == (ANA, BEN)


def test_a_group_of_nobody_is_refused() -> None:
    """The error says what to do."""
    with pytest.raises(InvalidMessageError, match="empty: name at least one member"):
        roster([])


@pytest.mark.parametrize(
    ("bad", "shown", "rule", "way_out"),
    [
        ("415 555 0101", "'…0101'", "in the group twice", "name each member once"),
        ("212-555-0100", "'…0100'", "one of our own lines", "leave it out"),
        ("555-0102", "'…0102'", "wrong number of digits", "+1 and ten digits"),
        ("nobody", "'…body'", "not a phone number", "+1 and ten digits"),
        ("+44 20 7946 0958", "'…0958'", "country code +44", "US and Canada only"),
        ("+18765550101", "'…0101'", "region JM", "US and Canada only"),
        ("415 555 0102 x 1234", "'…1234'", "an extension", "leave the extension out"),
    ],
    ids=["twice", "own", "short", "word", "country", "region", "extension"],
)
def test_a_bad_member_is_refused_with_rule_and_way_out(
    bad: str, shown: str, rule: str, way_out: str
) -> None:
    """The error masks the number, names the rule, and says how to mend it."""
    error = _refused(ANA, bad)

    assert str(error).startswith(shown)
    assert rule in str(error)
    assert way_out in str(error)
    assert bad not in str(error)
    assert error.value == bad


def test_a_member_named_twice_is_told_both_ways_it_was_written() -> None:
    """The other writing is masked as well."""
    error = _refused("(415) 555-0101", "+14155550101")
    assert error.value == "+14155550101"
    assert "also as '…0101'" in str(error)
    assert "555-0" not in str(error)


def test_a_bad_number_is_a_value_error_of_ours() -> None:
    """Both a caller of the library and plain Python code can catch it."""
    error = _refused("nobody")
    assert isinstance(error, ValueError)
    assert isinstance(error, MultigroupError)


def test_one_string_is_not_a_list_of_members() -> None:
    """A string would be read as many numbers of one digit each."""
    with pytest.raises(
        InvalidNumberError, match="give the members as a list"
    ) as caught:
        roster("+14155550101")
    assert caught.value.value == "+14155550101"
    assert "415555" not in str(caught.value)


def test_an_unknown_range_is_taken_and_noted() -> None:
    """A number too new for the metadata may be real, so the caller is only told."""
    found = roster([ANA, "+15551234567"])
    assert found.members == (ANA, "+15551234567")
    assert found.notes == ("'…4567' is in no number range known to phonenumbers",)


def test_an_unknown_range_is_refused_when_strict() -> None:
    """Whoever wants only known ranges gets an error that names the switch."""
    error = _refused(ANA, "555 123 4567", strict=True)
    assert error.value == "555 123 4567"
    assert "no number range known" in str(error)
    assert "strict_numbers" in str(error)
    assert roster([ANA, BEN], strict=True).members == (ANA, BEN)


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_message_that_says_nothing_is_refused(text: str) -> None:
    """White space alone is nothing, and a subject alone is no message."""
    with pytest.raises(InvalidMessageError, match="empty: give text, media or both"):
        compose(text, [], "Lunch")


def test_text_or_media_is_enough() -> None:
    """A picture needs no words, and words no picture; text is kept as it is."""
    item = Media(PICTURE, "image/jpeg")
    assert compose("", [item], None).media == (item,)
    assert compose("", [PICTURE], None).media == (Media(PICTURE),)
    assert compose(" hi ", [], "Lunch").text == " hi "


@pytest.mark.parametrize(
    "url",
    [
        "ftp://media.example/s3cret.jpg",
        "file:///s3cret.jpg",
        "data:image/png;base64,s3cret",
        "/s3cret.jpg",
        "s3cret.jpg",
        "https:///s3cret.jpg",
        "https:s3cret.jpg",
        "https://:443/s3cret.jpg",
        "",
    ],
)
def test_media_that_no_carrier_can_fetch_is_refused(url: str) -> None:
    """Only http and https URLs with a host are public; the error hides the URL."""
    with pytest.raises(
        InvalidMessageError, match="give an http or https URL"
    ) as caught:
        compose("hi", [PICTURE, url], None)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://[::1/s3cret", "https://[s3cret]/a.jpg"])
def test_media_whose_url_is_malformed_is_refused_alike(url: str) -> None:
    """A URL that cannot even be taken apart ends in the same error."""
    with pytest.raises(InvalidMessageError, match="URL") as caught:
        compose("hi", [url], None)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://media.example/a", "HTTPS://Media.Example/a"])
def test_http_and_https_are_taken_in_either_case(url: str) -> None:
    """A URL goes out as it was given."""
    assert compose("", [url], None).media[0].url == url


def test_one_string_is_not_a_list_of_media() -> None:
    """A string would be read as many URLs of one character each."""
    with pytest.raises(InvalidMessageError, match="give the URLs as a list"):
        compose("hi", PICTURE, None)


@pytest.mark.parametrize(
    ("text", "subject", "url"),
    [
        ("half \ud83d", None, PICTURE),
        ("hi", "half \ude00", PICTURE),
        ("half \ud83d", "\ude00", PICTURE),
        ("hi", None, "https://media.example/\ud83d.jpg"),
    ],
    ids=["text", "subject", "torn", "media"],
)
def test_half_a_surrogate_pair_is_refused(
    text: str, subject: str | None, url: str
) -> None:
    """What cannot be encoded cannot be said faithfully."""
    with pytest.raises(InvalidMessageError, match="surrogate"):
        compose(text, [url], subject)


def test_a_whole_emoji_is_said() -> None:
    """Characters beyond the first plane are text like any other."""
    assert compose("\U0001f600", [], None).text == "\U0001f600"


@pytest.mark.parametrize("length", [0, 201, 5000])
def test_a_reference_has_1_to_200_characters(length: int) -> None:
    """The error says how long it is and how long it may be."""
    with pytest.raises(InvalidMessageError, match=f"has {length} characters.*1 to 200"):
        check_reference("r" * length)


@pytest.mark.parametrize("reference", [None, "r", "r" * 200])
def test_a_good_reference_or_none_is_taken(reference: str | None) -> None:
    """One character is enough, two hundred are not too many."""
    assert check_reference(reference) is None  # type: ignore[func-returns-value] # so


def test_a_bad_message_is_a_value_error_of_ours() -> None:
    """Both a caller of the library and plain Python code can catch it."""
    with pytest.raises(InvalidMessageError) as caught:
        compose("", [], None)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, MultigroupError)
