"""What the journal holds of a send, and how each thing that happens changes it."""

from __future__ import annotations

from itertools import permutations

import pytest

from multigroup.events import DeliveryUpdated
from multigroup.models import (
    Accepted,
    Delivery,
    DeliveryStatus,
    NotSent,
    Outcome,
    Reason,
    Scope,
    Unknown,
)
from multigroup.records import (
    Closed,
    Foiled,
    Moved,
    Reported,
    SendRecord,
    Taken,
    owner,
    receipt,
    retriable,
)
from tests.helpers.values import (
    ANA,
    BEN,
    CLEO,
    LINE,
    OTHER_LINE,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    money,
    record,
    refused,
    told,
    update,
)

SENT, DELIVERED, FAILED = (
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.FAILED,
)
LOST = Unknown("the connection ended without an answer (ReadTimeout)")
LEGS = tuple(leg(f"{RED}.{n}", (member,)) for n, member in enumerate(PEOPLE))


def _outcomes(sent: SendRecord) -> list[Outcome]:
    return [attempt.outcome for attempt in sent.attempts]


def _status(sent: SendRecord) -> DeliveryStatus | None:
    return receipt(sent).deliveries[ANA].status


def test_a_batch_is_unknown_from_its_intent_on() -> None:
    """Once the intent is written a leg may have left, so it is `Unknown`."""
    sent = told(begun(*LEGS))

    assert [outcome.word for outcome in _outcomes(sent)] == ["UNKNOWN"] * 3
    assert [attempt.members for attempt in sent.attempts] == [(ANA,), (BEN,), (CLEO,)]
    assert [attempt.ended_at for attempt in sent.attempts] == [None] * 3
    assert list(sent.legs) == [f"{RED}.0", f"{RED}.1", f"{RED}.2"]


@pytest.mark.parametrize(
    "outcome", [accepted(), refused(), NotSent("no route"), LOST], ids=lambda o: o.word
)
def test_a_leg_ends_in_its_outcome(outcome: Outcome) -> None:
    """The leg that ended takes the outcome and the time; the others do not."""
    sent = told(begun(*LEGS), ended(outcome, f"{RED}.1", 2))
    assert sent.attempts[1].outcome == outcome
    assert sent.attempts[1].ended_at == at(2)
    assert sent.attempts[0].outcome == sent.attempts[2].outcome
    assert sent.attempts[0].outcome.word == "UNKNOWN"


@pytest.mark.parametrize(
    "later", [LOST, refused(), NotSent("no route")], ids=lambda o: o.word
)
def test_an_acceptance_is_never_taken_back(later: Outcome) -> None:
    """After a proof of acceptance no other outcome is believed."""
    sent = told(begun(), ended(accepted()), ended(later))
    assert _outcomes(sent) == [accepted()]


def test_an_unknown_outcome_may_rise_to_accepted() -> None:
    """A later answer that proves acceptance replaces the doubt."""
    sent = told(begun(), ended(LOST), ended(accepted()))
    assert _outcomes(sent) == [accepted()]


def test_a_webhook_with_our_token_proves_a_lost_leg() -> None:
    """A signed event that bears the leg's key shows that the carrier took it."""
    news = update(SENT, token=f"{RED}.0", message_id="m-7")

    sent = told(begun(), ended(LOST), Reported(news))

    assert _outcomes(sent) == [Accepted("m-7")]
    assert _status(sent) == SENT


def test_a_webhook_before_a_lost_reply_leaves_the_leg_accepted() -> None:
    """The order of webhook and lost reply makes no difference."""
    news = Reported(update(SENT, token=f"{RED}.0", message_id="m-7"))

    sent = told(begun(), news, ended(LOST))

    assert _outcomes(sent) == [Accepted("m-7")]
    assert sent.attempts[0].ended_at == at(2)
    assert _status(sent) == SENT


def test_a_reply_after_the_webhook_adds_its_cost() -> None:
    """The carrier's own answer is better than the proof by webhook."""
    news = Reported(update(SENT, token=f"{RED}.0", message_id="m-7"))
    sent = told(begun(), news, ended(accepted("m-7", money("0.07"))))
    assert _outcomes(sent) == [accepted("m-7", money("0.07"))]


def test_a_failure_report_proves_acceptance_too() -> None:
    """To fail on the way a message must have been taken."""
    sent = told(
        begun(), ended(LOST), Reported(update(FAILED, token=f"{RED}.0", code="40008"))
    )
    assert isinstance(sent.attempts[0].outcome, Accepted)
    assert receipt(sent).deliveries[ANA].code == "40008"


@pytest.mark.parametrize(
    "news",
    [
        update(message_id="m-9"),
        update(token="5e4d.9", message_id=None),
        update(message_id="m-1", account="blue"),
        update(token=f"{RED}.0", account="blue"),
        update(message_id=None),
    ],
    ids=[
        "other-message",
        "other-token",
        "other-account",
        "token-elsewhere",
        "nameless",
    ],
)
def test_news_of_something_else_changes_nothing(news: DeliveryUpdated) -> None:
    """News is taken only under the leg's own id or token, on its account."""
    sent = told(begun(), ended(accepted()))
    assert told(Reported(news), start=sent) == sent


def test_news_is_matched_by_the_further_names_of_a_message() -> None:
    """A carrier may call one message by the group's id and by its own."""
    news = update(message_id="group-1", also_known_as=("m-1",))
    assert _status(told(begun(), ended(accepted()), Reported(news))) == DELIVERED


@pytest.mark.parametrize("order", list(permutations([SENT, DELIVERED, FAILED], 2)))
def test_a_status_never_goes_back(order: tuple[DeliveryStatus, ...]) -> None:
    """News in any order leaves the highest status; of equals the first stays."""
    sent = told(begun(), ended(accepted()), *(Reported(update(s)) for s in order))
    first_final = next(status for status in order if status.final)
    assert _status(sent) == first_final


def test_news_concerns_the_member_it_names() -> None:
    """In a leg to several members only the one named has news."""
    sent = told(begun(), ended(accepted()), Reported(update(DELIVERED, BEN)))
    statuses = [receipt(sent).deliveries[member].status for member in PEOPLE]
    assert statuses == [DeliveryStatus.ACCEPTED, DELIVERED, DeliveryStatus.ACCEPTED]


def test_news_of_a_leg_to_one_member_needs_no_name() -> None:
    """Whose copy it is follows from the leg."""
    sent = told(
        begun(*LEGS),
        ended(accepted("m-2"), f"{RED}.1"),
        Reported(update(DELIVERED, None, message_id="m-2")),
    )
    assert receipt(sent).deliveries[BEN].status == DELIVERED


def test_a_reason_and_its_words_reach_the_receipt() -> None:
    """A failed copy says why, in our word and in the carrier's code."""
    news = update(FAILED, reason=Reason.OPTED_OUT, code="40300", detail="blocked")
    sent = told(begun(), ended(accepted()), Reported(news))
    assert receipt(sent).deliveries[ANA] == Delivery(
        accepted(),
        FAILED,
        "m-1",
        reason=Reason.OPTED_OUT,
        code="40300",
        detail="blocked",
    )


def _priced(amount: str, status: DeliveryStatus = DELIVERED, **more: str) -> Reported:
    given = {"message_id": "m-1", "currency": "USD", **more}
    cost = money(amount, given["currency"])
    return Reported(update(status, None, cost=cost, message_id=given["message_id"]))


def test_a_cost_is_set_and_not_summed() -> None:
    """A price told twice is one price."""
    alone = record(members=(ANA,))
    sent = told(begun(LEGS[0]), ended(accepted()), start=alone)
    sent = told(_priced("0.02", SENT), _priced("0.02"), _priced("0.02"), start=sent)
    assert receipt(sent).cost == money("0.02")


def test_a_price_told_with_a_lower_status_is_kept() -> None:
    """A late event cannot lower the status, but its price is news."""
    alone = record(members=(ANA,))
    sent = told(begun(LEGS[0]), ended(accepted()), start=alone)
    sent = told(Reported(update(DELIVERED)), _priced("0.02", SENT), start=sent)
    assert _status(sent) == DELIVERED
    assert receipt(sent).cost == money("0.02")


def test_a_price_survives_later_news_without_one() -> None:
    """A higher status that names no price does not erase the price."""
    alone = record(members=(ANA,))
    sent = told(begun(LEGS[0]), ended(accepted()), start=alone)
    sent = told(_priced("0.02", SENT), Reported(update(DELIVERED)), start=sent)
    assert _status(sent) == DELIVERED
    assert receipt(sent).cost == money("0.02")


def test_the_total_is_unknown_while_any_part_is() -> None:
    """Two of three copies priced is no total; unknown is `None`, not zero."""
    ids = ("m-0", "m-1", "m-2")
    ends = (ended(accepted(name), f"{RED}.{n}") for n, name in enumerate(ids))
    sent = told(begun(*LEGS), *ends)

    sent = told(*(_priced("0.01", message_id=n) for n in ids[:2]), start=sent)
    assert receipt(sent).cost is None

    sent = told(_priced("0.02", message_id="m-2"), start=sent)
    assert receipt(sent).cost == money("0.04")


def test_a_leg_of_unknown_outcome_may_have_cost_something() -> None:
    """The total is unknown while a leg is, whatever the others cost."""
    sent = told(
        begun(*LEGS[:2]),
        ended(accepted("m-0", money("0.01")), f"{RED}.0"),
        ended(LOST, f"{RED}.1"),
    )
    assert receipt(sent).cost is None


@pytest.mark.parametrize(
    "free", [refused(), NotSent("no route")], ids=lambda outcome: outcome.word
)
def test_a_leg_that_was_not_sent_costs_nothing(free: Outcome) -> None:
    """A refused leg or one that never left does not hide the total."""
    sent = told(
        begun(*LEGS[:2]),
        ended(accepted("m-0", money("0.01")), f"{RED}.0"),
        ended(free, f"{RED}.1"),
    )
    assert receipt(sent).cost == money("0.01")


def test_currencies_are_never_added_up() -> None:
    """A total over two currencies is not known."""
    sent = told(
        begun(*LEGS[:2]),
        ended(accepted("m-0", money("0.01", "USD")), f"{RED}.0"),
        ended(accepted("m-1", money("0.01", "EUR")), f"{RED}.1"),
    )
    assert receipt(sent).cost is None


def test_the_legs_total_stands_until_every_member_is_priced() -> None:
    """A reply's total is replaced by the members' own prices once all are told."""
    sent = told(begun(), ended(accepted("m-1", money("0.08"))))
    costs = []
    for member in PEOPLE:
        news = update(DELIVERED, member, cost=money("0.02"))
        sent = told(Reported(news), start=sent)
        costs.append(receipt(sent).cost)
    assert costs == [money("0.08"), money("0.08"), money("0.06")]


def test_a_send_that_tried_nothing_costs_an_unknown_amount() -> None:
    """Nothing known is `None`."""
    assert receipt(record()).cost is None
    assert receipt(record()).line is None
    assert receipt(record()).deliveries[ANA].outcome.word == "NOT_SENT"


def test_a_line_that_was_not_ready_is_an_attempt_that_is_over() -> None:
    """A refusal before any leg was written stands in the receipt with its line."""
    no = refused(Scope.ACCOUNT)
    sent = told(Foiled(LINE, f"{RED}.0", no, at(1)))

    (attempt,) = sent.attempts
    assert (attempt.line, attempt.outcome, attempt.members) == (LINE, no, PEOPLE)
    assert attempt.began_at == attempt.ended_at == at(1)
    assert sent.legs == {}
    assert receipt(sent).deliveries[ANA].code == no.code


def test_a_move_is_told_at_the_attempts_it_follows() -> None:
    """Why a send left a line stands at that line's attempts only."""
    sent = told(
        begun(),
        ended(NotSent("no route")),
        Moved((f"{RED}.0",), "moved on to blue"),
        begun(leg(f"{RED}.1"), line=OTHER_LINE),
    )
    assert [attempt.then for attempt in sent.attempts] == ["moved on to blue", ""]
    assert receipt(sent).line == OTHER_LINE


def test_the_accepted_attempt_tells_of_a_member() -> None:
    """After a move the delivery shows the line that took the message."""
    sent = told(
        begun(),
        ended(refused()),
        begun(leg(f"{RED}.1"), line=OTHER_LINE),
        ended(accepted("m-9"), f"{RED}.1"),
    )
    assert receipt(sent).deliveries[ANA].message_id == "m-9"
    assert receipt(sent).deliveries[ANA].outcome == accepted("m-9")


def test_a_late_proof_outweighs_a_later_attempt_that_failed() -> None:
    """Whoever was texted by the first line was texted, whatever came after."""
    sent = told(
        begun(),
        ended(LOST),
        begun(leg(f"{RED}.1"), line=OTHER_LINE),
        ended(NotSent("no route"), f"{RED}.1"),
        Reported(update(SENT, token=f"{RED}.0")),
    )
    assert receipt(sent).deliveries[ANA].outcome == accepted("m-1")
    assert _status(sent) == SENT


def test_the_last_attempt_tells_of_a_member_nobody_accepted() -> None:
    """Without an acceptance the latest answer counts."""
    sent = told(
        begun(),
        ended(refused(reason=Reason.REGISTRATION)),
        begun(leg(f"{RED}.1"), line=OTHER_LINE),
        ended(NotSent("no route"), f"{RED}.1"),
    )
    assert receipt(sent).deliveries[ANA].outcome == NotSent("no route")


@pytest.mark.parametrize(
    "later", [NotSent("throttled"), refused()], ids=lambda o: o.word
)
def test_a_later_copy_that_was_not_sent_takes_no_doubt_away(later: Outcome) -> None:
    """Whoever was perhaps texted before is not said to have surely got nothing."""
    sent = told(
        begun(),
        ended(LOST),
        Closed(),
        begun(leg(f"{RED}.1")),
        ended(later, f"{RED}.1"),
        Closed(),
    )
    assert {known.outcome for known in receipt(sent).deliveries.values()} == {LOST}


@pytest.mark.parametrize(
    ("news", "known"),
    [((), Unknown), ((Reported(update(token=f"{RED}.0")),), Accepted)],
)
def test_no_leg_is_in_flight_once_its_process_was_replaced(
    news: tuple[Reported, ...], known: type[Outcome]
) -> None:
    """Nobody hears its answer any more, also if a webhook had proved it before."""
    sent = told(begun(), *news, Taken("heir", 99.0, at(9)))

    assert [(type(a.outcome), a.ended_at) for a in sent.attempts] == [(known, at(9))]


def test_closing_changes_nothing_else() -> None:
    """The end of the program adds no knowledge about any leg."""
    sent = told(begun(), ended(refused()))
    after = told(Closed(), start=sent)
    assert (sent.closed, after.closed) == (False, True)
    assert receipt(after) == receipt(sent)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], True),
        ([NotSent("a"), NotSent("b")], True),
        ([NotSent("a"), refused()], False),
        ([NotSent("a"), LOST], False),
        ([accepted()], False),
    ],
    ids=["nothing-tried", "nothing-left", "refused", "lost", "accepted"],
)
def test_only_a_closed_send_of_which_nothing_left_is_retriable(
    outcomes: list[Outcome], *, expected: bool
) -> None:
    """A send is taken up anew only if it is over and nobody was reached."""
    ends = (ended(outcome, f"{RED}.{n}") for n, outcome in enumerate(outcomes))
    sent = told(begun(*LEGS[: len(outcomes)]), *ends) if outcomes else record()
    assert retriable(sent) is False
    assert retriable(told(Closed(), start=sent)) is expected


def test_a_leg_key_names_its_send() -> None:
    """What stands before the point is the send's id."""
    assert owner(f"{RED}.12") == RED
    assert owner("strange") == "strange"


def test_a_receipt_is_a_snapshot() -> None:
    """A receipt handed out does not change when more becomes known."""
    sent = told(begun(), ended(accepted()))
    before = receipt(sent)
    told(Reported(update(DELIVERED)), start=sent)
    assert before.deliveries[ANA].status == DeliveryStatus.ACCEPTED
    assert before == receipt(sent)
