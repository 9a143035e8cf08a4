"""For tests of applications and of adapters: simulated carriers, and a contract.

With pytest installed the fixture `carriers` is simply there. Nothing here is loaded
before its first use, so other people's test runs pay nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .carriers import Carriers, NotSeenError
    from .contract import ProviderContract

__all__ = ["Carriers", "NotSeenError", "ProviderContract"]

_HOMES = {
    "Carriers": "carriers",
    "NotSeenError": "carriers",
    "ProviderContract": "contract",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
