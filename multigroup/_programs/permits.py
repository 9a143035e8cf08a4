"""Who may be texted: asked before a send, a retry, a take-over and a replay."""

from __future__ import annotations

from collections.abc import Collection

from ..consent import Block, at_group
from ..effects import Blocked, Program
from ..errors import OptedOutError
from ..masking import mask
from ..models import Number, conversation_id
from ..providers.base import Line

__all__ = ["consenting", "refusal", "said", "subjects"]


def consenting(
    namespace: str, members: Collection[Number], lines: Collection[Line]
) -> Program[tuple[Block, ...]]:
    """Return what stands against texting *members* on *lines*.

    A carrier that refused the whole group on a line, naming nobody, stands against it
    too: whoever it was, the other lines would text them as well. Naming another line
    with `via=` goes past it.
    """
    return (yield from Blocked(namespace, subjects(members, lines)))


def subjects(members: Collection[Number], lines: Collection[Line]) -> tuple[str, ...]:
    """Return under what names something may stand against texting *members*."""
    conversation = conversation_id(members)
    return (*members, *(at_group(line.id, conversation) for line in lines))


def refusal(blocks: Collection[Block]) -> OptedOutError:
    """Return the error that says who must not be texted, since when and how so."""
    told = "; ".join(map(said, blocks))
    return OptedOutError(
        f"somebody in the group must not be texted ({told}): leave them out, or wait "
        "until they write START",
        tuple(block.subject for block in blocks if "/" not in block.subject),
    )


def said(block: Block) -> str:
    """Return a block in words, its number masked."""
    whom = "the group" if "/" in block.subject else mask(block.subject)
    return f"{whom} {block.how} on {block.since:%Y-%m-%d}"
