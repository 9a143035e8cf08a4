"""What a send came to: the receipt returned, or the error that says what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, assert_never

from ..errors import (
    NotSentError,
    PartialSendError,
    RefusedError,
    SendError,
    UncertainError,
)
from ..masking import identifier, mask
from ..models import (
    Accepted,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    Unknown,
)

__all__ = ["conclude", "in_words", "why_stopped"]

_ERRORS: Final[tuple[tuple[str, type[SendError], str], ...]] = (
    (
        Unknown.word,
        UncertainError,
        "perhaps texted and perhaps not; sending again could text them twice",
    ),
    (
        Accepted.word,
        PartialSendError,
        "texted, the others were not; see receipt.deliveries for each",
    ),
    (Refused.word, RefusedError, "refused; nobody was texted"),
    (
        NotSent.word,
        NotSentError,
        "not texted; nothing left, so it is safe to send again",
    ),
)
"""First match decides: the outcome looked for, the error, and what it tells."""


def conclude(receipt: Receipt) -> Receipt:
    """Return *receipt* if everybody was texted, else raise what the caller must know.

    Raises:
        UncertainError: at least one leg is `Unknown`.
        PartialSendError: some legs were accepted and others not.
        RefusedError: at least one leg was refused, none accepted.
        NotSentError: nothing left.
    """
    words = [delivery.outcome.word for delivery in receipt.deliveries.values()]
    if all(word == Accepted.word for word in words):
        return receipt
    counts, everybody = Counter(words), len(words)
    word, error, tells = next(row for row in _ERRORS if counts[row[0]])
    raise error(
        f"{counts[word]} of {everybody} members {tells} ({_reasons(receipt)})", receipt
    )


def why_stopped(outcomes: Iterable[Outcome]) -> str:
    """Return why a send did not move on after a batch with these outcomes."""
    kinds = {type(known) for known in outcomes}
    if Unknown in kinds:
        return "stopped: it was perhaps sent, and another line could text them twice"
    if Accepted in kinds:
        return "stopped: part of the group was texted, and another line would split it"
    if Refused in kinds:
        return "stopped: no line is left that would not be refused for the same reason"
    return "stopped: no other line is left"


def in_words(outcome: Outcome) -> str:
    """Return what *outcome* means, for people."""
    match outcome:
        case Refused(code=code, reason=reason):  # its words may quote what was said
            return f"{reason} ({code})"
        case NotSent(why=why) | Unknown(why=why):
            return why
        case Accepted(message_id=message_id):
            return f"accepted as {identifier(message_id)}"
        case _:
            assert_never(outcome)


def _reasons(receipt: Receipt) -> str:
    """Return why members were not surely texted, each reason once."""
    concerned: dict[str, list[str]] = {}
    for member, delivery in receipt.deliveries.items():
        if not isinstance(delivery.outcome, Accepted):
            words = in_words(delivery.outcome)
            concerned.setdefault(words, []).append(mask(member))
    return "; ".join(f"{', '.join(who)}: {why}" for why, who in concerned.items())
