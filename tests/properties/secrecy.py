"""A world whose numbers, texts and secrets are drawn, and all that it ever shows."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field, frozen
from hypothesis import strategies as st

from multigroup import Event, Line, MessageReceived, SendError
from multigroup.records import SendRecord
from multigroup.wire import Request
from tests.helpers.world import World
from tests.properties.strategies import people

__all__ = [
    "Hidden",
    "SecretWorld",
    "Shown",
    "hidden",
    "quoting",
    "reusing",
    "spoken",
]

EXAMPLE: Final = "such as +14155550101"
"""How a number is written, as our own errors explain it."""

_FOREIGN: Final = st.text(
    st.characters(min_codepoint=0x370, exclude_categories=["Cs", "Zs", "Cc"]),
    min_size=5,
    max_size=20,
)
_ORDINARY: Final = st.integers(10**4, 10**9).map("Dinner at Ana's, table {}!".format)


def spoken() -> st.SearchStrategy[str]:
    """Draw a text that cannot stand in any word of ours by chance."""
    return _FOREIGN | _ORDINARY


@frozen
class Hidden:
    """What must never be shown."""

    group: tuple[str, ...]
    text: str
    subject: str
    api_key: str
    api_secret: str
    signature_secret: str

    @property
    def url(self) -> str:
        """Return a media URL, which gives away what it shows and may be signed."""
        return f"https://media.example/private/{self.api_secret}.jpg?sig=s3cr3t"

    def spellings(self) -> Iterator[str]:
        """Yield everything in every way it may be written."""
        for number in self.group:
            area, office, line = number[2:5], number[5:8], number[8:]
            yield from (f"{area}{office}{line}", f"{office}{line}")
            yield from (f"{office}-{line}", f"{office} {line}", f"{office}.{line}")
        words = (self.text, self.subject, "s3cr3t", "media.example/private")
        for word in (*words, self.api_key, self.api_secret, self.signature_secret):
            yield from {word, repr(word)[1:-1], ascii(word)[1:-1]}


def hidden() -> st.SearchStrategy[Hidden]:
    """Draw what must never be shown; secrets are as long as the carriers' own.

    Each begins as no word of ours does: a class's name, drawn as a secret, is shown.
    """
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return st.builds(
        Hidden,
        people(2, 4).map(tuple),
        spoken(),
        spoken(),
        st.text(letters, min_size=40, max_size=60).map("KEY01{}".format),
        st.text(letters, min_size=13, max_size=37).map("q7Z{}".format),
        st.text(letters, min_size=29, max_size=61).map("Zq7{}".format),
    )


def quoting(secret: Hidden) -> st.SearchStrategy[str]:
    """Draw what a carrier says of an error: it quotes all that it was told."""
    number = secret.group[0]
    area, office, line = number[2:5], number[5:8], number[8:]
    return st.sampled_from(
        [
            f"The number {number} is odd",
            f"{number[1:]} and {secret.group[1]} are odd",
            f"to: ({area}) {office}-{line}, +1 {area} {office} {line}",
            f"sip:{area}-{office}-{line}@x;{area}.{office}.{line}",
            f"key {secret.api_key} or '{secret.signature_secret}' is wrong",
            f"Authorization: Bearer {secret.api_key}",
            f"from={number}&to={number}&secret={secret.api_secret}",
            f"text '{secret.text}' is invalid",
            f"{secret.subject}: {secret.text}",
            f"{secret.url} cannot be fetched",
            secret.text,
            secret.api_secret,
        ]
    )


def reusing(secret: Hidden) -> st.SearchStrategy[str | int]:
    """Draw what another program, or a careless carrier, puts where an id belongs."""
    number = secret.group[-1]
    given: list[str | int] = [
        *(number, number[1:], number[2:], int(number[1:]), secret.text),
        f"{secret.text} {number}",
        f"party-{number[1:]}.0",
        f"https://app.example/telnyx?leg={number[1:]}",
        f"https://app.example/telnyx?leg={number[2:]}.0",
    ]
    return st.sampled_from(given) | quoting(secret)


@define(eq=False)
class SecretWorld(World):
    """A world that lives by the secrets of *secret*."""

    secret: Hidden = field(kw_only=True)

    def _lines(self) -> tuple[Line, Line]:
        telnyx, vonage = self.network.telnyx, self.network.vonage
        telnyx.api_key = self.secret.api_key
        vonage.api_key = self.secret.api_key[-8:]
        vonage.api_secret = self.secret.api_secret
        vonage.signature_secret = self.secret.signature_secret
        return World._lines(self)


@define(eq=False)
class Shown(logging.Handler):
    """Everything that was shown to people or written to a log."""

    words: list[str] = field(factory=list[str])

    def __attrs_pre_init__(self) -> None:
        super().__init__(logging.NOTSET)

    def emit(self, record: logging.LogRecord) -> None:
        """Note a log record: its message, its parts, and what it was raised by."""
        self.words += [record.getMessage(), str(record.msg), repr(record.args)]
        if isinstance(record.args, tuple):
            self.words += [str(part) for part in record.args]
        if record.exc_info:
            self.words += traceback.format_exception(*record.exc_info)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear everything that our logger says."""
        log = logging.getLogger("multigroup")
        level = log.level
        log.addHandler(self)
        log.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            log.setLevel(level)
            log.removeHandler(self)

    def values(self, *values: object) -> None:
        """Note what *values* look like."""
        for value in values:
            self.words += [repr(value), f"{[value]}"]
            if not isinstance(value, str):
                self.words.append(str(value))

    def error(self, error: BaseException | None) -> None:
        """Note an error, what it carries, and those that are shown before it."""
        while error is not None:
            self.values(error)
            self.words += traceback.format_exception_only(error)
            if isinstance(error, SendError):
                self.values(error.receipt)
            before = None if error.__suppress_context__ else error.__context__
            error = error.__cause__ or before

    def record(self, record: SendRecord | None) -> None:
        """Note a send as the journal holds it, part by part."""
        if record is None:
            return
        self.values(record, record.message, *record.message.media, *record.members)
        self.values(*record.attempts, *(a.outcome for a in record.attempts))
        self.values(*record.reports.values(), *record.notes)
        for leg in record.legs.values():
            self.values(leg, leg.request, leg.request.headers, *leg.members)

    def world(self, world: World, group: Iterable[str]) -> None:
        """Note all that an application holds."""
        self.values(world.client, world.client.group(*group), *world.client.lines)
        self.values(*(line.provider for line in world.client.lines))
        for event in world.events:
            self.event(event)

    def event(self, event: Event) -> None:
        """Note an event, part by part."""
        self.values(event, event.key)
        if isinstance(event, MessageReceived):
            self.values(event.sender, event.line, event.members, *event.media)

    def request(self, request: Request) -> None:
        """Note a webhook."""
        self.values(request, request.headers)

    def leaks(self, secret: Hidden) -> list[tuple[str, str]]:
        """Return what was shown of *secret*, and where."""
        everything = {word.replace(EXAMPLE, "") for word in self.words}
        return [
            (word, where)
            for word in secret.spellings()
            for where in everything
            if word in where
        ]
