"""The carriers' own SDKs, which judge the simulator: its shapes and its signatures.

Each has a module of tests here, skipped where it is not installed. `.ci/long oracles`
installs them and lets none be skipped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import pytest

__all__ = ["AWAITED", "ORACLES", "sdk"]

ORACLES: Final[Mapping[str, str]] = {
    "telnyx": "test_telnyx.py",
    "vonage": "test_vonage.py",
}
"""Simulated carrier to the module in which its SDK judges it."""

AWAITED: Final = frozenset({"twilio", "bandwidth"})
"""Carriers whose SDKs are in the extra `oracles` and have no module here yet.

When the simulated carrier is there: write its module, and move it to `ORACLES`.
"""


def sdk(module: str) -> Any:
    """Return an SDK's module, or skip the tests that need it."""
    if os.environ.get("MULTIGROUP_ORACLES") == "all":
        return __import__(module)
    return pytest.importorskip(module, reason="the extra `oracles` is not installed")
