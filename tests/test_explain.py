"""The story of a send in words: tried, when, known, and why no more was done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from attrs import evolve

from multigroup import DeliveryStatus, NotSent, Reason, Refused, Scope, Unknown
from multigroup.explain import explain
from multigroup.records import (
    Begun,
    Change,
    Closed,
    Inquired,
    Lease,
    Moved,
    Reopened,
    Reported,
    SendRecord,
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
    record,
    told,
    update,
)

LOST: Final = Unknown("the connection ended without an answer (ReadTimeout)")
NO_ROUTE: Final = NotSent("could not reach red (ConnectError)")
STOPPED: Final = Refused("40300", Reason.OPTED_OUT, Scope.MEMBER)


def _one_each(first: int = 0) -> tuple[Any, ...]:
    """Return a leg per member, numbered from *first* on."""
    return tuple(leg(f"{RED}.{first + n}", (who,)) for n, who in enumerate(PEOPLE))


def _fate(member: Any, status: DeliveryStatus, **more: Any) -> Reported:
    return Reported(update(status, member, token=f"{RED}.0", **more))


def _story(*changes: Change, start: SendRecord | None = None) -> str:
    """Return the story, without the margin that these tests are written with."""
    return explain(told(*changes, start=start))


def _text(told: str) -> str:
    lines = [line.removeprefix("    ") for line in told.strip("\n").split("\n")]
    return "\n".join(lines).rstrip()


def test_a_send_that_everybody_has() -> None:
    """One request for all, and what was told of each copy since."""
    news = [
        _fate(ANA, DeliveryStatus.DELIVERED),
        _fate(BEN, DeliveryStatus.UNCONFIRMED),
    ]
    story = _story(begun(), ended(accepted("m-1")), *news, Closed())

    assert story == _text(
        """
    send 5e4d, reference dinner
    2026-11-21 08:00:00Z  to 3: …0101, …0102, …0103
    2026-11-21 08:00:01Z  red:…0100 to …0101, …0102, …0103, leg 5e4d.0
    2026-11-21 08:00:02Z  ACCEPTED: the carrier has it as m-1
    2026-11-21 08:00:03Z  …0101: delivered, as red told
    2026-11-21 08:00:03Z  …0102: unconfirmed, as red told
    everybody was texted
    """
    )


def test_a_send_that_moved_to_another_line() -> None:
    """What followed is told once for the legs that went together."""
    legs = _one_each()
    keys = tuple(one.key for one in legs)
    story = _story(
        begun(*legs),
        *(ended(NO_ROUTE, key) for key in keys),
        Moved(keys, "nothing was sent, so it moved on to blue:…0100", OTHER_LINE),
        Begun(OTHER_LINE, (leg(f"{RED}.3"),), at(5)),
        ended(accepted("m-2"), f"{RED}.3", 6),
        Closed(),
        start=record(notes=("left out: …0104 wrote STOP on 2026-11-20",)),
    )

    assert story == _text(
        """
    send 5e4d, reference dinner
    2026-11-21 08:00:00Z  to 3: …0101, …0102, …0103
      note: left out: …0104 wrote STOP on 2026-11-20
    2026-11-21 08:00:01Z  red:…0100 to …0101, leg 5e4d.0
    2026-11-21 08:00:02Z  NOT_SENT: could not reach red (ConnectError); nothing was sent
    2026-11-21 08:00:01Z  red:…0100 to …0102, leg 5e4d.1
    2026-11-21 08:00:02Z  NOT_SENT: could not reach red (ConnectError); nothing was sent
    2026-11-21 08:00:01Z  red:…0100 to …0103, leg 5e4d.2
    2026-11-21 08:00:02Z  NOT_SENT: could not reach red (ConnectError); nothing was sent
      then: nothing was sent, so it moved on to blue:…0100
    2026-11-21 08:00:05Z  blue:…0100 to …0101, …0102, …0103, leg 5e4d.3
    2026-11-21 08:00:06Z  ACCEPTED: the carrier has it as m-2
    everybody was texted
    """
    )


def test_a_send_in_every_state_at_once() -> None:
    """Each group of people is told what would help them, by the call to make."""
    legs = _one_each()
    keys = tuple(one.key for one in legs)
    stopped = "stopped: it was perhaps sent, and another line could text them twice"
    story = _story(
        begun(*legs),
        ended(LOST, keys[0]),
        ended(NO_ROUTE, keys[1]),
        ended(STOPPED, keys[2]),
        Moved(keys, stopped),
        Closed(),
        Inquired(at(63)),
        Inquired(at(185)),
    )

    assert story == _text(
        """
    send 5e4d, reference dinner
    2026-11-21 08:00:00Z  to 3: …0101, …0102, …0103
    2026-11-21 08:00:01Z  red:…0100 to …0101, leg 5e4d.0
    2026-11-21 08:00:02Z  UNKNOWN: the connection ended without an answer (ReadTimeout); it was perhaps sent
    2026-11-21 08:00:01Z  red:…0100 to …0102, leg 5e4d.1
    2026-11-21 08:00:02Z  NOT_SENT: could not reach red (ConnectError); nothing was sent
    2026-11-21 08:00:01Z  red:…0100 to …0103, leg 5e4d.2
    2026-11-21 08:00:02Z  REFUSED: opted_out (40300), which concerns the member; nothing was sent
      then: stopped: it was perhaps sent, and another line could text them twice
    2026-11-21 08:03:05Z  carriers were asked 2 times what became of it
    in doubt: …0101
      silence proves nothing; only the carrier's news of that leg settles it
      client.retry('dinner', unknown=True) texts them again, perhaps twice
    not texted: …0102
      client.retry('dinner') sends to those who got nothing
    refused: …0103
      sending again would not help
    """  # noqa: E501
    )


def test_a_send_that_was_held_back_and_taken_up_again() -> None:
    """The canary was in doubt; later everybody was texted, the canary twice."""
    why = "held back, as an earlier copy was not surely taken"
    canary = told(begun(leg(f"{RED}.0", (ANA,))), ended(LOST), Closed(NotSent(why)))
    assert explain(canary) == _text(
        """
    send 5e4d, reference dinner
    2026-11-21 08:00:00Z  to 3: …0101, …0102, …0103
    2026-11-21 08:00:01Z  red:…0100 to …0101, leg 5e4d.0
    2026-11-21 08:00:02Z  UNKNOWN: the connection ended without an answer (ReadTimeout); it was perhaps sent
    in doubt: …0101
      silence proves nothing; only the carrier's news of that leg settles it
      client.retry('dinner', unknown=True) texts them again, perhaps twice
    not texted: …0102, …0103
      …0102, …0103 never tried: held back, as an earlier copy was not surely taken
      client.retry('dinner') sends to those who got nothing
    """  # noqa: E501
    )

    again = told(
        Reopened(members=PEOPLE, line=LINE),
        begun(*_one_each(1), when=60),
        *(ended(accepted(f"m-{n}"), f"{RED}.{n}", 61) for n in (1, 2, 3)),
        Closed(),
        start=canary,
    )
    assert explain(again).endswith("\neverybody was texted")


def test_a_send_that_the_carrier_lost() -> None:
    """It was taken and expired: what may be done depends on who has it and on why."""
    gone = {"code": "40014", "reason": Reason.EXPIRED, "scope": Scope.LINE}
    fates = [_fate(who, DeliveryStatus.EXPIRED, **gone) for who in PEOPLE]
    story = _story(begun(), ended(accepted()), *fates, Closed())

    assert story == _text(
        """
    send 5e4d, reference dinner
    2026-11-21 08:00:00Z  to 3: …0101, …0102, …0103
    2026-11-21 08:00:01Z  red:…0100 to …0101, …0102, …0103, leg 5e4d.0
    2026-11-21 08:00:02Z  ACCEPTED: the carrier has it as m-1
    2026-11-21 08:00:03Z  …0101: expired, expired (40014), as red told
    2026-11-21 08:00:03Z  …0102: expired, expired (40014), as red told
    2026-11-21 08:00:03Z  …0103: expired, expired (40014), as red told
    lost: …0101, …0102, …0103
      client.retry('dinner') sends it to everybody by another line
    """
    )
    own = _fate(CLEO, DeliveryStatus.FAILED, **{**gone, "scope": Scope.MEMBER})
    assert "another line would lose it for the same reason" in _story(
        begun(), ended(accepted()), *fates[:2], own, Closed()
    )
    fine = _fate(CLEO, DeliveryStatus.DELIVERED)
    assert "others have it or may have it" in _story(
        begun(), ended(accepted()), *fates[:2], fine, Closed()
    )


def test_a_send_under_way_says_who_has_it() -> None:
    """And for how long, in the same words of time."""
    until = (at(0) + timedelta(minutes=1)).timestamp()
    story = _story(begun(), start=record(lease=Lease("host/1/2", until)))

    assert story.endswith(
        "leg 5e4d.0\n"
        "                      UNKNOWN: no answer yet; it was perhaps sent\n"
        "under way: host/1/2 has it until 2026-11-21 08:01:00Z\n"
        "  if that process is gone, client.resume() goes on with it"
    )


def test_a_story_tells_no_number_and_nothing_that_was_said() -> None:
    """It is fit for a ticket or a log."""
    secret = evolve(STOPPED, detail="Dinner at 7? said +14155550101")
    story = _story(begun(), ended(secret), Closed())

    assert "5550" not in story
    assert "Dinner" not in story
