"""Write the generated parts of the documentation: `python -m tests.docs.generate`.

A generated part stands in its page between `<!-- generated: name -->` and
`<!-- end -->`; whatever is around it is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from tests.docs import api, carriers, classes, commands, outcomes, quirks

__all__ = ["DOCS", "PARTS", "names", "pages", "refreshed"]

DOCS: Final = Path(__file__).parents[2] / "docs"
_PART: Final = re.compile(
    r"(<!-- generated: (?P<name>[\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL
)

_PER_CARRIER: Final[Mapping[str, Callable[[str], str]]] = {
    "capabilities": carriers.capabilities,
    "statuses": carriers.statuses,
    "codes": carriers.codes,
    "http": carriers.http,
    "sources": carriers.sources,
}

PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "matrix": carriers.matrix,
    "replies": outcomes.replies,
    "event classes": classes.events,
    "delivery statuses": classes.statuses,
    "reasons": classes.reasons,
    "meanings": classes.meanings,
    "public names": api.api,
    "commands": commands.commands,
    "error tree": classes.tree,
    "error classes": classes.errors,
    **{
        f"quirks of {carrier}": partial(quirks.quirks, carrier)
        for carrier in quirks.QUIRKS
    },
    **{
        f"{carrier} {what}": partial(make, carrier)
        for carrier in carriers.CARRIERS
        for what, make in _PER_CARRIER.items()
    },
}
"""What is generated, by the name that a page calls it by."""


def pages() -> list[Path]:
    """Return the pages that hold a generated part."""
    return [page for page in sorted(DOCS.rglob("*.md")) if names(page.read_text())]


def names(page: str) -> list[str]:
    """Return the names of the generated parts in the text of a page."""
    return [part["name"] for part in _PART.finditer(page)]


def refreshed(page: str) -> str:
    """Return the text of a page with its generated parts made anew."""

    def fresh(part: re.Match[str]) -> str:
        return f"{part[1]}\n{PARTS[part['name']]().strip()}\n\n{part[3]}"

    return _PART.sub(fresh, page)


def main() -> None:
    """Bring every page up to date."""
    for page in pages():
        page.write_text(refreshed(page.read_text()))


if __name__ == "__main__":
    main()
