"""The page in a real browser, where there is one: `.ci/long browser` sees to that."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from multigroup.simulator import Network, SteppedClock
from multigroup.wire import Reply, Request, Response

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is absent")
BROWSER = os.environ.get("MULTIGROUP_CHROMIUM") or shutil.which("chromium")
AXE = os.environ.get("MULTIGROUP_AXE")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")

A, B = "+14155550101", "+14155550102"
TELNYX = "+14155550150"
ANA, BEN = "Phone (415) 555-0101", "Phone (415) 555-0102"
NARROW: Any = {"width": 390, "height": 844}
WIDE: Any = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once."""
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox"]
        )
        yield started
        started.close()


@pytest.fixture
def inbox() -> list[Request]:
    """Hold every webhook that the application got."""
    return []


@pytest.fixture
def network(inbox: list[Request]) -> Network:
    """Give a network whose clock stands still, with a group that was texted."""

    def post(request: Request, _timeout: float) -> Reply:
        inbox.append(request)
        return Response(200)

    made = Network(clock=SteppedClock(1_795_000_000.0), post=post, seed=7)
    made.telnyx.add_number(TELNYX, webhook_url="http://127.0.0.1/telnyx")
    made.vonage.add_number("+14155550160")
    _send(made)
    made.settle()
    inbox.clear()
    return made


def _send(network: Network, **fields: Any) -> Reply:
    face = network.telnyx
    body = {"from": TELNYX, "to": [A, B], "text": "Dinner?", **fields}
    headers = {"authorization": f"Bearer {face.api_key}"}
    url = f"{face.base_url}/messages/group_mms"
    return face.handle(Request("POST", url, headers, json.dumps(body).encode()))


@pytest.fixture(params=["390 dark", "1440 light"])
def page(
    request: pytest.FixtureRequest, browser: Browser, network: Network
) -> Iterator[Page]:
    """Open the page; whatever its console complains of fails the test."""
    width, scheme = request.param.split()
    size = NARROW if width == "390" else WIDE
    complaints: list[str] = []
    with network.serve(page=True) as served:
        context = browser.new_context(viewport=size, color_scheme=scheme)
        opened = context.new_page()
        opened.on("console", lambda one: complaints.append(one.text))
        opened.on("pageerror", lambda one: complaints.append(str(one)))
        opened.goto(served.page_url or "")
        api.expect(opened.get_by_text("Live", exact=True)).to_be_visible()
        yield opened
        context.close()
    assert complaints == []


def _fits(page: Page) -> bool:
    found: bool = page.locator("html").evaluate("e => e.scrollWidth <= e.clientWidth")
    return found


def test_a_reply_is_typed(page: Page, network: Network, inbox: list[Request]) -> None:
    """It shows on both phones, and the application gets the webhook."""
    line = page.get_by_label("Text from (415) 555-0101")
    line.fill("I am in <b>& hungry</b>")
    line.press("Enter")
    for phone in (ANA, BEN):
        shown = page.get_by_label(phone, exact=True).get_by_text("<b>& hungry</b>")
        api.expect(shown).to_be_visible()
    network.settle()
    assert b"hungry" in inbox[0].body
    assert _fits(page)


def test_a_picture_is_sent(page: Page, network: Network, inbox: list[Request]) -> None:
    """The page's own sample is shown, and its URL goes to the application."""
    phone = page.get_by_label(ANA, exact=True)
    phone.get_by_role("button", name="Picture").click()
    phone.get_by_role("button", name="Use a sample").click()
    phone.get_by_role("button", name="Send").click()
    other = page.get_by_label(BEN, exact=True).get_by_role("img", name="Picture")
    api.expect(other).to_have_js_property("naturalWidth", 160)
    network.settle()
    media = json.loads(inbox[0].body)["data"]["payload"]["media"]
    assert media[0]["url"].endswith("/static/sample.png")


def test_a_fault_is_switched_on_and_off(page: Page, network: Network) -> None:
    """The next send is throttled, after which the counted switch is off again."""
    form = page.locator("#fault")
    form.get_by_label("Fault").select_option("429")
    form.get_by_label("Times").fill("1")
    form.get_by_role("button", name="Switch on").click()
    off = page.get_by_role("button", name="Switch off: telnyx: 429")
    api.expect(off).to_be_visible()
    assert _fits(page)
    reply = _send(network)
    assert isinstance(reply, Response)
    assert reply.status == 429
    api.expect(off).to_have_count(0)
    api.expect(page.locator("#entries").get_by_text("nothing was sent")).to_be_visible()


def test_a_webhook_is_replayed(page: Page, inbox: list[Request]) -> None:
    """A button sends the same bytes again, and the line tells of it."""
    line = page.locator('#entries > li[data-type="webhook"]').first
    line.get_by_role("button", name="Replay").click()
    api.expect(page.locator("#trouble")).to_be_hidden()
    page.get_by_label("Step by").fill("0")
    page.get_by_role("button", name="Step", exact=True).click()
    api.expect(line.get_by_text("a replay")).to_be_visible()
    assert len(inbox) == 1
    line.locator("summary").click()
    api.expect(line.get_by_text("What was signed").first).to_be_visible()
    assert _fits(page)


def test_a_copy_that_never_came_is_a_gap(page: Page, network: Network) -> None:
    """The phone that lacks it says so; the other shows the message."""
    reached = page.get_by_label(ANA, exact=True)
    reached.get_by_text("Set up").click()
    reached.get_by_label("Reached").select_option("unreachable")
    api.expect(reached.get_by_text("not reached")).to_be_visible()
    _send(network, text="Table for two")
    gap = reached.get_by_text("Never came to this phone")
    api.expect(gap).to_be_visible()
    other = page.get_by_label(BEN, exact=True)
    api.expect(other.get_by_text("Table for two")).to_be_visible()
    assert other.get_by_text("Never came").count() == 0


def test_a_wrong_roster_falls_apart(page: Page, network: Network) -> None:
    """The phone has two threads and says why."""
    _send(network, to=[A, B, "+14155550103"])
    phone = page.get_by_label(ANA, exact=True)
    api.expect(phone.get_by_text("fell apart into 2 threads")).to_be_visible()
    assert phone.locator(".thread").count() == 2
    assert _fits(page)


def test_a_person_writes_first(page: Page, network: Network) -> None:
    """A phone that was never texted appears with its message."""
    page.get_by_text("Write first", exact=True).click()
    page.get_by_label("From the phone").fill("+14155550109")
    page.locator("#first").get_by_label("Text").fill("Is this the pizza place?")
    page.locator("#first").get_by_role("button", name="Send").click()
    phone = page.get_by_label("Phone (415) 555-0109", exact=True)
    api.expect(phone.get_by_text("pizza place")).to_be_visible()
    assert network.handset("+14155550109").latest is not None


def test_a_burst_is_shown(page: Page, network: Network) -> None:
    """Two hundred messages arrive, the last on both phones, and one can go on."""
    for number in range(200):
        network.handset(A).reply(f"burst {number}")
    for phone in (ANA, BEN):
        last = page.get_by_label(phone, exact=True).get_by_text("burst 199")
        api.expect(last).to_be_visible()
    line = page.get_by_label("Text from (415) 555-0102")
    line.fill("Enough!")
    line.press("Enter")
    shown = page.get_by_label(ANA, exact=True).get_by_text("Enough!")
    api.expect(shown).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    """From the top, Tab comes to a phone's line, and Enter sends what was typed."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator("[name=text]:focus").count():
            break
    page.keyboard.type("By keys alone")
    page.keyboard.press("Enter")
    shown = page.get_by_label(BEN, exact=True).get_by_text("By keys alone")
    api.expect(shown).to_be_visible()


@pytest.mark.skipif(AXE is None, reason="MULTIGROUP_AXE names no axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_axe_finds_nothing(
    browser: Browser, network: Network, size: Any, scheme: Any
) -> None:
    """Names, roles, contrast and order hold, with all that can be opened open."""
    network.handset(A).failing = "unreachable"
    _send(network, media_urls=["https://example.com/menu.jpg"])
    _send(network, to=["banana"])
    with network.serve(page=True) as served:
        context = browser.new_context(
            viewport=size,
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=True,
        )
        opened = context.new_page()
        opened.goto(served.page_url or "")
        api.expect(opened.get_by_text("Never came to this phone")).to_be_visible()
        for place in (".setup", "#first", ".snippet", "#entries li"):
            opened.locator(f"{place} summary").first.click()
        opened.locator(".attach").last.click()
        api.expect(opened.get_by_text("The carrier answered")).to_be_visible()
        opened.add_script_tag(path=AXE)
        found = opened.evaluate("axe.run()")
        context.close()
    assert [one["id"] for one in found["violations"]] == []


def test_a_page_finds_back_after_the_simulator_was_away(
    browser: Browser, network: Network
) -> None:
    """A new run on the same port replaces all that was shown."""
    with network.serve(page=True) as served:
        url = served.page_url or ""
        opened = browser.new_page()
        opened.goto(url)
        api.expect(opened.get_by_label(ANA, exact=True)).to_be_visible()
    api.expect(opened.get_by_text("Lost; trying again")).to_be_visible()
    port = int(url.rstrip("/").rpartition(":")[2])
    with Network().serve(port=port - len(network.faces), page=True):
        api.expect(opened.get_by_text("No phone yet")).to_be_visible(timeout=20_000)
    opened.close()
