"""Fixtures that several test modules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cassettes.options import (  # noqa: F401 - hooks, which pytest finds here
    pytest_addoption,
    pytest_cmdline_main,
    pytest_report_header,
)
from tests.helpers.world import Carrier, Colour, World


@pytest.fixture(params=["telnyx", "vonage"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    """Name the carrier that a conversation goes through."""
    name: Carrier = request.param
    return name


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> Colour:
    """Say which kind of client is used."""
    name: Colour = request.param
    return name


@pytest.fixture
def world(carrier: Carrier, colour: Colour) -> Iterator[World]:
    """Give an application on the simulated network."""
    made = World(carrier, colour)
    yield made
    made.close()
