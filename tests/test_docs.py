"""What the documents show works: every Python block runs, every link leads somewhere.

A document's blocks run in order in one namespace, on the simulated network: the only
thing put into them is the transport.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from multigroup.simulator import Network
from tests.helpers.world import transport

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
MADE_BY_HAND = re.compile(r"\b((?:Async)?Client)\(\s*(?=lines=|$)", re.MULTILINE)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def namespace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, Any]]:
    """Give the settings and the network that a reader would have."""
    network = Network(seed=3)
    telnyx, vonage = network.telnyx, network.vonage
    telnyx.add_number("+12125550100")
    vonage.add_number("+13125550100")
    for name, value in {
        "TELNYX_API_KEY": telnyx.api_key,
        "TELNYX_PUBLIC_KEY": telnyx.public_key,
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32,
        "VONAGE_API_KEY": vonage.api_key,
        "VONAGE_API_SECRET": vonage.api_secret,
        "VONAGE_SIGNATURE_SECRET": vonage.signature_secret,
        "BANDWIDTH_ACCOUNT_ID": "9900000",
        "BANDWIDTH_APPLICATION_ID": "app-of-ours",
        "BANDWIDTH_CLIENT_ID": "our-client",
        "BANDWIDTH_CLIENT_SECRET": "our-secret",
        "BANDWIDTH_CALLBACK_PASSWORD": "hook-password",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'sends.db'}",  # as a laptop has it
    }.items():
        monkeypatch.setenv(name, value)
    carrier = transport(network)
    with httpx.Client(transport=carrier) as http:
        yield {"__name__": "docs", "HTTP": http, "NETWORK": network}
    network.close()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_python_block_runs(page: Path, namespace: dict[str, Any]) -> None:
    """A reader who pastes the examples in order sees them work."""
    for block in BLOCK.findall(page.read_text()):
        wired = MADE_BY_HAND.sub(r"\1(http=HTTP, ", block)
        exec(compile(wired, _name(page), "exec"), namespace)  # noqa: S102 - our pages


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_inside_leads_somewhere(page: Path) -> None:
    """A link to a file of the project names a file that is there."""
    targets = [page.parent / target for target in LINK.findall(page.read_text())]

    assert [target for target in targets if not target.exists()] == []


def test_the_readme_stays_short() -> None:
    """The README is read in one go."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_the_readme_sends_to_three_phones(
    namespace: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's send reaches every member and says so."""
    first = BLOCK.findall((ROOT / "README.md").read_text())[0]
    exec(MADE_BY_HAND.sub(r"\1(http=HTTP, ", first), namespace)  # noqa: S102 - ours

    assert len(capsys.readouterr().out.splitlines()) == 3
    phones = namespace["NETWORK"].handsets
    assert [len(phone.bubbles) for phone in phones] == [1, 1, 1]
