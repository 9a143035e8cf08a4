"""What the journal holds of a send, and how each thing that happens changes it.

A `SendRecord` is one send; a `Change` is one thing that happened to it. Changes are
applied by pure functions, so every store agrees on what they mean. The rules that
matter: an outcome only ever rises to `Accepted`, a status never goes back, a cost is
set and never summed.
"""

from __future__ import annotations

from .apply import apply
from .erase import FORGOTTEN, SPENT, bare, blank, settled, spent, wordless
from .news import consequences, failure
from .receipts import receipt
from .record import (
    FACTS,
    IN_FLIGHT,
    Begun,
    Change,
    Closed,
    Ended,
    Foiled,
    Inquired,
    Kept,
    Lease,
    Moved,
    Reopened,
    Reported,
    Round,
    SendRecord,
    Taken,
    Wording,
    owner,
)
from .rounds import (
    current,
    doubtful,
    fresh,
    lost,
    pending,
    retriable,
    telling,
    this_round,
    unsent,
)

__all__ = [
    "FACTS",
    "FORGOTTEN",
    "IN_FLIGHT",
    "SPENT",
    "Begun",
    "Change",
    "Closed",
    "Ended",
    "Foiled",
    "Inquired",
    "Kept",
    "Lease",
    "Moved",
    "Reopened",
    "Reported",
    "Round",
    "SendRecord",
    "Taken",
    "Wording",
    "apply",
    "bare",
    "blank",
    "consequences",
    "current",
    "doubtful",
    "failure",
    "fresh",
    "lost",
    "owner",
    "pending",
    "receipt",
    "retriable",
    "settled",
    "spent",
    "telling",
    "this_round",
    "unsent",
    "wordless",
]
