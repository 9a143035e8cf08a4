"""`multigroup normalize`: webhook bodies in, events as JSON out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import click
from attrs import define, field

from .. import codec
from ..errors import ConfigError, PayloadError
from ..events import Event
from ..webhooks import CARRIERS, NEVER, reader_of
from ..wire import Headers, Json, Request
from ._bodies import BODY_CAP, TOO_LONG, Numbered, bodies, fields
from ._progress import Meter, size_of
from ._signature import ADDRESSED, Unusable, genuine, verifier

__all__ = ["normalize"]

_UNVERIFIED: Final = (
    "nothing was verified: anybody could have written this "
    "(--headers and --secret-env check the signature)"
)

_SIGNED: Final = "signed this, and nobody altered it"
_KNOWN: Final = "or somebody who knows its password sent this; a body is not signed"


def _known(_context: click.Context, _option: click.Parameter, carrier: str) -> str:
    try:
        reader_of(carrier)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from None
    return carrier


def _moment(
    _context: click.Context, _option: click.Parameter, written: str | None
) -> datetime | None:
    at = codec.moment(written)
    if written is not None and at is None:
        raise click.BadParameter("give an ISO 8601 time such as 2026-11-21T12:00:00Z")
    return at


@click.command()
@click.option(
    "--carrier",
    required=True,
    callback=_known,
    metavar=f"[{'|'.join(CARRIERS)}]",
    help="Whose webhooks they are.",
)
@click.option(
    "--own",
    multiple=True,
    metavar="NUMBER",
    help="A number of ours, so never a member; may be repeated. Without, the first "
    "number a message came to counts as ours.",
)
@click.option(
    "--headers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The webhook's headers: 'Name: value' lines, or a JSON object.",
)
@click.option(
    "--secret-env",
    metavar="NAME",
    help="Environment variable that holds the Telnyx public key, the Twilio auth "
    "token, the Vonage signature secret or Bandwidth's callback 'user:password': with "
    "--headers, one body is verified, then read.",
)
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="The address that was called: Twilio signs it, too.",
)
@click.option(
    "--at",
    callback=_moment,
    metavar="TIME",
    help="When the webhook came (ISO 8601), to judge its age by.  [default: now]",
)
@click.option("--raw", is_flag=True, help="Have the carrier's own body in each event.")
@click.argument("file", type=click.File("rb"), default="-", metavar="[FILE|-]")
def normalize(  # noqa: PLR0913 - one parameter per option
    *,
    carrier: str,
    own: tuple[str, ...],
    headers: Path | None,
    secret_env: str | None,
    url: str,
    at: datetime | None,
    raw: bool,
    file: BinaryIO,
) -> None:
    """Write the events in webhook bodies as JSON, an object a line.

    FILE, or standard input, holds one body, or one body a line (JSONL). JSON and forms
    are told apart. What cannot be read is said on stderr, and the exit status is then
    2; it is 1 if a signature does not hold.
    """
    if secret_env is None and at is not None:
        raise click.UsageError("--at judges a signature's age: it needs --secret-env")
    if secret_env is not None and headers is None:
        raise click.UsageError("--secret-env needs --headers: the signature is there")
    if secret_env is not None and carrier in ADDRESSED and not url:
        raise click.UsageError(f"{carrier} signs the address, too: it needs --url")
    said = Headers() if headers is None else _fields(headers)
    read = reader_of(carrier, own=own, headers=said)
    source, note = bodies(file), _UNVERIFIED
    if secret_env is not None:
        now = time.time() if at is None else at.timestamp()
        account = verifier(carrier, secret_env)
        body = genuine(account, url, said, _all_of(file), now)
        source = iter([(0, body)])
        bound = account.capabilities.webhook_auth.binds_body
        note = f"verified: {carrier} {_SIGNED if bound else _KNOWN}"
    with Meter(file) as meter:
        teller = _Teller(read, meter, note, raw=raw, at_once=size_of(file) is None)
        teller.tell(source)


def _fields(path: Path) -> Headers:
    try:
        return Request("POST", "", fields(path.read_bytes())).headers
    except (OSError, ValueError) as error:
        raise Unusable(f"the headers file cannot be used: {error}") from None


def _all_of(file: BinaryIO) -> bytes:
    body = file.read(BODY_CAP + 1)
    if len(body) > BODY_CAP:
        raise Unusable(TOO_LONG)
    return body


def _whole(body: bytes | None) -> bytes:
    if body is None:
        raise PayloadError(TOO_LONG)
    return body


@define
class _Teller:
    """Writes events to stdout, and what people should know to stderr."""

    read: Callable[[bytes], list[Event]]
    meter: Meter
    note: str
    raw: bool = field(kw_only=True)
    at_once: bool = field(kw_only=True)  # from a pipe bodies may come hours apart
    _skipped: int = field(default=0, init=False)

    def tell(self, source: Iterable[Numbered]) -> None:
        """Write the events of every body in *source*, and end as it went."""
        out = sys.stdout.buffer
        try:
            for number, body in source:
                out.write(self._events(number, body))
                if self.at_once:
                    out.flush()
                self.meter.tick()
            out.flush()
        except BrokenPipeError:  # whoever read along has seen enough: `| head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            return
        self._end()

    def _events(self, number: int, body: bytes | None) -> bytes:
        try:
            events = self.read(_whole(body))
        except PayloadError as error:
            self._skipped += 1
            self.meter.say(f"line {number}: {error}" if number else f"Error: {error}")
            return b""
        if self.note:
            self.meter.say(self.note)
            self.note = ""
        return b"".join(codec.dumps(self._told(event)) + b"\n" for event in events)

    def _told(self, event: Event) -> Json:
        told = codec.table(codec.dump(event))
        if not self.raw:
            del told["raw"]
        if event.occurred_at == NEVER:
            told |= {"occurred_at": None, "received_at": None}
        return told

    def _end(self) -> None:
        count = self.meter.count
        if not count:
            raise Unusable("the input is empty: there is no webhook body in it")
        if self._skipped and count > 1:
            raise Unusable(
                f"{self._skipped:,} of {count:,} lines could not be read: skipped"
            )
        if self._skipped:  # and has been said
            raise click.exceptions.Exit(Unusable.exit_code)
