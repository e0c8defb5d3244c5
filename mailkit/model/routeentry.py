"""A route as the directory keeps it."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class RouteEntry:
    """One ``[[route]]`` that stands in the directory and not in ``mailkit.toml``."""

    name: str
    keys: str = field(repr=False)
    """All keys as a JSON object; there may be a password among them."""
