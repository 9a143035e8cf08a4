"""How the demo looks: on a terminal, or as JSON lines."""

from __future__ import annotations

import json
from typing import TextIO

from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ...wire import Json
from .facts import Fact, Scene
from .stage import Stage

__all__ = ["JsonShow", "TerminalShow"]


class JsonShow:
    """Writes every fact as one line of JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def play(self, stage: Stage, scene: Scene) -> None:
        """Play *scene* and write what it tells."""
        for fact in scene.play(stage):
            line = {
                "scene": scene.name,
                "fact": fact.kind,
                "words": fact.words,
                **fact.data,
            }
            print(json.dumps(line), file=self._out, flush=True)

    def end(self) -> None:
        """Say nothing more."""


MARKS = {
    "sent": ("✓", "green"),
    "event": ("✉", "cyan"),
    "same_conversation": ("=", "cyan"),
    "note": ("i", "dim"),
    "cost": ("$", "yellow"),
    "moved": ("→", "yellow"),
    "thread_moved": ("!", "yellow"),
    "refused": ("✗", "red"),
    "unknown": ("?", "magenta"),
    "not_repeated": ("✓", "green"),
    "resolved": ("✓", "green"),
}

COLOURS = {"delivered": "green", "unconfirmed": "yellow", "failed": "red"}


class TerminalShow:
    """Draws the scenes with colour, phones side by side, and a spinner in between."""

    def __init__(self, scenes: int, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._scenes = scenes
        self._number = 0

    def play(self, stage: Stage, scene: Scene) -> None:
        """Play *scene* and draw what it tells as it happens."""
        self._number += 1
        title = Text(f"{self._number}/{self._scenes} {scene.title} ", style="bold")
        self._console.print()
        self._console.rule(title, align="left", style="blue")
        facts = scene.play(stage)
        while True:
            with self._console.status(Text(scene.waiting, style="dim")):
                fact = next(facts, None)
            if fact is None:
                return
            self._console.print(Padding(_drawn(fact), (0, 0, 0, 1)))

    def end(self) -> None:
        """Point to where to go from here."""
        self._console.print()
        self._console.rule(style="blue")
        self._console.print(
            " No phone rang and nothing was spent. "
            "`multigroup simulate` keeps the carriers running for your own code."
        )


def _drawn(fact: Fact) -> RenderableType:
    if fact.kind == "phones":
        return _phones(fact.data["phones"])
    if fact.kind == "deliveries":
        return _deliveries(fact.data["members"])
    mark, colour = MARKS[fact.kind]
    line = Table.grid(padding=(0, 1))
    line.add_row(
        Text(mark, style=f"bold {colour}"),
        Text(fact.words, style="dim" if fact.kind == "note" else ""),
    )
    return Group(line, _event(fact.data["event"])) if fact.kind == "event" else line


def _phones(shown: Json) -> Table:
    """Return the phones side by side, each as wide as the terminal allows."""
    phones = shown if isinstance(shown, dict) else {}
    row = Table.grid(expand=True)
    for _ in phones:
        row.add_column(ratio=1)
    row.add_row(*(_phone(name, threads) for name, threads in phones.items()))
    return row


def _phone(owner: str, threads: Json) -> Panel:
    lines: list[RenderableType] = []
    for thread in _list(threads):
        if isinstance(thread, dict):
            lines.append(Rule(Text(str(thread["from"]), style="dim"), style="dim"))
            lines += [_bubble(owner, bubble) for bubble in _list(thread["bubbles"])]
    return Panel(Group(*lines), title=f"[bold]{owner}[/]", border_style="blue")


def _bubble(owner: str, bubble: Json) -> RenderableType:
    said = bubble if isinstance(bubble, dict) else {}
    sender, text = str(said.get("sender")), str(said.get("text"))
    if sender == owner:
        return Align.right(Text(text, style="white on blue"))
    return Text.assemble((f"{sender}: ", "bold"), text)


def _event(event: Json) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    shown = event if isinstance(event, dict) else {}
    for name in ("type", "sender", "line", "members", "conversation", "text"):
        value = shown.get(name)
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(Text(name, style="dim"), Text(words, style="cyan"))
    return table


def _deliveries(members: Json) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 1))
    for column in ("member", "states", "cost"):
        table.add_column(column, header_style="dim")
    for row in _list(members):
        if isinstance(row, dict):
            states = [str(state) for state in _list(row["states"])]
            table.add_row(str(row["member"]), _way(states), _price(row["cost"]))
    return table


def _way(states: list[str]) -> Text:
    *before, final = states
    way = Text("".join(f"{state} → " for state in before), style="dim")
    return way.append(final, style=COLOURS.get(final, ""))


def _price(cost: Json) -> str:
    if not isinstance(cost, dict):
        return "unknown"
    return f"{cost['amount']} {cost['currency']}"


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
