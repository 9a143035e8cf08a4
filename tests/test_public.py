"""What `import multigroup` offers, and how little it costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import multigroup

HEAVY = ("attrs", "attr", "cattrs", "cryptography", "httpx", "phonenumbers")


def _fresh(code: str) -> str:
    """Return what *code* prints in a new interpreter."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _declared() -> dict[str, str]:
    """Return the names imported for type checkers, each with its module."""
    tree = ast.parse(Path(multigroup.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module or ""
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_public_names_are_sorted_and_named_once() -> None:
    """A reader finds a name where the alphabet puts it."""
    assert multigroup.__all__ == sorted(set(multigroup.__all__))


@pytest.mark.parametrize("name", multigroup.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    """Whatever is promised is there, and is what its own module calls so."""
    value = getattr(multigroup, name)
    home = _declared().get(name, "_version")
    assert value is getattr(import_module(f"multigroup.{home}"), name)


def test_type_checkers_see_the_same_names() -> None:
    """What is typed, what is listed and what is loaded are one list."""
    assert sorted([*_declared(), "__version__"]) == multigroup.__all__
    assert dir(multigroup) == multigroup.__all__


@pytest.mark.parametrize(
    "module", ["errors", "events", "models", "routing", "webhooks", "wire"]
)
def test_every_module_lists_what_it_has(module: str) -> None:
    """A module's own list is sorted and holds nothing that is not there."""
    loaded = import_module(f"multigroup.{module}")
    assert loaded.__all__ == sorted(set(loaded.__all__))
    assert all(hasattr(loaded, name) for name in loaded.__all__)


@pytest.mark.parametrize("module", ["errors", "events"])
def test_every_error_and_every_event_is_public(module: str) -> None:
    """What a caller has to catch or to handle can be imported from the top."""
    inside = {"EventKey"}
    names = set(import_module(f"multigroup.{module}").__all__) - inside
    assert names <= set(multigroup.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is told as Python tells it."""
    with pytest.raises(AttributeError, match="no attribute 'Cleint'"):
        getattr(multigroup, "Cleint")  # noqa: B009 - the name is wrong on purpose


def test_importing_loads_nothing_heavy() -> None:
    """The import costs next to nothing, because all else comes at first use."""
    code = "import sys, multigroup; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in _fresh(code).split()}
    assert "multigroup" in loaded
    assert loaded & {*HEAVY, "sniffio", "click", "starlette"} == set()


def test_a_name_is_loaded_at_first_use() -> None:
    """Using an error does not load an HTTP client."""
    code = "import sys, multigroup; multigroup.UncertainError; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in _fresh(code).split()}
    assert "attr" in loaded
    assert loaded & {"httpx", "cattrs", "cryptography", "phonenumbers"} == set()


def test_a_star_import_brings_every_name() -> None:
    """`from multigroup import *` gives exactly the public names."""
    code = (
        "before = set(globals()); from multigroup import *;"
        "print(*sorted(set(globals()) - before - {'before'}))"
    )
    expected = [name for name in multigroup.__all__ if name != "__version__"]
    assert set(expected) <= set(_fresh(code).split())


def test_the_version_is_a_version() -> None:
    """It can be told without importing anything else."""
    code = "import multigroup; print(multigroup.__version__)"
    assert _fresh(code) == multigroup.__version__
    assert multigroup.__version__[0].isdigit()
