"""The nouns: numbers, conversations, messages, receipts, and what they never show."""

from __future__ import annotations

import base64
import hashlib
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from multigroup.models import (
    Accepted,
    Delivery,
    DeliveryStatus,
    LineId,
    Media,
    Message,
    Money,
    NotSent,
    Number,
    Outcome,
    Receipt,
    Refused,
    Unknown,
    conversation_id,
)
from multigroup.records import Closed, Reported, receipt
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    LINE,
    PEOPLE,
    accepted,
    begun,
    ended,
    money,
    refused,
    told,
    update,
)

RANKS = [
    ("accepted", 0),
    ("queued", 1),
    ("sending", 2),
    ("sent", 3),
    ("unconfirmed", 4),
    ("delivered", 5),
    ("failed", 5),
    ("expired", 5),
]


def test_a_conversation_id_is_the_documented_digest() -> None:
    """`c1_` and 26 base32 characters of SHA-256 over the sorted numbers."""
    roster = b"multigroup/1\n+14155550101\n+14155550102\n+14155550103"
    digest = base64.b32encode(hashlib.sha256(roster).digest()[:16]).decode()
    expected = "c1_" + digest.rstrip("=").lower()

    assert conversation_id([CLEO, ANA, BEN]) == expected
    assert len(expected) == 3 + 26


def test_a_conversation_id_never_changes() -> None:
    """Ids are stored, so this very value must come out for ever."""
    assert conversation_id(PEOPLE) == "c1_6bo2qtaeusbgb2og6vwknkcgbu"


def test_a_conversation_does_not_depend_on_order_or_repetition() -> None:
    """The same people are the same conversation however they are listed."""
    ids = {conversation_id(order) for order in permutations(PEOPLE)}
    assert ids == {conversation_id([*PEOPLE, ANA])}


def test_other_people_are_another_conversation() -> None:
    """Adding or leaving out one member makes another conversation."""
    rosters = [(ANA,), (ANA, BEN), (BEN, CLEO), PEOPLE]
    assert len({conversation_id(roster) for roster in rosters}) == len(rosters)


def test_a_number_is_a_string_that_shows_its_end_only() -> None:
    """A number reads and compares as text, but its repr hides it."""
    assert ANA == "+14155550101"
    assert f"{ANA}" == "+14155550101"
    assert repr(ANA) == "'…0101'"


def test_no_value_shows_a_whole_number_text_or_url() -> None:
    """Message, media, line, leg and receipt hide who, what and where."""
    link = "https://media.example/cat.jpg?signature=s3cret"
    message = Message("Meet at noon", [link], "Lunch plans")
    sent = told(begun(), ended(accepted()), Reported(update(detail="Noon words")))

    shown = repr([message, message.media[0], LINE, sent, receipt(sent), PEOPLE])

    for secret in ("Meet", "Lunch", "Noon", "s3cret", "media.example", "Dinner"):
        assert secret not in shown
    for number in (*PEOPLE, LINE.number):
        assert number not in shown
    assert "…0101" in shown


def test_a_line_is_named_in_a_log_without_its_number() -> None:
    """Account and last four digits are enough to know a line by."""
    assert str(LINE) == "red:…0100"
    assert str(LineId("red", Number("28228"))) == "red:…8228"


def test_media_may_be_given_as_urls_or_as_items() -> None:
    """A URL is wrapped, an item of an event is taken as it is."""
    item = Media("https://media.example/a.jpg", "image/jpeg", 12)
    message = Message("", ["https://media.example/b.jpg", item])
    assert message.media == (Media("https://media.example/b.jpg"), item)


def test_a_fingerprint_ignores_the_query_of_a_media_url() -> None:
    """A URL signed anew is the same picture."""
    first = Message("hi", ["https://media.example/a.jpg?sig=1&exp=2"])
    again = Message("hi", ["https://media.example/a.jpg?sig=9"])
    bare = Message("hi", ["https://media.example/a.jpg"])

    prints = {message.fingerprint(PEOPLE) for message in (first, again, bare)}

    assert len(prints) == 1


@pytest.mark.parametrize(
    "other",
    [
        Message("Hi", ["https://media.example/a.jpg"], "s"),
        Message("hi", ["https://media.example/b.jpg"], "s"),
        Message("hi", ["https://other.example/a.jpg"], "s"),
        Message("hi", ["http://media.example/a.jpg"], "s"),
        Message("hi", ["https://media.example/a.jpg"] * 2, "s"),
        Message("hi", [], "s"),
        Message("hi", ["https://media.example/a.jpg"], "t"),
        Message("hi", ["https://media.example/a.jpg"]),
    ],
    ids=["text", "path", "host", "scheme", "twice", "none", "subject", "no-subject"],
)
def test_a_fingerprint_tells_other_messages_apart(other: Message) -> None:
    """Any other text, subject or media path is another message."""
    said = Message("hi", ["https://media.example/a.jpg"], "s")
    assert other.fingerprint(PEOPLE) != said.fingerprint(PEOPLE)


def test_a_fingerprint_depends_on_the_members_but_not_their_order() -> None:
    """The same words to other people are another send."""
    said = Message("hi")
    assert said.fingerprint([ANA, BEN]) == said.fingerprint([BEN, ANA])
    assert said.fingerprint([ANA, BEN]) != said.fingerprint([ANA, CLEO])


@given(st.text(max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_a_fingerprint_is_not_confused_by_moved_characters(
    written: str, here: int, there: int
) -> None:
    """Moving characters from the text to the subject makes another message."""
    one = Message(written[:here], subject=written[here:])
    two = Message(written[:there], subject=written[there:])
    same = (one.text, one.subject) == (two.text, two.subject)
    assert (one.fingerprint(PEOPLE) == two.fingerprint(PEOPLE)) == same


def test_a_fingerprint_is_not_confused_by_what_imitates_its_framing() -> None:
    """Text written like the digest's own length marks is still only text."""
    one = Message("", subject="a,1:b")
    two = Message(",5:a", subject="b")
    three = Message("0:,", subject="a")
    assert len({m.fingerprint([]) for m in (one, two, three)}) == 3


def test_a_fingerprint_takes_any_text() -> None:
    """Half a surrogate pair in the text does not break it."""
    assert Message("\ud83d").fingerprint([ANA]) != Message("?").fingerprint([ANA])


@pytest.mark.parametrize(("word", "rank"), RANKS)
def test_statuses_are_ranked(word: str, rank: int) -> None:
    """A status can only rise in this order; three share the top."""
    assert DeliveryStatus(word).rank == rank


def test_every_status_is_ranked_and_the_last_four_are_final() -> None:
    """From `unconfirmed` upwards the carrier is not expected to say more."""
    assert [status.value for status in DeliveryStatus] == [word for word, _ in RANKS]
    final = [status.value for status in DeliveryStatus if status.final]
    assert final == ["unconfirmed", "delivered", "failed", "expired"]


def test_money_reads_as_amount_and_currency() -> None:
    """An amount keeps every digit that the carrier wrote."""
    assert str(money("0.0800")) == "0.0800 USD"
    assert money("1", "EUR") != money("1", "USD")
    assert isinstance(money("1"), Money)


def test_outcomes_bear_the_word_for_what_is_known() -> None:
    """Each outcome names itself for logs and tables."""
    outcomes: list[Outcome] = [
        accepted(),
        refused(),
        NotSent("no route"),
        Unknown("no answer"),
    ]
    words = [outcome.word for outcome in outcomes]
    assert words == ["ACCEPTED", "REFUSED", "NOT_SENT", "UNKNOWN"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([DeliveryStatus.DELIVERED, DeliveryStatus.UNCONFIRMED], True),
        ([DeliveryStatus.DELIVERED, DeliveryStatus.SENT], False),
        ([DeliveryStatus.DELIVERED, None], False),
    ],
    ids=["all-final", "one-on-its-way", "one-untold"],
)
def test_a_receipt_is_settled_when_every_copy_is(
    statuses: list[DeliveryStatus | None], *, expected: bool
) -> None:
    """An accepted copy without a final status keeps the receipt open."""
    copies: dict[str, Delivery] = {
        member: Delivery(Accepted("m-1"), status)
        for member, status in zip((ANA, BEN), statuses, strict=True)
    }
    kept = Receipt("r", told().id, told().conversation, LINE, copies, ())
    assert kept.settled is expected
    assert kept.members == (ANA, BEN)


def test_a_refused_copy_has_nothing_to_settle() -> None:
    """A copy that no carrier took is not waited for."""
    no = refused()
    sent = told(begun(), ended(no), Closed())
    assert receipt(sent).settled
    assert isinstance(receipt(sent).deliveries[ANA].outcome, Refused)
