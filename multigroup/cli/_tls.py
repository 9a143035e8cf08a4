"""What `multigroup simulate --tls` tells of its HTTPS side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from ..simulator import Network
    from ..simulator.front import Front

__all__ = ["as_document", "exports", "opened", "rows"]

_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "telnyx": ("SSL_CERT_FILE",),
    "vonage": ("REQUESTS_CA_BUNDLE",),
    "twilio": ("REQUESTS_CA_BUNDLE",),
}
"""Carrier to where its Python SDK looks for whom to trust; all read HTTPS_PROXY.

Bandwidth's reads no environment: it is told by `configuration.proxy`, `.ssl_ca_cert`.
"""


def opened(network: Network, host: str, port: int) -> Front:
    """Return a front before *network* at *host*, not yet started.

    Raises:
        ClickException: the extra `tls` is not installed.
    """
    from ..simulator.front import Front  # noqa: PLC0415 - slow to load

    if find_spec("trustme") is None:
        raise click.ClickException(
            "--tls needs the extra 'tls': pip install 'multigroup[tls]'"
        )
    return Front(network, host=host, port=port)


def exports(front: Front) -> dict[str, str]:
    """Return, by carrier, the line that leads its official SDK here, unmodified."""
    return {
        carrier: " ".join(
            [
                f"export HTTPS_PROXY={front.proxy}",
                *(f"{name}={front.ca_file}" for name in _VARIABLES[carrier]),
            ]
        )
        for carrier in front.base_urls
        if carrier in _VARIABLES
    }


def as_document(front: Front) -> dict[str, str | dict[str, str]]:
    """Return all of it, for the JSON line."""
    return {
        "ca_file": str(front.ca_file),
        "proxy": front.proxy,
        "base_urls": dict(front.base_urls),
        "exports": exports(front),
    }


def rows(front: Front) -> Iterable[tuple[str, str, str]]:
    """Yield what there is, as rows of carrier, name and value."""
    yield "tls", "ca_file", str(front.ca_file)
    yield "tls", "proxy", front.proxy
    for carrier, url in front.base_urls.items():
        yield carrier, "https", url
