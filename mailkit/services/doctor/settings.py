"""Whom ``mailkit doctor`` asks: ``[doctor]`` of ``mailkit.toml``."""

from __future__ import annotations

import re
from typing import Any

import attrs
from attrs import field, frozen

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+", re.I)


def _are_names(
    instance: Any, field: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]
) -> None:
    for name in value:
        if not _NAME.fullmatch(name):
            raise ValueError(f'expects names such as "list.example", not "{name}"')


def _is_https(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if value and not re.fullmatch(r"https://[^\s]+", value):
        raise ValueError(f'expects an address that begins with https://, not "{value}"')


@frozen
class DoctorSettings:
    """Whom `mailkit doctor` asks besides DNS. Nobody is asked but by that command."""

    blocklists: tuple[str, ...] = field(
        default=("zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"),
        validator=_are_names,
    )
    """DNS blocklists (RFC 5782) that our public addresses should not be on."""

    reach: tuple[str, ...] = field(
        default=("gmail.com", "outlook.com"), validator=_are_names
    )
    """Domains whose mail servers are connected to, to see whether mail gets out of
    this network; one that answers is enough."""

    clock: str = field(default="https://www.iana.org/", validator=_is_https)
    """A web page whose Date field our clock is compared with; empty: nobody's."""
