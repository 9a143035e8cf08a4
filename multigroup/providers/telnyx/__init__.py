"""Telnyx: a group goes out in one `POST /messages/group_mms`."""

from __future__ import annotations

from .adapter import Telnyx
from .webhooks import parse

__all__ = ["Telnyx", "parse"]
