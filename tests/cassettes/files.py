"""Cassettes as files: where they lie, what is at their head, how they are played."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, NoReturn

import yaml
from attrs import asdict, evolve, field, frozen
from vcr import VCR

from tests.helpers.world import Carrier

from .scrub import Scrubber

__all__ = [
    "LIVE",
    "ROOT",
    "SIMULATED",
    "Origin",
    "Provenance",
    "Tape",
    "found",
    "playing",
    "recording",
]

ROOT: Final = Path(__file__).parents[2] / "cassettes"
_MATCHED: Final = ("method", "path", "body")  # not the host: it may be the simulator's


@frozen
class Origin:
    """Who answers, and what a cassette made with it therefore proves."""

    folder: str
    made_with: str
    proves: str

    @property
    def live(self) -> bool:
        """Tell whether a carrier answers."""
        return self.folder == "live"


SIMULATED: Final = Origin(
    "simulator",
    "multigroup.simulator",
    "Made with the simulator. It proves how we read this reply, and nothing of the\n"
    "carrier. Do not edit; remake: pytest --record-simulator",
)
LIVE: Final = Origin(
    "live",
    "the carrier's own API",
    "A carrier's own answer, scrubbed. Do not edit; how it was made: README.md",
)


@frozen(kw_only=True)
class Provenance:
    """Where a cassette comes from, and what is needed to play it.

    *line* is the number the message was sent from; *outcomes* is what was known of
    each member's copy when it was recorded. All numbers are pseudonyms.
    """

    made_with: str
    version: str
    date: date
    carrier: Carrier
    scenario: str
    line: str
    outcomes: Mapping[str, str] = field(factory=dict[str, str])


@frozen
class Tape:
    """A cassette on disk."""

    path: Path
    provenance: Provenance
    interactions: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls, path: Path) -> Tape:
        """Read the cassette at *path*."""
        document = yaml.safe_load(path.read_text("utf-8"))
        about = Provenance(**document["provenance"])
        return cls(path, about, tuple(document["interactions"]))

    @property
    def members(self) -> tuple[str, ...]:
        """Return who was texted."""
        return tuple(self.provenance.outcomes)

    def __str__(self) -> str:
        """Return its place, for a test's name."""
        return "/".join((*self.path.parts[-3:-1], self.path.stem))


def found(root: Path = ROOT, *, folder: str = "*") -> list[Tape]:
    """Return the cassettes under *root*, all or those of one *folder*."""
    return [Tape.load(path) for path in sorted(root.glob(f"{folder}/*/*.yaml"))]


@contextmanager
def playing(tape: Tape) -> Iterator[None]:
    """Answer every request from *tape*, open no socket, and demand that all is played.

    Raises:
        AssertionError: an exchange was not asked for, or a socket was.
    """
    tried: list[object] = []

    def refuse(*where: object) -> NoReturn:
        tried.append(where)
        raise AssertionError("a cassette is played without sockets")

    scrub = Scrubber()
    with VCR().use_cassette(
        str(tape.path),
        record_mode="none",
        match_on=_MATCHED,
        before_record_request=scrub.request,
        before_record_response=scrub.response,
        custom_patches=(
            (socket.socket, "connect", refuse),
            (socket.socket, "connect_ex", refuse),
            (socket.socket, "sendto", refuse),
            (socket, "getaddrinfo", refuse),
        ),
    ) as cassette:
        yield
    assert not tried, f"{tape}: a socket was asked for"
    assert cassette.all_played, f"{tape}: not played to the end"


@contextmanager
def recording(
    path: Path, origin: Origin, about: Provenance, scrub: Scrubber
) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Record every exchange to *path*; gives a function to note the outcomes with."""
    writer = _Writer(origin, about)
    box = VCR()
    box.register_serializer("ours", writer)
    with box.use_cassette(
        str(path),
        record_mode="all",
        serializer="ours",
        match_on=_MATCHED,
        before_record_request=scrub.request,
        before_record_response=scrub.response,
    ):
        yield writer.note


class _Writer:
    """Writes a cassette with its provenance at the head, one body a line."""

    def __init__(self, origin: Origin, about: Provenance) -> None:
        self._origin = origin
        self._about = about

    def note(self, outcomes: Mapping[str, str]) -> None:
        self._about = evolve(self._about, outcomes=dict(outcomes))

    def serialize(self, cassette: dict[str, Any]) -> str:
        head = "".join(f"# {line}\n" for line in self._origin.proves.splitlines())
        document = {"provenance": asdict(self._about), **cassette}
        text: str = yaml.safe_dump(document, sort_keys=False, width=1_000_000)
        return head + text

    def deserialize(self, text: str) -> Any:
        return yaml.safe_load(text)
