"""Bandwidth: a group goes out in one `POST /messages` with all its members in `to`."""

from __future__ import annotations

from .adapter import Bandwidth
from .webhooks import parse

__all__ = ["Bandwidth", "parse"]
