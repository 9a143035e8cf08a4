"""What a send came to: the receipt, or the error that says what is known."""

from __future__ import annotations

import pytest

from multigroup._programs.verdict import conclude, in_words, why_stopped
from multigroup.errors import (
    MultigroupError,
    NotSentError,
    PartialSendError,
    RefusedError,
    SendError,
    UncertainError,
)
from multigroup.models import (
    Accepted,
    NotSent,
    Outcome,
    Reason,
    Receipt,
    Refused,
    Scope,
    Unknown,
)
from multigroup.records import receipt
from tests.helpers.values import (
    PEOPLE,
    RED,
    accepted,
    begun,
    ended,
    leg,
    refused,
    told,
)

YES, NO = accepted(), Refused("40300", Reason.OPTED_OUT, Scope.MEMBER, "blocked")
NO_ROUTE, LOST = NotSent("could not reach red"), Unknown("no answer")


def _receipt(*outcomes: Outcome) -> Receipt:
    """Return the receipt of a send whose legs, one per member, ended so."""
    legs = [leg(f"{RED}.{n}", (member,)) for n, member in enumerate(PEOPLE)]
    ends = [ended(outcome, f"{RED}.{n}") for n, outcome in enumerate(outcomes)]
    return receipt(told(begun(*legs), *ends))


def _error(*outcomes: Outcome) -> SendError:
    with pytest.raises(SendError) as caught:
        conclude(_receipt(*outcomes))
    return caught.value


def test_a_send_that_everybody_was_texted_by_returns_its_receipt() -> None:
    """Only then is there no error."""
    kept = _receipt(YES, YES, YES)
    assert conclude(kept) is kept


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((LOST, YES, NO), UncertainError),
        ((YES, NO_ROUTE, LOST), UncertainError),
        ((LOST, LOST, LOST), UncertainError),
        ((YES, YES, NO), PartialSendError),
        ((NO_ROUTE, NO, YES), PartialSendError),
        ((NO, NO, NO), RefusedError),
        ((NO_ROUTE, NO_ROUTE, NO), RefusedError),
        ((NO_ROUTE, NO_ROUTE, NO_ROUTE), NotSentError),
    ],
    ids=lambda value: (
        "+".join(outcome.word for outcome in value)
        if isinstance(value, tuple)
        else value.__name__
    ),
)
def test_the_first_match_decides(
    outcomes: tuple[Outcome, ...], expected: type[SendError]
) -> None:
    """A doubt outweighs an acceptance, that a refusal, that a failure to leave."""
    error = _error(*outcomes)
    assert type(error) is expected
    assert error.receipt == _receipt(*outcomes)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ((LOST, YES, NO), "1 of 3 members perhaps texted and perhaps not"),
        ((YES, YES, NO), "2 of 3 members texted, the others were not"),
        ((NO, NO, NO_ROUTE), "2 of 3 members refused; nobody was texted"),
        ((NO_ROUTE,) * 3, "3 of 3 members not texted; nothing left"),
    ],
    ids=["uncertain", "partial", "refused", "not-sent"],
)
def test_the_error_counts_the_members_it_is_about(
    outcomes: tuple[Outcome, ...], said: str
) -> None:
    """How many of how many, and what that means for them."""
    assert str(_error(*outcomes)).startswith(said)


@pytest.mark.parametrize(
    "outcomes", [(LOST, NO, NO_ROUTE), (NO, NO, YES)], ids=["uncertain", "partial"]
)
def test_the_error_masks_every_number(outcomes: tuple[Outcome, ...]) -> None:
    """Members are named by their last four digits, in message and repr."""
    error = _error(*outcomes)
    for shown in (str(error), repr(error)):
        assert not any(number[2:] in shown for number in PEOPLE)
        assert "…0101" in shown


def test_the_error_tells_each_reason_once() -> None:
    """Members with one fate are told together, those who were texted not at all."""
    said = str(_error(NO, YES, NO))
    assert said.endswith("(…0101, …0103: opted_out (40300))")
    assert "…0102" not in said


def test_only_what_surely_did_not_leave_is_called_safe_to_send_again() -> None:
    """The doubtful case warns instead."""
    assert "safe to send again" in str(_error(NO_ROUTE, NO_ROUTE, NO_ROUTE))
    assert "could text them twice" in str(_error(LOST, NO_ROUTE, NO_ROUTE))
    assert "safe" not in str(_error(LOST, NO_ROUTE, NO_ROUTE))


def test_an_error_of_a_send_is_ours() -> None:
    """All are caught by the root of the tree."""
    assert isinstance(_error(LOST, LOST, LOST), MultigroupError)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (NO, "opted_out (40300)"),
        (refused(), "other (40305)"),
        (NO_ROUTE, "could not reach red"),
        (LOST, "no answer"),
        (YES, "accepted as m-1"),
        (Accepted("Dinner at 7"), "accepted as <11 characters>"),
    ],
    ids=["refused", "wordless", "not-sent", "unknown", "accepted", "misnamed"],
)
def test_an_outcome_is_told_in_words(outcome: Outcome, expected: str) -> None:
    """Our reason comes before the code; the carrier may quote texts in its words."""
    assert in_words(outcome) == expected


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ([LOST, YES, NO], "perhaps sent"),
        ([YES, NO], "would split it"),
        ([NO, NO_ROUTE], "refused for the same reason"),
        ([NO_ROUTE, NO_ROUTE], "no other line is left"),
    ],
    ids=["uncertain", "partial", "refused", "not-sent"],
)
def test_why_a_send_stopped_is_told(outcomes: list[Outcome], why: str) -> None:
    """The gravest outcome of the batch gives the reason."""
    assert why_stopped(outcomes).startswith("stopped: ")
    assert why in why_stopped(outcomes)
