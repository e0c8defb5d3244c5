"""Passwords that we make for people."""

from __future__ import annotations

import secrets
from collections.abc import Callable

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No two that look alike; nothing that a shell or a form would mind."""


def fresh_password(choose: Callable[[str], str] = secrets.choice) -> str:
    """Four groups of five letters and digits, some 99 bits: ``k3m7p-xw9qa-…``."""
    groups = ("".join(choose(_LETTERS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)
