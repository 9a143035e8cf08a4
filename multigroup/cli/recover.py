"""`multigroup explain`, `resume` and `worker`: what became of sends, and going on."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from .._programs.due import Due
from ..client import AsyncClient, Client
from ..client.rounds import EVERY, Rounds
from ..errors import ConfigError, JournalError, MultigroupError
from ..explain import explain as story_of
from ..journal import open_journal
from ..masking import mask
from ..models import Receipt
from ..records import SendRecord
from ._app import APP
from ._signature import Unusable

__all__ = ["explain", "resume", "worker"]

_FILE: Final = "sqlite:///"
_NUMBER: Final = re.compile(r"(?:\+?[0-9][ ().-]*){9,}[0-9]")
"""What may be a phone number in a reference: dates have fewer digits."""


@click.command()
@click.argument("reference", metavar="REF")
@click.option(
    "--journal",
    required=True,
    metavar="URL",
    help="Where the sends are kept, as for Client(journal=…): sqlite:///sends.db",
)
@click.option(
    "--namespace",
    default="default",
    show_default=True,
    help="As for Client(namespace=…).",
)
def explain(*, reference: str, journal: str, namespace: str) -> None:
    """Tell what became of the send under REF, and why no more was done.

    Needs neither lines nor credentials. Numbers are masked and the text is left out.
    """
    record = _recalled(reference, journal, namespace)
    if record is None:
        raise click.ClickException(
            f"no send has the reference {reference!r} in namespace {namespace!r}"
        )
    click.echo(story_of(record))


def _recalled(reference: str, journal: str, namespace: str) -> SendRecord | None:
    if journal == "memory:":
        raise Unusable(
            "a journal in memory ended with its process: name one that lasts"
        )
    if journal.startswith(_FILE) and not Path(journal.removeprefix(_FILE)).is_file():
        raise Unusable(f"there is no journal {journal!r}")  # and none is to be made
    try:
        kept = open_journal(journal)
        try:
            return kept.recall(namespace, reference)
        finally:
            kept.close()
    except (ConfigError, JournalError) as error:
        raise Unusable(str(error)) from error


@click.command()
@APP
def resume(*, client: Client | AsyncClient) -> None:
    """Go on with the sends whose process died, and end.

    APP is 'module:client': a Client, an AsyncClient or a function that returns one,
    imported from the working directory.
    """
    try:
        receipts = asyncio.run(_resumed(client))
    except MultigroupError as error:
        raise click.ClickException(str(error)) from error
    for receipt in receipts:
        click.echo(_line(receipt))


async def _resumed(client: Client | AsyncClient) -> tuple[Receipt, ...]:
    try:
        if isinstance(client, AsyncClient):
            return await client.resume()
        return client.resume()
    finally:
        await _close(client)


async def _close(client: Client | AsyncClient) -> None:
    closing = client.close()
    if closing is not None:
        await closing


def _line(receipt: Receipt) -> str:
    """Return reference, line and how many members have which outcome."""
    counts = Counter(each.outcome.word for each in receipt.deliveries.values())
    told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    reference = _NUMBER.sub(lambda found: mask(found[0]), receipt.reference)
    return f"{reference}  {receipt.line or 'no line'}  {told}"


@click.command()
@APP
@click.option(
    "--every",
    type=click.FloatRange(0.001, 86_400),
    default=EVERY,
    show_default=True,
    help="Seconds from one round to the next.",
)
def worker(*, client: Client | AsyncClient, every: float) -> None:
    """Do what has fallen due, again and again, until Ctrl-C or SIGTERM.

    Sends of dead processes are gone on with, failed handlers run again, carriers are
    asked about doubtful sends. The round at hand is finished before the end.

    APP is 'module:client': a Client, an AsyncClient or a function that returns one,
    imported from the working directory.
    """
    asyncio.run(_work(client, every))


async def _work(client: Client | AsyncClient, every: float) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def end(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    rounds = Rounds(client, every, _tell)
    rounds.start()
    try:
        await stop.wait()
    finally:
        await rounds.stop()
        await _close(client)


def _tell(due: Due) -> None:
    """Write one line if something was done, in counts alone."""
    done = ", ".join(_counts(due))
    if done:
        click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z  {done}")


def _counts(due: Due) -> Iterator[str]:
    for count, what in (
        (len(due.resumed), "sends resumed"),
        (len(due.events), "events handled"),
        (len(due.failures), "handlers failed"),
    ):
        if count:
            yield f"{what}: {count}"
