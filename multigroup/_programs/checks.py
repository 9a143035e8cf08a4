"""What is refused before a byte leaves: bad rosters and messages nobody could send."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import InvalidMessageError, InvalidNumberError, is_a
from ..masking import mask
from ..models import Media, Message, Number
from ..phone import Parsed, parse

__all__ = ["Roster", "check_reference", "compose", "roster"]

_LONGEST_REFERENCE: Final = 200


@frozen
class Roster:
    """The members of a conversation, sorted, and what is worth noting about them."""

    members: tuple[Number, ...]
    notes: tuple[str, ...] = ()


def roster(
    given: Iterable[str], *, own: Collection[str] = (), strict: bool = False
) -> Roster:
    """Return *given* as members.

    A possible +1 number whose range the numbering plan's metadata does not know is
    taken and noted; *strict* refuses it.

    Raises:
        InvalidNumberError: a member is no US or Canadian number, is there twice, or is
            one of our own numbers.
        InvalidMessageError: there is no member.
    """
    if isinstance(given, str):
        raise InvalidNumberError(given, "is one string: give the members as a list")
    seen: dict[Number, str] = {}
    notes: list[str] = []
    for written in given:
        parsed = _parsed(written)
        if parsed.number in own:
            raise InvalidNumberError(
                written, "is one of our own lines: a member is a person, leave it out"
            )
        if parsed.number in seen:
            raise InvalidNumberError(
                written,
                f"is in the group twice, also as {mask(seen[parsed.number])!r}: "
                "name each member once",
            )
        if not parsed.known:
            if strict:
                raise InvalidNumberError(
                    written,
                    "is in no number range known to phonenumbers: "
                    "correct it, or leave strict_numbers off",
                )
            notes.append(
                f"{mask(parsed.number)!r} is in no number range known to phonenumbers"
            )
        seen[parsed.number] = written
    if not seen:
        raise InvalidMessageError("the group is empty: name at least one member")
    return Roster(tuple(sorted(seen)), tuple(notes))


def _parsed(written: str) -> Parsed:
    if not is_a(written, str):
        raise InvalidNumberError(
            str(written), "is no string: write each member as '+14155550101'"
        )
    return parse(written)


def compose(text: str, media: Iterable[str | Media], subject: str | None) -> Message:
    """Return the message to be said.

    Raises:
        InvalidMessageError: there is neither text nor media, a media URL is not one of
            http or https, or the text is not encodable.
    """
    if not is_a(text, str):
        raise InvalidMessageError(f"text= is a {type(text).__name__}: give a string")
    if isinstance(media, str):
        raise InvalidMessageError("media= is one string: give the URLs as a list")
    message = Message(text, media, subject)
    if not message.text.strip() and not message.media:
        raise InvalidMessageError("the message is empty: give text, media or both")
    for item in message.media:
        try:
            parts = urlsplit(item.url)
        except ValueError:
            raise InvalidMessageError(
                "a media URL is malformed: give an http or https URL"
            ) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidMessageError(
                f"a media URL of {parts.scheme or 'no scheme'!r} cannot be fetched by "
                "a carrier: give an http or https URL that is open to the public"
            )
    try:
        urls = "".join(item.url for item in message.media)
        f"{message.text}{message.subject}{urls}".encode()
    except UnicodeEncodeError:
        raise InvalidMessageError(
            "text, subject or a media URL holds half of a surrogate pair "
            "and cannot be encoded"
        ) from None
    return message


def check_reference(reference: str | None) -> None:
    """Check the caller's idempotency key.

    Raises:
        InvalidMessageError: it is empty or longer than 200 characters.
    """
    if reference is not None and not is_a(reference, str):
        raise InvalidMessageError("reference= is no string: give one, or none")
    if reference is not None and not 0 < len(reference) <= _LONGEST_REFERENCE:
        raise InvalidMessageError(
            f"reference= has {len(reference)} characters: "
            f"give 1 to {_LONGEST_REFERENCE}, or none"
        )
