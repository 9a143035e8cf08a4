"""Group MMS for Python, portable over carriers.

Everything public is here and loaded at first use, so that importing this package costs
next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from ._drive import Timeouts
    from ._programs.due import Due
    from ._programs.planning import Candidate, Plan
    from .archive import Erased, Page, Retention, Said, Thread
    from .breaker import BreakerState
    from .client import AsyncClient, Client
    from .consent import Block
    from .conversation import AsyncGroupConversation, GroupConversation
    from .errors import (
        ConfigError,
        InvalidMessageError,
        InvalidNumberError,
        JournalError,
        MultigroupError,
        NotSentError,
        OptedOutError,
        PartialSendError,
        PayloadError,
        ReferenceConflictError,
        RefusedError,
        SendError,
        SendInProgressError,
        SignatureError,
        TakenOverError,
        UncertainError,
        UnsupportedError,
        WebhookError,
    )
    from .events import (
        DeliveryUpdated,
        Event,
        LateAcceptance,
        Meaning,
        MessageReceived,
        OptedIn,
        OptedOut,
        SendFailed,
        ThreadMoved,
        Unrecognized,
    )
    from .journal import Journal, MemoryJournal, SQLiteJournal
    from .models import (
        Accepted,
        Attempt,
        ConversationId,
        Delivery,
        DeliveryStatus,
        LineId,
        Media,
        Message,
        Money,
        NotSent,
        Number,
        Outcome,
        Reason,
        Receipt,
        Refused,
        Scope,
        SendId,
        Unknown,
        conversation_id,
    )
    from .providers.bandwidth import Bandwidth
    from .providers.base import Capabilities, Line, LineKind, Provider, WebhookAuth
    from .providers.telnyx import Telnyx
    from .providers.twilio import Twilio
    from .providers.vonage import Vonage
    from .routing import Policy
    from .webhooks import Reception, normalize
    from .wire import Request, Response

__all__ = [
    "Accepted",
    "AsyncClient",
    "AsyncGroupConversation",
    "Attempt",
    "Bandwidth",
    "Block",
    "BreakerState",
    "Candidate",
    "Capabilities",
    "Client",
    "ConfigError",
    "ConversationId",
    "Delivery",
    "DeliveryStatus",
    "DeliveryUpdated",
    "Due",
    "Erased",
    "Event",
    "GroupConversation",
    "InvalidMessageError",
    "InvalidNumberError",
    "Journal",
    "JournalError",
    "LateAcceptance",
    "Line",
    "LineId",
    "LineKind",
    "Meaning",
    "Media",
    "MemoryJournal",
    "Message",
    "MessageReceived",
    "Money",
    "MultigroupError",
    "NotSent",
    "NotSentError",
    "Number",
    "OptedIn",
    "OptedOut",
    "OptedOutError",
    "Outcome",
    "Page",
    "PartialSendError",
    "PayloadError",
    "Plan",
    "Policy",
    "Provider",
    "Reason",
    "Receipt",
    "Reception",
    "ReferenceConflictError",
    "Refused",
    "RefusedError",
    "Request",
    "Response",
    "Retention",
    "SQLiteJournal",
    "Said",
    "Scope",
    "SendError",
    "SendFailed",
    "SendId",
    "SendInProgressError",
    "SignatureError",
    "TakenOverError",
    "Telnyx",
    "Thread",
    "ThreadMoved",
    "Timeouts",
    "Twilio",
    "UncertainError",
    "Unknown",
    "Unrecognized",
    "UnsupportedError",
    "Vonage",
    "WebhookAuth",
    "WebhookError",
    "__version__",
    "conversation_id",
    "normalize",
]

_HOMES = {
    "_drive": ("Timeouts",),
    "_programs.due": ("Due",),
    "_programs.planning": ("Candidate", "Plan"),
    "archive": (
        "Erased",
        "Page",
        "Retention",
        "Said",
        "Thread",
    ),
    "breaker": ("BreakerState",),
    "client": (
        "AsyncClient",
        "Client",
    ),
    "consent": ("Block",),
    "conversation": (
        "AsyncGroupConversation",
        "GroupConversation",
    ),
    "errors": (
        "ConfigError",
        "InvalidMessageError",
        "InvalidNumberError",
        "JournalError",
        "MultigroupError",
        "NotSentError",
        "OptedOutError",
        "PartialSendError",
        "PayloadError",
        "ReferenceConflictError",
        "RefusedError",
        "SendError",
        "SendInProgressError",
        "SignatureError",
        "TakenOverError",
        "UncertainError",
        "UnsupportedError",
        "WebhookError",
    ),
    "events": (
        "DeliveryUpdated",
        "Event",
        "LateAcceptance",
        "Meaning",
        "MessageReceived",
        "OptedIn",
        "OptedOut",
        "SendFailed",
        "ThreadMoved",
        "Unrecognized",
    ),
    "journal": (
        "Journal",
        "MemoryJournal",
        "SQLiteJournal",
    ),
    "models": (
        "Accepted",
        "Attempt",
        "ConversationId",
        "Delivery",
        "DeliveryStatus",
        "LineId",
        "Media",
        "Message",
        "Money",
        "NotSent",
        "Number",
        "Outcome",
        "Reason",
        "Receipt",
        "Refused",
        "Scope",
        "SendId",
        "Unknown",
        "conversation_id",
    ),
    "providers.bandwidth": ("Bandwidth",),
    "providers.base": (
        "Capabilities",
        "Line",
        "LineKind",
        "Provider",
        "WebhookAuth",
    ),
    "providers.telnyx": ("Telnyx",),
    "providers.twilio": ("Twilio",),
    "providers.vonage": ("Vonage",),
    "routing": ("Policy",),
    "webhooks": (
        "Reception",
        "normalize",
    ),
    "wire": (
        "Request",
        "Response",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name where it lives (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
