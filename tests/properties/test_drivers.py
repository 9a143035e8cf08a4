"""Blocking and awaiting drivers: the same replies, the same receipt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import httpx
from attrs import field, frozen
from hypothesis import given, strategies as st

from multigroup import (
    AsyncClient,
    Client,
    Line,
    Policy,
    Provider,
    Receipt,
    Reception,
    SendError,
    Telnyx,
    Vonage,
    codec,
)
from multigroup.models import SendId
from tests.helpers.faults import FaultServer
from tests.helpers.world import Carrier, Colour
from tests.properties.accounts import ACCOUNTS, NOW, signed
from tests.properties.strategies import CARRIERS, OWN, one_in, people, said

Told: TypeAlias = tuple[int, dict[str, str], bytes] | str
"""A reply: status, headers and body, or the name of httpx's exception."""

Script: TypeAlias = Mapping[str, Told]
"""What is answered to a request, by the number that it is for."""

COLOURS: Final[tuple[Colour, ...]] = ("sync", "async")
LOST: Final = (
    *("ConnectError", "ConnectTimeout", "PoolTimeout", "ReadError", "ReadTimeout"),
    *("WriteError", "RemoteProtocolError", "LocalProtocolError", "RuntimeError"),
)


def _replies() -> st.SearchStrategy[Told]:
    yes = st.builds(
        lambda key, cost: {
            "message_uuid": key,
            "data": {"id": key, "cost": {"amount": cost, "currency": "USD"}},
        },
        st.uuids().map(str),
        st.sampled_from(["0.0800", "1e-2", None, "free"]),
    )
    no = st.builds(
        lambda code, title: {
            "title": title,
            "detail": title,
            "errors": [{"code": code, "title": title}],
        },
        st.sampled_from(["40300", "40305", "10011", "10036", "10015", "40002", ""]),
        st.sampled_from(["Invalid sender", "Invalid recipient", "Odd", ""]),
    )
    headers = st.dictionaries(
        st.sampled_from(["retry-after", "idempotent-replayed", "location"]),
        st.sampled_from(["3", "true", "https://elsewhere.example/", "never"]),
    )
    written = (yes | no).map(json.dumps).map(str.encode) | st.binary(max_size=20)
    return st.one_of(
        st.tuples(
            st.sampled_from([200, 202]), headers, yes.map(json.dumps).map(str.encode)
        ),
        st.tuples(
            st.sampled_from([400, 401, 403, 422, 409, 429]),
            headers,
            no.map(json.dumps).map(str.encode),
        ),
        st.tuples(st.sampled_from([200, 204, 307, 408, 500, 503]), headers, written),
        st.sampled_from(LOST),
    )


@st.composite
def scripts(draw: st.DrawFn, group: list[str]) -> Script:
    """Draw what each carrier answers about each member of *group*."""
    same = draw(_replies())
    alike = draw(st.booleans())
    return {
        f"{carrier}{number}": same if alike else draw(_replies())
        for carrier in CARRIERS
        for number in group
    }


def _answer(script: Script, request: httpx.Request) -> httpx.Response:
    body = json.loads(request.content)
    to = body["to"]
    if "/v1/" in request.url.path:
        told = script[f"vonage+{to}"]
    else:
        told = script[f"telnyx{to[0] if isinstance(to, list) else to}"]
    if isinstance(told, str):
        raise getattr(httpx, told, RuntimeError)(told)
    status, headers, content = told
    return httpx.Response(status, headers=headers, content=content)


async def _at_once(_seconds: float) -> None:
    """Let no time pass."""


@frozen
class App:
    """An application of either colour, run from outside, on one event loop if any."""

    client: Client | AsyncClient
    loop: asyncio.Runner = field(factory=asyncio.Runner)

    @classmethod
    def of(
        cls, colour: Colour, lines: list[Line], script: Script, policy: Policy
    ) -> App:
        """Return an application whose carriers answer by *script*."""
        carrier = httpx.MockTransport(lambda request: _answer(script, request))
        if colour == "sync":
            return cls(
                Client(
                    lines=lines,
                    http=httpx.Client(transport=carrier),
                    policy=policy,
                    clock=lambda: NOW,
                    sleep=lambda _seconds: None,
                )
            )
        return cls(
            AsyncClient(
                lines=lines,
                http=httpx.AsyncClient(transport=carrier),
                policy=policy,
                clock=lambda: NOW,
                sleep=_at_once,
            )
        )

    @classmethod
    def own(cls, colour: Colour, line: Line) -> App:
        """Return an application whose client makes its own connections."""
        kind = Client if colour == "sync" else AsyncClient
        return cls(kind(lines=[line], timeout=5, clock=lambda: NOW))

    def send(self, group: list[str], text: str, reference: str) -> tuple[str, Receipt]:
        """Send; return what was raised, if anything, and the receipt."""
        try:
            if isinstance(self.client, Client):
                return "", self.client.group(*group).send(text, reference=reference)
            sending = self.client.group(*group).send(text, reference=reference)
            return "", self.loop.run(sending)
        except SendError as error:
            return f"{type(error).__name__}: {error}", error.receipt

    def receive(self, carrier: Carrier, body: bytes) -> Reception:
        """Take in a genuine webhook."""
        request = signed(carrier, body)
        if isinstance(self.client, Client):
            return self.client.receive(carrier, request)
        return self.loop.run(self.client.receive(carrier, request))

    def receipt(self, reference: str) -> Receipt:
        """Return the receipt as it is by now."""
        if isinstance(self.client, Client):
            found = self.client.receipt(reference)
        else:
            found = self.loop.run(self.client.receipt(reference))
        assert found is not None
        return found

    def close(self) -> None:
        """Close the client, and what it ran on."""
        closing = self.client.close()
        if closing is not None:
            self.loop.run(closing)
        self.loop.close()


def _nameless(value: object, send: SendId) -> str:
    """Return *value* as JSON without the random name of the send."""
    return codec.dumps(codec.dump(value)).decode().replace(send, "<send>")


def _news(carrier: Carrier, token: str, member: str, status: str) -> bytes:
    if carrier == "vonage":
        return codec.dumps(
            {
                "message_uuid": f"news of {member}",
                "status": "rejected" if status == "expired" else status,
                "to": member[1:],
                "client_ref": token,
                "usage": {"price": "0.03", "currency": "EUR"},
            }
        )
    payload = {
        "to": [{"phone_number": member, "status": status}],
        "webhook_url": f"https://app.example/?leg={token}",
    }
    about = {"event_type": "message.finalized", "id": f"{member}", "payload": payload}
    return json.dumps({"data": about}).encode()


@given(
    st.data(),
    people(1, 5),
    said(1).filter(str.strip),
    st.builds(Policy, failover=st.booleans()),
)
def test_equal_replies_give_equal_receipts(
    data: st.DataObject, group: list[str], text: str, policy: Policy
) -> None:
    """Either driver makes the same of what carriers answer, and of what they tell."""
    script = data.draw(scripts(group))
    names = data.draw(st.permutations(CARRIERS))
    lines = [ACCOUNTS[name].line(OWN[name]) for name in names]
    news = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(CARRIERS),
                st.integers(0, 9),
                st.sampled_from(group),
                st.sampled_from(["delivered", "expired", "sent"]),
            ),
            max_size=4,
        )
    )

    stories = [
        _story(App.of(colour, lines, script, policy), group, text, news)
        for colour in COLOURS
    ]

    assert stories[0] == stories[1]


@st.composite
def raw_replies(draw: st.DrawFn) -> bytes:
    """Draw what a server may say: replies framed well or badly, cut off, or none."""
    told = draw(_replies())
    if isinstance(told, str):
        return draw(st.binary(max_size=40))
    status, fields, body = told
    length = len(body) + draw(st.sampled_from([0, 0, 0, -1, 1]))
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    frames: dict[str, bytes] = {
        f"content-length: {length}": body,
        f"content-length: {length}\r\ncontent-length: 0": body,
        "x-length: none": body,
        "transfer-encoding: chunked": chunk + b"0\r\n\r\n",
        "transfer-encoding:  Chunked": chunk[:-3],
    }
    framed = draw(st.sampled_from(sorted(frames)))
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9"]))
    lines = [f"{version} {status} Said", framed]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    whole = "\r\n".join([*lines, "", ""]).encode() + frames[framed]
    return whole[: draw(st.sampled_from([len(whole), len(whole), len(whole) // 2, 9]))]


@one_in(4)
@given(raw_replies(), st.sampled_from(CARRIERS), people(1, 2))
def test_equal_bytes_give_equal_receipts(
    raw: bytes, carrier: Carrier, group: list[str]
) -> None:
    """So do our own clients, whatever bytes come over a real connection."""
    told: list[list[str]] = []
    for colour in COLOURS:
        with FaultServer.saying(raw) as server:
            account = _served(carrier, server.url)
            app = App.own(colour, account.line(OWN[carrier]))
            raised, receipt = app.send(group, "Dinner?", "dinner")
            app.close()
        told.append(
            [raised, _nameless(receipt, receipt.send_id), str(len(server.posts))]
        )

    assert told[0] == told[1]


def _served(carrier: Carrier, url: str) -> Provider:
    if carrier == "telnyx":
        return Telnyx(api_key="KEY", base_url=url)
    return Vonage(api_key="key", api_secret="secret", base_url=url)


def _story(app: App, group: list[str], text: str, news: list[Any]) -> list[str]:
    """Return all that an application learns, without the random name of its send."""
    raised, first = app.send(group, text, "dinner")
    told = [raised, _nameless(first, first.send_id)]
    for carrier, place, member, status in news:
        body = _news(carrier, f"{first.send_id}.{place}", member, status)
        heard = app.receive(carrier, body)
        told += [_nameless(event, first.send_id) for event in heard.events]
        told.append(f"{heard.status} {len(heard.duplicates)} {len(heard.failures)}")
    told.append(_nameless(app.receipt("dinner"), first.send_id))
    again, second = app.send(group, text, "dinner")
    app.close()
    return [*told, again, _nameless(second, first.send_id)]
