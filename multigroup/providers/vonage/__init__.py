"""Vonage: a group goes out as one `POST /v1/messages` per member."""

from __future__ import annotations

from .adapter import Vonage
from .webhooks import parse

__all__ = ["Vonage", "parse"]
