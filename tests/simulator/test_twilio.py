"""Twilio's API: messages, look-ups and files."""

from __future__ import annotations

import base64

import pytest

from multigroup.simulator import Network, TwilioQuirks
from multigroup.wire import Failure, Request, Response
from tests.helpers.twilio import (
    OTHER,
    OURS,
    A,
    B,
    C,
    Call,
    Rail,
    error_of,
    get,
    join,
    opened,
    read,
    say,
)


@pytest.mark.parametrize("author", [None, "system", OTHER, A, ""])
def test_the_author_must_be_our_number(
    network: Network, twilio: Call, rail: Rail, author: str | None
) -> None:
    """Or who stands for it; the default author is nobody."""
    form = {"Body": "Hello"} | ({} if author is None else {"Author": author})
    reply = twilio("POST", f"/Conversations/{rail(A, B)}/Messages", form)
    assert error_of(reply) == (400, 50513)
    assert network.handsets == ()


def test_an_identity_may_speak_for_our_number(network: Network, twilio: Call) -> None:
    """Who has the number projected is an author, too."""
    sid = opened(twilio)
    join(twilio, sid, ProjectedAddress=OURS, Identity="desk")
    join(twilio, sid, Address=A)
    join(twilio, sid, Address=B)
    assert read(say(twilio, sid, Author="desk"))["participant_sid"][:2] == "MB"
    assert network.handset(A).bubbles[0].sender == OURS


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Body": ""}, 20001),
        ({"Body": "x" * 1601}, 50504),
        ({"Subject": "x" * 257}, 20001),
        ({"MediaSid": "ME" + "0" * 32}, 50510),
        ({"ContentSid": "HX1"}, 20001),
    ],
)
def test_a_wrong_message_is_refused(
    network: Network, twilio: Call, rail: Rail, fields: dict[str, str], code: int
) -> None:
    """It has its code, and no phone rings."""
    form = {"Author": OURS, "Body": "Hello", **fields}
    reply = twilio("POST", f"/Conversations/{rail(A, B)}/Messages", form)
    assert error_of(reply) == (400, code)
    assert network.handsets == ()


def test_what_is_closed_stays_closed(twilio: Call, rail: Rail) -> None:
    """No message, no member and no new state."""
    sid = rail(A, B)
    path = f"/Conversations/{sid}"
    assert read(twilio("POST", path, {"State": "closed"}))["state"] == "closed"
    assert error_of(twilio("POST", path, {"State": "active"})) == (400, 50377)
    assert error_of(say(twilio, sid)) == (400, 50377)
    assert error_of(join(twilio, sid, Address=C)) == (400, 50377)


def test_what_is_inactive_can_be_woken(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """By hand, or by a message unless switched off."""
    sid = rail(A, B)
    path = f"/Conversations/{sid}"
    for state in ("inactive", "active", "inactive"):
        assert read(twilio("POST", path, {"State": state}))["state"] == state
    network.twilio.quirks = TwilioQuirks(wakes=False)
    say(twilio, sid)
    assert get(twilio, path)["state"] == "inactive"
    network.twilio.quirks = TwilioQuirks()
    say(twilio, sid)
    assert get(twilio, path)["state"] == "active"


def test_messages_and_receipts_can_be_looked_up(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """After a lost reply the message is in the list, with its receipts."""
    sid = rail(A, B)
    network.twilio.lose_replies(count=1)
    face = network.twilio
    pair = base64.b64encode(f"{face.account_sid}:{face.auth_token}".encode()).decode()
    url = f"{face.base_url}/Conversations/{sid}/Messages"
    headers = {"authorization": f"Basic {pair}"}
    body = b"Author=%2B14155550180&Body=Hello"
    assert isinstance(face.handle(Request("POST", url, headers, body)), Failure)
    say(twilio, sid, "Again")
    path = f"/Conversations/{sid}/Messages"
    (last, first) = get(twilio, f"{path}?Order=desc")["messages"]
    assert (first["body"], last["body"]) == ("Hello", "Again")
    assert first["delivery"]["sent"] == "none"
    network.settle()
    said = get(twilio, f"{path}/{first['sid']}")
    assert said["delivery"]["delivered"] == "all"
    receipts = get(twilio, f"{path}/{first['sid']}/Receipts")["delivery_receipts"]
    one = get(twilio, f"{path}/{first['sid']}/Receipts/{receipts[0]['sid']}")
    assert (one["status"], one["error_code"]) == ("delivered", 0)
    assert error_of(twilio("GET", f"{path}/IM0"))[1] == 20404
    assert error_of(twilio("GET", f"{path}/{first['sid']}/Receipts/DY0"))[1] == 20404


def test_a_list_comes_in_pages(twilio: Call) -> None:
    """`meta` leads from one to the next."""
    for _ in range(3):
        opened(twilio)
    first = get(twilio, "/Conversations?PageSize=2")
    second = get(twilio, "/Conversations?PageSize=2&Page=1")
    assert first["meta"]["next_page_url"].endswith("PageSize=2&Page=1")
    assert second["meta"]["next_page_url"] is None
    assert second["meta"]["previous_page_url"].endswith("Page=0")
    assert [len(page["conversations"]) for page in (first, second)] == [2, 1]
    assert error_of(twilio("GET", "/Conversations?PageSize=0")) == (400, 20001)
    assert error_of(twilio("GET", "/Conversations?Page=x")) == (400, 20001)


def test_a_service_has_the_same_paths(network: Network, twilio: Call) -> None:
    """Below its own sid, and below no other."""
    service = f"/Services/{network.twilio.service_sid}"
    assert twilio("POST", f"{service}/Conversations").status == 201
    assert error_of(twilio("POST", "/Services/IS0/Conversations")) == (404, 20404)


def test_credentials_are_checked_first(network: Network, twilio: Call) -> None:
    """The account's own, or an API key's."""
    face = network.twilio
    key = f"{face.api_key_sid}:{face.api_key_secret}".encode()
    given = f"Basic {base64.b64encode(key).decode()}"
    assert twilio("GET", "/Conversations", authorization=given).status == 200
    assert error_of(twilio("GET", "/Nothing", authorization="Basic x")) == (401, 20003)


def test_requests_have_a_rate(network: Network, twilio: Call) -> None:
    """The next one of a second is refused."""
    network.twilio.quirks = TwilioQuirks(rate=2)
    codes = [twilio("GET", "/Conversations").status for _ in range(3)]
    assert codes == [200, 200, 429]
    network.advance(1.0)
    assert twilio("GET", "/Conversations").status == 200


def test_what_is_not_built_says_so(twilio: Call) -> None:
    """An endpoint that the simulator lacks answers 501 and names itself."""
    reply = twilio("GET", "/Users")
    assert reply.status == 501
    assert b"GET /v1/Users" in reply.body


def test_twilio_refuses_in_its_own_shape(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """Sends only: the rail is there all the same."""
    with network.twilio.refuse(403, "50452"):
        assert error_of(say(twilio, rail(A, B))) == (403, 50452)
    with network.twilio.refuse(400, detail="why"):
        assert read(say(twilio, rail(A, C)))["message"] == "why"
    assert network.handsets == ()


def test_a_file_is_uploaded_then_sent(
    network: Network, twilio: Call, rail: Rail
) -> None:
    """Once: it then belongs to the message."""
    path = network.twilio.media_url.removeprefix(network.twilio.base_url)
    sid = rail(A, B)
    sent = twilio("POST", f"{path}?Filename=a.jpg", body=b"jpg", content_type="x/y")
    file = read(sent)
    said = read(say(twilio, sid, MediaSid=file["sid"]))
    assert said["media"] == [
        {"sid": file["sid"], "size": 3, "content_type": "x/y", "filename": "a.jpg"}
    ]
    (url,) = network.handset(A).bubbles[0].media
    assert url.endswith(file["sid"])
    assert error_of(say(twilio, sid, MediaSid=file["sid"])) == (400, 50510)


def test_a_file_is_read_by_a_link_that_ends(network: Network, twilio: Call) -> None:
    """The link needs no credentials; a file without message goes in five minutes."""
    path = network.twilio.media_url.removeprefix(network.twilio.base_url)
    file = read(twilio("POST", path, body=b"jpg"))
    kept = get(twilio, f"{path}/{file['sid']}")
    link = Request("GET", kept["links"]["content_direct_temporary"])
    opened = network.twilio.handle(link)
    assert isinstance(opened, Response)
    assert opened.body == b"jpg"
    network.advance(301.0)
    assert error_of(twilio("GET", f"{path}/{file['sid']}")) == (404, 20404)
    gone = network.twilio.handle(link)
    assert isinstance(gone, Response)
    assert gone.status == 403


def test_a_file_can_be_too_large(network: Network, twilio: Call) -> None:
    """More than two megabytes are not taken."""
    path = network.twilio.media_url.removeprefix(network.twilio.base_url)
    assert error_of(twilio("POST", path, body=bytes(2_000_001))) == (413, 50512)
