"""What Twilio's answers prove: one reading for the rail's steps and for the message."""

from __future__ import annotations

from http import HTTPStatus
from typing import Self

from attrs import field, frozen

from ... import codec
from ...errors import PayloadError
from ...masking import redact, term
from ...models import NotSent, Number, Refused, Scope
from ...wire import Json, Reply, Response
from ..base import Ruling, wait
from .facts import BY_STATUS, CODES, OTHERWISE, THROTTLED

__all__ = ["Answer", "document_of", "ruling_of"]


def document_of(response: Response) -> dict[str, Json]:
    """Return the object in *response*, an empty one where there is none."""
    try:
        return codec.table(codec.loads(response.body))
    except PayloadError:
        return {}


def ruling_of(code: str, status: int) -> Ruling:
    """Return what an error *code* means, else what the HTTP *status* does."""
    return CODES.get(code) or BY_STATUS.get(str(status), OTHERWISE)


@frozen
class Answer:
    """An answer as it was read; *status* is 0 where none came.

    *code* is the carrier's for an error, *words* are what it says, not fit to be shown.
    """

    status: int
    code: str = ""
    words: str = field(default="", repr=False)
    document: dict[str, Json] = field(factory=dict[str, Json], repr=False)
    patience: float = 0.0

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return *reply* as an answer."""
        if not isinstance(reply, Response):
            return cls(0, words=reply.kind)
        document = document_of(reply)
        if reply.status < HTTPStatus.BAD_REQUEST:
            return cls(reply.status, document=document)
        told = codec.text(document, "code")
        return cls(
            reply.status,
            term(told) if told else "",
            codec.text(document, "message") or "",
            document,
            wait(reply),
        )

    @property
    def fine(self) -> bool:
        """Tell whether it is a 2xx."""
        return self.status // 100 == HTTPStatus.OK // 100

    @property
    def throttled(self) -> bool:
        """Tell whether nothing was done as there was too much of it."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.code in THROTTLED

    def refusal(self, *named: Number) -> Refused:
        """Return what it refuses; *named* are the members it can only be about."""
        ruling = ruling_of(self.code, self.status)
        return Refused(
            self.code or f"HTTP {self.status}",
            ruling.reason,
            ruling.scope,
            redact(self.words),
            named if ruling.scope is Scope.MEMBER else (),
        )

    def failure(self, account: str, *named: Number) -> NotSent | Refused:
        """Return why a step that rings no phone was not done."""
        if self.throttled:
            return NotSent(f"{account} is throttling", self.patience)
        if not self.status:
            return NotSent(f"could not set the group up at {account} ({self.words})")
        refused = self.status // 100 == HTTPStatus.BAD_REQUEST // 100
        if not refused or self.status == HTTPStatus.REQUEST_TIMEOUT:
            return NotSent(f"{account} did not set the group up (HTTP {self.status})")
        return self.refusal(*named)
