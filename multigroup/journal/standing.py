"""How a send stands, as columns: who carries it out, and what is still to be done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from ..models import LineId, NotSent, Number
from ..records import Lease, Round, SendRecord, doubtful

__all__ = [
    "Row",
    "encode",
    "load_standing",
    "microseconds",
    "moment",
    "numbers",
    "standing_row",
    "stands_alike",
]

Row: TypeAlias = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)

encode: Final = json.JSONEncoder(separators=(",", ":")).encode
"""Write JSON in ASCII: any store holds it, half characters and zeros included."""


def microseconds(at: datetime) -> int:
    """Return *at* as microseconds since the epoch: exact, and in order."""
    return (at - _EPOCH) // _TICK


def moment(ticks: int) -> datetime:
    """Return the time that `microseconds` made *ticks* of, in UTC."""
    return _EPOCH + timedelta(microseconds=ticks)


def numbers(written: Iterable[str]) -> tuple[Number, ...]:
    """Return what JSON has as strings."""
    return tuple(map(Number, written))


def standing_row(record: SendRecord) -> Row:
    """Return what changes of a send's row as it is carried out.

    The column `doubtful` is of closed sends only, as its index is.
    """
    lease = record.lease
    return (
        int(record.closed),
        int(record.closed and bool(doubtful(record))),
        lease.owner,
        lease.until,
        lease.fence,
        _state(record),
    )


def stands_alike(old: SendRecord, new: SendRecord) -> bool:
    """Tell whether `standing_row` surely gives the same, without asking it."""
    return (
        new.closed == old.closed
        and new.lease is old.lease
        and new.round is old.round
        and new.halted is old.halted
        and new.inquiries == old.inquiries
        and not (new.closed and new.attempts is not old.attempts)
    )


def load_standing(row: Row, members: tuple[Number, ...]) -> dict[str, Any]:
    """Return the fields of a send to *members* that `standing_row` made *row* of."""
    closed, _, owner, until, fence, written = row
    state = json.loads(written)
    halted, asked_at = state.get("halted"), state.get("asked_at")
    return {
        "closed": bool(closed),
        "lease": Lease(owner, until, fence),
        "round": _round(state, members),
        "halted": None if halted is None else NotSent(*halted),
        "inquiries": state.get("inquiries", 0),
        "asked_at": None if asked_at is None else moment(asked_at),
    }


def _state(record: SendRecord) -> str:
    """Return as JSON what nothing is looked up by; what is usual is left out."""
    now, halted, asked = record.round, record.halted, record.asked_at
    given = {
        "members": None if now.members == record.members else now.members,
        "line": _line(now.line),
        "via": _line(now.via),
        "left": _line(now.left),
        "start": now.start or None,
        "first": now.first or None,
        "waits": now.waits or None,
        "at": None if now.at is None else microseconds(now.at),
        "halted": halted and [halted.why, halted.wait],
        "inquiries": record.inquiries or None,
        "asked_at": None if asked is None else microseconds(asked),
    }
    return encode({name: value for name, value in given.items() if value is not None})


def _round(state: Mapping[str, Any], everybody: tuple[Number, ...]) -> Round:
    members = state.get("members")
    return Round(
        members=everybody if members is None else numbers(members),
        line=_line_id(state.get("line")),
        via=_line_id(state.get("via")),
        left=_line_id(state.get("left")),
        start=state.get("start", 0),
        first=state.get("first", 0),
        waits=state.get("waits", 0),
        at=None if "at" not in state else moment(state["at"]),
    )


def _line(line: LineId | None) -> list[str] | None:
    return None if line is None else [line.account, line.number]


def _line_id(written: list[str] | None) -> LineId | None:
    return None if written is None else LineId(written[0], Number(written[1]))
