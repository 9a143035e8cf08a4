"""The files of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from multigroup import Client
from multigroup.simulator import Network, page
from multigroup.simulator.page.settings import settings_for

STATIC = Path(page.__file__).parent / "static"
NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.fixture
def served() -> Iterator[httpx.Client]:
    """Serve a page, and give a client for it."""
    with Network().serve(page=True) as made:
        assert made.page_url is not None
        with httpx.Client(base_url=made.page_url, trust_env=False) as client:
            yield client


def test_everything_the_page_names_is_there(served: httpx.Client) -> None:
    """Sheets, scripts, the icon and each script's imports come with right types."""
    waiting, seen = ["/"], set[str]()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = served.get(path)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("image/"):
            continue
        named = re.findall(r'"(/static/[\w.]+)"', answer.text)
        named += [
            f"/static/{one}" for one in re.findall(r'"\./(\w+\.js)"', answer.text)
        ]
        waiting += set(named) - seen
    missing = {f"/static/{file.name}" for file in STATIC.iterdir()} - seen
    assert missing <= {"/static/index.html", "/static/sample.png"}


@pytest.mark.parametrize(
    "file", sorted(STATIC.glob("*.*s")), ids=lambda file: file.name
)
def test_a_script_builds_no_markup_from_text(file: Path) -> None:
    """What people wrote is shown as text, and nothing is run that was not shipped."""
    text = file.read_text()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval(",
        "document.write",
    ):
        assert word not in text


def test_nothing_comes_from_elsewhere() -> None:
    """No file names another site, and the page has neither script nor style in it."""
    for file in STATIC.iterdir():
        if file.suffix != ".png":
            text = file.read_text().replace(NAMESPACE, "")
            assert not re.search(r"https?://\w", text), file.name
    index = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]+src=)", index)


def test_the_sample_is_a_picture(served: httpx.Client) -> None:
    """An application that fetches it gets a PNG."""
    answer = served.get("/static/sample.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/x"])
def test_nothing_else_is_served(served: httpx.Client, path: str) -> None:
    """Files beside the page stay where they are."""
    assert served.get(path).status_code == 404


@pytest.mark.parametrize(
    ("place", "number"),
    [(0, "+14155550150"), (1, "+14155550160"), (2, "+14155550170")],
    ids=str,
)
def test_our_own_settings_send_as_they_stand(place: int, number: str) -> None:
    """Copied into a program, they reach the phones."""
    network = Network()
    network.telnyx.add_number("+14155550150")
    network.vonage.add_number("+14155550160")
    network.bandwidth.add_number("+14155550170")
    with network.serve():
        (ours, *_) = settings_for(network.faces[place])
        program: dict[str, Any] = {}
        exec(ours.code, program)  # noqa: S102 - ours
        client: Client = program["client"]
        with client:
            client.group("+14155550101", "+14155550102").send("Hello")
    (key,) = network.handset("+14155550102").threads
    assert key.number == number


def test_a_carrier_without_lines_of_ours_has_its_keys() -> None:
    """Whatever program it is, it can be told where to go and as whom."""
    network = Network()
    network.twilio.add_number("+14155550180")
    (plain,) = settings_for(network.twilio)
    for name, value in network.twilio.settings.items():
        assert f"{name}: {value}" in plain.code
    assert "numbers: +14155550180" in plain.code
