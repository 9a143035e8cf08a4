"""`multigroup carriers`: what each carrier can do, from the code's own tables."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import click

from .. import codec
from ..providers.bandwidth.facts import CAPABILITIES as BANDWIDTH
from ..providers.base import Capabilities, LineKind, WebhookAuth
from ..providers.telnyx.facts import CAPABILITIES as TELNYX
from ..providers.twilio.facts import CAPABILITIES as TWILIO
from ..providers.vonage.facts import CAPABILITIES as VONAGE

__all__ = ["CARRIERS", "carriers"]

CARRIERS: Final[Mapping[str, Capabilities]] = {
    "bandwidth": BANDWIDTH,
    "telnyx": TELNYX,
    "twilio": TWILIO,
    "vonage": VONAGE,
}

_WIDTH: Final = 80


def _up_to(limit: int | None) -> str:
    return "not documented" if limit is None else f"up to {limit:,}"


def _yes(value: bool) -> str:  # noqa: FBT001 - a formatter in the table below
    return "yes" if value else "no"


def _kinds(kinds: Iterable[LineKind]) -> str:
    return ", ".join(sorted(kind.replace("_", " ") for kind in kinds))


def _signature(auth: WebhookAuth) -> str:
    bound = "body" if auth.binds_body else ""
    fresh = "time" if auth.has_freshness else ""
    return " and ".join(filter(None, (bound, fresh))) or "nothing: a password only"


ROWS: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "max_members": ("members", _up_to),
    "group_from": ("group from", _kinds),
    "legs_per": ("one request per", str),
    "max_text": ("characters of text", _up_to),
    "max_media": ("media", _up_to),
    "subject": ("subject", _yes),
    "roster_on_inbound": ("members on inbound", _yes),
    "receipts": ("receipts", str),
    "idempotency": ("idempotency", str),
    "webhook_auth": ("signature covers", _signature),
    "sources": ("sources", "; ".join),
    "as_of": ("as of", str),
}
"""Field of `Capabilities` → its name and value for people, in reading order."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write all of it as JSON.")
def carriers(*, as_json: bool) -> None:
    """Show what each carrier can do.

    Limits, receipts and signatures, with the sources and the date they were read.
    """
    if as_json:
        click.echo(json.dumps(codec.dump(CARRIERS), indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        _draw()
    else:
        click.echo("\n".join(_plain()))


def _words(can: Capabilities) -> Iterator[tuple[str, str]]:
    return ((label, told(getattr(can, name))) for name, (label, told) in ROWS.items())


def _plain() -> Iterator[str]:
    """Yield a line per fact, the carrier's name in each, for `grep` and `cut`."""
    for carrier, can in CARRIERS.items():
        for label, words in _words(can):
            start = f"{carrier:9} {label:20} "
            yield from textwrap.wrap(
                words,
                _WIDTH,
                initial_indent=start,
                subsequent_indent=f"{carrier:9} {'':20} ",
                break_on_hyphens=False,
            )


def _draw() -> None:
    from rich import box  # noqa: PLC0415 - for terminals only
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", border_style="blue")
    table.add_column("", no_wrap=True)
    for carrier in CARRIERS:
        table.add_column(carrier, ratio=1, overflow="fold")
    columns = [dict(_words(can)) for can in CARRIERS.values()]
    for label, _ in ROWS.values():
        cells = (Text(column[label]) for column in columns)
        table.add_row(Text(label, style="cyan"), *cells)
    Console(highlight=False).print(table)
