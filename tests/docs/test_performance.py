"""The page on performance tells of the benchmarks there are, and of no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.docs.generate import DOCS

PAGE: Final = (DOCS / "explanation/performance.md").read_text("utf-8")
BENCHMARKS: Final = sorted((Path(__file__).parents[1] / "benchmarks").glob("test_*.py"))
ROW: Final = re.compile(
    r"^\| (?P<work>.+) \| (?P<budget>[0-9.]+) \S+ "
    r"\| (?P<measured>[0-9.]+) \S+ \| (?P<kept>yes|\*\*no\*\*).* \|$",
    re.MULTILINE,
)
NUMBERS: Final = {2: "two", 3: "three", 4: "four", 5: "five"}


def measured() -> Iterator[tuple[str, float]]:
    """Yield the name and the budget of every benchmark, as its code calls it."""
    for path in BENCHMARKS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    args=[
                        ast.Constant(value=str(work)),
                        ast.Constant(value=int() | float() as budget),
                        *_,
                    ]
                ):
                    yield work, budget
                case _:
                    pass


def test_the_page_has_a_row_for_each_benchmark() -> None:
    """Every ratio that is measured has its budget and result, and no other is told."""
    rows = {(row["work"], float(row["budget"])) for row in ROW.finditer(PAGE)}

    assert rows == set(measured())


def test_a_budget_is_called_kept_where_it_is() -> None:
    """The last column is the comparison of the two before it."""
    for row in ROW.finditer(PAGE):
        kept = float(row["measured"]) <= float(row["budget"])
        assert kept == (row["kept"] == "yes"), row["work"]


def test_the_misses_are_explained() -> None:
    """The text speaks of as many misses as the table shows."""
    misses = [row for row in ROW.finditer(PAGE) if row["kept"] != "yes"]

    assert f"**The {NUMBERS[len(misses)]} that miss.**" in PAGE
