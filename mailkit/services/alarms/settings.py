"""What may be set about alarms."""

from __future__ import annotations

import re
from typing import Any

import attrs
from attrs import field, frozen


def _is_url(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if value and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError(f'expects an address such as "https://…", not "{value}"')


def _are_addresses(
    instance: Any, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]
) -> None:
    for one in value:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", one):
            raise ValueError(f'expects addresses, not "{one}"')


@frozen
class AlarmSettings:
    """How administrators hear of what cannot wait, such as a stolen password."""

    to: tuple[str, ...] = field(default=(), validator=_are_addresses)
    """Who gets a mail; empty: every account that is an administrator, else the
    postmaster of the domain."""

    hook: str = field(default="", validator=_is_url)
    """Where the same is posted as JSON (`kind`, `subject`, `when`, `words`, `advice`,
    `hostname`): what wakes you up should not need the mail that is in trouble."""

    command: tuple[str, ...] = ()
    """A program and its arguments, which gets the same JSON on standard input and ends
    with status 0."""
