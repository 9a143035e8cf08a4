"""What can go wrong, by what the caller does next.

```
MultigroupError
├── ConfigError                  mend the settings
├── InvalidNumberError           mend the member list          (also ValueError)
├── InvalidMessageError          mend the message              (also ValueError)
├── UnsupportedError             choose another line or say less
├── OptedOutError                a member asked us to stop: leave them out
├── ReferenceConflictError       one reference, two messages: choose a new reference
├── SendInProgressError          the same send is under way elsewhere: wait
├── SendError                    the send ended badly; `.receipt` says how
│   ├── UncertainError           somebody was perhaps texted: never just send again
│   ├── PartialSendError         some were texted, some not
│   ├── RefusedError             a carrier said no; nobody was texted
│   └── NotSentError             nothing left; sending again is safe
├── WebhookError                 answer the carrier with `.status`
│   ├── SignatureError           forged, altered, stale or unsigned
│   └── PayloadError             authentic but unreadable
└── JournalError                 the store failed; nothing was sent
    └── TakenOverError           another process goes on with the send: leave it alone
```

All but `SendError` and `WebhookError` raised by a send come before its first byte
leaves. `str(error)` masks numbers; the whole value is in `.value`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from .masking import mask
from .models import Receipt

__all__ = [
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
]


def is_a(value: object, kind: type) -> bool:
    """Tell whether a caller without a type checker gave what the types ask for."""
    return isinstance(value, kind)


class MultigroupError(Exception):
    """The root of every error this library raises."""


class ConfigError(MultigroupError):
    """A setting is missing or contradicts another."""


class InvalidNumberError(MultigroupError, ValueError):
    """A phone number cannot be a member; *value* holds it whole."""

    def __init__(self, value: str, rule: str) -> None:
        super().__init__(f"{mask(value)!r} {rule}")
        self.value = value
        self.rule = rule

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        """Let the error be pickled, as task queues do."""
        return type(self), (self.value, self.rule)


class InvalidMessageError(MultigroupError, ValueError):
    """No carrier could send this message as it stands."""


class UnsupportedError(MultigroupError):
    """No line can carry this message to these members faithfully."""


class OptedOutError(MultigroupError):
    """A member asked not to be texted; *value* holds their numbers whole."""

    def __init__(self, message: str, value: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.value = value

    def __reduce__(self) -> tuple[type[Self], tuple[str, tuple[str, ...]]]:
        """Let the error be pickled, as task queues do."""
        return type(self), (str(self), self.value)


class ReferenceConflictError(MultigroupError):
    """The reference already names a send of something else or to someone else."""


class SendInProgressError(MultigroupError):
    """The same send is still under way elsewhere when the deadline passed."""


class SendError(MultigroupError):
    """A send that did not reach the whole group; *receipt* says what is known."""

    def __init__(self, message: str, receipt: Receipt) -> None:
        super().__init__(message)
        self.receipt = receipt

    def __reduce__(self) -> tuple[type[Self], tuple[str, Receipt]]:
        """Let the error be pickled, as task queues do."""
        return type(self), (str(self), self.receipt)


class UncertainError(SendError):
    """At least one member was perhaps texted and perhaps not."""


class PartialSendError(SendError):
    """Some members were texted and others certainly not."""


class RefusedError(SendError):
    """A carrier refused the message; nobody was texted."""


class NotSentError(SendError):
    """Nothing left for any carrier; nobody was texted."""


class WebhookError(MultigroupError):
    """A webhook that cannot be taken; *status* is the HTTP status to answer."""

    status = 400


class SignatureError(WebhookError):
    """The webhook is not proven to come from the carrier as it stands.

    *status* is 401, or 503 where a genuine sender should try again: a stale webhook,
    or one of a carrier that is known to send unsigned ones now and then.
    """

    def __init__(self, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[str]]:
        """Let the error be pickled, as task queues do."""
        return partial(type(self), status=self.status), (str(self),)


class PayloadError(WebhookError):
    """The body is not what the carrier's manual describes at all."""


class JournalError(MultigroupError):
    """The journal cannot be opened, read or written."""


class TakenOverError(JournalError):
    """Another process goes on with the send: ours was held for dead."""
