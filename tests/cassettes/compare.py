"""How a carrier's reply differs from the simulator's for the same call.

That difference is what a live recording is for: where there is one, the simulator and
perhaps our reading are wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from multigroup.wire import Json

from .files import Tape

__all__ = ["differences"]


def differences(simulated: Tape, live: Tape) -> list[str]:
    """Return what only one of them has: statuses, header fields, places in a body."""
    told: list[str] = []
    pairs = zip_longest(simulated.interactions, live.interactions)
    for place, (ours, theirs) in enumerate(pairs):
        before, after = _marks(ours), _marks(theirs)
        told += [f"reply {place}: only live: {mark}" for mark in sorted(after - before)]
        told += [f"reply {place}: only ours: {mark}" for mark in sorted(before - after)]
    return told


def _marks(interaction: dict[str, Any] | None) -> set[str]:
    if interaction is None:
        return set()
    response = interaction["response"]
    marks = {f"status {response['status']['code']}"}
    marks |= {f"header {name}" for name in response["headers"]}
    try:
        body: Json = json.loads(response["body"]["string"])
    except ValueError:
        return marks | {"a body that is not JSON"}
    return marks | set(_places(body, "body"))


def _places(value: Json, place: str) -> Iterator[str]:
    """Yield where there is what kind of value, items of a list as one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, f"{place}[]")
    else:
        yield f"{place}: {type(value).__name__}"
