"""Where a rail is built, for whom, and how Twilio is asked for its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from attrs import frozen

from ... import codec
from ...effects import Exchange, Now, Program
from ...models import Number, conversation_id
from ...wire import Json, Request
from .replies import Answer

__all__ = [
    "Binding",
    "Site",
    "bindings_of",
    "form_request",
    "participant",
    "unique_name",
]

_JSON: Final = {"accept": "application/json"}
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", **_JSON}

Role: TypeAlias = Literal["Address", "ProjectedAddress"]

Binding: TypeAlias = tuple[Role | Literal["ProxyAddress"], str]
"""How somebody takes part: a member by `Address`, our line by `ProjectedAddress`."""


def unique_name(members: Iterable[str], number: str) -> str:
    """Return our name for the conversation of *members* and our *number*.

    It shows no number; like the conversation's id it is a pseudonym.
    """
    known = f"multigroup/rail/1\n{conversation_id(members)}\n{number}"
    return f"mg-{hashlib.sha256(known.encode()).hexdigest()[:32]}"


@frozen
class Site:
    """Where a rail is built, and for whom."""

    account: str
    base_url: str
    service: str
    number: Number
    members: tuple[Number, ...]
    authorize: Callable[[Request, float], Request]

    @property
    def unique(self) -> str:
        """Return our name for the conversation."""
        return unique_name(self.members, self.number)

    @property
    def wanted(self) -> tuple[Binding, ...]:
        """Return who must take part: our line first, as the manual has it."""
        members: list[Binding] = [("Address", member) for member in self.members]
        return (("ProjectedAddress", self.number), *members)

    def ask(
        self, method: str, path: str, fields: Sequence[tuple[str, str]] = ()
    ) -> Program[Answer]:
        """Ask Twilio for *path*."""
        now = yield from Now()
        request = form_request(method, f"{self.base_url}/{path}", fields)
        (reply,) = yield from Exchange((self.authorize(request, now),))
        return Answer.of(reply)


def form_request(
    method: str, url: str, fields: Sequence[tuple[str, str]] = ()
) -> Request:
    """Return a request with *fields* as its form."""
    body = urlencode(fields, errors="replace").encode()
    return Request(method, url, _FORM if fields else _JSON, body)


def participant(binding: Binding) -> str:
    """Return *binding* as the request for a whole group has it."""
    role, number = binding
    word = {"Address": "address", "ProjectedAddress": "projected_address"}[role]
    return codec.dumps({"messaging_binding": {word: number}}).decode()


def bindings_of(document: dict[str, Json]) -> set[Binding]:
    """Return how those in a list of participants take part; a chat user alone is not.

    Somebody behind a `ProxyAddress` is in no group, whatever else is said of them.
    """
    found: set[Binding] = set()
    for entry in codec.items(document, "participants"):
        binding = codec.table(codec.table(entry), "messaging_binding")
        proxy = codec.text(binding, "proxy_address")
        address = codec.text(binding, "address")
        projected = codec.text(binding, "projected_address")
        if proxy:
            found.add(("ProxyAddress", proxy))
        elif projected:
            found.add(("ProjectedAddress", projected))
        elif address:
            found.add(("Address", address))
    return found
