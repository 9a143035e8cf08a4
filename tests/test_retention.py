"""How long things are kept: by age, and no longer than they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve

from multigroup import (
    ConfigError,
    DeliveryStatus,
    Erased,
    Event,
    Message,
    NotSent,
    NotSentError,
    Outcome,
    Reason,
    Refused,
    Retention,
    Scope,
    SendFailed,
    SendId,
    Unknown,
    conversation_id,
)
from multigroup._drive import Driver
from multigroup._programs.ingest import Intake, catch_up
from multigroup._programs.keeping import history, prune
from multigroup.archive import RETRIES, Cut
from multigroup.effects import Program, Recall
from multigroup.events import EventKey
from multigroup.journal import Journal
from multigroup.models import Leg, Media
from multigroup.records import SPENT, Closed, SendRecord, receipt, settled
from multigroup.wire import Request
from tests.helpers.stores import STORES
from tests.helpers.values import (
    ANA,
    ME,
    PEOPLE,
    RED,
    accepted,
    at,
    begun,
    ended,
    leg,
    received,
    record,
    refused,
    told,
    update,
)
from tests.helpers.world import World

HERE: Final = "default"
GROUP: Final = conversation_id(PEOPLE)
DAY: Final = 86_400.0
NOW: Final = at(0).timestamp()
BODY: Final = b'{"text":"Dinner at 7?"}'
LAST: Final = dict.fromkeys(PEOPLE, DeliveryStatus.DELIVERED)


@pytest.fixture(params=STORES)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    """Give an empty journal of each kind."""
    made = STORES[request.param](tmp_path)
    yield made.open()
    made.drop()


def _sent(
    journal: Journal, name: str, age: float, outcome: Outcome | None = None
) -> SendId:
    """Have a send carried out *age* days ago."""
    when = -age * DAY
    made = record(name, name, began_at=at(when), message=Message(name))
    journal.reserve(made)
    journal.write(made.id, begun(leg(f"{name}.0"), when=when))
    known = outcome or accepted(f"of {name}")
    journal.write(made.id, ended(known, f"{name}.0", when))
    journal.write(made.id, Closed())
    return made.id


def _heard(journal: Journal, name: str, age: float, *, settled: bool = True) -> Event:
    event = received(name, when=-age * DAY, text=name)
    journal.store(HERE, [event])
    if settled:
        _over(journal, event.key)
    return event


def _over(journal: Journal, key: EventKey, *, shed: bool = False) -> None:
    journal.claim(HERE, key, ME, 0, 1)
    journal.settle(HERE, key, done=True, shed=shed)


def _prune(journal: Journal, days: float) -> Erased:
    driver = Driver(journal, clock=lambda: NOW)
    return driver.run(prune(HERE, Retention(days=days)))


def _texts(journal: Journal) -> list[str]:
    page = Driver(journal).run(history(HERE, GROUP, None, 50))
    return [entry.text for entry in page]


def _held(journal: Journal, reference: str) -> SendRecord:
    held = journal.recall(HERE, reference)
    assert held is not None
    return held


def test_what_is_too_old_goes_and_what_is_young_stays(journal: Journal) -> None:
    """Sends by when they began, messages by when they came."""
    for age in (200, 91, 89, 1):
        _sent(journal, f"said {age}", age)
        _heard(journal, f"heard {age}", age)

    assert _prune(journal, 90) == Erased(2, 2)

    assert _texts(journal) == ["heard 1", "said 1", "heard 89", "said 89"]
    assert _prune(journal, 90) == Erased()
    assert _prune(journal, float("inf")) == Erased()


def test_a_pruned_sends_reference_is_free_again(journal: Journal) -> None:
    """And late news of it finds nobody; news of a later send of that name does."""
    _sent(journal, "dinner", 100)
    _prune(journal, 90)

    assert journal.recall(HERE, "dinner") is None
    (late,) = journal.store(HERE, [update(message_id="of dinner")])
    assert late.event == update(message_id="of dinner")
    assert journal.reserve(record("second", "dinner")).ours
    (later,) = journal.store(HERE, [update(message_id="of dinner", id="2")])
    assert later.event == update(message_id="of dinner", id="2")


def test_what_is_not_over_is_never_pruned(journal: Journal) -> None:
    """Sends under way and events that nobody handled wait for somebody."""
    journal.reserve(record("open", "open", began_at=at(-900 * DAY)))
    waiting = _heard(journal, "waiting", 900, settled=False)

    assert _prune(journal, 1) == Erased()

    assert not _held(journal, "open").closed
    assert journal.waiting(HERE, NOW, 9) == (waiting,)


def test_consent_outlives_everything(journal: Journal) -> None:
    """Whoever said STOP years ago said STOP."""
    stop = evolve(received("stop", when=-900 * DAY), text="STOP")
    journal.store(HERE, [stop])
    _over(journal, stop.key)

    assert _prune(journal, 1) == Erased(0, 1)

    assert [block.subject for block in journal.blocked(HERE, [ANA])] == [ANA]


def test_another_application_is_left_alone(journal: Journal) -> None:
    """Retention is a client's, and a client has one namespace."""
    journal.reserve(record("x", "x", namespace="other", began_at=at(-900 * DAY)))
    journal.write(SendId("x"), Closed())
    assert _prune(journal, 1) == Erased()
    assert journal.recall("other", "x") is not None


def test_a_conversation_goes_with_the_last_of_it(journal: Journal) -> None:
    """Who talked with whom is personal as well."""
    _sent(journal, "old", 91)
    assert journal.last_line(HERE, GROUP) is not None
    _prune(journal, 90)
    assert journal.last_line(HERE, GROUP) is None
    assert journal.threads(HERE, None, 9) == ()

    _sent(journal, "young", 89)
    _prune(journal, 90)
    assert len(journal.threads(HERE, None, 9)) == 1


@pytest.mark.parametrize("age", [0.6, 0.9])
def test_a_claim_outlives_its_event_while_carriers_deliver_again(
    journal: Journal, age: float
) -> None:
    """However short things are kept, no event is handled twice."""
    event = _heard(journal, "secret", age)
    news = update(received_at=at(-age * DAY))
    journal.store(HERE, [news])
    _over(journal, news.key)

    assert _prune(journal, 0.5) == Erased(0, 2)

    assert _texts(journal) == []
    again = journal.store(HERE, [event, news])
    assert [stored.fresh for stored in again] == [False, False]
    assert journal.claim(HERE, event.key, ME, NOW, NOW + 60) is None
    assert journal.claim(HERE, news.key, ME, NOW, NOW + 60) is None
    assert journal.waiting(HERE, NOW, 9) == ()
    assert _prune(journal, 0.5) == Erased()


def test_a_claim_goes_when_no_carrier_delivers_any_more(journal: Journal) -> None:
    """After the longest retry window the key is of no use."""
    assert timedelta(hours=24) == RETRIES
    event = _heard(journal, "old", 1.1)
    _prune(journal, 0.5)
    (again,) = journal.store(HERE, [event])
    assert again.fresh


def test_a_prune_goes_on_batch_by_batch(journal: Journal) -> None:
    """No transaction looks at more than it is told to, and none of it is missed."""
    journal.reserve(record("open", "open", began_at=at(-9 * DAY)))
    _heard(journal, "waiting", 9, settled=False)
    for n in range(5):
        _sent(journal, f"said {n}", 8)
        _heard(journal, f"heard {n}", 8)
    _sent(journal, "young", 1)
    cut, place, swept = Cut(at(-5 * DAY), at(-5 * DAY)), (0, 0), []

    while True:
        done = journal.prune(HERE, cut, place, 2)
        swept.append((done.sends, done.events))
        if done.place is None:
            break
        place = done.place

    assert all(sends <= 2 and events <= 2 for sends, events in swept)
    assert [sum(counts) for counts in zip(*swept, strict=True)] == [5, 5]
    assert _texts(journal) == ["young", "waiting", "Dinner at 7?"]


def test_however_much_is_old_all_of_it_goes(journal: Journal) -> None:
    """One call erases more than one batch holds."""
    for n in range(501):
        name = f"{n:x}"
        journal.reserve(record(name, name, began_at=at(-9 * DAY)))
        journal.write(SendId(name), Closed())

    assert _prune(journal, 1) == Erased(501, 0)
    assert _texts(journal) == []


def test_news_that_waits_for_a_reply_may_be_pruned(journal: Journal) -> None:
    """A reply that comes after all finds nothing, and is none the worse for it."""
    early = update(message_id="of late", received_at=at(-91 * DAY))
    journal.store(HERE, [early])
    _over(journal, early.key)
    _prune(journal, 90)

    _sent(journal, "late", 0)

    delivery = receipt(_held(journal, "late")).deliveries[ANA]
    assert delivery.status is DeliveryStatus.ACCEPTED


@pytest.mark.parametrize("days", [0, -1, float("nan")])
def test_a_retention_is_some_time(days: float) -> None:
    """Nothing at all is no retention."""
    with pytest.raises(ConfigError, match="days"):
        Retention(days=days)


def test_a_retention_of_texts_is_one_of_two() -> None:
    """A mistyped word must not keep what should go."""
    with pytest.raises(ConfigError, match="text"):
        Retention(text="setled")  # type: ignore[arg-type]  # as callers do


# What is settled


OVER: Final[dict[str, tuple[Outcome, bool]]] = {
    "refused": (refused(), True),
    "unsent": (NotSent("no route"), True),
    "accepted": (accepted(), False),
    "unknown": (Unknown("lost"), False),
}


@pytest.mark.parametrize("name", OVER)
def test_settled_is_what_the_receipt_says(name: str) -> None:
    """Once the round is over; before, those not tried yet are no settled matter."""
    outcome, expected = OVER[name]
    ongoing = told(begun(), ended(outcome))
    over = told(Closed(), start=ongoing)

    assert settled(over) is receipt(over).settled is expected
    assert not settled(told())
    assert receipt(told()).settled


@pytest.mark.parametrize("last", [DeliveryStatus.SENT, DeliveryStatus.UNCONFIRMED])
def test_requests_go_once_the_send_is_settled(
    journal: Journal, last: DeliveryStatus
) -> None:
    """Until then a replay may need them byte for byte; their keys stay."""
    frozen = Leg(f"{RED}.0", PEOPLE, Request("POST", "https://c.example", {}, BODY))
    journal.reserve(record())
    journal.write(RED, begun(frozen))
    journal.write(RED, ended(accepted()))
    for member in PEOPLE[:2]:
        journal.store(HERE, [update(member=member)])
    assert _held(journal, "dinner").legs == {f"{RED}.0": frozen}

    (news,) = journal.store(HERE, [update(last, PEOPLE[2], token=f"{RED}.0")])

    assert news.event == update(last, PEOPLE[2], token=f"{RED}.0", reference="dinner")
    expected = SPENT if last.final else frozen.request
    assert [each.request for each in _held(journal, "dinner").legs.values()] == [
        expected
    ]
    again = journal.store(HERE, [update(id="9", token=f"{RED}.0", message_id=None)])
    assert again[0].event == update(
        id="9", token=f"{RED}.0", message_id=None, reference="dinner"
    )


def test_a_spent_send_is_read_back_as_it_is(tmp_path: Path) -> None:
    """What a file holds of it is what memory does."""
    stores = [STORES[name](tmp_path) for name in ("memory", "sqlite")]
    made = [store.open() for store in stores]
    for each in made:
        _sent(each, "x", 0, Refused("1", Reason.SPAM, Scope.MESSAGE, "said Dinner"))
        each.shed(HERE, "x")

    held = [_held(each, "x") for each in (*made, stores[1].open())]

    assert held[0] == held[1] == held[2]
    assert held[0].message == Message()
    assert "Dinner" not in str([attempt.outcome for attempt in held[0].attempts])
    for store in stores:
        store.drop()


def test_only_a_settled_send_sheds_its_words(journal: Journal) -> None:
    """One that may have to be sent again keeps them; an unknown one is no error."""
    _sent(journal, "dinner", 0)
    journal.shed(HERE, "dinner")
    journal.shed(HERE, "never")
    assert _held(journal, "dinner").message == Message("dinner")

    news = [
        update(status, member, message_id="of dinner", raw=b"dinner", detail="dinner")
        for member, status in LAST.items()
    ]
    journal.store(HERE, news)
    journal.shed(HERE, "dinner")

    held = _held(journal, "dinner")
    assert held.message == Message()
    assert all((e.raw, e.detail) == (b"", None) for e in held.reports.values())
    assert receipt(held).settled
    journal.shed(HERE, "dinner")
    assert _held(journal, "dinner") == held


def test_an_event_sheds_its_words_as_it_is_settled(journal: Journal) -> None:
    """Not before: a handler that failed reads it again."""
    event = received(
        text="the door code is 4711",
        subject="code",
        media=(Media("https://m.example/door.jpg"),),
        raw=b"4711",
    )
    journal.store(HERE, [event])
    journal.claim(HERE, event.key, ME, 0, 1)
    journal.settle(HERE, event.key, done=False, shed=True)
    assert journal.waiting(HERE, NOW, 9) == (event,)

    _over(journal, event.key, shed=True)

    (_, kept), *others = journal.history(HERE, GROUP, None, 9)
    assert kept == evolve(event, text="", subject=None, media=(), raw=b"")
    assert others == []


def test_words_stay_until_every_handler_is_done(journal: Journal) -> None:
    """One of them may have a lost send go out again on another line."""
    _sent(journal, "dinner", 0)
    lost = [
        update(
            DeliveryStatus.FAILED, member, message_id="of dinner", scope=Scope.ACCOUNT
        )
        for member in PEOPLE
    ]
    journal.store(HERE, lost)
    driver, seen = Driver(journal, clock=lambda: NOW), list[str]()

    def react(event: Event) -> Program[None]:
        if isinstance(event, SendFailed):
            held = yield from Recall(HERE, event.reference)
            seen.append("" if held is None else held.message.text)

    intake = Intake(namespace=HERE, owner=ME, durable=True, react=react, sheds=True)
    handled, failures = driver.run(catch_up(intake))

    assert (len(handled), failures, seen) == (4, (), ["dinner"])
    assert _held(journal, "dinner").message == Message()


# With a client


@pytest.fixture
def forgetful(world: World) -> World:
    """Give an application that lets go of what was said."""
    setup = world.client._setup
    retention = Retention(text="settled")
    world.client._setup = evolve(setup, retention=retention)
    return world


def _pages(world: World) -> list[Any]:
    group = world.client.group(*PEOPLE)
    return list(world.wait(group.history()))


def test_words_go_when_all_is_settled(forgetful: World) -> None:
    """Handlers still read what was said; afterwards it is gone, the receipt stays."""
    world = forgetful
    world.send("Dinner at 7?", reference="dinner")
    assert [said.text for said in _pages(world)] == ["Dinner at 7?"]
    world.phone().reply("I am in")
    world.network.advance(DAY)

    heard, said = _pages(world)

    assert [event.text for event in world.heard()] == ["I am in"]
    assert (heard.text, heard.raw, heard.sender) == ("", b"", PEOPLE[0])
    assert (said.text, said.receipt.settled) == ("", True)
    assert said.receipt == world.receipt("dinner")


def test_words_of_a_send_of_which_nothing_left_go_at_once(forgetful: World) -> None:
    """Under the same reference the caller says them again; a retry cannot."""
    world = forgetful
    with world.network.telnyx.outage(), world.network.vonage.outage():
        world.fail(NotSentError, "Dinner at 7?", reference="dinner")
        assert [said.text for said in _pages(world)] == [""]
        with pytest.raises(ConfigError, match="erased"):
            world.wait(world.client.retry("dinner"))

    receipt = world.send("Dinner at 7?", reference="dinner")

    assert [bubble.text for bubble in world.phone().bubbles] == ["Dinner at 7?"]
    assert receipt.reference == "dinner"


def test_a_client_prunes_at_most_once_an_hour(world: World) -> None:
    """`run_due` does it by the way."""
    world.client._setup = evolve(world.client._setup, retention=Retention(days=0.02))
    world.send("Dinner at 7?", reference="one")
    world.wait(world.client.run_due())
    assert world.wait(world.client.receipt("one")) is not None
    world.network.advance(DAY)
    world.wait(world.client.run_due())
    assert world.wait(world.client.receipt("one")) is None

    world.send("Dinner at 8?", reference="two")
    world.network.advance(3599)
    world.wait(world.client.run_due())
    assert world.wait(world.client.receipt("two")) is not None
    world.network.advance(1)
    world.wait(world.client.run_due())
    assert world.wait(world.client.receipt("two")) is None


def test_a_client_prunes_when_asked_to(world: World) -> None:
    """And tells how much it was."""
    world.send("Dinner at 7?", reference="dinner")
    world.network.advance(89 * DAY)
    world.wait(world.client.run_due())
    assert world.wait(world.client.prune()).sends == 0

    world.network.advance(2 * DAY)

    assert world.wait(world.client.prune()).sends == 1
    assert world.wait(world.client.receipt("dinner")) is None
