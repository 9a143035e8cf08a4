"""Twilio's conversations: how a group comes about, sleeps and ends."""

from __future__ import annotations

import json

import pytest

from multigroup.simulator import Network, ThreadKey, TwilioQuirks
from tests.helpers.twilio import (
    OURS,
    A,
    B,
    C,
    Call,
    Rail,
    error_of,
    get,
    join,
    opened,
    read,
    say,
)


def test_step_by_step_a_group_comes_about(network: Network, twilio: Call) -> None:
    """A conversation, then our number projected, then each member's address."""
    sid = opened(twilio, UniqueName="mg-1", FriendlyName="Dinner")
    ours = read(join(twilio, sid, ProjectedAddress=OURS, Identity="desk"))
    member = read(join(twilio, sid, Address=A))
    join(twilio, sid, Address=B)
    assert ours["messaging_binding"] == {"type": "sms", "projected_address": OURS}
    assert member["messaging_binding"] == {"type": "sms", "address": A}
    assert network.handsets == ()
    assert say(twilio, "mg-1").status == 201
    assert network.handset(A).latest == ThreadKey(OURS, frozenset({A, B}))
    assert network.handset(B).bubbles[0].text == "Hello"


def test_at_once_a_group_takes_a_moment(network: Network, twilio: Call) -> None:
    """202 and `initializing`, nobody in it; then `active` with everyone."""
    given = [
        ("Participant", json.dumps({"messaging_binding": one}))
        for one in ({"projected_address": OURS}, {"address": A}, {"address": B})
    ]
    reply = twilio("POST", "/ConversationWithParticipants", given)
    sid, path = read(reply)["sid"], f"/Conversations/{read(reply)['sid']}"
    assert (reply.status, read(reply)["state"]) == (202, "initializing")
    assert get(twilio, f"{path}/Participants")["participants"] == []
    assert error_of(say(twilio, sid)) == (400, 50513)
    assert error_of(join(twilio, sid, Address=C)) == (400, 50377)
    network.advance(1.0)
    people = get(twilio, f"{path}/Participants")["participants"]
    assert get(twilio, path)["state"] == "active"
    assert [one["messaging_binding"].get("address") for one in people] == [None, A, B]
    assert say(twilio, sid).status == 201


def test_a_message_may_come_too_early(network: Network, twilio: Call) -> None:
    """Switched so, it is accepted and nobody ever sees it."""
    network.twilio.quirks = TwilioQuirks(early="lost", activates_after=60.0)
    given = [
        ("Participant", json.dumps({"messaging_binding": one}))
        for one in ({"projected_address": OURS}, {"address": A}, {"address": B})
    ]
    sid = read(twilio("POST", "/ConversationWithParticipants", given))["sid"]
    assert say(twilio, sid).status == 201
    assert network.handset(A).bubbles == ()


def test_without_participants_it_is_a_plain_one(twilio: Call) -> None:
    """201 and active at once."""
    reply = twilio("POST", "/ConversationWithParticipants", {"FriendlyName": "x"})
    assert (reply.status, read(reply)["state"]) == (201, "active")


@pytest.mark.parametrize(
    ("bindings", "code"),
    [
        ([{"projected_address": OURS}, {"address": A}], 50435),
        ([{"address": A}, {"address": B}, {"address": C}], 50435),
        ([{"projected_address": OURS}, {"address": A}, {"address": "banana"}], 50407),
        ([{"projected_address": OURS}, {"address": A}, {"address": A}], 50416),
        ([{"projected_address": OURS}, {"address": A}, {}], 20001),
        ([{"address": f"+141555501{n:02}"} for n in range(11)], 50426),
    ],
)
def test_at_once_it_is_all_or_nothing(
    twilio: Call, bindings: list[dict[str, str]], code: int
) -> None:
    """One wrong participant, and there is no conversation."""
    given = [
        ("Participant", json.dumps({"messaging_binding": one})) for one in bindings
    ]
    reply = twilio("POST", "/ConversationWithParticipants", given)
    assert error_of(reply)[1] == code
    assert get(twilio, "/Conversations")["conversations"] == []


@pytest.mark.parametrize("text", ["{", "[]", "7", "[" * 100_000])
def test_a_participant_is_an_object(twilio: Call, text: str) -> None:
    """Anything else is refused."""
    reply = twilio("POST", "/ConversationWithParticipants", {"Participant": text})
    assert error_of(reply) == (400, 20001)


def test_the_culprit_may_not_be_named(network: Network, twilio: Call) -> None:
    """A wrong number among many may be told as a failed activation."""
    network.twilio.quirks = TwilioQuirks(one_shot_error="50435")
    given = {"Participant": json.dumps({"messaging_binding": {"address": "banana"}})}
    reply = twilio("POST", "/ConversationWithParticipants", given)
    assert error_of(reply) == (400, 50435)


def test_the_same_set_is_found_in_the_error(twilio: Call, rail: Rail) -> None:
    """Whoever completes a set that is taken learns whose it is."""
    taken = rail(A, B)
    sid = opened(twilio)
    join(twilio, sid, ProjectedAddress=OURS)
    join(twilio, sid, Address=B)
    reply = join(twilio, sid, Address=A)
    assert error_of(reply) == (409, 50438)
    assert read(reply)["message"].endswith(f"already exists as Conversation {taken}")
    assert len(get(twilio, f"/Conversations/{sid}/Participants")["participants"]) == 2


def test_a_set_may_be_taken_for_a_moment_only(twilio: Call, rail: Rail) -> None:
    """Step by step one stumbles over smaller sets; at once one does not."""
    rail(A, B)
    sid = opened(twilio)
    join(twilio, sid, ProjectedAddress=OURS)
    join(twilio, sid, Address=A)
    assert error_of(join(twilio, sid, Address=B)) == (409, 50438)
    assert rail(A, B, C)


def test_a_pair_is_taken_by_another_error(network: Network, twilio: Call) -> None:
    """Two addresses are no group; the status of it is a switch."""
    network.twilio.quirks = TwilioQuirks(exists_status=400)
    first, second = opened(twilio), opened(twilio)
    for sid in (first, second):
        join(twilio, sid, ProjectedAddress=OURS)
    assert join(twilio, first, Address=A).status == 201
    assert error_of(join(twilio, second, Address=A)) == (400, 50416)


@pytest.mark.parametrize("way", ["close", "delete"])
def test_a_set_can_be_freed(twilio: Call, rail: Rail, way: str) -> None:
    """By closing its conversation, or by deleting it."""
    path = f"/Conversations/{rail(A, B)}"
    if way == "close":
        twilio("POST", path, {"State": "closed"})
    else:
        assert twilio("DELETE", path).status == 204
    assert rail(A, B)


@pytest.mark.parametrize(
    ("binding", "code"),
    [
        ({"Address": A, "ProjectedAddress": OURS}, 50407),
        ({"Address": "4155550101"}, 50407),
        ({"Address": "+442079460101"}, 50407),
        ({"Address": "+16715550101"}, 50407),
        ({"Address": OURS}, 50407),
        ({"ProjectedAddress": A}, 50407),
        ({"ProjectedAddress": "+18005550150"}, 50407),
        ({"Address": A, "ProxyAddress": B}, 50407),
        ({"ProxyAddress": OURS}, 20001),
        ({}, 20001),
    ],
)
def test_a_wrong_binding_is_refused(
    network: Network, twilio: Call, binding: dict[str, str], code: int
) -> None:
    """Most of it by one error that reads like a bad number."""
    network.twilio.add_number("+18005550150", kind="toll_free")
    assert error_of(join(twilio, opened(twilio), **binding)) == (400, code)


def test_an_identity_in_a_group_needs_our_number(twilio: Call) -> None:
    """Whichever comes first, a bare identity and a phone do not mix."""
    first, second = opened(twilio), opened(twilio)
    join(twilio, first, Address=A)
    assert error_of(join(twilio, first, Identity="desk")) == (400, 50434)
    join(twilio, second, Identity="desk")
    assert error_of(join(twilio, second, Address=A)) == (400, 50434)


def test_a_group_has_ten_at_most(twilio: Call, rail: Rail) -> None:
    """Our number is one of them."""
    sid = rail(*[f"+141555501{number:02}" for number in range(1, 10)])
    assert error_of(join(twilio, sid, Address="+14155550110")) == (400, 50436)


def test_an_account_may_have_no_groups(network: Network, twilio: Call) -> None:
    """Then the third address is refused."""
    network.twilio.quirks = TwilioQuirks(group_enabled=False)
    sid = opened(twilio)
    join(twilio, sid, ProjectedAddress=OURS)
    assert join(twilio, sid, Address=A).status == 201
    assert error_of(join(twilio, sid, Address=B)) == (403, 50452)


def test_proxy_addresses_make_no_group(network: Network, twilio: Call) -> None:
    """Each is texted alone, and sees only our number: the trap."""
    sid = opened(twilio)
    for number in (A, B):
        join(twilio, sid, Address=number, ProxyAddress=OURS)
    assert say(twilio, sid, Author="desk").status == 201
    for number in (A, B):
        assert network.handset(number).latest == ThreadKey(OURS, frozenset({number}))
    network.handset(A).reply("Hi")
    assert network.handset(B).bubbles[-1].sender == OURS
    assert len(get(twilio, f"/Conversations/{sid}/Messages")["messages"]) == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"State": "closed"}, 50384),
        ({"State": "initializing"}, 20001),
        ({"State": "asleep"}, 20001),
        ({"FriendlyName": "x" * 257}, 20001),
        ({"Timers.Inactive": "PT59S"}, 20001),
        ({"Timers.Closed": "PT9M59S"}, 20001),
        ({"Timers.Closed": "soon"}, 20001),
    ],
)
def test_a_wrong_conversation_is_refused(
    twilio: Call, fields: dict[str, str], code: int
) -> None:
    """And is not there afterwards."""
    assert error_of(twilio("POST", "/Conversations", fields)) == (400, code)
    assert get(twilio, "/Conversations")["conversations"] == []


def test_a_unique_name_is_taken_even_by_a_closed_one(twilio: Call) -> None:
    """It stands for the sid, and is free once the conversation is deleted."""
    sid = opened(twilio, UniqueName="mg-1")
    assert get(twilio, "/Conversations/mg-1")["sid"] == sid
    twilio("POST", f"/Conversations/{sid}", {"State": "closed"})
    again = twilio("POST", "/Conversations", {"UniqueName": "mg-1"})
    assert error_of(again) == (409, 50353)
    twilio("DELETE", f"/Conversations/{sid}")
    assert opened(twilio, UniqueName="mg-1") != sid


def test_timers_bring_a_conversation_to_its_end(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """Both count from the last message; a new one starts them again."""
    timers = {"Timers.Inactive": "PT1M", "Timers.Closed": "P1DT1H"}
    sid = rail(A, B, **timers)
    path = f"/Conversations/{sid}"
    network.advance(50.0)
    say(twilio, sid)
    network.advance(50.0)
    assert get(twilio, path)["state"] == "active"
    network.advance(10.0)
    assert get(twilio, path)["state"] == "inactive"
    network.advance(25 * 3600.0)
    assert get(twilio, path)["state"] == "closed"
    assert set(get(twilio, path)["timers"]) == {"date_inactive", "date_closed"}


def test_a_deleted_conversation_has_no_timers(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """Nothing comes of them."""
    sid = rail(A, B, **{"Timers.Inactive": "PT1M"})
    twilio("DELETE", f"/Conversations/{sid}")
    network.settle()
    assert error_of(twilio("GET", f"/Conversations/{sid}")) == (404, 20404)


def test_a_participant_can_be_read_and_removed(twilio: Call, rail: Rail) -> None:
    """But gets no address later on."""
    path = f"/Conversations/{rail(A, B)}/Participants"
    one = get(twilio, path)["participants"][1]["sid"]
    proxy = {"MessagingBinding.ProxyAddress": OURS}
    projected = {"MessagingBinding.ProjectedAddress": OURS}
    assert error_of(twilio("POST", f"{path}/{one}", proxy)) == (400, 50441)
    assert error_of(twilio("POST", f"{path}/{one}", projected)) == (400, 50443)
    changed = twilio("POST", f"{path}/{one}", {"Attributes": '{"a":1}'})
    assert read(changed)["attributes"] == '{"a":1}'
    assert get(twilio, f"{path}/{one}")["messaging_binding"]["address"] == A
    assert twilio("DELETE", f"{path}/{one}").status == 204
    assert error_of(twilio("GET", f"{path}/{one}")) == (404, 20404)


def test_conversations_are_found_by_member(twilio: Call, rail: Rail) -> None:
    """Every one that has the address, with its state and the binding."""
    sids = {rail(A, B), rail(A, C)}
    url = "/ParticipantConversations?Address=%2B14155550101"
    found = get(twilio, url)["conversations"]
    assert {one["conversation_sid"] for one in found} == sids
    assert {one["conversation_state"] for one in found} == {"active"}
    assert found[0]["participant_messaging_binding"]["address"] == A
    assert get(twilio, "/ParticipantConversations")["conversations"] == []


def test_a_conversation_can_be_renamed(twilio: Call, rail: Rail) -> None:
    """Its state stays what it is."""
    path = f"/Conversations/{rail(A, B)}"
    changed = read(twilio("POST", path, {"FriendlyName": "Dinner"}))
    assert (changed["friendly_name"], changed["state"]) == ("Dinner", "active")
