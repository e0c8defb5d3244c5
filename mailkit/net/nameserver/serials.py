"""Serial numbers of zones, which rise whenever what is in them changes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from attrs import frozen

from mailkit.errors import StorageBroken

_LARGEST = 1 << 32


@frozen
class Serials:
    """One small file a zone, so that all processes count alike. Blocks."""

    folder: Path

    def serial_of(self, origin: str, digest: str, given: int, first: int) -> int:
        """
        The number for these contents: the same as long as they are.

        :param given: what somebody wrote down: the number is not below it.
        :param first: what a new number is at least.
        :raises StorageBroken: if it cannot be kept.
        """
        path = self.folder / f"{origin}.json"
        kept = _read(path)
        if kept is not None and kept[0] == digest and kept[1] >= given:
            return kept[1]
        least = max(given, first)
        # Arithmetic without end (RFC 1982) is for those who count in leaps.
        serial = least if kept is None else max(least, kept[1] + 1) % _LARGEST
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            mine.write_text(json.dumps({"digest": digest, "serial": serial}))
            os.replace(mine, path)
        except OSError as error:
            raise StorageBroken(f"{path}: {error.strerror}") from error
        return serial


def _read(path: Path) -> tuple[str, int] | None:
    try:
        kept = json.loads(path.read_text())
        return str(kept["digest"]), int(kept["serial"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no file, or one that was cut: counted anew, from the clock
