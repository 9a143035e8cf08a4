"""The pytest plugin: the fixture `carriers`, and nothing loaded until it is asked for.

pytest finds it by the entry point `pytest11`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .carriers import Carriers

__all__ = ["carriers"]

for _part in ("inward", "outward"):  # so that a broken contract shows its values
    pytest.register_assert_rewrite(f"multigroup.testing.contract.{_part}")


@pytest.fixture
def carriers() -> Iterator[Carriers]:
    """Give simulated carriers in this process, in virtual time, for one test."""
    from .carriers import Carriers  # noqa: PLC0415 - not at the start of every pytest

    with Carriers() as made:
        yield made
