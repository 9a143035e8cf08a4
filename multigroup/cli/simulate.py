"""`multigroup simulate`: the simulated carriers and their page on ports of here."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from . import _tls
from ._accounts import CARRIERS, Accounts, account_options, give_numbers
from ._voice import Opening, Voice, settings_of, voice

if TYPE_CHECKING:
    from ..simulator import Entry, Network
    from ..simulator.front import Front

__all__ = ["simulate"]


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535 - len(CARRIERS)),
    default=8700,
    show_default=True,
    help="The first carrier's port. The others have the next ones, and the page the "
    "one after the last. 0 takes any that are free.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on. Any but this machine's own lets others in.",
)
@click.option(
    "--carrier",
    "carriers",
    type=click.Choice(CARRIERS),
    multiple=True,
    help="Serve this carrier only; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, a line per event.")
@account_options
@click.option(
    "--vonage-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the Vonage application's private key there, for Bearer tokens.",
)
@click.option(
    "--tls",
    is_flag=True,
    help="Speak HTTPS as well, and be a proxy that SDKs reach the carriers by.",
)
@click.option(
    "--tls-port",
    type=click.IntRange(0, 65530),
    default=8743,
    show_default=True,
    help="The proxy's port; the carriers' HTTPS follows. 0 takes any that are free.",
)
@click.option("--seed", type=int, help="Have the same keys and ids at every start.")
@click.option(
    "--stepped", is_flag=True, help="Have time stand still but for steps on the page."
)
@click.option(
    "--allow-remote", is_flag=True, help="Post webhooks to other machines, too."
)
def simulate(  # noqa: PLR0913 - one parameter per option
    *,
    port: int,
    host: str,
    carriers: tuple[str, ...],
    as_json: bool,
    vonage_key_file: Path | None,
    tls: bool,
    tls_port: int,
    seed: int | None,
    stepped: bool,
    allow_remote: bool,
    **accounts: Unpack[Accounts],
) -> None:
    """Run simulated carriers until Ctrl-C.

    A page shows the phones, each call and each webhook, and has switches for what may
    go wrong. Write a phone's number and a text to have that phone answer in its latest
    thread: +14155550101 See you there!
    """
    from ..simulator import Network, SteppedClock, WallClock  # noqa: PLC0415 - slow

    clock = SteppedClock() if stepped else WallClock()
    network = Network(clock=clock, seed=seed, allow_remote=allow_remote)
    give_numbers(network, accounts)
    if vonage_key_file is not None:
        vonage_key_file.touch(mode=0o600)
        vonage_key_file.write_text(network.vonage.private_key)
    _warn(host)
    front = _tls.opened(network, host, tls_port) if tls else None
    where = (host, port, carriers or CARRIERS)
    _run(network, where, front, voice(as_json=as_json))


def _warn(host: str) -> None:
    from ..simulator.post import is_loopback  # noqa: PLC0415 - slow to load

    if not is_loopback(f"http://[{host}]" if ":" in host else f"http://{host}"):
        words = (
            f"Warning: on {host} other machines can read and change everything here."
        )
        click.echo(words, err=True)


def _run(
    network: Network,
    where: tuple[str, int, tuple[str, ...]],
    front: Front | None,
    speak: Voice,
) -> None:
    # A shell that starts this in the background has it ignore Ctrl-C; and a plain
    # `kill` should end it just as cleanly.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        host, port, carriers = where
        served = network.serve(host, port, carriers=carriers, page=True)
        try:
            stack.enter_context(served)
            if front is not None:
                stack.enter_context(front)
        except OSError as error:
            raise click.ClickException(f"cannot listen: {error}") from error
        settings = settings_of(network, carriers)
        speak.opening(Opening(served.page_url or "", settings, front))
        network.on_entry(partial(_say, speak))
        _obey(network, sys.stdin or (), speak)  # none: it was closed
        threading.Event().wait()


def _say(speak: Voice, entry: Entry) -> None:
    with suppress(OSError):  # whoever read along has gone; the carriers stay
        speak.entry(entry)


def _obey(network: Network, lines: Iterable[str], speak: Voice) -> None:
    for line in lines:
        number, _, text = line.strip().partition(" ")
        if not number:
            continue
        try:
            network.handset(number).reply(text)
        except (LookupError, ValueError) as error:
            speak.complaint(str(error))
