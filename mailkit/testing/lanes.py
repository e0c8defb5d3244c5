"""Lanes without threads, as a server has them before its reactor runs."""

from __future__ import annotations

from mailkit.net.directlanes import DirectLanes

__all__ = ["DirectLanes"]
