"""What to write into a program to have it talk to a simulated carrier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from attrs import frozen

from ..bandwidth import BandwidthFace
from ..face import Face
from ..telnyx import TelnyxFace
from ..vonage import VonageFace

__all__ = ["Snippet", "settings_for"]


@frozen
class Snippet:
    """Lines to copy, and what they are for."""

    title: str
    language: str
    code: str


def settings_for(face: Face) -> tuple[Snippet, ...]:
    """Return what to copy for *face*; at the least its address, keys and numbers."""
    numbers = ", ".join(face.core.numbers_of(face)) or "none yet"
    rows = {**face.settings, "numbers": numbers}
    lines = "\n".join(f"{name}: {value}" for name, value in rows.items())
    plain = Snippet("Address, keys and numbers", "text", lines)
    return (*_SNIPPETS.get(type(face), _none)(face), plain)


def _none(_face: Face) -> tuple[Snippet, ...]:
    return ()


def _telnyx(face: Face) -> tuple[Snippet, ...]:
    assert isinstance(face, TelnyxFace)  # noqa: S101 - for the type checker; see below
    number = next(iter(face.numbers), "+14155550150")
    ours = f"""\
from multigroup import Client, Telnyx

telnyx = Telnyx(
    api_key="{face.api_key}",
    public_key="{face.public_key}",
    base_url="{face.base_url}",
)
client = Client(lines=[telnyx.line("{number}")])"""
    return (Snippet("multigroup", "python", ours), *_telnyx_sdks(face))


def _telnyx_sdks(face: TelnyxFace) -> tuple[Snippet, ...]:
    python = f"""\
import telnyx

client = telnyx.Telnyx(
    api_key="{face.api_key}",
    public_key="{face.public_key}",
    base_url="{face.base_url}",
    max_retries=0,  # else one lost reply is three group texts
)"""
    node = f"""\
import Telnyx from "telnyx";

const client = new Telnyx({{
  apiKey: "{face.api_key}",
  publicKey: "{face.public_key}",
  baseURL: "{face.base_url}",
  maxRetries: 0,
}});"""
    shell = f"""\
export TELNYX_API_KEY={face.api_key}
export TELNYX_PUBLIC_KEY={face.public_key}
export TELNYX_BASE_URL={face.base_url}"""
    return (
        Snippet("Telnyx's Python SDK", "python", python),
        Snippet("Telnyx's Node SDK", "javascript", node),
        Snippet("Environment", "sh", shell),
    )


def _vonage(face: Face) -> tuple[Snippet, ...]:
    assert isinstance(face, VonageFace)  # noqa: S101 - for the type checker; see below
    number = next(iter(face.numbers), "+14155550160")
    ours = f"""\
from multigroup import Client, Vonage

vonage = Vonage(
    api_key="{face.api_key}",
    api_secret="{face.api_secret}",
    signature_secret="{face.signature_secret}",
    base_url="{face.base_url}",
)
client = Client(lines=[vonage.line("{number}")])"""
    return (Snippet("multigroup", "python", ours), *_vonage_sdks(face))


def _vonage_sdks(face: VonageFace) -> tuple[Snippet, ...]:
    host = face.base_url.removeprefix("http://")
    python = f"""\
# The SDK has https:// in its code, and drops mms.participants.
import requests
from requests.adapters import HTTPAdapter
from vonage import Auth, HttpClientOptions, Vonage

class Plain(HTTPAdapter):
    def send(self, request, **options):
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **options)

client = Vonage(
    Auth(api_key="{face.api_key}", api_secret="{face.api_secret}"),
    HttpClientOptions(api_host="{host}", max_retries=0),
)
client.http_client._session.mount("https://{host}", Plain())"""
    node = f"""\
import {{ Auth }} from "@vonage/auth";
import {{ Messages }} from "@vonage/messages";

const messages = new Messages(
  new Auth({{ apiKey: "{face.api_key}", apiSecret: "{face.api_secret}" }}),
  {{ apiHost: "{face.base_url}" }},
);
// A plain object keeps mms.participants; the class MMSText drops it."""
    return (
        Snippet("Vonage's Python SDK", "python", python),
        Snippet("Vonage's Node SDK", "javascript", node),
    )


def _bandwidth(face: Face) -> tuple[Snippet, ...]:
    assert isinstance(face, BandwidthFace)  # noqa: S101 - for the type checker; see below
    number = next(iter(face.numbers), "+14155550170")
    ours = f"""\
from multigroup import Bandwidth, Client

bandwidth = Bandwidth(
    account_id="{face.account_id}",
    application_id="{face.application_id}",
    client_id="{face.client_id}",
    client_secret="{face.client_secret}",
    callback_credentials=("{face.callback_username}", "{face.callback_password}"),
    base_url="{face.base_url}",
    token_url="{face.token_url}",
)
client = Client(lines=[bandwidth.line("{number}")])"""
    return (Snippet("multigroup", "python", ours),)


_SNIPPETS: Mapping[type[Face], Callable[[Face], tuple[Snippet, ...]]] = (
    MappingProxyType(
        {TelnyxFace: _telnyx, VonageFace: _vonage, BandwidthFace: _bandwidth}
    )
)
