"""Where a number left traces: how it may be spelled in what a journal holds."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

from ..models import ConversationId, Number
from ..records import SendRecord

__all__ = ["Traces", "plain"]

_SERVED: Final = re.compile(r"\+1([0-9]{3})([0-9]{3})([0-9]{4})")
_BETWEEN: Final = "[^0-9]{0,4}"  # a bracket, a space, a dot
_ESCAPED: Final = re.compile(r"\\+u[0-9a-fA-F]{4}")
_CONVERSATION: Final = re.compile(r"c1_[a-z2-7]{26}")


def plain(written: str) -> str:
    """Return JSON with spaces in the place of escapes, whose digits are nobody's."""
    return _ESCAPED.sub(" ", written)


@frozen
class Traces:
    """A number, or conversations, to be looked for in texts.

    *like* finds, as SQL's `LIKE` with `!` before what it stands for itself, all that
    `found` may tell of, and some more.
    """

    like: str
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, number: Number) -> Traces:
        """Return the traces of *number*, in whatever way people and carriers write."""
        parts = _SERVED.fullmatch(number)
        if parts is None:
            escaped = re.sub(r"([%_!])", r"!\1", number)
            exact = rf"(?<![0-9]){re.escape(number)}(?![0-9])"
            return cls(f"%{escaped}%", re.compile(exact))
        digits = _BETWEEN.join(parts.groups())
        spelled = rf"(?:(?<![0-9])|(?<=1)){digits}(?![0-9])"
        return cls(f"%{'%'.join(parts.groups())}%", re.compile(spelled))

    @classmethod
    def naming(cls, conversations: frozenset[ConversationId]) -> Traces:
        """Return the traces of *conversations*, of which there must be one."""
        names = "|".join(re.escape(name) for name in sorted(conversations))
        return cls("%c1!_%", re.compile(names))

    def found(self, text: str) -> bool:
        """Tell whether they are in *text*."""
        return self.pattern.search(text) is not None

    def found_in(self, record: SendRecord) -> bool:
        """Tell whether they are in a send: its people, its words or its reference."""
        message = record.message
        said = (message.text, message.subject or "", *(m.url for m in message.media))
        return any(map(self.found, (*record.members, *said, record.reference)))

    @staticmethod
    def conversations(text: str) -> frozenset[ConversationId]:
        """Return the conversations that *text* names."""
        return frozenset(map(ConversationId, _CONVERSATION.findall(text)))
