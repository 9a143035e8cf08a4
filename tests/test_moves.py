"""Leaving a thread: what the group is told by the note, and the application."""

from __future__ import annotations

from typing import Any, Final

import pytest

from multigroup import Message, Policy, ThreadMoved
from multigroup._programs.recover import retry
from multigroup._programs.send import send
from tests.helpers.paper import GONE, LOST, ONE, TWO, WHOLE
from tests.helpers.player import ANA, BEN, CLEO, Player, means, order
from tests.helpers.world import PEOPLE, World

ALL: Final = (ANA, BEN, CLEO)
NOTED: Final = Policy(move_note="(Our new number)")


def _said(player: Player) -> list[str]:
    """Return what requests said, each text once, in order."""
    bodies = [request.body.decode() for request in player.requests]
    return list(dict.fromkeys(body.partition(": ")[2] for body in bodies))


def _send(player: Player, *lines: Any, **more: Any) -> None:
    player.play(send(order(*lines, members=ALL, policy=NOTED, **more)))
    player.now += 1


def test_a_first_message_bears_no_note() -> None:
    """There is no thread yet that could be left."""
    player = Player()
    _send(player, ONE)

    assert _said(player) == ["Hello"]


def test_the_note_stands_before_the_text_on_another_line_only() -> None:
    """Once: the next message from the same number is in a thread they know."""
    player = Player()
    for n, line in enumerate((ONE, ONE, TWO, TWO)):
        _send(player, line, reference=f"{n}", text=f"Hello {n}")

    assert _said(player) == [
        "Hello 0",
        "Hello 1",
        "(Our new number)\nHello 2",
        "Hello 3",
    ]


def test_a_picture_without_words_gets_the_note_alone() -> None:
    """The note is then all that is said."""
    player = Player()
    _send(player, ONE, reference="first")
    picture = Message("", ["https://example.com/menu.jpg"])
    _send(player, TWO, message=picture)

    assert _said(player)[-1] == "(Our new number)"
    assert player.record.message == picture


def test_the_note_is_no_part_of_what_was_asked_for() -> None:
    """The same send repeated under its reference is still the same message."""
    player = Player()
    _send(player, ONE, reference="first")
    _send(player, TWO)
    _send(player, TWO)

    assert len(player.requests) == 6


def test_a_failover_tells_of_the_move_where_it_happens() -> None:
    """Tried on the thread's own line without the note, on the next one with it."""
    player = Player()
    _send(player, ONE, reference="first")
    player.replies.extend([GONE] * 3)
    _send(player, ONE, TWO)

    assert _said(player) == ["Hello", "(Our new number)\nHello"]
    (moved,) = player.told(ThreadMoved)
    assert (moved.left, moved.joined, moved.previous) == (ONE.id, TWO.id, None)


def test_a_retry_elsewhere_bears_the_note() -> None:
    """In doubt on the thread's line, texted again from another number."""
    player = Player()
    _send(player, WHOLE, reference="first")
    player.replies.append(LOST)
    with pytest.raises(Exception, match="perhaps"):
        _send(player, WHOLE)
    player.seen.clear()
    given = means(WHOLE, ONE, policy=NOTED)
    player.play(retry("default", given, "dinner", unknown=True, via=ONE))

    assert _said(player) == ["(Our new number)\nHello"]


def test_the_note_reaches_every_phone_in_the_new_thread(world: World) -> None:
    """On both carriers: who looks at the new thread learns whose it is."""
    world.close()
    noted = World(world.carrier, world.colour, policy=NOTED)
    noted.send("Dinner?")
    with noted.face.outage():
        noted.send("Seven")

    texts = [[b.text for b in noted.phone(who).bubbles] for who in PEOPLE]
    assert texts == [["Dinner?", "(Our new number)\nSeven"]] * 3
    assert all(len(noted.phone(who).threads) == 2 for who in PEOPLE)
    noted.close()
