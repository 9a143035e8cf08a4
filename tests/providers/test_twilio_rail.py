"""Twilio's rail: found or made for exactly these people, step by step, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from multigroup import (
    Message,
    NotSent,
    Number,
    Reason,
    Refused,
    Scope,
    SendId,
    Twilio,
    conversation_id,
)
from multigroup.effects import Memorize, Sleep
from multigroup.providers.base import Draft, Rail
from multigroup.providers.twilio.rail import GroupRail
from multigroup.providers.twilio.site import unique_name
from multigroup.wire import Failure, Reply, Request, Response
from tests.helpers.player import Player

OURS: Final = Number("+12125550100")
ANA, BEN = Number("+14155550101"), Number("+14155550102")
SERVICE: Final = "MG" + "5" * 32
ACCOUNT: Final = Twilio(
    account_sid="AC" + "a" * 32, auth_token="token", messaging_service_sid=SERVICE
)
MADE, OTHER = "CH" + "1" * 32, "CH" + "2" * 32
NAME: Final = unique_name([ANA, BEN], OURS)
LOST: Final = Failure("ReadTimeout")


def _says(status: int, **document: Any) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def _error(code: int, status: int = 400, message: str = "No") -> Response:
    return _says(status, code=code, message=message)


def _conversation(
    state: str = "active",
    sid: str = MADE,
    name: str | None = NAME,
    service: str | None = SERVICE,
) -> Response:
    told = {"unique_name": name, "messaging_service_sid": service}
    return _says(200, sid=sid, state=state, **told)


def _people(*members: str, ours: str | None = OURS, **odd: str) -> Response:
    bindings: list[dict[str, str]] = [{"address": member} for member in members]
    bindings += [{"projected_address": ours}] if ours else []
    bindings += [odd] if odd else []
    entries = [
        {"sid": f"MB{n}", "messaging_binding": {"type": "sms", **binding}}
        for n, binding in enumerate(bindings)
    ]
    return _says(200, participants=entries)


MAKING: Final = _says(202, sid=MADE, state="initializing", unique_name=NAME)
BEGUN: Final = _says(201, sid=MADE, state="active", unique_name=NAME)
ADDED: Final = _says(201, sid="MB1")
WHOLE: Final = _people(ANA, BEN)
NOT_FOUND: Final = _error(20404, 404)
TAKEN: Final = _error(50353, 409)
EXISTS: Final = _error(
    50438,
    409,
    "Group MMS with given participant list already exists as Conversation " + OTHER,
)


def _prepared(player: Player, *, first: int = 0) -> Rail | NotSent | Refused:
    draft = Draft(
        send=SendId("5e" * 16),
        line=ACCOUNT.line(OURS),
        members=(ANA, BEN),
        message=Message("Dinner at 7?"),
        first=first,
    )
    return player.play(ACCOUNT.prepare(draft))


def _asked(player: Player) -> list[str]:
    """Return what was asked, the shared beginning of the addresses left out."""
    found: list[str] = []
    for request in player.requests:
        path = urlsplit(request.url).path.removeprefix("/v1/")
        found.append(f"{request.method} {path}".replace(MADE, "it"))
    return [line.replace(OTHER, "other").replace(NAME, "ours") for line in found]


def _fields(request: Request) -> list[tuple[str, str]]:
    return parse_qsl(request.body.decode(), strict_parsing=True)


def _known(replies: Iterable[Reply]) -> Player:
    """Return a player in whose journal the rail is noted already."""
    player = Player([MAKING, _conversation(), WHOLE])
    assert _prepared(player) == GroupRail(MADE)
    player.seen.clear()
    player.replies.extend(replies)
    return player


def test_one_request_makes_the_conversation() -> None:
    """Our name, the campaign's service, our line projected, each member by address."""
    player = Player([MAKING, _conversation(), WHOLE])

    assert _prepared(player) == GroupRail(MADE)

    assert _asked(player) == [
        "POST ConversationWithParticipants",
        "GET Conversations/it",
        "GET Conversations/it/Participants",
    ]
    assert _fields(player.requests[0]) == [
        ("UniqueName", NAME),
        ("MessagingServiceSid", SERVICE),
        ("Participant", f'{{"messaging_binding":{{"projected_address":"{OURS}"}}}}'),
        ("Participant", f'{{"messaging_binding":{{"address":"{ANA}"}}}}'),
        ("Participant", f'{{"messaging_binding":{{"address":"{BEN}"}}}}'),
    ]
    assert all(r.headers.get("authorization") for r in player.requests)
    assert b"roxy" not in b"".join(r.body for r in player.requests)


def test_its_name_is_of_the_people_and_the_line_and_shows_no_number() -> None:
    """The same set has one name in any order; another member or line has another."""
    assert unique_name([BEN, ANA], OURS) == NAME
    assert len({NAME, unique_name([ANA], OURS), unique_name([ANA, BEN], BEN)}) == 3
    assert not any(digits in NAME for digits in ("5550101", "5550102", "5550100"))
    assert conversation_id([ANA, BEN]) not in NAME


def test_a_rail_is_remembered_by_its_name() -> None:
    """The next message of the same people asks the carrier nothing, in any order."""
    player = _known([])

    assert _prepared(player) == GroupRail(MADE)
    assert player.requests == []


def test_what_is_noted_tells_no_number() -> None:
    """Neither the key nor the value could be of use to who reads the journal."""
    player = Player([MAKING, _conversation(), WHOLE])
    _prepared(player)

    (noted,) = player.of(Memorize)
    assert noted.value == MADE
    assert not any(digits in noted.key for digits in ("0100", "0101", "0102"))


def test_it_waits_until_everybody_is_attached() -> None:
    """The participants are attached after the answer: it looks until it is active."""
    waiting = _conversation("initializing")
    player = Player([MAKING, waiting, waiting, _conversation(), WHOLE])

    assert _prepared(player) == GroupRail(MADE)
    assert [pause.seconds for pause in player.of(Sleep)] == [0.25, 0.5]


def test_one_that_never_becomes_active_is_not_sent_on() -> None:
    """After some seconds nothing is sent, and trying again later may help."""
    player = Player([MAKING, *[_conversation("initializing")] * 9])

    found = _prepared(player)

    assert isinstance(found, NotSent)
    assert found.wait is not None
    assert player.of(Memorize) == []


def test_one_that_another_process_made_is_found_by_its_name() -> None:
    """The name is taken already: it is ours, and serves."""
    player = Player([TAKEN, _conversation(), WHOLE])

    assert _prepared(player) == GroupRail(MADE)
    assert _asked(player)[1] == "GET Conversations/ours"


def test_one_left_half_made_is_completed() -> None:
    """A process died between two steps: whoever is missing is added."""
    player = Player([TAKEN, _conversation(), _people(ANA), ADDED])

    assert _prepared(player) == GroupRail(MADE)
    assert _fields(player.requests[-1]) == [("MessagingBinding.Address", BEN)]


@pytest.mark.parametrize(
    "wrong",
    [
        _people(ANA, BEN, "+14155550103"),
        _people(ANA, BEN, address="x", proxy_address=OURS),
    ],
    ids=["one more", "behind a proxy number"],
)
def test_one_with_others_in_it_is_built_anew(wrong: Response) -> None:
    """What somebody added to ours is another group, or none: it makes room."""
    player = Player(
        [TAKEN, _conversation(), wrong, _says(204), MAKING, _conversation(), WHOLE]
    )

    assert _prepared(player) == GroupRail(MADE)
    assert _asked(player)[3:5] == [
        "DELETE Conversations/it",
        "POST ConversationWithParticipants",
    ]


def test_a_closed_one_of_ours_is_built_anew() -> None:
    """It cannot be opened again and would keep its name for ever."""
    player = Player(
        [TAKEN, _conversation("closed"), _says(204), MAKING, _conversation(), WHOLE]
    )

    assert _prepared(player) == GroupRail(MADE)
    assert "DELETE Conversations/it" in _asked(player)


def test_an_inactive_one_is_woken() -> None:
    """A post would not go through it as it is."""
    player = Player([TAKEN, _conversation("inactive"), WHOLE, _conversation()])

    assert _prepared(player) == GroupRail(MADE)
    assert _asked(player)[-1] == "POST Conversations/it"
    assert _fields(player.requests[-1]) == [("State", "active")]


@pytest.mark.parametrize("service", [None, "MG" + "6" * 32])
def test_the_campaigns_service_is_set_where_it_is_not(service: str | None) -> None:
    """What goes out by another one is not registered: no message before that."""
    player = Player([TAKEN, _conversation(service=service), WHOLE, _error(50407)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert _asked(player)[-1] == "POST Conversations/it"
    assert _fields(player.requests[-1]) == [("MessagingServiceSid", SERVICE)]


def test_another_service_has_the_rail_looked_at() -> None:
    """What is noted holds for the service it was made for."""
    player = _known([TAKEN, _conversation(), WHOLE, _conversation()])
    other = Twilio(
        account_sid="AC" + "a" * 32,
        auth_token="token",
        messaging_service_sid="MG" + "6" * 32,
    )
    draft = Draft(SendId("5e" * 16), other.line(OURS), (ANA, BEN), Message("Hi"))

    assert player.play(other.prepare(draft)) == GroupRail(MADE)
    assert _fields(player.requests[-1]) == [("MessagingServiceSid", "MG" + "6" * 32)]


def test_a_conversation_made_behind_our_back_serves() -> None:
    """50438 names it in words: the same people are in it, so it is the rail."""
    player = Player([EXISTS, _conversation(sid=OTHER, name=None), WHOLE])

    assert _prepared(player) == GroupRail(OTHER)
    assert _asked(player)[1] == "GET Conversations/other"


def test_anothers_conversation_is_never_changed() -> None:
    """One that is not ours and lacks our line is left alone; another line may try."""
    foreign = _conversation(sid=OTHER, name="theirs")
    player = Player([EXISTS, foreign, _people(ANA, BEN, ours=None)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert found.scope is Scope.LINE
    assert {line.partition(" ")[0] for line in _asked(player)[1:]} == {"GET"}


def test_step_by_step_finds_the_other_conversation_too() -> None:
    """The participant that completes the set is refused, and names who has it."""
    player = Player(
        [
            _error(50435),
            BEGUN,
            ADDED,
            ADDED,
            EXISTS,
            _says(204),
            _conversation(sid=OTHER, name=None),
            WHOLE,
        ]
    )

    assert _prepared(player) == GroupRail(OTHER)
    assert "DELETE Conversations/it" in _asked(player)


def test_a_bad_number_is_named() -> None:
    """One request says only that something is wrong: the steps say with whom."""
    player = Player([_error(50407), BEGUN, ADDED, ADDED, _error(50407), _says(204)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert (found.code, found.reason) == ("50407", Reason.INVALID_NUMBER)
    assert (found.scope, found.named) == (Scope.MEMBER, (BEN,))
    assert _asked(player)[-1] == "DELETE Conversations/it"
    steps = [_fields(request) for request in player.requests[2:5]]
    assert steps == [
        [("MessagingBinding.ProjectedAddress", OURS)],
        [("MessagingBinding.Address", ANA)],
        [("MessagingBinding.Address", BEN)],
    ]


def test_a_line_that_cannot_be_projected_is_the_lines_fault() -> None:
    """Nobody in the group is to blame for it, so another line may try."""
    player = Player([_error(50407), BEGUN, _error(50407), _says(204)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert (found.scope, found.named) == (Scope.LINE, ())


def test_a_step_done_before_is_no_failure() -> None:
    """50416: that participant is there already."""
    player = Player(
        [_error(50435), BEGUN, ADDED, _error(50416), ADDED, _conversation(), WHOLE]
    )

    assert _prepared(player) == GroupRail(MADE)


def test_one_half_made_when_an_answer_was_lost_is_left_to_go_on_with() -> None:
    """It has our name, so that the next message finds and completes it."""
    player = Player([_error(50435), BEGUN, ADDED, LOST])

    assert isinstance(_prepared(player), NotSent)
    assert not any(line.startswith("DELETE") for line in _asked(player))


def test_one_that_vanishes_again_and_again_is_left_for_later() -> None:
    """Another process sets up the same group at this moment, or tears it down."""
    player = Player([TAKEN, NOT_FOUND, TAKEN, NOT_FOUND, TAKEN, NOT_FOUND])

    found = _prepared(player)

    assert isinstance(found, NotSent)
    assert found.wait == 1.0


def test_words_that_name_no_conversation_are_gone_into_step_by_step() -> None:
    """50438 without a name helps nobody: the last step's refusal may bear one."""
    silent = _error(50438, 409, "exists")
    player = Player([silent, BEGUN, ADDED, ADDED, silent, _says(204)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert (found.code, found.scope) == ("50438", Scope.LINE)


def test_a_conversation_that_cannot_be_begun_is_refused() -> None:
    """Step by step the first step may be refused, too."""
    player = Player([_error(50435), _error(50452, 403)])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert found.scope is Scope.ACCOUNT


def test_a_later_leg_looks_at_what_is_noted() -> None:
    """It may be there because the conversation was gone."""
    player = _known([_conversation("inactive"), WHOLE, _conversation()])

    assert _prepared(player, first=1) == GroupRail(MADE)
    assert _asked(player)[0] == "GET Conversations/it"


def test_a_rail_that_is_gone_is_built_anew_and_noted() -> None:
    """The new one takes its place for all later messages."""
    new = _says(202, sid=OTHER, unique_name=NAME)
    player = _known([NOT_FOUND, new, _conversation(sid=OTHER), WHOLE])

    assert _prepared(player, first=1) == GroupRail(OTHER)
    assert _prepared(player) == GroupRail(OTHER)


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (LOST, None),
        (Failure("ConnectError", unsent=True), None),
        (Response(500), None),
        (Response(301), None),
        (Response(408), None),
        (Response(429, {"retry-after": "7"}), 7.0),
        (_error(20429, 400), 0.0),
    ],
    ids=["lost", "unreachable", "500", "301", "408", "429", "20429"],
)
@pytest.mark.parametrize("step", range(3))
def test_a_step_without_an_answer_sent_nothing(
    reply: Reply, wait: float | None, step: int
) -> None:
    """Wherever it ends no phone has rung: it is `NotSent`, never in doubt."""
    replies: list[Reply] = [MAKING, _conversation(), WHOLE]
    player = Player([*replies[:step], reply])

    found = _prepared(player)

    assert isinstance(found, NotSent)
    assert found.wait == wait
    assert player.of(Memorize) == []


@pytest.mark.parametrize(
    "reply",
    [Response(401), Response(403), _error(50452), _error(20003, 401)],
    ids=["401", "403", "not enabled", "bad token"],
)
def test_an_account_without_groups_is_the_accounts_fault(reply: Response) -> None:
    """Another line may try, and nothing is tried step by step."""
    player = Player([reply])

    found = _prepared(player)

    assert isinstance(found, Refused)
    assert (found.reason, found.scope) == (Reason.ACCOUNT, Scope.ACCOUNT)
    assert len(player.requests) == 1


def test_a_carriers_words_are_masked() -> None:
    """What it says of a refusal may quote a number."""
    found = _prepared(Player([_error(50452, 403, f"not for {ANA}")]))

    assert isinstance(found, Refused)
    assert ANA not in found.detail
