"""The page of the simulated network, and the HTTP interface beneath it."""

from __future__ import annotations

from .app import Page

__all__ = ["Page"]
