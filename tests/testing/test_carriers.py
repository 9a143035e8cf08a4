"""The fixture `carriers`: an application among simulated carriers, in virtual time."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import httpx
import pytest

from multigroup import (
    AsyncClient,
    Client,
    MessageReceived,
    NotSentError,
    Request,
    Response,
    UncertainError,
)
from multigroup.testing import Carriers, NotSeenError

ANA, BEN, CLEO = "+14155550101", "+14155550102", "+14155550103"


def test_a_group_is_sent_and_an_answer_is_heard(carriers: Carriers) -> None:
    """A client of the fixture texts the phones and hears them, with no more wiring."""
    client, heard = carriers.client(), list[str]()
    client.on(MessageReceived)(lambda event: heard.append(event.text))

    client.group(ANA, BEN, CLEO).send("Dinner at 7?")
    carriers.phone(BEN).reply("I am in")

    assert carriers.wait_for(lambda: heard) == ["I am in"]
    assert [bubble.text for bubble in carriers.phone(ANA).bubbles] == [
        "Dinner at 7?",
        "I am in",
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_every_line_can_be_the_only_one(carriers: Carriers, place: int) -> None:
    """Each carrier's receipts come back, whichever line the client is given."""
    client = carriers.client(carriers.lines[place])
    client.group(ANA, BEN).send("Dinner?", reference="dinner")

    def final() -> bool:
        receipt = client.receipt("dinner")
        assert receipt is not None
        return all(one.status for one in receipt.deliveries.values())

    assert carriers.wait_for(final)


def test_a_throttled_send_waits_in_virtual_time(carriers: Carriers) -> None:
    """A client that waits for a carrier moves the network's clock, not the wall's."""
    client, began = carriers.client(carriers.lines[0]), carriers.network.now()
    throttled = Response(429, {"retry-after": "30"})
    with carriers.network.telnyx.answer(throttled, count=1):
        client.group(ANA, BEN).send("Dinner?", deadline=60)

    assert carriers.network.now() - began >= 30
    assert len(carriers.phone(ANA).bubbles) == 1


def test_what_never_happens_is_told_with_what_did(carriers: Carriers) -> None:
    """A wait in vain fails with phones and log, and shows no message text."""
    client, began = carriers.client(), carriers.network.now()
    client.group(ANA, BEN).send("A secret dinner")

    def cleo_has_it() -> bool:
        return bool(carriers.phone(CLEO).bubbles)

    with pytest.raises(NotSeenError) as caught:
        carriers.wait_for(cleo_has_it, within=100)

    told = str(caught.value)
    assert "cleo_has_it did not come true in 100 s" in told
    assert f"<Handset {ANA}: 1 threads>" in told
    assert "POST /v2/messages/group_mms: 200" in told
    assert "secret" not in told
    assert carriers.network.now() - began == pytest.approx(100)


def test_the_condition_is_asked_every_fifteen_seconds(carriers: Carriers) -> None:
    """A condition that goes by the time alone comes true near its time."""
    began = carriers.network.now()
    carriers.wait_for(lambda: carriers.network.now() - began > 40)
    assert carriers.network.now() - began == pytest.approx(45)


def test_webhooks_that_nobody_takes_are_in_the_log(carriers: Carriers) -> None:
    """A forgotten `deliver_to` is named where one looks for it."""
    client = Client(**carriers.settings())
    client.group(ANA, BEN).send("Dinner?")
    with pytest.raises(NotSeenError, match="NobodyTakesWebhooks"):
        carriers.wait_for(lambda: False, within=5)
    client.close()


def test_the_applications_own_client_is_wired(carriers: Carriers) -> None:
    """Settings make any client one of this network, and webhooks are handed to it."""
    client, heard = Client(**carriers.settings(), namespace="shop"), list[str]()
    client.on(MessageReceived)(lambda event: heard.append(event.text))
    carriers.deliver_to(client)
    client.group(ANA, BEN).send("Dinner?")
    carriers.phone(ANA).reply("Yes")
    carriers.wait_for(lambda: heard == ["Yes"])
    client.close()


def test_webhooks_go_to_the_applications_own_endpoint(carriers: Carriers) -> None:
    """A function stands for the web framework, and the carrier hears its answer."""
    taken: list[Request] = []

    def endpoint(webhook: Request) -> Response:
        taken.append(webhook)
        return Response(204)

    client = carriers.client()
    carriers.deliver_to(endpoint)
    client.group(ANA, BEN).send("Dinner?")
    carriers.phone(ANA).reply("Yes")
    carriers.wait_for(lambda: taken)
    assert taken[0].url.startswith("https://app.example.com/hooks/telnyx")
    assert carriers.network.log[-1].status == 204


def test_a_forged_webhook_is_refused(carriers: Carriers) -> None:
    """The carrier is told 401, as a web framework would tell it."""
    client = carriers.client()
    client.group(ANA, BEN).send("Dinner?")
    carriers.network.telnyx.hooks.tamper()
    carriers.phone(ANA).reply("Yes")
    carriers.advance(0)
    assert carriers.network.log[-1].status == 401


def test_another_address_is_not_reached(carriers: Carriers) -> None:
    """What is not a carrier's cannot be reached, as without a network."""
    with (
        httpx.Client(transport=carriers.settings()["http"]._transport) as http,
        pytest.raises(httpx.ConnectError, match=r"example\.com"),
    ):
        http.get("https://example.com/")


def test_an_outage_and_a_lost_reply_are_what_they_are(carriers: Carriers) -> None:
    """The network's switches reach the client as the errors of real life."""
    client = carriers.client(carriers.lines[0])
    group, telnyx = client.group(ANA, BEN), carriers.network.telnyx
    with telnyx.outage(), pytest.raises(NotSentError):
        group.send("Dinner?")
    with telnyx.lose_replies(), pytest.raises(UncertainError):
        group.send("Dinner?")
    assert len(carriers.phone(ANA).bubbles) == 1


def test_an_async_application_runs_on_its_own_loop(carriers: Carriers) -> None:
    """Webhooks are awaited where the test runs, and handlers may answer at once."""

    async def story() -> list[str]:
        client = carriers.async_client()

        @client.on(MessageReceived)
        async def answer(event: MessageReceived) -> None:
            await client.conversation(event).send("Table for two")

        await client.group(ANA, BEN).send("Dinner?")
        carriers.phone(BEN).reply("Yes")
        await carriers.async_wait_for(lambda: len(carriers.phone(ANA).bubbles) > 2)
        return [bubble.text for bubble in carriers.phone(ANA).bubbles]

    assert asyncio.run(story()) == ["Dinner?", "Yes", "Table for two"]


def test_a_throttled_async_send_waits_in_virtual_time(carriers: Carriers) -> None:
    """An async client moves the clock as it waits, on the loop it runs on."""

    async def story(client: AsyncClient) -> None:
        throttled = Response(429, {"retry-after": "30"})
        with carriers.network.telnyx.answer(throttled, count=1):
            await client.group(ANA, BEN).send("Dinner?", deadline=60)
        with pytest.raises(NotSeenError):
            await carriers.async_wait_for(lambda: False, within=20)

    began = carriers.network.now()
    asyncio.run(story(carriers.async_client(carriers.lines[0])))
    assert carriers.network.now() - began >= 50


def test_an_async_client_is_served_in_a_blocking_test(carriers: Carriers) -> None:
    """Where no loop runs each webhook gets one of its own, bad ones included."""
    client, heard = carriers.async_client(), list[str]()
    client.on(MessageReceived)(lambda event: heard.append(event.text))
    asyncio.run(client.group(ANA, BEN).send("Dinner?"))
    carriers.network.telnyx.hooks.tamper()
    carriers.phone(BEN).reply("Yes")
    carriers.wait_for(lambda: heard == ["Yes"])
    assert 401 in [entry.status for entry in carriers.network.log]


def test_blocking_in_a_loop_says_what_to_await(carriers: Carriers) -> None:
    """A blocking wait inside a loop is refused, and names the way out."""

    async def story() -> None:
        client = carriers.async_client()
        await client.group(ANA, BEN).send("Dinner?")
        carriers.phone(BEN).reply("Yes")
        carriers.wait_for(lambda: False)

    with pytest.raises(TypeError, match="async_wait_for"):
        asyncio.run(story())


def test_two_runs_are_alike() -> None:
    """Ids and keys are the same in every test, so failures can be had again."""
    with Carriers() as one, Carriers() as two:
        assert one.network.telnyx.api_key == two.network.telnyx.api_key


def _loaded(code: str) -> set[str]:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_plugin_loads_nothing_heavy() -> None:
    """Whoever runs pytest with this package installed pays for no import of ours."""
    with_us = _loaded("import pytest, multigroup.testing.plugin")
    assert with_us - _loaded("import pytest") <= {"multigroup"}


def test_the_package_needs_no_pytest() -> None:
    """Carriers can be used by any other test runner."""
    assert "pytest" not in _loaded("from multigroup.testing import Carriers")
