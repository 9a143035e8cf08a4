"""Which line next: pure decisions over lines, members and what happened so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest

from multigroup import Line, Provider, Telnyx, Vonage
from multigroup.errors import ConfigError, UnsupportedError
from multigroup.models import (
    LineId,
    Message,
    NotSent,
    Number,
    Outcome,
    Scope,
    Unknown,
)
from multigroup.routing import Fleet, Policy, arrange, may_move, shortlist
from tests.helpers.values import ANA, BEN, PEOPLE, accepted, at, refused

RED: Final[Provider] = Telnyx(api_key="KEY", name="red")
BLUE: Final[Provider] = Vonage(api_key="key", api_secret="secret", name="blue")
FIRST, SECOND = RED.line("+12125550100"), BLUE.line("+13125550100")
THIRD = RED.line("+12125550101")
LINES: Final = (FIRST, SECOND, THIRD)
STICKY: Final = Policy(sticky=timedelta(hours=1))
NOBODY_KNOWS: Final = Unknown("no answer")
NO_ROUTE: Final = NotSent("no route")


def _arranged(
    *,
    answering: LineId | None = None,
    last: Line | None = None,
    ago: timedelta = timedelta(0),
    policy: Policy = STICKY,
    lines: Sequence[Line] = LINES,
) -> tuple[Line, ...]:
    seen = (last.id, at(0)) if last else None
    now = at(0) + ago
    return arrange(lines, answering=answering, last=seen, now=now, policy=policy)


def test_a_fleet_keeps_its_lines_in_order() -> None:
    """The order given is the order of preference."""
    fleet = Fleet([SECOND, FIRST, THIRD])
    assert fleet.lines == (SECOND, FIRST, THIRD)
    assert fleet.own == {"+12125550100", "+12125550101", "+13125550100"}


def test_a_fleet_needs_a_line() -> None:
    """Without a line nothing can be sent, and the error shows how to give one."""
    with pytest.raises(ConfigError, match=r"lines= is empty.*telnyx\.line"):
        Fleet(())


def test_a_line_given_twice_is_refused() -> None:
    """One number at one account is one line, however often it is made."""
    with pytest.raises(ConfigError, match="one line is given twice"):
        Fleet((FIRST, SECOND, RED.line("(212) 555-0100")))


def test_one_number_may_be_a_line_of_two_accounts() -> None:
    """A hosted number can be reached by two carriers."""
    fleet = Fleet((FIRST, BLUE.line(FIRST.number)))
    assert len(fleet.lines) == 2
    assert fleet.own == {FIRST.number}


def test_two_accounts_of_one_name_are_refused() -> None:
    """A webhook path names the account, so the name must tell them apart."""
    twin = Telnyx(api_key="OTHER", name="red")
    with pytest.raises(ConfigError, match=r"two accounts are named 'red'.*name="):
        Fleet((FIRST, twin.line("+12125550102")))


def test_an_account_is_found_by_its_name() -> None:
    """A name nobody has is told with the names there are."""
    fleet = Fleet(LINES)
    assert fleet.account("red") is RED
    assert fleet.account("blue") is BLUE
    with pytest.raises(ConfigError, match="'green'; there is blue, red"):
        fleet.account("green")


def test_a_line_of_another_client_is_refused() -> None:
    """Webhooks of a line that is not ours would never be understood."""
    fleet = Fleet((FIRST, SECOND))
    assert fleet.check(FIRST) is FIRST
    with pytest.raises(ConfigError, match="is not a line of this client") as caught:
        fleet.check(THIRD)
    assert "red:…0101" in str(caught.value)
    assert THIRD.number not in str(caught.value)


def test_every_line_that_can_is_on_the_shortlist() -> None:
    """A plain message passes no line over."""
    found = shortlist(LINES, PEOPLE, Message("hi"))
    assert found.lines == LINES
    assert found.passed_over == ()


def test_a_line_that_cannot_is_passed_over_with_the_reason() -> None:
    """A carrier without subjects is skipped, and the receipt can say why."""
    found = shortlist(LINES, PEOPLE, Message("hi", subject="Lunch"))
    assert found.lines == (FIRST, THIRD)
    (why,) = found.passed_over
    assert why.startswith("blue:…0100: ")
    assert "subject" in why


@pytest.mark.parametrize(
    ("line", "count", "message", "why"),
    [
        (FIRST, 9, Message("hi"), "up to 8 members, this one has 9"),
        (SECOND, 11, Message("hi"), "up to 10 members, this one has 11"),
        (RED.line("28228"), 2, Message("hi"), "cannot text a group from a short_code"),
        (RED.line("+18005550100"), 2, Message("hi"), "from a toll_free number"),
        (SECOND, 2, Message("hi", subject="s"), "no MMS subject: leave the subject"),
        (FIRST, 2, Message("", ["https://m.example/a"] * 11), "up to 10 media"),
        (SECOND, 2, Message("x" * 3001), "up to 3000 characters of text"),
    ],
    ids=["red-many", "blue-many", "short", "toll-free", "subject", "media", "text"],
)
def test_a_message_no_line_can_carry_is_unsupported(
    line: Line, count: int, message: Message, why: str
) -> None:
    """What cannot be said faithfully is refused before a byte leaves."""
    members = [Number(f"+1415555{n:04}") for n in range(100, 100 + count)]
    with pytest.raises(UnsupportedError, match=why):
        shortlist([line], members, message)


def test_the_error_names_every_line_and_its_reason() -> None:
    """With no line left, all reasons are told and no whole number is."""
    crowd = [Number(f"+1415555{n:04}") for n in range(100, 111)]

    with pytest.raises(UnsupportedError) as caught:
        shortlist(LINES, crowd, Message("hi"))

    said = str(caught.value)
    for reason in ("red:…0100: red", "blue:…0100: blue", "red:…0101: red"):
        assert reason in said
    assert not any(line.number in said for line in LINES)


def test_one_member_may_be_texted_from_any_kind_of_line() -> None:
    """The kinds that may text a group do not bind a conversation of one."""
    short = RED.line("28228")
    assert shortlist([short], [ANA], Message("hi")).lines == (short,)


def test_lines_come_in_the_clients_order() -> None:
    """Without a history the client's preference decides."""
    assert _arranged() == LINES


def test_an_answer_goes_by_the_line_of_the_event() -> None:
    """The event's line is first, before the line of the last activity."""
    assert _arranged(answering=THIRD.id, last=SECOND) == (THIRD, FIRST, SECOND)


def test_a_conversation_stays_on_its_last_line() -> None:
    """Another line would be another thread on every phone."""
    assert _arranged(last=SECOND) == (SECOND, FIRST, THIRD)
    assert _arranged(last=SECOND, ago=timedelta(hours=1)) == (SECOND, FIRST, THIRD)


def test_a_stale_conversation_starts_anew() -> None:
    """After the sticky time the client's own order counts again."""
    ago = timedelta(hours=1, seconds=1)
    assert _arranged(last=SECOND, ago=ago) == LINES
    assert _arranged(last=SECOND, ago=ago, answering=THIRD.id)[0] == THIRD


def test_a_line_that_cannot_carry_the_message_is_not_brought_back() -> None:
    """The order is over the lines given and no others."""
    assert _arranged(last=SECOND, lines=[FIRST, THIRD]) == (FIRST, THIRD)


def test_without_failover_there_is_one_line() -> None:
    """A send then never leaves the line it was given, nor its thread."""
    policy = Policy(sticky=timedelta(hours=1), failover=False)
    assert _arranged(policy=policy) == (FIRST,)
    assert _arranged(policy=policy, last=SECOND) == (SECOND,)
    assert _arranged(policy=policy, last=SECOND, answering=THIRD.id) == (THIRD,)


def test_a_week_and_failover_are_the_defaults() -> None:
    """A conversation sticks for seven days, and a line may be left."""
    assert Policy() == Policy(sticky=timedelta(days=7), failover=True)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([NO_ROUTE], True),
        ([NO_ROUTE, NO_ROUTE], True),
        ([refused(Scope.LINE)], True),
        ([refused(Scope.ACCOUNT)], True),
        ([refused(Scope.LINE), NO_ROUTE], True),
        ([refused(Scope.MEMBER)], False),
        ([refused(Scope.MESSAGE)], False),
        ([refused(Scope.LINE), refused(Scope.MEMBER)], False),
        ([NOBODY_KNOWS], False),
        ([NO_ROUTE, NOBODY_KNOWS], False),
        ([accepted()], False),
        ([NO_ROUTE, accepted()], False),
        ([refused(Scope.LINE), accepted()], False),
    ],
    ids=lambda value: (
        "+".join(getattr(o, "scope", o.word) for o in value)
        if isinstance(value, list)
        else str(value)
    ),
)
def test_a_send_moves_only_if_surely_nobody_was_texted(
    outcomes: list[Outcome], *, expected: bool
) -> None:
    """One doubt, one acceptance or one bad member holds the whole group back."""
    assert may_move(outcomes) is expected


def test_a_line_shows_account_kind_and_the_end_of_its_number() -> None:
    """A line in a log hides the number and the account's key."""
    assert repr(FIRST) == "<Line red:…0100 long_code>"
    assert repr(RED.line("28228")) == "<Line red:…8228 short_code>"
    assert BEN not in repr(RED.line(BEN))
