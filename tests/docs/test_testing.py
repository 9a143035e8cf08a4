"""The tests that the page on testing shows are tests that pass."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from multigroup.testing import Carriers
from tests.docs.generate import DOCS
from tests.test_docs import BLOCK

SHOWN = ["test_a_group_is_answered", "test_async", "test_my_application"]


@pytest.fixture(scope="module")
def shown() -> dict[str, Callable[..., Any]]:
    """Give the test functions of the page."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCK.findall((DOCS / "howto/test-your-app.md").read_text()):
        if "(carriers)" in block:
            exec(block, names)  # noqa: S102 - our own page
    return {name: it for name, it in names.items() if name.startswith("test_")}


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_test_passes(
    name: str, shown: dict[str, Callable[..., Any]], carriers: Carriers
) -> None:
    """Each runs as pytest would run it, with the fixture it asks for."""
    running = shown[name](carriers)
    if inspect.iscoroutine(running):
        asyncio.run(running)


def test_all_of_them_are_run(shown: dict[str, Callable[..., Any]]) -> None:
    """A test added to the page is run, too."""
    assert sorted(shown) == SHOWN
