"""Names that people give to what they keep."""

from __future__ import annotations

from mailkit.errors import CannotName


def checked_name(name: str, longest: int) -> str:
    """
    A name with single spaces.

    :raises CannotName: if it is empty, too long, or has what cannot be shown.
    """
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > longest or not wanted.isprintable():
        raise CannotName(name)
    return wanted
