"""`multigroup simulate`: the simulated carriers on ports of this machine."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict, frozen

if TYPE_CHECKING:
    from ..simulator import Entry, Network

__all__ = ["simulate"]


@frozen
class _Voice:
    """How to say what there is, what happens, and what was not understood."""

    opening: Callable[[Network], None]
    entry: Callable[[Entry], None]
    complaint: Callable[[str], None]


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65534),
    default=8700,
    show_default=True,
    help="Telnyx's port; Vonage has the next one. 0 takes any that are free.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, a line per event.")
@click.option("--telnyx-webhook-url", help="Where Telnyx posts its webhooks.")
@click.option("--vonage-webhook-url", help="Where Vonage posts its webhooks.")
@click.option(
    "--telnyx-number",
    multiple=True,
    default=["+14155550150"],
    show_default=True,
    help="A number of the Telnyx account; may be repeated.",
)
@click.option(
    "--vonage-number",
    multiple=True,
    default=["+14155550160"],
    show_default=True,
    help="A number of the Vonage account; may be repeated.",
)
@click.option(
    "--vonage-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the Vonage application's private key there, for Bearer tokens.",
)
@click.option("--seed", type=int, help="Have the same keys and ids at every start.")
@click.option(
    "--allow-remote", is_flag=True, help="Post webhooks to other machines, too."
)
def simulate(  # noqa: PLR0913 - one parameter per option
    *,
    port: int,
    as_json: bool,
    telnyx_webhook_url: str | None,
    vonage_webhook_url: str | None,
    telnyx_number: tuple[str, ...],
    vonage_number: tuple[str, ...],
    vonage_key_file: Path | None,
    seed: int | None,
    allow_remote: bool,
) -> None:
    """Run simulated carriers until Ctrl-C.

    Write a phone's number and a text to have that phone answer in its latest thread:
    +14155550101 See you there!
    """
    from ..simulator import Network, WallClock  # noqa: PLC0415 - slow to load

    network = Network(clock=WallClock(), seed=seed, allow_remote=allow_remote)
    for number in telnyx_number:
        network.telnyx.add_number(number, webhook_url=telnyx_webhook_url)
    for number in vonage_number:
        network.vonage.add_number(
            number, inbound_url=vonage_webhook_url, status_url=vonage_webhook_url
        )
    if vonage_key_file is not None:
        vonage_key_file.touch(mode=0o600)
        vonage_key_file.write_text(network.vonage.private_key)
    _run(network, port, _voice(as_json=as_json))


def _run(network: Network, port: int, voice: _Voice) -> None:
    # A shell that starts this in the background has it ignore Ctrl-C; and a plain
    # `kill` should end it just as cleanly.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        try:
            stack.enter_context(network.serve(port=port))
        except OSError as error:
            raise click.ClickException(f"cannot listen: {error}") from error
        voice.opening(network)
        network.on_entry(partial(_say, voice))
        _obey(network, sys.stdin or (), voice)  # none: it was closed
        threading.Event().wait()


def _say(voice: _Voice, entry: Entry) -> None:
    with suppress(OSError):  # whoever read along has gone; the carriers stay
        voice.entry(entry)


def _obey(network: Network, lines: Iterable[str], voice: _Voice) -> None:
    for line in lines:
        number, _, text = line.strip().partition(" ")
        if not number:
            continue
        try:
            network.handset(number).reply(text)
        except (LookupError, ValueError) as error:
            voice.complaint(str(error))


def _voice(*, as_json: bool) -> _Voice:
    if as_json:
        return _Voice(_json_opening, _json_entry, _plain_complaint)
    if sys.stdout.isatty():
        return _rich()
    return _Voice(_plain_opening, _plain_entry, _plain_complaint)


def _settings(network: Network) -> dict[str, dict[str, str | list[str]]]:
    telnyx, vonage = network.telnyx, network.vonage
    return {
        "telnyx": {
            "base_url": telnyx.base_url,
            "api_key": telnyx.api_key,
            "public_key": telnyx.public_key,
            "numbers": [*telnyx.numbers],
        },
        "vonage": {
            "base_url": vonage.base_url,
            "api_key": vonage.api_key,
            "api_secret": vonage.api_secret,
            "signature_secret": vonage.signature_secret,
            "application_id": vonage.application_id,
            "numbers": [*vonage.numbers],
        },
    }


def _json_opening(network: Network) -> None:
    click.echo(json.dumps({"carriers": _settings(network)}))


def _json_entry(entry: Entry) -> None:
    click.echo(json.dumps({**asdict(entry), "at": entry.at.isoformat()}))


def _lines(network: Network) -> Iterable[tuple[str, str, str]]:
    for carrier, settings in _settings(network).items():
        for name, value in settings.items():
            yield carrier, name, value if isinstance(value, str) else ", ".join(value)


def _plain_opening(network: Network) -> None:
    for carrier, name, value in _lines(network):
        click.echo(f"{carrier:7} {name:16} {value}")


def _plain_entry(entry: Entry) -> None:
    clock = f"{entry.at.astimezone():%H:%M:%S}"
    click.echo(f"{clock} {entry.kind:7} {entry.carrier:7} {entry.words}")


def _plain_complaint(words: str) -> None:
    click.echo(words, err=True)


def _rich() -> _Voice:
    from rich.console import Console  # noqa: PLC0415 - for terminals only
    from rich.table import Table  # noqa: PLC0415 - for terminals only
    from rich.text import Text  # noqa: PLC0415 - for terminals only

    console = Console()
    colours = {"call": "cyan", "ring": "green", "reply": "blue", "webhook": "magenta"}

    def opening(network: Network) -> None:
        table = Table(box=None, show_header=False)
        for row in _lines(network):
            table.add_row(*row)
        console.print(table)

    def entry(one: Entry) -> None:
        bad = one.status is not None and one.status not in range(200, 300)
        words = Text(one.words, style="red" if bad else "")
        kind = Text(f"{one.kind:7}", style=colours[one.kind])
        clock = Text(f"{one.at.astimezone():%H:%M:%S}", style="dim")
        console.print(clock, kind, f"{one.carrier:7}", words)

    return _Voice(opening, entry, _plain_complaint)
