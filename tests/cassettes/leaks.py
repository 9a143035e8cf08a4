"""What a cassette must not hold, looked for apart from the scrubber's own patterns."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import yaml

from .scrub import REPLY_HEADERS, REQUEST_HEADERS

__all__ = ["leaks"]

Document: TypeAlias = dict[str, Any]

_NUMBER: Final = re.compile(
    r"(?<![0-9])\+?1?[ .-]?\(?(?P<area>[2-9][0-9]{2})\)?[ .-]?"
    r"(?P<office>[2-9][0-9]{2})[ .-]?(?P<line>[0-9]{4})(?![0-9])"
)
_INTERNATIONAL: Final = re.compile(r"\+(?!1[0-9]{10}(?![0-9]))[1-9][0-9]{6,14}")
_LONG: Final = re.compile(r"(?<![0-9])(?!0)[0-9]{11,15}(?![0-9])")
_HARMLESS: Final = re.compile(r"1[2-9][0-9]{2}55501[0-9]{2}|1767225600000")
"""A fictitious number with its country code, and the time the scrubber writes."""
_ESCAPED: Final = re.compile(r"\\u(?P<json>[0-9A-Fa-f]{4})|%(?P<url>[0-9A-Fa-f]{2})")
_DEEPEST: Final = 4
"""How many times over something may be escaped: an address in JSON in a form."""
_ADDRESS: Final = re.compile(r"[A-Za-z]+://[^\s\"'\\<>]+")
_HOSTS: Final = re.compile(
    r"(?:api|developers)\.telnyx\.com|api\.nexmo\.com"
    r"|developers?\.(?:vonage|nexmo)\.com|(?:app\.)?example\.com"
    r"|(?:telnyx|vonage)\.invalid"
)
_THIS_MACHINE: Final = re.compile(
    r"localhost|(?<![0-9.])(?:127(?:\.[0-9]+){3}|0\.0\.0\.0)(?![0-9.])|\[?::1\]?"
)
_ID: Final = re.compile(
    r"(?!00000000-0000-4000-8000-)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_TOKEN: Final = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9+_=]{20,}")
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_CREDENTIAL: Final = re.compile(r"(?:Basic|Bearer) <secret>")
_PLAIN: Final = frozenset({"api", "app", "example", "simulator", "telnyx", "vonage"})
"""Words that a cassette may well hold: as a machine's name they say nothing of it."""
_PROVENANCE: Final = frozenset(
    {"made_with", "version", "date", "carrier", "scenario", "line", "outcomes"}
)


def leaks(
    text: str,
    *,
    live: bool,
    secrets: Iterable[str] = (),
    machine: str | None = None,
) -> list[str]:
    """Return what is wrong with a cassette's *text*, without repeating it.

    *secrets* are this run's credentials and real phone numbers, *machine* the name of
    the machine it was made on, by default this one's. A *live* one must also bear no
    mark of the simulator.
    """
    document: Document = yaml.safe_load(text)
    wrong = [f"it holds {what}" for what, holds in _IN_TEXT if holds(text)]
    if any(secret in text for secret in secrets):
        wrong.append("it holds a credential or a number of this run")
    if _named(text, socket.gethostname() if machine is None else machine):
        wrong.append("it names this machine")
    if not document.get("provenance", {}).keys() >= _PROVENANCE:
        wrong.append("it does not say where it comes from")
    if not document.get("interactions"):
        wrong.append("it holds no exchange")
    for interaction in document.get("interactions") or []:
        wrong += _in_headers(interaction)
        wrong += _in_bodies(interaction)
    return [*wrong, *(_of_the_simulator(document) if live else ())]


def _named(text: str, machine: str) -> bool:
    if machine.lower() in _PLAIN:
        return False
    whole = rf"(?<![\w-]){re.escape(machine)}(?![\w-])"
    return re.search(whole, text, re.IGNORECASE) is not None


def _real_number(text: str) -> bool:
    return any(map(_holds_number, _readings(text)))


def _readings(text: str) -> Iterator[str]:
    """Yield *text* as it stands, and as it is once its escapes are resolved."""
    for _ in range(_DEEPEST):
        yield text
        text = _ESCAPED.sub(lambda one: chr(int(one["json"] or one["url"], 16)), text)


def _holds_number(text: str) -> bool:
    american = any(
        found["office"] != "555" or not found["line"].startswith("01")
        for found in _NUMBER.finditer(text)
    )
    long = (found[0] for found in _LONG.finditer(text))
    abroad = any(not _HARMLESS.fullmatch(digits) for digits in long)
    return american or abroad or bool(_INTERNATIONAL.search(text))


def _strange_host(text: str) -> bool:
    return any(
        not _HOSTS.fullmatch(urlsplit(found[0]).hostname or "")
        for found in _ADDRESS.finditer(text)
    )


def _port(text: str) -> bool:
    found = (urlsplit(found[0]).netloc for found in _ADDRESS.finditer(text))
    return any(":" in place for place in found)


_IN_TEXT: Final[tuple[tuple[str, Callable[[str], object]], ...]] = (
    ("a phone number that is not fictitious", _real_number),
    ("an address of a host nobody allowed", _strange_host),
    ("an address with a port", _port),
    ("a loopback address", _THIS_MACHINE.search),
    ("an id that was not replaced", _ID.search),
    ("what looks like a credential", _TOKEN.search),
    ("a private key", re.compile("-----BEGIN").search),
    ("a mail address", _MAIL.search),
)


def _in_headers(interaction: Document) -> Iterator[str]:
    asked, answered = interaction["request"], interaction["response"]
    for credential in asked["headers"].get("authorization", []):
        if not _CREDENTIAL.fullmatch(credential):
            yield "its Authorization header was not scrubbed"
    if strange := {*asked["headers"]} - REQUEST_HEADERS:
        yield f"a request has headers that nobody allowed: {sorted(strange)}"
    if strange := {*answered["headers"]} - REPLY_HEADERS:
        yield f"a reply has headers that nobody allowed: {sorted(strange)}"
    if answered["headers"].get("content-encoding", ["identity"]) != ["identity"]:
        yield "a reply is compressed, so that nobody can look into it"


def _in_bodies(interaction: Document) -> Iterator[str]:
    bodies = (interaction["request"]["body"], interaction["response"]["body"]["string"])
    if not all(isinstance(body, str | None) for body in bodies):
        yield "a body is no text, so that nobody can look into it"


def _of_the_simulator(document: Document) -> Iterator[str]:
    if "simulator" in str(document.get("provenance", {}).get("made_with")):
        yield "it was made with the simulator and does not belong here"
    for interaction in document.get("interactions") or []:
        if (urlsplit(interaction["request"]["uri"]).hostname or "").endswith("invalid"):
            yield "it was recorded against the simulator's host"
        if "uvicorn" in interaction["response"]["headers"].get("server", []):
            yield "the simulator's server answered it"
