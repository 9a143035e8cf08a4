"""The generated parts of the documentation are those of this very code."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from multigroup import DeliveryStatus, Meaning, Reason, __all__
from multigroup.cli.commands import commands
from tests.docs import words
from tests.docs.classes import error_classes, event_classes, tree, written
from tests.docs.generate import DOCS, PARTS, names, pages, refreshed
from tests.docs.quirks import QUIRKS, explained


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_a_page_says_what_the_code_says(page: Path) -> None:
    """What stands between the markers is what the tables and classes give today."""
    text = page.read_text()

    assert text == refreshed(text), "refresh it: python -m tests.docs.generate"


def test_everything_generated_is_shown_once() -> None:
    """No table is made for nobody, and none is shown in two places."""
    shown = [name for page in pages() for name in names(page.read_text())]

    assert sorted(shown) == sorted(PARTS)


def test_every_marker_is_closed() -> None:
    """A page with a marker that is not closed would keep its old tables for ever."""
    for page in DOCS.rglob("*.md"):
        text = page.read_text()
        assert text.count("<!-- generated:") == len(names(text)), page
        assert text.count("<!-- end -->") == len(names(text)), page


def test_every_public_name_is_documented() -> None:
    """What can be imported can be looked up, under its own heading."""
    page = (DOCS / "reference/api.md").read_text("utf-8")
    headings = re.findall(r"^### (\w+)$", page, re.MULTILINE)

    assert sorted(headings) == [name for name in __all__ if name != "__version__"]


def test_every_command_is_documented() -> None:
    """So is whatever `multigroup --help` lists."""
    page = (DOCS / "reference/cli.md").read_text("utf-8")
    headings = re.findall(r"^## multigroup (\w+)$", page, re.MULTILINE)

    assert headings == [*commands.commands]


def test_every_switch_of_the_simulator_is_explained() -> None:
    """And none that there is not."""
    for kind in QUIRKS.values():
        assert [*explained(kind)] == [field.name for field in attrs.fields(kind)]


def test_every_event_field_is_explained() -> None:
    """The words are about the fields there are, in a file a writer can find."""
    for kind in event_classes():
        own = [field.name for field in attrs.fields(kind) if not field.inherited]
        told = words.FIELDS[kind.__name__]
        assert sorted(told) == sorted(own), kind


def test_a_field_that_may_be_none_says_what_that_means() -> None:
    """`None` is explained where the type allows it, and nowhere else."""
    for kind in event_classes():
        for field in attrs.fields(kind):
            if not field.inherited:
                never = words.FIELDS[kind.__name__][field.name][1] == "never"
                assert never is ("None" not in written(kind, field)), (
                    kind,
                    field.name,
                )


def test_every_error_is_explained() -> None:
    """Each error has advice, and stands in the tree of its module."""
    known = [kind.__name__ for kind in error_classes()]

    assert sorted(words.ERRORS) == sorted(known)
    assert [name for name in known if name not in tree()] == []


def test_every_word_of_ours_is_explained() -> None:
    """No status, reason or meaning is left without words."""
    assert [*words.STATUSES] == [*DeliveryStatus]
    assert [*words.REASONS] == [*Reason]
    assert [*words.MEANINGS] == [*Meaning]
