"""Who the server is on this machine, once its ports are bound."""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from mailkit.errors import Refused


@frozen
class Identity:
    """A user of this machine, all groups included."""

    name: str
    uid: int
    gid: int


def look_up(name: str) -> Identity:
    """
    The user called ``name``.

    :raises Refused: if there is none.
    """
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise Refused(f"no user {name} on this machine") from error
    return Identity(name, entry.pw_uid, entry.pw_gid)


def is_root() -> bool:
    """Whether this process may do everything."""
    return os.geteuid() == 0


def become(identity: Identity) -> None:
    """Be that user, for good and in every thread."""
    os.initgroups(identity.name, identity.gid)
    os.setgid(identity.gid)
    os.setuid(identity.uid)


def make_folder(path: Path, owner: Identity | None) -> None:
    """
    Make sure that the data folder is there and can be written.

    :param owner: who a folder that is made here shall belong to.
    :raises Refused: saying which folder, and why not.
    """
    try:
        missing = not path.exists()
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        if missing:
            give([path], owner)
    except OSError as error:
        raise Refused(f"cannot make {path}: {error.strerror}") from error


def give(paths: Sequence[Path], owner: Identity | None) -> None:
    """Let files that root made belong to ``owner``, if there is one."""
    if owner is not None and is_root():
        for path in paths:
            os.chown(path, owner.uid, owner.gid)


def check_writable(path: Path) -> None:
    """
    See that this process can write in a folder.

    :raises Refused: saying which folder, and why not.
    """
    probe = path / f".mailkit-{os.getpid()}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise Refused(f"cannot write to {path}: {error.strerror}") from error
