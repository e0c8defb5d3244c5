"""Passwords that people can read out and type."""

from __future__ import annotations

import secrets

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like others."""

GROUPS, LENGTH = 4, 4


def make_password() -> str:
    """``k7pq-x2mv-nd8s-hw3z``: 79 bits of chance."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(LENGTH)) for _ in range(GROUPS)
    )
