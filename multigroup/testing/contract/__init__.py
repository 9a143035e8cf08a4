"""`ProviderContract`: what an adapter must do, as tests to inherit.

A subclass says how to make the account, how its carrier answers and what its webhooks
look like; pytest then runs everything below on it. Our own adapters pass it, too.
"""

from __future__ import annotations

from .inward import Inward
from .outward import Outward

__all__ = ["ProviderContract"]


class ProviderContract(Outward, Inward):
    """Inherit from this in a class called `Test…`, and fill the hooks in.

    Each test is a plain method, named after what must be true. The hooks are described
    in `multigroup.testing.contract.hooks.Hooks`.
    """
