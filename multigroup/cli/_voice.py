"""What `multigroup simulate` says, as JSON, in plain lines or in colours."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import click
from attrs import asdict, frozen

from . import _tls

if TYPE_CHECKING:
    from ..simulator import Entry, Network
    from ..simulator.front import Front

__all__ = ["Opening", "Voice", "settings_of", "voice"]

Settings: TypeAlias = dict[str, str | list[str]]


@frozen
class Opening:
    """What there is once everything listens."""

    page: str
    carriers: Mapping[str, Settings]
    front: Front | None


@frozen
class Voice:
    """How to say what there is, what happens, and what was not understood."""

    opening: Callable[[Opening], None]
    entry: Callable[[Entry], None]
    complaint: Callable[[str], None]


def voice(*, as_json: bool) -> Voice:
    """Return the voice for whoever reads the output."""
    if as_json:
        return Voice(_json_opening, _json_entry, _plain_complaint)
    if sys.stdout.isatty():
        return _rich()
    return Voice(_plain_opening, _plain_entry, _plain_complaint)


def settings_of(network: Network, carriers: Collection[str]) -> dict[str, Settings]:
    """Return what an application must be told of each of *carriers*."""
    return {
        face.name: {**face.settings, "numbers": [*face.numbers]}
        for face in network.faces
        if face.name in carriers
    }


def _json_opening(there: Opening) -> None:
    tls = {} if there.front is None else {"tls": _tls.as_document(there.front)}
    document = {"page": there.page, "carriers": there.carriers, **tls}
    click.echo(json.dumps(document))


def _json_entry(entry: Entry) -> None:
    click.echo(json.dumps({**asdict(entry), "at": entry.at.isoformat()}))


def _lines(there: Opening) -> Iterable[tuple[str, str, str]]:
    yield "page", "url", there.page
    for carrier, settings in there.carriers.items():
        for name, value in settings.items():
            yield carrier, name, value if isinstance(value, str) else ", ".join(value)
    if there.front is not None:
        yield from _tls.rows(there.front)


def _export(front: Front | None) -> None:
    for carrier, line in () if front is None else _tls.exports(front).items():
        click.echo(f"{line}  # {carrier}'s SDK")


def _plain_opening(there: Opening) -> None:
    for carrier, name, value in _lines(there):
        click.echo(f"{carrier:9} {name:21} {value}")
    _export(there.front)


def _plain_entry(entry: Entry) -> None:
    clock = f"{entry.at.astimezone():%H:%M:%S}"
    click.echo(f"{clock} {entry.kind:7} {entry.carrier:9} {entry.words}")


def _plain_complaint(words: str) -> None:
    click.echo(words, err=True)


def _rich() -> Voice:
    from rich.console import Console  # noqa: PLC0415 - for terminals only
    from rich.table import Table  # noqa: PLC0415 - for terminals only
    from rich.text import Text  # noqa: PLC0415 - for terminals only

    console = Console()
    colours = {"call": "cyan", "ring": "green", "reply": "blue", "webhook": "magenta"}

    def opening(there: Opening) -> None:
        table = Table(box=None, show_header=False)
        for row in _lines(there):
            table.add_row(*row)
        console.print(table)
        _export(there.front)  # whole lines, to be copied

    def entry(one: Entry) -> None:
        bad = one.status is not None and one.status not in range(200, 300)
        words = Text(one.words, style="red" if bad else "")
        kind = Text(f"{one.kind:7}", style=colours[one.kind])
        clock = Text(f"{one.at.astimezone():%H:%M:%S}", style="dim")
        console.print(clock, kind, f"{one.carrier:9}", words)

    return Voice(opening, entry, _plain_complaint)
