"""The switches of all carriers by name: which there are, and which are on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count as numbers
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from attrs import define, frozen

from ...wire import Failure, Json, Reply, Response
from ..core import Core
from ..face import Face
from ..faults import Answer, Switch
from ..spoiling import Spoil

__all__ = ["ANSWERS", "KINDS", "WEBHOOKS", "Active", "Kind", "Switchboard", "When"]

When: TypeAlias = Literal["before", "after"]

_PAGE = b"<!doctype html><title>Bad gateway</title><h1>Something went wrong</h1>"
_MOST_ON = 100


@frozen
class Kind:
    """A kind of fault: what it is called, and what it can be told.

    *when* says whether it can come before the carrier accepts, after it did, or
    neither, as for webhooks. *seconds* is how late or how old, where that matters.
    """

    name: str
    label: str
    when: tuple[When, ...] = ()
    seconds: float | None = None


_BOTH: tuple[When, ...] = ("before", "after")

ANSWERS = (
    Kind("429", "429, too many requests, with its headers", _BOTH),
    Kind("500", "500", _BOTH),
    Kind("503", "503", _BOTH),
    Kind("hang", "No answer, the line stays open", _BOTH),
    Kind("drop", "Line closed without an answer", _BOTH),
    Kind("reset", "Connection reset", _BOTH),
    Kind("truncated", "Answer cut in the middle", _BOTH),
    Kind("html", "A proxy's HTML page instead", _BOTH),
    Kind("outage", "Outage: connections refused", ("before",)),
)
WEBHOOKS = (
    Kind("late", "Late", seconds=30.0),
    Kind("twice", "Twice"),
    Kind("out_of_order", "Out of order"),
    Kind("unsigned", "Unsigned"),
    Kind("stale", "Signed long ago", seconds=600.0),
    Kind("wrongly_signed", "Wrongly signed"),
    Kind("tampered", "Changed on the way"),
    Kind("never", "Never"),
    Kind("held", "Held until released"),
)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (*ANSWERS, *WEBHOOKS)}
)
_SPOILS: Mapping[str, Spoil] = MappingProxyType({one: one for one in get_args(Spoil)})
_UNCOUNTED = frozenset({"outage", "held"})


@define(eq=False)
class Active:
    """A switch that is on."""

    id: str
    carrier: str
    kind: str
    when: When | None
    count: int | None
    seconds: float | None
    switch: Switch | None = None

    def view(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "id": self.id,
            "carrier": self.carrier,
            "kind": self.kind,
            "label": KINDS[self.kind].label,
            "when": self.when,
            "count": self.count,
            "seconds": self.seconds,
        }


class Switchboard:
    """Turn faults of *faces* on and off, and know which are on."""

    def __init__(self, core: Core, faces: tuple[Face, ...]) -> None:
        self.faces = faces
        self._core = core
        self._numbers = numbers(1)
        self._active: dict[str, Active] = {}

    @property
    def active(self) -> tuple[Active, ...]:
        """Return what is on, in the order turned on."""
        return tuple(self._active.values())

    def on(
        self,
        face: Face,
        kind: Kind,
        *,
        when: When = "before",
        count: int | None = None,
        seconds: float | None = None,
    ) -> Active:
        """Turn a fault of *face* on, for the next *count* times or until turned off.

        Raises:
            ValueError: this kind cannot come then, cannot be counted, or too many are
                on.
        """
        if kind.when and when not in kind.when:
            raise ValueError(f"{kind.name} cannot come {when} acceptance")
        if count is not None and kind.name in _UNCOUNTED:
            raise ValueError(f"{kind.name} lasts until turned off; it has no count")
        if len(self._active) >= _MOST_ON:
            raise ValueError(f"{_MOST_ON} switches are on; turn some off first")
        made = Active(
            id=f"f{next(self._numbers)}",
            carrier=face.name,
            kind=kind.name,
            when=when if kind.when else None,
            count=count,
            seconds=kind.seconds if seconds is None else seconds,
        )
        spent = partial(self._forget, made.id)
        with self._core.lock:
            self._active[made.id] = made
            self._core.feed.tell("faults")
        made.switch = _turned_on(face, made, spent)
        return made

    def off(self, fault_id: str) -> bool:
        """Turn a fault off; tell whether it was on."""
        with self._core.lock:
            active = self._active.get(fault_id)
            self._forget(fault_id)
        if active is None:
            return False
        if active.switch is not None:  # unlocked: ending an outage opens a port
            active.switch.off()
        return True

    def _forget(self, fault_id: str) -> None:
        self._active.pop(fault_id, None)
        self._core.feed.tell("faults")


def _turned_on(face: Face, fault: Active, spent: Callable[[], None]) -> Switch:
    if fault.kind == "outage":
        return face.outage()
    if fault.kind == "held":
        return face.hooks.hold()
    if fault.kind in _SPOILS:
        return face.hooks.spoil(
            _SPOILS[fault.kind],
            seconds=fault.seconds or 0.0,
            count=fault.count,
            spent=spent,
        )
    return face.answer(
        _REPLIES[fault.kind](face),
        count=fault.count,
        after_acceptance=fault.when == "after",
        name=f"the switch “{KINDS[fault.kind].label}”",
        spent=spent,
    )


def _throttled(face: Face) -> Answer:
    refused = face.refusal(
        429, face.throttled_code, title="Too many requests", detail="Please wait."
    )
    limit = {"retry-after": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}
    return Response(429, refused.headers.merged(limit), refused.body)


def _broken(status: int, face: Face) -> Answer:
    title = "Internal error" if status == 500 else "Service unavailable"  # noqa: PLR2004
    return face.refusal(status, "", title=title, detail="Please try again later.")


def _failed(kind: str, _face: Face) -> Answer:
    return Failure(kind)


def _truncated(_face: Face) -> Answer:
    def cut(response: Response | None) -> Reply:
        if response is None:
            return Response(200, {"content-type": "application/json"}, b'{"data": {"i')
        half = response.body[: len(response.body) // 2]
        return Response(response.status, response.headers, half)

    return cut


def _html(_face: Face) -> Answer:
    return Response(200, {"content-type": "text/html; charset=utf-8"}, _PAGE)


_REPLIES: Mapping[str, Callable[[Face], Answer]] = MappingProxyType(
    {
        "429": _throttled,
        "500": partial(_broken, 500),
        "503": partial(_broken, 503),
        "hang": partial(_failed, "ReadTimeout"),
        "drop": partial(_failed, "RemoteProtocolError"),
        "reset": partial(_failed, "ReadError"),
        "truncated": _truncated,
        "html": _html,
    }
)
