"""The send program, played by hand: no driver, no clock, no network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from multigroup import (
    Accepted,
    ConfigError,
    DeliveryStatus,
    DeliveryUpdated,
    JournalError,
    Line,
    LineId,
    MemoryJournal,
    Message,
    MessageReceived,
    NotSent,
    NotSentError,
    Number,
    PartialSendError,
    Policy,
    Reason,
    Receipt,
    ReferenceConflictError,
    Refused,
    RefusedError,
    Request,
    Scope,
    SendError,
    SendId,
    SendInProgressError,
    ThreadMoved,
    UncertainError,
    Unknown,
    UnsupportedError,
    conversation_id,
)
from multigroup._programs.send import Order, send
from multigroup.effects import (
    AnyEffect,
    Exchange,
    Notify,
    Reserve,
    Sleep,
    Standing,
    Write,
)
from multigroup.journal import Journal
from multigroup.models import Leg
from multigroup.records import Begun, Change, Closed, Ended, Lease, Moved, SendRecord
from multigroup.routing import shortlist
from multigroup.wire import Reply
from tests.helpers.paper import (
    BAD_ACCOUNT,
    BAD_LINE,
    BAD_MESSAGE,
    BROKEN,
    GONE,
    LOST,
    OK,
    ONE,
    OPTED_OUT,
    SUBJECTS,
    THREE,
    THROTTLED,
    TWO,
    Paper,
    Railed,
)
from tests.helpers.player import (
    ANA,
    BEN,
    START,
    Crash,
    Player,
    failed,
    order,
    used,
)


def test_the_intent_is_written_before_the_first_byte() -> None:
    """When the requests leave, the journal holds their exact bytes."""
    journal, held = MemoryJournal(), list[Leg]()

    def look(effect: AnyEffect) -> None:
        if isinstance(effect, Exchange):
            record = journal.recall("default", "dinner")
            assert record is not None
            held.extend(record.legs.values())

    player = Player(journal=journal, before=look)
    player.play(send(order()))

    (exchange,) = player.of(Exchange)
    left = [(request.url, request.body) for request in exchange.requests]
    assert [(leg.request.url, leg.request.body) for leg in held] == left
    assert left == [(ONE.provider.base_url, leg.request.body) for leg in held]


def test_credentials_leave_but_are_never_written_down() -> None:
    """The request has the password; no effect for the journal has."""
    player = Player()
    player.play(send(order()))

    (exchange,) = player.of(Exchange)
    sent = {request.headers.get("authorization") for request in exchange.requests}
    assert sent == {f"secret at {START}"}
    for leg in player.record.legs.values():
        assert leg.request.headers.get("authorization") is None


def test_each_reply_is_on_record_before_the_next() -> None:
    """A crash between two replies keeps the first and leaves the second in doubt."""
    player = Player([OK, Crash()])

    with pytest.raises(Crash):
        player.play(send(order()))

    first, second = player.record.attempts
    assert isinstance(first.outcome, Accepted)
    assert second.outcome == Unknown("no answer yet")
    assert player.record.closed


def test_all_accepted_returns_the_receipt() -> None:
    """Everybody was texted by one line, and nothing needs saying about it."""
    player = Player()
    receipt = player.play(send(order()))

    assert receipt.line == ONE.id
    assert [d.message_id for d in receipt.deliveries.values()] == [
        f"id of {receipt.send_id}.0",
        f"id of {receipt.send_id}.1",
    ]
    assert [attempt.then for attempt in receipt.attempts] == ["", ""]


MOVES: Final[dict[str, tuple[Reply, Reply]]] = {
    "unreachable": (GONE, GONE),
    "throttled": (THROTTLED, THROTTLED),
    "line refused": (BAD_LINE, BAD_LINE),
    "account refused": (BAD_ACCOUNT, BAD_ACCOUNT),
    "unreachable and line refused": (GONE, BAD_LINE),
    "line refused and account refused": (BAD_LINE, BAD_ACCOUNT),
}
STOPS: Final[dict[str, tuple[Reply, Reply, type[SendError]]]] = {
    "both unknown": (LOST, LOST, UncertainError),
    "unknown and unreachable": (LOST, GONE, UncertainError),
    "unreachable and unknown": (GONE, BROKEN, UncertainError),
    "unknown and accepted": (BROKEN, OK, UncertainError),
    "unknown and line refused": (BROKEN, BAD_LINE, UncertainError),
    "accepted and unreachable": (OK, GONE, PartialSendError),
    "accepted and line refused": (OK, BAD_LINE, PartialSendError),
    "accepted and opted out": (OK, OPTED_OUT, PartialSendError),
    "opted out": (OPTED_OUT, OPTED_OUT, RefusedError),
    "bad message": (BAD_MESSAGE, BAD_MESSAGE, RefusedError),
    "opted out and unreachable": (OPTED_OUT, GONE, RefusedError),
    "line refused and bad message": (BAD_LINE, BAD_MESSAGE, RefusedError),
}


@pytest.mark.parametrize("row", MOVES)
def test_another_line_tries_when_nobody_was_texted(row: str) -> None:
    """Nothing was sent, for no reason that the other line would share."""
    player = Player(MOVES[row])
    receipt = player.play(send(order()))

    assert used(player) == [ONE.id, TWO.id]
    assert receipt.line == TWO.id
    then = {attempt.then for attempt in receipt.attempts}
    assert then == {f"nothing was sent, so it moved on to {TWO.id}", ""}


@pytest.mark.parametrize("row", STOPS)
def test_no_other_line_tries_after_doubt_or_for_the_same_reason(row: str) -> None:
    """Doubt, an acceptance, an opt-out and a bad message each end the send."""
    first, second, error = STOPS[row]
    player = Player([first, second])

    end = failed(player, order())

    assert type(end) is error
    assert len(player.of(Exchange)) == 1
    assert used(player) == [ONE.id]
    assert all(a.then.startswith("stopped: ") for a in end.receipt.attempts)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([GONE, GONE, THROTTLED, GONE], NotSentError),
        ([GONE, GONE, GONE, BAD_LINE], RefusedError),
        ([GONE, GONE, OK, GONE], PartialSendError),
        ([GONE, GONE, OK, LOST], UncertainError),
        ([BAD_LINE, BAD_LINE, GONE, GONE], NotSentError),
    ],
    ids=["nothing left", "refused", "partial", "doubt", "refused, then nothing left"],
)
def test_the_last_line_decides_the_error(
    replies: list[Reply], error: type[SendError]
) -> None:
    """With no line left the error says what is known of every member."""
    player = Player(replies)

    end = failed(player, order())

    assert type(end) is error
    assert [attempt.line for attempt in end.receipt.attempts] == [
        ONE.id,
        ONE.id,
        TWO.id,
        TWO.id,
    ]
    assert end.receipt.attempts[-1].then.startswith("stopped: ")


def test_a_throttled_leg_tells_how_long_to_wait() -> None:
    """The carrier's Retry-After is in the outcome."""
    end = failed(Player([THROTTLED, THROTTLED]), order(ONE))

    outcomes = [attempt.outcome for attempt in end.receipt.attempts]
    assert outcomes == [NotSent("one is throttling (HTTP 429)", 7.0)] * 2


def test_without_failover_one_line_tries() -> None:
    """The policy can forbid leaving a line."""
    player = Player([GONE, GONE])

    end = failed(player, order(policy=Policy(failover=False)))

    assert used(player) == [ONE.id]
    assert end.receipt.attempts[-1].then == "stopped: no other line is left"


def test_leg_keys_never_repeat_in_a_send() -> None:
    """Over lines, lines that could not be made ready, and a second try."""
    first = Railed(name="one", rails=deque([NotSent("no rail")])).line("+12125550100")
    player = Player([GONE] * 4)
    failed(player, order(first, TWO, THREE))
    player.play(send(order(TWO)))

    keys = [attempt.leg for attempt in player.record.attempts]
    assert keys == [f"{player.record.id}.{index}" for index in range(7)]
    assert [leg.key for leg in player.record.legs.values()] == keys[1:]


def test_lines_that_cannot_carry_it_are_passed_over_with_the_reason() -> None:
    """A subject only some carriers have: the others are named in the notes."""
    able = Paper(name="able", capabilities=SUBJECTS).line("+17025550100")
    message = Message("Hello", subject="Dinner")
    short = shortlist([ONE, able, TWO], (ANA, BEN), message)

    receipt = Player().play(
        send(order(*short.lines, message=message, notes=short.passed_over))
    )

    assert receipt.line == able.id
    assert [note.partition(" ")[0] for note in receipt.notes] == [
        f"{ONE.id}:",
        f"{TWO.id}:",
    ]


def test_with_no_able_line_each_ones_reason_is_told() -> None:
    """Nothing is started, and the error names every line."""
    with pytest.raises(UnsupportedError) as caught:
        shortlist([ONE, TWO], (ANA, BEN), Message("Hello", subject="Dinner"))

    assert str(ONE.id) in str(caught.value)
    assert str(TWO.id) in str(caught.value)


def test_a_reference_used_again_gives_the_first_receipt() -> None:
    """The same message under the same reference texts nobody a second time."""
    player = Player()
    first = player.play(send(order()))
    again = player.play(send(order(TWO, THREE)))

    assert again == first
    assert len(player.of(Exchange)) == 1


@pytest.mark.parametrize(
    "replies",
    [(LOST, OK), (OK, GONE), (OPTED_OUT, OPTED_OUT)],
    ids=["uncertain", "partial", "refused"],
)
def test_a_reference_used_again_gives_the_first_error(replies: tuple[Reply]) -> None:
    """What went wrong once is told again, with the same receipt, and not repeated."""
    player = Player(replies)
    first = failed(player, order())
    again = failed(player, order())

    assert type(again) is type(first)
    assert again.receipt == first.receipt
    assert len(player.of(Exchange)) == 1


@pytest.mark.parametrize(
    "other",
    [
        order(text="Goodbye"),
        order(members=(ANA,)),
        order(message=Message("Hello", subject="Dinner")),
        order(message=Message("Hello", ["https://example.com/menu.jpg"])),
    ],
    ids=["text", "members", "subject", "media"],
)
@pytest.mark.parametrize("replies", [(OK, OK), (GONE, GONE)], ids=["sent", "not sent"])
def test_one_reference_cannot_name_two_messages(
    other: Order, replies: tuple[Reply, Reply]
) -> None:
    """The second message is refused, even if nothing of the first had left."""
    player = Player(replies)
    with suppress(NotSentError):
        player.play(send(order(ONE)))
    with pytest.raises(ReferenceConflictError):
        player.play(send(other))

    assert len(player.of(Exchange)) == 1
    assert player.record.message == Message("Hello")


def test_a_media_url_signed_anew_is_the_same_message() -> None:
    """Queries of media URLs are no part of what is said."""
    player = Player()
    urls = [f"https://example.com/menu.jpg?signature={n}" for n in (1, 2)]
    first, again = (
        player.play(send(order(message=Message("Hello", [url])))) for url in urls
    )

    assert again == first


def test_namespaces_keep_references_apart() -> None:
    """Two applications on one journal may use the same reference."""
    player = Player()
    first = player.play(send(order()))
    other = player.play(send(order(namespace="other", text="Goodbye")))

    assert other.send_id != first.send_id
    assert len(player.of(Exchange)) == 2


def elsewhere(journal: Journal) -> SendRecord:
    """Put the same send into *journal*, as another process is carrying it out."""
    record = SendRecord(
        id=SendId("f" * 32),
        namespace="default",
        reference="dinner",
        fingerprint=Message("Hello").fingerprint((ANA, BEN)),
        conversation=conversation_id((ANA, BEN)),
        members=(ANA, BEN),
        message=Message("Hello"),
        began_at=datetime.fromtimestamp(START, UTC),
        lease=Lease("another machine/0/1/1", START + 60),
    )
    return journal.reserve(record).record


def test_a_send_under_way_elsewhere_is_waited_for_until_the_deadline() -> None:
    """It is looked at again and again, and then the caller is told to wait."""
    player = Player()
    elsewhere(player.journal)

    with pytest.raises(SendInProgressError):
        player.play(send(order(deadline=0.5)))

    assert 0.49 < sum(pause.seconds for pause in player.of(Sleep)) < 0.6
    assert len(player.of(Sleep)) > 1
    assert player.of(Exchange) == []


def test_with_no_deadline_nobody_waits() -> None:
    """A deadline of zero answers at once."""
    player = Player()
    elsewhere(player.journal)

    with pytest.raises(SendInProgressError):
        player.play(send(order(deadline=0.0)))

    assert player.of(Sleep) == []


def test_a_send_that_ends_elsewhere_gives_its_receipt() -> None:
    """Who waited gets what the other process achieved."""
    journal = MemoryJournal()
    record = elsewhere(journal)
    at = record.began_at
    legs = tuple(
        Leg(f"{record.id}.{n}", (member,), Request("POST", "http://paper.test"))
        for n, member in enumerate((ANA, BEN))
    )

    def finish(effect: AnyEffect) -> None:
        if isinstance(effect, Sleep) and not player.record.closed:
            journal.write(record.id, Begun(TWO.id, legs, at))
            for leg in legs:
                journal.write(record.id, Ended(leg.key, Accepted("m-1"), at))
            journal.write(record.id, Closed())

    player = Player(journal=journal, before=finish)
    receipt = player.play(send(order(ONE)))

    assert (receipt.send_id, receipt.line) == (record.id, TWO.id)
    assert player.of(Exchange) == []


def test_a_send_of_which_nothing_left_is_taken_up_again() -> None:
    """The same reference tries anew, and the receipt shows both tries."""
    player = Player([GONE, THROTTLED])
    first = failed(player, order(ONE))
    again = player.play(send(order(ONE)))

    assert again.send_id == first.receipt.send_id
    assert [a.outcome.word for a in again.attempts] == [
        "NOT_SENT",
        "NOT_SENT",
        "ACCEPTED",
        "ACCEPTED",
    ]


def heard(journal: Journal, line: Line, at: float) -> None:
    """Let *journal* take in a message of the group that came to *line*."""
    moment = datetime.fromtimestamp(at, UTC)
    journal.store(
        "default",
        [
            MessageReceived(
                id=f"event at {at}",
                provider="paper",
                account=line.id.account,
                occurred_at=moment,
                received_at=moment,
                raw=b"",
                sender=ANA,
                line=line.number,
                members=frozenset({ANA, BEN}),
                conversation=conversation_id((ANA, BEN)),
            )
        ],
    )


def test_a_conversation_stays_on_the_line_it_was_heard_on() -> None:
    """People wrote to the second line, so the next message joins that thread."""
    player = Player()
    heard(player.journal, TWO, START - 60)

    assert player.play(send(order())).line == TWO.id


def test_a_conversation_stays_on_the_line_it_was_sent_from() -> None:
    """What we sent last counts like what we heard last."""
    player = Player()
    player.play(send(order(TWO, reference="first")))
    player.now += 60

    assert player.play(send(order(ONE, TWO))).line == TWO.id


def test_a_line_that_failed_holds_no_conversation() -> None:
    """Only what was accepted makes a thread."""
    player = Player([GONE, GONE])
    failed(player, order(TWO, reference="first"))

    assert player.play(send(order(ONE, TWO))).line == ONE.id


@pytest.mark.parametrize(
    ("quiet", "line"),
    [(timedelta(days=7), TWO), (timedelta(days=7, seconds=1), ONE)],
    ids=["just fresh", "stale"],
)
def test_a_quiet_conversation_goes_back_to_the_first_choice(
    quiet: timedelta, line: Line
) -> None:
    """After the policy's time a thread no longer binds."""
    player = Player()
    heard(player.journal, TWO, START - quiet.total_seconds())

    assert player.play(send(order())).line == line.id


def test_an_answer_goes_by_the_events_line_first() -> None:
    """The line of the event being answered beats the last one used."""
    player = Player()
    heard(player.journal, TWO, START - 60)

    receipt = player.play(send(order(ONE, TWO, THREE, answering=THREE.id)))

    assert receipt.line == THREE.id


def test_a_pinned_line_is_the_only_one() -> None:
    """With one line allowed, neither habit nor failure leads to another."""
    player = Player([GONE, GONE])
    heard(player.journal, TWO, START - 60)

    failed(player, order(ONE))

    assert used(player) == [ONE.id]


def moved(player: Player) -> list[ThreadMoved]:
    """Return the moves that were announced."""
    events = [effect.event for effect in player.of(Notify)]
    return [event for event in events if isinstance(event, ThreadMoved)]


def test_leaving_the_conversations_line_is_announced() -> None:
    """The application learns which thread was left, which joined, and why."""
    player = Player([GONE, GONE])
    heard(player.journal, ONE, START - 60)
    receipt = player.play(send(order()))

    (event,) = moved(player)
    assert (event.left, event.joined) == (ONE.id, TWO.id)
    assert event.send_id == receipt.send_id
    assert event.conversation == conversation_id((ANA, BEN))
    assert event.why == f"nothing was sent, so it moved on to {TWO.id}"


def test_a_move_is_announced_after_it_is_on_record() -> None:
    """A handler that looks the send up finds it finished."""
    closed: list[bool] = []

    def look(effect: AnyEffect) -> None:
        if isinstance(effect, Notify):
            closed.append(player.record.closed)

    player = Player(before=look)
    heard(player.journal, TWO, START - 60)
    player.play(send(order(ONE)))

    assert closed == [True]


@pytest.mark.parametrize(
    ("replies", "on"),
    [((), ONE), ((GONE,) * 4, ONE), ((), None)],
    ids=["same line", "nowhere", "new conversation"],
)
def test_no_move_is_announced_where_none_was(
    replies: Iterable[Reply], on: Line | None
) -> None:
    """The same line, a send that failed and a first message move nothing."""
    player = Player(replies)
    if on is not None:
        heard(player.journal, on, START - 60)
    with suppress(NotSentError):
        player.play(send(order()))

    assert player.of(Notify) == []


def begins(effect: AnyEffect) -> bool:
    """Tell whether *effect* writes an intent down."""
    with_reference = isinstance(effect, Reserve) and effect.begun is not None
    by_itself = isinstance(effect, Write) and isinstance(effect.change, Begun)
    return with_reference or by_itself


@pytest.mark.parametrize(
    "fails",
    [lambda e: isinstance(e, Reserve), lambda e: isinstance(e, Standing), begins],
    ids=["reserve", "last line", "intent"],
)
def test_a_journal_that_fails_before_the_intent_sends_nothing(
    fails: Callable[[AnyEffect], bool],
) -> None:
    """No byte leaves, and the same reference can be used once the journal is back."""
    left = [JournalError("the disk is full")]

    def before(effect: AnyEffect) -> None:
        if left and fails(effect):
            raise left.pop()

    player = Player(before=before)
    with pytest.raises(JournalError):
        player.play(send(order()))
    assert player.of(Exchange) == []

    assert player.play(send(order())).line == ONE.id


def test_a_journal_that_fails_for_good_sends_nothing() -> None:
    """Not even closing the send works, and still the error is the journal's."""

    def fail(effect: AnyEffect) -> None:
        if isinstance(effect, Write):
            raise JournalError("the disk is full")

    player = Player(before=fail)
    with pytest.raises(JournalError):
        player.play(send(order(Railed(name="one").line("+12125550100"))))

    assert player.of(Exchange) == []


def failing(kind: type[Change]) -> MemoryJournal:
    """Return a journal that cannot write *kind* of change."""

    class Failing(MemoryJournal):
        def write(
            self, send: SendId, change: Change, fence: int | None = None
        ) -> SendRecord:
            if isinstance(change, kind):
                raise JournalError("the disk is full")
            return super().write(send, change, fence)

    return Failing()


def test_an_outcome_that_cannot_be_written_leaves_doubt() -> None:
    """`JournalError` promises that nobody was texted: here somebody was."""
    player = Player(journal=failing(Ended))

    end = failed(player, order())

    assert type(end) is UncertainError
    assert {a.outcome.word for a in end.receipt.attempts} == {"UNKNOWN"}


@pytest.mark.parametrize("kind", [Ended, Moved, Closed])
def test_no_journal_error_is_raised_once_something_left(kind: type[Change]) -> None:
    """Who is told of a failed journal may send again, so nothing must have left."""
    player = Player([OK, LOST], journal=failing(kind))

    with pytest.raises(SendError):
        player.play(send(order()))

    assert len(player.of(Exchange)) == 1


def test_a_webhook_that_beats_the_lost_reply_proves_the_send() -> None:
    """Our token in a signed webhook is an acceptance, whatever became of the reply."""
    journal = MemoryJournal()

    def arrive(effect: AnyEffect) -> None:
        if isinstance(effect, Exchange):
            for attempt in player.record.attempts:
                journal.store("default", [news(attempt.leg, attempt.members[0])])

    player = Player([LOST, BROKEN], journal=journal, before=arrive)
    receipt = player.play(send(order()))

    assert {d.status for d in receipt.deliveries.values()} == {DeliveryStatus.SENT}
    assert used(player) == [ONE.id]


def test_a_webhook_after_the_lost_reply_proves_the_send_to_who_asks_again() -> None:
    """The first call was in doubt; the second, with the same reference, is not."""
    player = Player([LOST, LOST])
    doubt = failed(player, order())
    for attempt in doubt.receipt.attempts:
        player.journal.store("default", [news(attempt.leg, attempt.members[0])])

    receipt = player.play(send(order()))

    assert {a.outcome.word for a in receipt.attempts} == {"ACCEPTED"}
    assert len(player.of(Exchange)) == 1


def news(token: str, member: Number) -> DeliveryUpdated:
    """Return the carrier's word that *member*'s copy is on its way."""
    at = datetime.fromtimestamp(START, UTC)
    return DeliveryUpdated(
        id=f"news of {token}",
        provider="paper",
        account="one",
        occurred_at=at,
        received_at=at,
        raw=b"",
        member=member,
        status=DeliveryStatus.SENT,
        provider_status="sent",
        message_id=f"id of {token}",
        token=token,
    )


def test_a_line_that_cannot_be_made_ready_is_left() -> None:
    """Preparing rings no phone, so another line may try at once."""
    first = Railed(name="one", rails=deque([NotSent("no rail")])).line("+12125550100")
    player = Player()
    receipt = player.play(send(order(first, TWO)))

    assert receipt.line == TWO.id
    assert receipt.attempts[0].outcome == NotSent("no rail")
    assert receipt.attempts[0].members == (ANA, BEN)
    assert len(player.of(Exchange)) == 1


@pytest.mark.parametrize(
    ("scope", "lines"),
    [
        (Scope.LINE, [ONE.id, TWO.id]),
        (Scope.ACCOUNT, [ONE.id, TWO.id]),
        (Scope.MEMBER, [ONE.id]),
        (Scope.MESSAGE, [ONE.id]),
    ],
)
def test_a_refusal_while_preparing_counts_like_any_other(
    scope: Scope, lines: list[LineId]
) -> None:
    """Its scope decides whether another line may try."""
    refusal = Refused("42", Reason.OTHER, scope)
    first = Railed(name="one", rails=deque([refusal])).line("+12125550100")
    player = Player()
    with suppress(RefusedError):
        player.play(send(order(first, TWO)))

    assert used(player) == lines
    assert player.record.attempts[0].outcome == refusal


@pytest.mark.parametrize("kind", [Paper, Railed])
def test_credentials_that_cannot_be_made_start_nothing(kind: type[Paper]) -> None:
    """The error is the caller's to mend, and the reference stays free."""
    locked = kind(name="one", locked=True).line("+12125550100")
    player = Player()
    with pytest.raises(ConfigError):
        player.play(send(order(locked)))

    assert player.of(Exchange) == []
    assert len(player.play(send(order(ONE))).attempts) == 2


def test_without_a_reference_every_send_is_its_own() -> None:
    """Two sends of the same message text twice, under names of their own."""
    player = Player()
    receipts: list[Receipt] = [
        player.play(send(order(reference=None))) for _ in range(2)
    ]

    assert receipts[0].reference != receipts[1].reference
    assert len(player.of(Exchange)) == 2
