"""Who asked us to stop, how it is heard, and what is not sent because of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    Block,
    DeliveryStatus,
    Line,
    LineId,
    MemoryJournal,
    Message,
    MessageReceived,
    Number,
    OptedIn,
    OptedOut,
    OptedOutError,
    PartialSendError,
    Policy,
    Reason,
    Refused,
    RefusedError,
    Response,
    Scope,
    SQLiteJournal,
    Telnyx,
    ThreadMoved,
    Vonage,
    conversation_id,
)
from multigroup._programs.ingest import with_wishes
from multigroup._programs.send import send
from multigroup.consent import Keyword, at_group, keyword
from multigroup.journal import Journal
from multigroup.models import SendId
from multigroup.providers.base import Draft, Rail
from multigroup.records import Closed
from tests.helpers.paper import ONE, STOPPED, TWO, WHOLE
from tests.helpers.player import ANA, BEN, CLEO, Player, failed, order
from tests.helpers.values import (
    LINE,
    PEOPLE,
    RED,
    at,
    begun,
    ended,
    received,
    record,
    refused,
    update,
)
from tests.helpers.world import World

DAN: Final = Number("+14155550104")
ALL: Final = (ANA, BEN, CLEO)

STOPS: Final = (
    "STOP",
    "stop",
    " Stop. ",
    "StopAll",
    "STOP ALL",
    "stop\u00a0all",
    "Quit!",
    "END",
    "revoke",
    "Opt out",
    "opt-out",
    "opt\u2011out",
    "OptOut",
    "cancel\n",
    "Unsubscribe",
    '"STOP"',
    "\u201cStop\u201d",
    "\u00abSTOP\u00bb",
    "'stop'",
    "(STOP)",
    "*stop*",
    "_stop_",
    "STOP \U0001f6d1",
    "\U0001f6d1STOP\u270b\ufe0f",
    "stop!!!",
    "stop \u2026",
    "\u200bSTOP\u200b",
    "\uff33\uff34\uff2f\uff30",
)
NOTHING: Final = (
    "",
    "please stop",
    "don't stop",
    "stop it, Ben",
    "Cancel?",
    "should we cancel",
    "the end",
    "yes",
    "no",
    "restart",
    "s t o p",
    "stops",
    "STOP " * 30,
    "\U0001f6d1",
    "...",
)


@pytest.mark.parametrize("text", STOPS)
def test_a_stop_is_heard_however_it_is_dressed(text: str) -> None:
    """Quotes, smileys, dashes and what phones put around a word change nothing."""
    assert keyword(text) is Keyword.STOP


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_said_to_the_others_is_no_keyword(text: str) -> None:
    """The word must be the whole message, and a question is asked of the group."""
    assert keyword(text) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("START", Keyword.START),
        ("Unstop.", Keyword.START),
        ("help!", Keyword.HELP),
        ("Info", Keyword.HELP),
    ],
)
def test_the_other_keywords_are_heard_too(text: str, word: Keyword) -> None:
    """START takes an opt-out back; HELP is the application's to answer."""
    assert keyword(text) is word


@pytest.fixture(params=["memory", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give a journal of either kind, empty."""
    kind: str = request.param
    made = MemoryJournal() if kind == "memory" else SQLiteJournal(tmp_path / "j.db")
    yield made
    made.close()


def _write(journal: Journal, text: str, who: Number = ANA, **more: Any) -> None:
    """Let *who* write *text* to the group, as a carrier hands it on."""
    when: float = more.pop("when", 5)
    event = received(f"{text} {who} {when}", when=when, text=text, sender=who, **more)
    journal.store("default", tuple(with_wishes([event])))


def _blocked(journal: Journal, *subjects: str, namespace: str = "default") -> set[str]:
    return {block.subject for block in journal.blocked(namespace, subjects or PEOPLE)}


def test_a_stop_blocks_one_person_and_says_how(journal: Journal) -> None:
    """When and in what way is kept, and nobody else of the group is blocked."""
    _write(journal, "Stop.")

    assert journal.blocked("default", PEOPLE) == (Block(ANA, at(5), "wrote STOP"),)


def test_a_start_takes_a_stop_back(journal: Journal) -> None:
    """On whatever line it was said."""
    _write(journal, "STOP")
    _write(journal, "start", when=6, account="blue", line=Number("28228"))

    assert _blocked(journal) == set()


def test_the_later_word_counts_whichever_comes_first(journal: Journal) -> None:
    """Carriers keep no order: a STOP that arrives late does not undo a START."""
    _write(journal, "START", when=6)
    _write(journal, "STOP", when=5)
    assert _blocked(journal) == set()

    _write(journal, "STOP", when=7)
    assert _blocked(journal) == {ANA}


def test_help_and_the_rest_block_nobody(journal: Journal) -> None:
    """They are messages like any other."""
    for text in ("HELP", "hello", "please stop"):
        _write(journal, text)

    assert _blocked(journal) == set()


def test_namespaces_do_not_share_opt_outs(journal: Journal) -> None:
    """Two applications on one journal were told apart by those who wrote to them."""
    _write(journal, "STOP")

    assert _blocked(journal, namespace="other") == set()


def test_a_stop_to_a_short_code_counts_on_every_line(journal: Journal) -> None:
    """A short code is a line like another; its group blocks are its own."""
    _write(journal, "STOP", account="vonage", line=Number("28228"))

    assert _blocked(journal) == {ANA}


def test_a_stop_from_a_short_code_blocks_that_short_code(journal: Journal) -> None:
    """Whoever wrote it, as received: nobody else is taken for them."""
    _write(journal, "STOP", Number("28228"))

    assert _blocked(journal, "28228", *PEOPLE) == {"28228"}


def test_a_carriers_own_word_is_not_told_twice() -> None:
    """Where the carrier says that somebody opted out, the words add nothing."""
    message = received(text="STOP")
    about = {
        name: getattr(message, name)
        for name in ("id", "provider", "account", "occurred_at", "received_at", "raw")
    }
    told = OptedOut(**about, member=ANA, line=LINE.number)

    assert list(with_wishes([message, told])) == [message, told]
    assert list(with_wishes([message])) == [message, told]
    assert [type(e) for e in with_wishes([received(text="Start")])] == [
        MessageReceived,
        OptedIn,
    ]
    assert len(list(with_wishes([received(text="HELP")]))) == 1


STOP_CODE: Final = evolve(refused(Scope.MEMBER, Reason.OPTED_OUT), code="40300")


def _refuse(journal: Journal, **named: Any) -> None:
    """Let a carrier refuse the whole group, naming those it blames if *named* says."""
    journal.reserve(record(), begun())
    journal.write(RED, ended(evolve(STOP_CODE, **named)))
    journal.write(RED, Closed())


def _group_at(line: LineId) -> str:
    return at_group(line, conversation_id(PEOPLE))


def test_a_refusal_that_names_a_member_blocks_that_member(journal: Journal) -> None:
    """The carrier's pointer says who it was; the group may go on without them."""
    _refuse(journal, named=(BEN,))

    (block,) = journal.blocked("default", (*PEOPLE, _group_at(LINE)))
    assert block == Block(BEN, at(2), "refused by red (40300)")


def test_a_refusal_that_names_nobody_blocks_the_group_on_that_line(
    journal: Journal,
) -> None:
    """Nobody knows who of them it was: no person is blocked, nor another line."""
    _refuse(journal)
    other = evolve(LINE, account="blue")

    subjects = (*PEOPLE, _group_at(LINE), _group_at(other))
    assert _blocked(journal, *subjects) == {_group_at(LINE)}


@pytest.mark.parametrize(
    ("line", "still"),
    [
        (LINE, 0),
        (evolve(LINE, account="blue"), 1),
        (evolve(LINE, number=Number("28228")), 1),
    ],
    ids=["that line", "another account", "another number"],
)
def test_a_start_lifts_the_blocks_of_groups_on_its_line(
    journal: Journal, line: LineId, still: int
) -> None:
    """Perhaps it was them: the carrier is asked again, and says so if it was not."""
    _refuse(journal)
    _write(journal, "START", CLEO, when=6, account=line.account, line=line.number)

    assert len(_blocked(journal, _group_at(LINE))) == still


def test_a_start_before_the_refusal_lifts_nothing(journal: Journal) -> None:
    """The refusal is the later word."""
    _refuse(journal)
    _write(journal, "START", CLEO, when=1)

    assert _blocked(journal, _group_at(LINE)) == {_group_at(LINE)}


def test_a_refusal_of_a_single_members_leg_names_them(journal: Journal) -> None:
    """Where every member has a leg of their own there is nobody else to blame."""
    player = Player([STOPPED], journal)
    end = failed(player, order(members=ALL))

    assert type(end) is PartialSendError
    assert _blocked(journal) == {ANA}


@pytest.mark.parametrize(
    ("reason", "blocked"),
    [(Reason.OPTED_OUT, {ANA}), (Reason.SPAM, set()), (Reason.UNREACHABLE, set())],
)
def test_late_news_of_an_opt_out_blocks_too(
    journal: Journal, reason: Reason, blocked: set[str]
) -> None:
    """A carrier may take a message and say only then that somebody opted out."""
    journal.store("default", [update(DeliveryStatus.FAILED, reason=reason)])

    assert _blocked(journal) == blocked


def test_a_member_who_stopped_is_in_no_group_any_more(journal: Journal) -> None:
    """The STOP was said in one conversation; it counts in each, on every line."""
    _write(journal, "STOP", BEN)

    for n, (line, people) in enumerate(
        [(ONE, ALL), (TWO, ALL), (ONE, (BEN, DAN)), (WHOLE, (BEN,))]
    ):
        player = Player(journal=journal)
        wanted = order(line, members=people, reference=f"{n}")
        with pytest.raises(OptedOutError) as caught:
            player.play(send(wanted))
        assert caught.value.value == (BEN,)
        assert player.requests == []
    others = order(members=(ANA, CLEO, DAN), reference="without him")
    assert Player(journal=journal).play(send(others)).line == ONE.id


def test_the_error_masks_whom_it_names_and_tells_the_way_out() -> None:
    """The numbers are in `value`, whole; the words are fit for a log."""
    player = Player()
    _write(player.journal, "STOP", BEN)

    with pytest.raises(OptedOutError) as caught:
        player.play(send(order(members=ALL)))

    assert str(caught.value) == (
        "somebody in the group must not be texted (…0102 wrote STOP on 2026-11-21): "
        "leave them out, or wait until they write START"
    )
    assert caught.value.value == (BEN,)


def test_a_group_that_a_line_refused_is_not_carried_to_another() -> None:
    """Whoever it was, another line would text them; naming one is up to the caller."""
    player = Player([STOPPED])
    failed(player, order(WHOLE, ONE, members=ALL))
    again = order(WHOLE, ONE, members=ALL, reference="again")

    with pytest.raises(OptedOutError) as caught:
        player.play(send(again))
    assert caught.value.value == ()
    assert "the group refused by whole (400)" in str(caught.value)

    other = order(ONE, members=ALL, reference="by name", via=ONE.id)
    assert player.play(send(other)).line == ONE.id


def test_a_group_that_a_line_refused_may_be_another_group() -> None:
    """Somebody left: the carrier is asked about these people anew."""
    player = Player([STOPPED])
    failed(player, order(WHOLE, members=ALL))

    smaller = order(WHOLE, members=(ANA, CLEO), reference="again")
    assert player.play(send(smaller)).line == WHOLE.id


DROP: Final = Policy(on_opt_out="drop")


def test_the_policy_may_leave_out_who_opted_out() -> None:
    """The others are texted as the smaller conversation they are, and it is said."""
    player = Player()
    _write(player.journal, "STOP", BEN)

    receipt = player.play(send(order(members=ALL, policy=DROP)))

    assert receipt.members == (ANA, CLEO)
    assert receipt.conversation == conversation_id((ANA, CLEO))
    assert receipt.notes == ("left out: …0102 wrote STOP on 2026-11-21",)
    assert player.rung == [ANA, CLEO]
    (moved,) = player.told(ThreadMoved)
    assert moved.previous == conversation_id(ALL)
    assert moved.conversation == receipt.conversation
    assert moved.why == "a member who opted out was left out"


def test_the_smaller_conversation_keeps_its_own_line() -> None:
    """It is another thread on every phone, with a last line of its own."""
    player = Player()
    player.play(send(order(TWO, members=(ANA, CLEO), reference="before")))
    _write(player.journal, "STOP", BEN)

    assert player.play(send(order(members=ALL, policy=DROP))).line == TWO.id


def test_nobody_left_is_an_error_under_either_policy() -> None:
    """A group of which everybody opted out is not texted."""
    player = Player()
    for member in ALL:
        _write(player.journal, "STOP", member)

    with pytest.raises(OptedOutError):
        player.play(send(order(members=ALL, policy=DROP)))


def test_a_refused_group_is_an_error_under_either_policy() -> None:
    """Nobody knows whom to leave out."""
    player = Player([STOPPED])
    failed(player, order(WHOLE, members=ALL))

    with pytest.raises(OptedOutError):
        player.play(send(order(WHOLE, members=ALL, reference="again", policy=DROP)))


@pytest.mark.parametrize("policy", [Policy(), DROP], ids=["refuse", "drop"])
def test_a_send_that_ended_before_the_stop_keeps_its_receipt(policy: Policy) -> None:
    """The same reference tells what became of it then, and texts nobody."""
    player = Player()
    first = player.play(send(order(members=ALL)))
    _write(player.journal, "STOP", BEN)
    player.seen.clear()

    again = player.play(send(order(members=ALL, policy=policy)))

    assert again == first
    assert player.requests == []


def _stop_unheard(world: World, number: str) -> None:
    """Let *number* write STOP while our webhooks are held back."""
    with world.network.telnyx.hooks.hold(), world.network.vonage.hooks.hold():
        world.phone(number).reply("STOP")
        world.network.run_due()
        world.fail(RefusedError, "Still there?", reference="unheard")


def test_a_stop_in_the_group_is_heard_by_every_line(world: World) -> None:
    """Blocking or not, on either carrier: the other line is no way round it."""
    world.send("Dinner?")
    world.phone("+14155550102").reply("Stop!")
    world.network.settle()

    for line in world.client.lines:
        error = world.fail(OptedOutError, "Still there?", via=line)
        assert error.value == ("+14155550102",)
    assert [type(e) for e in world.events if isinstance(e, OptedOut)] == [OptedOut]

    world.phone("+14155550102").reply("START")
    world.network.settle()
    assert world.send("Welcome back").line == world.line.id


def test_telnyx_points_at_who_stopped() -> None:
    """The simulated refusal names the place in `to`: that member alone is blocked."""
    world = World("telnyx", "sync")
    world.send("Dinner?")
    _stop_unheard(world, "+14155550102")

    error = world.fail(OptedOutError, "Still there?", via=world.line)

    assert error.value == ("+14155550102",)
    assert "refused by telnyx (40300)" in str(error)
    world.close()


def test_what_another_code_points_at_is_no_opt_out() -> None:
    """One body may bear several errors: only those of the first code are meant."""
    telnyx = Telnyx(api_key="KEY")
    line: Line = telnyx.line("+12125550100")
    body = (
        b'{"errors":[{"code":"40300","title":"a","source":{"pointer":"/to/1"}},'
        b'{"code":"40310","title":"b","source":{"pointer":"/to/2"}}]}'
    )
    draft = Draft(SendId("5e4d"), line, ALL, Message("hi"))
    (leg,) = telnyx.legs(draft, Rail())
    known = telnyx.read(leg, Response(400, {}, body))

    assert isinstance(known, Refused)
    assert known.named == (BEN,)


def test_vonage_tells_late_of_a_stop() -> None:
    """Its `rejected` with 1240 blocks the member on the other carrier too."""
    vonage = Vonage(api_key="k", api_secret="s")
    body = (
        b'{"message_uuid":"m","to":"14155550102","from":"13125550100",'
        b'"status":"rejected","error":{"title":"1240"},'
        b'"timestamp":"2026-11-21T08:00:05Z"}'
    )
    events = vonage.parse(body, own=frozenset(), received_at=at(6))
    player = Player()
    player.journal.store("default", events)

    with pytest.raises(OptedOutError) as caught:
        player.play(send(order(members=ALL)))
    assert caught.value.value == (BEN,)
    assert player.requests == []
