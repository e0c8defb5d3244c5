"""What this process knows of the messages that it has put, claimed and sealed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from attrs import define, field

from mailkit.model.queueitem import QueueId
from mailkit.storage.queue.reading import MessageFile

MOST_CLAIMS = 4096
"""Claimed items of which it is known where their octets are."""

MOST_OCTETS = 4 * 1024 * 1024
"""Octets of files that were just written, and are likely to be asked for."""


@define(eq=False)
class Known:
    """
    Saves looks at the database and into files; in the reactor's thread alone.

    A file never changes, so its octets stay true. Where a message is, is true for as
    long as it is claimed: only a seal changes it, and who seals it hears whether
    another process did so before.
    """

    _octets: OrderedDict[str, bytes] = field(factory=OrderedDict, init=False)
    """By the names of files."""
    _size: int = field(default=0, init=False)
    _names: OrderedDict[QueueId, str] = field(factory=OrderedDict, init=False)
    """The messages of claimed items."""
    _files: OrderedDict[str, MessageFile] = field(factory=OrderedDict, init=False)

    def written(self, file: str, octets: bytes) -> None:
        """A file has these octets; for it the oldest are forgotten."""
        self._octets[file] = octets
        self._size += len(octets)
        while self._size > MOST_OCTETS:
            _, oldest = self._octets.popitem(last=False)
            self._size -= len(oldest)

    def claimed(self, files: Mapping[QueueId, tuple[str, MessageFile]]) -> None:
        """Items are ours now; their messages, and where these are."""
        for id, (message, file) in files.items():
            self._names[id] = message
            self._files[message] = file
        _shorten(self._names)
        _shorten(self._files)

    def sealed(self, message: str, file: MessageFile | None) -> None:
        """A message is there now; ``None``: another process gave it its last form."""
        if file is None:
            self._files.pop(message, None)
        elif message in self._files:
            self._files[message] = file

    def released(self, ids: Iterable[QueueId]) -> None:
        """Items are not ours any more."""
        for id in ids:
            self._names.pop(id, None)

    def file(self, id: QueueId) -> MessageFile | None:
        """Where the message of a claimed item is."""
        return self._files.get(self._names.get(id, ""))

    def octets(self, file: str) -> bytes | None:
        """What is in a file."""
        return self._octets.get(file)


def _shorten(memory: OrderedDict[QueueId, str] | OrderedDict[str, MessageFile]) -> None:
    while len(memory) > MOST_CLAIMS:
        memory.popitem(last=False)
