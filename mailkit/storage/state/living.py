"""
Which processes of one data folder live: those whose locks the kernel still holds.

Each has a locked file below ``<data>/run/``. The lock ends with the process, however
that ends, and with nothing else: one that is stopped, or that hangs, is alive.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress

from attrs import define, field

_PREFIX = "sender."


@define(eq=False)
class Living:
    """
    This process, under one name, and the others. All methods block, for a moment.

    :param folder: ``<data>/run``, which may be emptied while the server is down: of
        whom nothing is there, nothing is known.
    """

    _folder: str
    _path: str = field(init=False, default="")
    _descriptor: int = field(init=False, default=-1)

    def begin(self, name: str) -> None:
        """
        Be alive under a name that no other has, until `end` or until this process ends.

        :raises OSError: if that cannot be told; nobody will know that it ended, then.
        """
        os.makedirs(self._folder, 0o700, exist_ok=True)
        path = f"{self._folder}/{_PREFIX}{name}"
        # It has its name when it is locked: nobody is to find it before.
        fresh = f"{self._folder}/new.{_PREFIX}{name}"
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(fresh, path)
        except OSError:
            os.close(descriptor)
            raise
        self._path, self._descriptor = path, descriptor

    def end(self) -> None:
        """It ends, and leaves nothing behind. Safe to call twice."""
        if self._descriptor >= 0:
            with suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1

    def dead(self) -> Sequence[str]:
        """
        The names of those who ended without a word.

        :raises OSError: if the folder is there and cannot be read.
        """
        try:
            names = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return ()
        return [
            name.removeprefix(_PREFIX)
            for name in names
            if name.startswith(_PREFIX) and self._is_dead(f"{self._folder}/{name}")
        ]

    def forget(self, name: str) -> None:
        """What they left was seen to."""
        with suppress(OSError):  # somebody else did, or does at the next start
            os.unlink(f"{self._folder}/{_PREFIX}{name}")

    def _is_dead(self, path: str) -> bool:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False  # it ended by itself this moment, or is not ours to judge
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True
