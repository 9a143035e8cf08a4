"""The adapter that the page writes keeps the contract, as the page says."""

from __future__ import annotations

from typing import Any

import pytest

from multigroup.testing import ProviderContract
from tests.docs.generate import DOCS
from tests.test_docs import BLOCK

TESTS = sorted(name for name in dir(ProviderContract) if name.startswith("test_"))


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Run the page."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCK.findall((DOCS / "howto/write-an-adapter.md").read_text()):
        exec(block, names)  # noqa: S102 - our own page
    return names


@pytest.mark.parametrize("name", TESTS)
def test_the_adapter_of_the_page_keeps_the_contract(
    name: str, page: dict[str, Any]
) -> None:
    """A reader who starts from it starts from one that is whole."""
    getattr(page["TestPigeon"](), name)()
