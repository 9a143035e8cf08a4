"""Addresses of this machine, as they are written down for others to call."""

from __future__ import annotations

__all__ = ["netloc", "reached_at"]


def reached_at(host: str) -> str:
    """Return where one gets to *host* from here: for a wildcard the loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def netloc(host: str, port: int) -> str:
    """Return *host* and *port* as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
