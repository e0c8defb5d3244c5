"""``Forwarded``: what a proxy says of whoever is behind it (RFC 7239 §4)."""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import frozen

LONGEST = 4000
"""Octets of the header that are looked at."""

_PAIR = re.compile(
    r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]*))\s*"
)
_QUOTED = re.compile(r"\\(.)")
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\w+)?|([^:\s]+)(?::\w+)?")


@frozen
class Hop:
    """What one proxy has said; empty where it did not."""

    host: str = ""
    """IP address (``for``) of whoever had asked it, or what hides that."""
    proto: str = ""
    """``http`` or ``https``."""
    asked: str = ""
    """The Host that was asked for."""


def read_forwarded(header: str) -> list[Hop] | None:
    """
    Every hop, the nearest to the client first; ``None`` if it is malformed.

    An element that cannot be read makes all of it worthless: what follows it might be
    the client's own invention.
    """
    if len(header) > LONGEST:
        return None
    hops: list[Hop] = []
    found: dict[str, str] = {}
    at = 0
    while True:
        match = _PAIR.match(header, at)
        if match is None:
            return None
        name = match[1].lower()
        if name in found:
            return None
        plain = match[3]
        found[name] = _QUOTED.sub(r"\1", match[2]) if plain is None else plain
        at = match.end()
        if header[at : at + 1] == ";":
            at += 1
            continue
        hops.append(
            Hop(
                _address(found.get("for", "")),
                found.get("proto", "").lower(),
                found.get("host", ""),
            )
        )
        found = {}
        if at == len(header):
            return hops
        if header[at] != ",":
            return None
        at += 1


def believed(hops: list[Hop], is_trusted: Callable[[str], bool]) -> Hop | None:
    """
    The hop to believe: the first one, from our side, whose client is no proxy of ours.

    :param is_trusted: whether an address is a proxy that is believed.
    """
    for hop in reversed(hops):
        if not is_trusted(hop.host):
            return hop
    return hops[0] if hops else None


def _address(node: str) -> str:
    match = _NODE.fullmatch(node)
    if match is None:
        return ""
    return str(match[1] or match[2])
