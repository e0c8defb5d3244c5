"""Sizes and times as people write them: ``5 MiB``, ``500 MB``, ``2 h``, ``5 d``.

``MB`` is 10⁶ octets and ``MiB`` is 2²⁰. A settings class says by its annotation
which of the two a number is::

    message_size: Octets = 50 * MIB
    give_up_after: Seconds = 5 * DAY
"""

from __future__ import annotations

import re
from typing import Annotated

from attrs import frozen


@frozen
class Unit:
    """Marks, inside ``Annotated``, what a number counts."""

    counts: str
    """``octets`` or ``seconds``."""


Octets = Annotated[int, Unit("octets")]
"""A size; in the file a number, or a text such as ``50 MiB``."""

Seconds = Annotated[float, Unit("seconds")]
"""A time; in the file a number, or a text such as ``5 d``."""

KB, MB, GB = 10**3, 10**6, 10**9
KIB, MIB, GIB = 2**10, 2**20, 2**30
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

_OCTETS = {
    "TiB": 2**40,
    "GiB": GIB,
    "MiB": MIB,
    "KiB": KIB,
    "TB": 10**12,
    "GB": GB,
    "MB": MB,
    "kB": KB,
    "B": 1,
}
_SECONDS = {"w": 7 * DAY, "d": DAY, "h": HOUR, "min": MINUTE, "s": 1.0, "ms": 0.001}
_BY_NAME_OCTETS = {name.lower(): factor for name, factor in _OCTETS.items()} | {"": 1}
_BY_NAME_SECONDS = {**_SECONDS, "": 1.0}
_AMOUNT = re.compile(r"\s*(\d{1,15})(?:\.(\d{1,9}))?\s*([A-Za-z]*)\s*", re.ASCII)


def parse_octets(text: str) -> int:
    """
    A size in octets; without a unit the number is octets.

    :raises ValueError: if it is not one.
    """
    match = _AMOUNT.fullmatch(text)
    factor = _BY_NAME_OCTETS.get(match[3].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f'expects a size such as "50 MiB", not "{text}"')
    # Whole numbers alone, so that no size is rounded by a float on its way.
    part = match[2] or ""
    scale: int = 10 ** len(part)
    return int(match[1] + part) * factor // scale


def parse_seconds(text: str) -> float:
    """
    A time in seconds; without a unit the number is seconds.

    :raises ValueError: if it is not one.
    """
    match = _AMOUNT.fullmatch(text)
    factor = _BY_NAME_SECONDS.get(match[3]) if match else None
    if match is None or factor is None:
        raise ValueError(f'expects a time such as "30 s" or "4 h", not "{text}"')
    return float(f"{match[1]}.{match[2] or 0}") * factor


def say_octets(octets: int) -> str:
    """The shortest exact way to write a size; `parse_octets` reads it back."""
    for name, factor in _OCTETS.items():
        if octets and octets % factor == 0:
            return f"{octets // factor} {name}"
    return "0 B"


def say_about(octets: int) -> str:
    """A size for people, to three digits: ``1.23 MB``."""
    for name in ("TB", "GB", "MB", "kB"):
        if octets >= _OCTETS[name]:
            return f"{octets / _OCTETS[name]:.3g} {name}"
    return f"{octets} B"


def say_seconds(seconds: float) -> str:
    """The shortest way to write a time of whole milliseconds."""
    for name, factor in _SECONDS.items():
        if seconds and seconds % factor == 0:
            return f"{seconds / factor:.0f} {name}"
    return f"{seconds * 1000:.0f} ms"
