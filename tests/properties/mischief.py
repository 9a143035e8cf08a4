"""What can befall a body or a header on its way: by chance, or by somebody's design."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tests.properties.strategies import Reader, bodies, documents, json_values

__all__ = [
    "altered",
    "broken_bodies",
    "misplaced",
    "places",
    "respelt",
    "retyped",
]


def places(document: Any) -> list[tuple[Any, Any]]:
    """Return where something stands in *document*: its holder, and its name there."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        inside = (
            list(holder.items())
            if isinstance(holder, dict)
            else list(enumerate(holder))
            if isinstance(holder, list)
            else []
        )
        found += [(holder, name) for name, _ in inside]
        waiting += [value for _, value in inside]
    return found


@st.composite
def retyped(draw: st.DrawFn, document: dict[str, Any]) -> Any:
    """Draw *document* with some values of another type, left out or put elsewhere."""
    mended = deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        everywhere = places(mended)
        if not everywhere:
            return mended
        holder, name = everywhere[draw(st.integers(0, len(everywhere) - 1))]
        match draw(st.sampled_from(["replace", "replace", "drop", "wrap", "deepen"])):
            case "drop":
                del holder[name]
            case "wrap":
                holder[name] = [holder[name], draw(json_values())]
            case "deepen":
                holder[name] = _deep(holder[name], draw(st.integers(1, 60)))
            case _:
                holder[name] = draw(json_values())
    return mended


_KINDS = frozenset({"event_type", "message_type", "status", "type"})
"""What decides how a body is read: with another word there would be nothing to read."""


@st.composite
def misplaced(
    draw: st.DrawFn, document: dict[str, Any], words: st.SearchStrategy[Any]
) -> dict[str, Any]:
    """Draw *document* with *words* where an id, a word or a number belongs."""
    mended = deepcopy(document)
    spots = [
        (holder, name)
        for holder, name in places(mended)
        if isinstance(holder[name], str | int) and name not in _KINDS
    ]
    for holder, name in spots:
        if draw(st.booleans()):
            holder[name] = draw(words)
    return mended


def _deep(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"to": value}
    return value


@st.composite
def altered(draw: st.DrawFn, body: bytes) -> bytes:
    """Draw other bytes than *body*: flipped, dropped, put in, doubled or buried."""
    place = draw(st.integers(0, max(0, len(body) - 1)))
    end = draw(st.integers(place, len(body)))
    before, middle, after = body[:place], body[place:end], body[end:]
    bit, junk = draw(st.integers(0, 7)), draw(st.binary(min_size=1, max_size=8))
    depth = draw(st.sampled_from([1, 50, 999, 50_000]))
    charset = draw(st.sampled_from(["utf-16", "utf-8-sig", "utf-7"]))
    ways: dict[str, Callable[[], bytes]] = {
        "flip": lambda: (
            before + bytes(b ^ 1 << bit for b in middle[:1]) + middle[1:] + after
        ),
        "drop": lambda: before + after,
        "double": lambda: before + middle + middle + after,
        "cut": lambda: before,
        "put in": lambda: before + junk + middle + after,
        "bury": lambda: b'{"data":[' * depth + body + b"]}" * depth,
        "swell": lambda: before + b"9" * 5_000 + after,
        "encode": lambda: body.decode("utf-8", "replace").encode(charset),
        "name twice": lambda: b"{" + draw(_twins()) + b"," + body[1:],
    }
    other = ways[draw(st.sampled_from(sorted(ways)))]()
    return other if other != body else body + b" "


def _twins() -> st.SearchStrategy[bytes]:
    """Draw a field to stand before its namesake, which JSON's last one wins."""
    names = ["data", "status", "to", "payload", "message_type", "message_uuid"]
    return st.builds(
        lambda name, value: f"{json.dumps(name)}:{json.dumps(value)}".encode(),
        st.sampled_from(names),
        json_values(),
    )


@st.composite
def respelt(draw: st.DrawFn, value: str) -> str:
    """Draw *value* of a header, or what a proxy or a forger may make of it."""
    place = draw(st.integers(0, max(0, len(value) - 1)))
    before, after = value[:place], value[place:]
    letter = draw(st.characters() | st.sampled_from("=+/-_.0123456789AZaz \t\r\n\x00"))
    space = draw(st.sampled_from([" ", "\t", "=", "==", "\r\n", "\xa0", "\ud800"]))
    ways = [
        before + letter + after[1:],
        before + after[1:],
        before + letter + after,
        value + space,
        space + value,
        value.swapcase(),
        f"{value}, {value}",
        value * 500,
        draw(st.text(max_size=80)),
    ]
    return draw(st.sampled_from(ways))


def broken_bodies(carrier: Reader) -> st.SearchStrategy[bytes]:
    """Draw a body that was one of *carrier*'s before something befell it."""
    torn = documents(carrier).flatmap(retyped).map(json.dumps).map(str.encode)
    return st.one_of(torn, bodies(carrier).flatmap(altered), torn.flatmap(altered))
