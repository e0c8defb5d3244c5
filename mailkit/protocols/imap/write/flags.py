"""Lists of flags (RFC 9051 §2.3.2), written once for each set that is in use."""

from __future__ import annotations

from collections.abc import Iterable

from mailkit.model.flags import Flags

_ROOM = 4096


def flag_list(flags: Iterable[str]) -> bytes:
    """In parentheses, in the order given."""
    return b"(%b)" % " ".join(flags).encode("ascii")


class FlagLists(dict[Flags, bytes]):
    """Set of flags → its list, sorted; remembers what it wrote, within bounds."""

    def __init__(self, *first: str) -> None:
        """:param first: what each list begins with."""
        super().__init__()
        self._first = first

    def __missing__(self, flags: Flags) -> bytes:
        if len(self) >= _ROOM:
            self.clear()
        octets = self[flags] = flag_list((*self._first, *sorted(flags)))
        return octets


FLAG_LISTS = FlagLists()
RECENT_FLAG_LISTS = FlagLists("\\Recent")
