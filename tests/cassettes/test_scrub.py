"""What is private leaves a cassette, and what must be told apart stays apart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from vcr.request import Request

from .scrub import Scrubber, in_order

# Nobody has a number with area code 999, and yet it is none of the fictitious ones.
US, ANA, BEN, CLEO = (f"+1999234567{last}" for last in range(4))
ABROAD = "999234567123"  # no country's code
ID = "40319a3c-5f2e-4c1d-9b1a-0123456789ab"
SEND = "0123456789abcdef0123456789abcdef"

PARTS = st.sampled_from(
    [
        *(f"%2B{ANA[1:]}", f"\\u002b{BEN[1:]}", f"x{CLEO[2:]}", ABROAD, f"+{ABROAD}"),
        *(ANA, BEN[1:], CLEO[2:], "+14155550101", ID, f"{SEND}.0", f"?leg={SEND}.12"),
        *('"carrier":"T-MOBILE"', "2026-11-21T08:00:00.123+00:00", "1795000001000"),
        *(
            "sesame",
            "http://127.0.0.1:8765/v2",
            '"',
            " ",
            ",",
            "Dinner at 7?",
            "0.0720",
        ),
    ]
)


def scrubber() -> Scrubber:
    """Return one that knows the group and our own number."""
    names = {US: "+12125550100", **in_order([ANA, BEN])}
    aliases = {"http://127.0.0.1:8765": "http://telnyx.invalid"}
    return Scrubber(names, secrets=["sesame"], hosts=aliases)


@given(st.lists(PARTS).map("".join))
def test_scrubbing_again_changes_nothing(text: str) -> None:
    """What was scrubbed when recorded stays as it is when played, by any scrubber."""
    recorder = scrubber()
    clean = recorder.text(text)

    assert recorder.text(clean) == clean
    assert Scrubber().text(clean) == clean


def test_each_number_has_its_own_pseudonym_everywhere() -> None:
    """With a plus, without, or bare: one number becomes one number."""
    clean = scrubber().text(f"{ANA} {ANA[1:]} {ANA[2:]} {BEN} {CLEO} {CLEO[1:]}")

    first, bare, national, second, third, again = clean.split()
    assert (first, bare, national) == ("+14155550101", "14155550101", "4155550101")
    assert second == "+14155550102"
    assert third == f"+{again}" == "+13035550150"


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        (f"%2B{ANA[1:]}", "%2B14155550101"),
        (f"%2b{ANA[1:]}&", "%2b14155550101&"),
        (f"\\u002b{ANA[1:]}", "\\u002b14155550101"),
        (f"\\u002B{ANA[1:]}", "\\u002B14155550101"),
        (f"x{ANA[1:]}", "x14155550101"),
        (f"tel{ANA[2:]}x", "tel4155550101x"),
        (ABROAD, "13035550150"),
        (f"+{ABROAD}", "+13035550150"),
        (f"%2B{ABROAD} to{ABROAD}", "%2B13035550150 to13035550150"),
        ("+445550100", "+13035550150"),
        ("%2B445550100", "%2B13035550150"),
        ("\\u002b445550100", "\\u002b13035550150"),
        ("10155550100", "13035550150"),
    ],
)
def test_a_number_is_found_in_every_spelling(written: str, clean: str) -> None:
    """Behind an encoded plus, behind a letter, of another country."""
    assert scrubber().text(written) == clean


@pytest.mark.parametrize(
    "kept", ["0.4155550123", "1234567", "40300", "000000000001", "x12345678901234567"]
)
def test_digits_that_are_no_number_are_kept(kept: str) -> None:
    """Amounts, codes and parts of our ids stay what they are."""
    assert scrubber().text(kept) == kept


def test_two_groups_stay_two_groups() -> None:
    """Members are not merged: another member is another pseudonym."""
    scrub = scrubber()

    assert scrub.text(f"[{ANA},{BEN}]") != scrub.text(f"[{ANA},{CLEO}]")


def test_pseudonyms_keep_the_order_of_the_numbers() -> None:
    """A sorted group is still sorted, or the body would not fit on replay."""
    names = in_order([CLEO, ANA, BEN])

    assert [names[one] for one in (ANA, BEN, CLEO)] == sorted(names.values())


def test_fictitious_numbers_stay_as_they_are() -> None:
    """A number that is nobody's needs no other, and nobody else gets it."""
    names = in_order(["+14155550101", ANA])

    assert names == {"+14155550101": "+14155550101", ANA: "+14155550102"}


def test_ids_are_numbered_in_request_and_reply() -> None:
    """An id becomes the same id wherever it is met, another one another."""
    other = ID.replace("4031", "5031")
    first, again, second = scrubber().text(f"{ID} {ID} {other}").split()

    assert first == again == "00000000-0000-4000-8000-000000000001"
    assert second == "00000000-0000-4000-8000-000000000002"


def test_our_random_send_id_becomes_a_placeholder() -> None:
    """Two runs of one send ask with the same body, but the legs stay apart."""
    scrub = scrubber()

    assert scrub.text(f"{SEND}.0 {SEND}.11 {SEND}-0") == "<send>.0 <send>.11 <send>-0"


def test_a_request_keeps_its_kind_of_credentials_only() -> None:
    """Header fields that nobody needs go; the key goes, its scheme stays."""
    headers = {"Authorization": "Bearer sesame", "User-Agent": "x", "Accept": "*/*"}
    request = Request("POST", "http://127.0.0.1:8765/v2", f'{{"to":"{ANA}"}}', headers)

    clean = scrubber().request(request)

    assert dict(clean.headers) == {"authorization": "Bearer <secret>", "accept": "*/*"}
    assert clean.uri == "http://telnyx.invalid/v2"
    assert clean.body == b'{"to":"+14155550101"}'


def test_a_reply_keeps_the_header_fields_that_are_read() -> None:
    """Cookies and phrases go, waits and the server's name stay."""
    reply: dict[str, Any] = {
        "status": {"code": 429, "message": "Too Many Requests"},
        "headers": {"Set-Cookie": ["a=b"], "Retry-After": ["1"], "Server": ["nginx"]},
        "body": {"string": b"\xff"},
    }

    clean = scrubber().response(reply)

    assert clean["status"] == {"code": 429, "message": None}
    assert clean["headers"] == {"retry-after": ["1"], "server": ["nginx"]}
    assert clean["body"] == {"string": b"\xff"}
