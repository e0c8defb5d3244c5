"""What stands between ``mailkit`` and the noun."""

from __future__ import annotations

from attrs import frozen


@frozen
class Options:
    """The options of all commands."""

    named: str | None = None
    """The config file, if one was named."""
    as_json: bool = False
