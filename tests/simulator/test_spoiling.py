"""Webhooks spoilt by switches that last."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from multigroup.simulator import Network
from multigroup.simulator.spoiling import Spoil, missigned
from multigroup.wire import Reply, Request

A = "+14155550101"
Send = Callable[..., Reply]


@pytest.fixture
def thread(network: Network, telnyx: Send, inbox: list[Request]) -> Network:
    """Give a network whose phones have a thread, and an empty inbox."""
    telnyx()
    network.settle()
    inbox.clear()
    return network


def _say(network: Network, *texts: str) -> None:
    for text in texts:
        network.handset(A).reply(text)


def _texts(inbox: list[Request]) -> list[str]:
    return [json.loads(one.body)["data"]["payload"]["text"] for one in inbox]


@pytest.mark.parametrize("kind", ["unsigned", "wrongly_signed", "tampered", "stale"])
def test_a_switch_lasts_until_it_is_off(thread: Network, kind: Spoil) -> None:
    """Every try is spoilt, and none afterwards."""
    with thread.telnyx.hooks.spoil(kind, seconds=600.0):
        _say(thread, "one", "two")
        thread.run_due()
    _say(thread, "three")
    thread.run_due()
    marks = [
        bool(attempt.marks)
        for entry in thread.timeline.entries[-3:]
        for attempt in getattr(entry, "attempts", ())
    ]
    assert marks == [True, True, False]


def test_late_webhooks_come_late(thread: Network, inbox: list[Request]) -> None:
    """Half a minute passes before the first try."""
    with thread.telnyx.hooks.spoil("late", seconds=30.0):
        _say(thread, "Hi")
    thread.advance(29.0)
    assert not inbox
    thread.advance(1.0)
    assert len(inbox) == 1


def test_a_webhook_may_never_come(thread: Network, inbox: list[Request]) -> None:
    """The log says that a switch kept it."""
    with thread.telnyx.hooks.spoil("never"):
        _say(thread, "Hi")
        thread.settle()
    assert not inbox
    assert "never delivered" in thread.log[-1].words


def test_out_of_order_swaps_pairs(thread: Network, inbox: list[Request]) -> None:
    """The second of each pair is delivered first."""
    with thread.telnyx.hooks.spoil("out_of_order"):
        _say(thread, "one", "two")
        thread.run_due()
        _say(thread, "three", "four")
        thread.run_due()
    assert _texts(inbox) == ["two", "one", "four", "three"]


def test_one_without_a_second_goes_after_a_while(
    thread: Network, inbox: list[Request]
) -> None:
    """Nothing is kept for ever by waiting to be overtaken."""
    with thread.telnyx.hooks.spoil("out_of_order"):
        _say(thread, "one")
        thread.advance(4.0)
        assert not inbox
        thread.advance(1.0)
    assert _texts(inbox) == ["one"]


def test_a_counted_spoil_tells_when_it_is_spent(thread: Network) -> None:
    """Whoever shows the switch learns that it is off."""
    told: list[str] = []
    thread.telnyx.hooks.spoil("unsigned", count=2, spent=lambda: told.append("spent"))
    _say(thread, "one")
    thread.run_due()
    assert not told
    _say(thread, "two")
    thread.run_due()
    assert told == ["spent"]


def test_missigned_changes_the_longest_value_only() -> None:
    """A timestamp beside the signature stays, and nothing is made of nothing."""
    given = {"stamp": "1795000000", "signature": "c2lnbmF0dXJl" * 5 + "AAAA=="}
    changed = missigned(given)
    assert changed["stamp"] == given["stamp"]
    assert changed["signature"] != given["signature"]
    assert len(changed["signature"]) == len(given["signature"])
    assert missigned({}) == {}
