"""The event model: one frozen class per kind of news, keyed for the journal."""

from __future__ import annotations

from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from multigroup.events import (
    DeliveryUpdated,
    Event,
    MessageReceived,
    OptedIn,
    OptedOut,
    ThreadMoved,
    Unrecognized,
)
from multigroup.models import DeliveryStatus, Media
from tests.helpers.values import ANA, BEN, PEOPLE, at, received, update

ABOUT: dict[str, Any] = {
    "id": "evt-1",
    "provider": "telnyx",
    "account": "red",
    "occurred_at": at(0),
    "received_at": at(1),
    "raw": b'{"text": "s3cret"}',
}


def test_a_message_shows_neither_words_nor_numbers() -> None:
    """Text, subject, media, raw body and whole numbers stay out of a log."""
    event = received(
        raw=b"s3cret",
        text="s3cret",
        subject="s3cret",
        media=(Media("https://media.example/s3cret.jpg"),),
    )

    shown = repr(event)

    assert "s3cret" not in shown
    assert not any(number in shown for number in PEOPLE)
    assert "…0101" in shown


def test_news_shows_no_whole_number_and_no_raw_body() -> None:
    """Delivery news names the member by the last four digits."""
    event = update(raw=b"s3cret", participant="14155550101")
    assert "s3cret" not in repr(event)
    assert "4155550101" not in repr(event)
    assert "…0101" in repr(event)


def test_an_opt_out_shows_no_whole_number() -> None:
    """Who opted out is named by the last four digits."""
    for kind in (OptedOut, OptedIn):
        shown = repr(kind(member=ANA, line=BEN, **ABOUT))
        assert ANA not in shown
        assert BEN not in shown
        assert "s3cret" not in shown


def test_the_key_is_account_id_type_and_member() -> None:
    """Two deliveries of one webhook have one key; other news has another."""
    event = OptedOut(member=ANA, line=None, **ABOUT)
    assert tuple(event.key) == ("red", "evt-1", "OptedOut", ANA)
    assert event.key == OptedOut(member=ANA, line=BEN, **ABOUT).key
    assert event.key != OptedOut(member=BEN, line=None, **ABOUT).key
    assert event.key != OptedIn(member=ANA, line=None, **ABOUT).key


def test_news_of_two_members_in_one_webhook_has_two_keys() -> None:
    """One body may tell of several copies, and each is claimed by itself."""
    ana, ben = (update(id="evt-1", member=member) for member in (ANA, BEN))
    assert ana.key != ben.key


def test_an_event_about_nobody_has_a_key() -> None:
    """Without a member the key's last part is empty."""
    event = Unrecognized(why="event type 'strange'", **ABOUT)
    assert tuple(event.key) == ("red", "evt-1", "Unrecognized", "")
    assert str(event.key) == "red/Unrecognized/evt-1"
    assert tuple(update(member=None).key)[3] == ""


def test_a_key_in_one_word_tells_nothing_of_the_member() -> None:
    """Not even a digest: with four digits known, there are few numbers to try."""
    ana, ben = (update(id="evt-1", member=member).key for member in (ANA, BEN))

    assert str(ana) == str(ben) == "red/DeliveryUpdated/evt-1"


def test_a_key_in_one_word_tells_one_odd_id_from_another() -> None:
    """An id that looks like none is not quoted, and its events stay apart."""
    dinner, lunch = (str(update(id=f"{meal} at 7").key) for meal in ("Dinner", "Lunch"))

    assert dinner == "red/DeliveryUpdated/a8eceba1a424c743863cb8aea26d0cb6"
    assert dinner != lunch


def test_a_key_takes_any_id() -> None:
    """Half a surrogate pair in an id does not break the key."""
    odd = OptedOut(member=ANA, line=None, **{**ABOUT, "id": "\ud800"})

    assert str(odd.key).startswith("red/OptedOut/")


def test_a_key_shows_no_whole_number() -> None:
    """A key that lands in a log or a traceback hides the member."""
    assert ANA not in repr(update(member=ANA).key)


@pytest.mark.parametrize(
    "kind", [MessageReceived, DeliveryUpdated, OptedOut, OptedIn, Unrecognized]
)
def test_every_kind_of_news_is_an_event(kind: type[Event]) -> None:
    """A handler of `Event` is called with everything."""
    assert issubclass(kind, Event)
    assert issubclass(ThreadMoved, Event)


def test_an_event_cannot_be_changed() -> None:
    """What a carrier told is not rewritten."""
    event = update(DeliveryStatus.SENT)
    with pytest.raises(FrozenInstanceError):
        event.status = DeliveryStatus.DELIVERED  # type: ignore[misc] # must not work
    assert event.status == DeliveryStatus.SENT


def test_what_a_carrier_left_out_is_none() -> None:
    """Nothing is assumed: no cost, no reason, no reference."""
    event = update()
    unknown = (event.cost, event.reason, event.reference, event.code, event.meaning)
    assert unknown == (None,) * 5
    assert event.also_known_as == ()
