"""Who is in a conversation: the same people are the same group, however written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given, strategies as st

from multigroup import (
    Client,
    Event,
    InvalidNumberError,
    MessageReceived,
    Number,
    PayloadError,
    codec,
    conversation_id,
)
from tests.properties.accounts import ACCOUNTS, client
from tests.properties.mischief import broken_bodies
from tests.properties.strategies import (
    LINES,
    READERS,
    Reader,
    bandwidth_received,
    numbers,
    people,
    telnyx_received,
    vonage_received,
)

AT: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
OURS: Final = frozenset(LINES.values())
TELNYX = LINES["telnyx"]
APP: Final[Client] = client()


def _events(carrier: Reader, body: bytes, own: frozenset[str]) -> list[Event]:
    return list(ACCOUNTS[carrier].parse(body, own=own, received_at=AT))


def _message(
    carrier: Reader, document: Any, own: frozenset[str] = OURS
) -> MessageReceived:
    event = _events(carrier, codec.dumps(document), own)[0]
    assert isinstance(event, MessageReceived)
    return event


def _people(group: list[str]) -> list[dict[str, str]]:
    return [{"phone_number": number, "status": "delivered"} for number in group]


WAYS: Final[dict[str, tuple[Reader, Callable[[list[str]], Any]]]] = {
    "cc of strings, ours among them": (
        "telnyx",
        lambda group: telnyx_received(group, "x", cc=[*group[1:], TELNYX]),
    ),
    "cc of objects": (
        "telnyx",
        lambda group: telnyx_received(group, "x", cc=_people(group[1:])),
    ),
    "everybody in to": (
        "telnyx",
        lambda group: telnyx_received(
            group, "x", to=_people([TELNYX, *group[1:]]), cc=[]
        ),
    ),
    "participants": ("vonage", lambda group: vonage_received(group, "x")),
    "to and owner": ("bandwidth", lambda group: bandwidth_received(group, "x")),
}
"""The ways a carrier writes who is in a group."""


@given(st.data(), people())
def test_all_ways_to_write_a_roster_are_one_conversation(
    data: st.DataObject, group: list[str]
) -> None:
    """A group has one id, whichever carrier writes its roster in whichever way."""
    expected = APP.group(*group).id

    for carrier, way in WAYS.values():
        event = _message(carrier, data.draw(way(data.draw(st.permutations(group)))))
        assert event.conversation == expected
        assert event.members == frozenset(group)
        assert APP.conversation(event).id == expected
        assert event.line == LINES[carrier]


@given(people(2), st.data())
def test_order_and_repetition_do_not_matter(
    group: list[str], data: st.DataObject
) -> None:
    """An id depends on who is there, not on their order nor on repetition."""
    shuffled = data.draw(st.permutations(group))
    doubled = [*shuffled, data.draw(st.sampled_from(group))]

    assert conversation_id(shuffled) == conversation_id(doubled)
    assert conversation_id(doubled) == APP.group(*group).id
    assert APP.group(*shuffled).members == tuple(sorted(group))


@given(people(), people())
def test_other_people_are_another_conversation(one: list[str], two: list[str]) -> None:
    """Two groups share an id only if they are the same people."""
    same = set(one) == set(two)
    assert (conversation_id(one) == conversation_id(two)) is same


@given(people(), st.data())
def test_numbers_typed_by_people_are_the_same_people(
    group: list[str], data: st.DataObject
) -> None:
    """However a member's number is typed, it is the same member."""
    typed = [data.draw(st.sampled_from(_spelt(number))) for number in group]

    assert APP.group(*typed).id == conversation_id(group)
    assert APP.group(*typed).members == tuple(sorted(group))


def _spelt(number: str) -> list[str]:
    area, office, line = number[2:5], number[5:8], number[8:]
    return [
        number,
        number[2:],
        f"({area}) {office}-{line}",
        f"+1 {area} {office} {line}",
        f"1-{area}-{office}-{line}",
        f" {area}.{office}.{line} ",
    ]


@given(people(), st.sampled_from(sorted(OURS)), st.data())
def test_our_own_number_is_never_a_member(
    group: list[str], ours: str, data: st.DataObject
) -> None:
    """A group with one of our lines in it, however typed, is refused."""
    typed = data.draw(st.sampled_from(_spelt(ours)))
    members = data.draw(st.permutations([*group, typed]))

    with pytest.raises(InvalidNumberError) as refused:
        APP.group(*members)
    assert refused.value.value == typed


@given(st.data(), st.sampled_from(sorted(WAYS)), people(), st.sets(numbers()))
def test_members_and_our_numbers_are_disjoint(
    data: st.DataObject, way: str, group: list[str], further: set[str]
) -> None:
    """Whoever is ours is no member; everybody else is, the sender included."""
    carrier, write = WAYS[way]
    own = frozenset({LINES[carrier], *further})
    event = _message(carrier, data.draw(write(group)), own)

    assert event.members == frozenset(group) - own
    assert event.line == LINES[carrier]
    assert event.sender == group[0]
    assert (event.sender in (event.members or ())) is (group[0] not in own)
    assert event.conversation == conversation_id(set(group) - own)


@given(
    st.data(),
    st.sampled_from(READERS),
    st.sets(st.sampled_from([*LINES.values(), "+14155550101", "28228", ""])),
)
def test_no_broken_body_mixes_members_with_our_numbers(
    data: st.DataObject, carrier: Reader, own: set[str]
) -> None:
    """However broken a body is, a member is never ours nor the line it came to."""
    body = data.draw(broken_bodies(carrier))
    try:
        events = _events(carrier, body, frozenset(own))
    except PayloadError:
        events = []
    for event in events:
        if isinstance(event, MessageReceived):
            assert event.members is not None
            assert event.members.isdisjoint(own)
            assert event.line not in event.members
            assert event.sender in event.members | own | {event.line}
            assert all(type(member) is Number for member in event.members)
