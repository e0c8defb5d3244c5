"""
A disk that forgets: what the store did to its files, played back up to any moment.

`Recorder` writes down each change that `safefile` makes. A `Disk` plays some of them
and is put into a folder as it would be found after a kill, or after loss of power with
a journal that is lost from its end, or one where each name that no ``fsync`` covered
is lost or kept by itself. A database is any commit that its WAL may bring back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from attrs import define, field, frozen

from mailkit.storage.safefile import Operation, Verb

SYNCS = frozenset({Verb.SYNC, Verb.SYNC_FOLDER})
DATABASES = frozenset({"index.sqlite", "account.sqlite", "queue.sqlite"})
IGNORED = ("-wal", "-shm")


@frozen(eq=False)
class Change:
    """One operation and what else is to be known of it."""

    operation: Operation
    database: bytes = field(default=b"", repr=False)
    """After a COMMIT: the whole of it."""
    times: tuple[tuple[str, int], ...] = ()
    """Paths and their modification times (ns) afterwards."""

    @property
    def verb(self) -> Verb:
        return self.operation.verb


@define(eq=False)
class Recorder:
    """The observer of a store that is being watched; it may be told to stop it."""

    root: str
    changes: list[Change] = field(factory=list)
    before_each: Callable[[Operation], None] | None = None

    def before(self, operation: Operation) -> None:
        if self.before_each is not None:
            self.before_each(operation)

    def after(self, operation: Operation) -> None:
        database = b""
        if operation.verb is Verb.COMMIT and operation.connection is not None:
            database = operation.connection.serialize()
        paths = {operation.path, os.path.dirname(operation.path)}
        if operation.to:
            paths |= {operation.to, os.path.dirname(operation.to)}
        times = tuple(
            (os.path.relpath(path, self.root), os.stat(path).st_mtime_ns)
            for path in paths
            if os.path.exists(path) and path.startswith(self.root)
        )
        relative = Operation(
            operation.verb,
            os.path.relpath(operation.path, self.root),
            os.path.relpath(operation.to, self.root) if operation.to else "",
            operation.octets,
            operation.seconds,
            operation.is_full,
        )
        self.changes.append(Change(relative, database, times))


@define(eq=False)
class File:
    """Octets, and those that are durable."""

    octets: bytes = field(default=b"", repr=False)
    durable: bytes = field(default=b"", repr=False)
    mtime: int = 0
    was_new: bool = False
    """A stranger's, out of ``new/``: both its names are never found at once."""


@define(eq=False)
class Database:
    """Commits, oldest first; those from ``durable`` on may be lost."""

    commits: list[bytes] = field(factory=list, repr=False)
    durable: int = 0


@define(eq=False)
class Folder:
    """Names, and those that are durable."""

    names: dict[str, Node] = field(factory=dict)
    durable: dict[str, Node] = field(factory=dict)
    mtime: int = 0


Node = File | Database | Folder


@define(eq=False)
class Disk:
    """A tree of files below one root."""

    root: Folder = field(factory=Folder)

    @classmethod
    def of(cls, path: Path) -> Disk:
        """What is in a folder now, all of it durable."""
        return cls(_read(str(path)))

    def copy(self) -> Disk:
        """Another one that is equal."""
        return Disk(_copied(self.root, {}))

    def apply(self, changes: Sequence[Change]) -> Disk:
        """Play changes; for convenience itself."""
        for change in changes:
            _PLAYED[change.verb](self, change)
            for path, mtime in change.times:
                node = self.find(path)
                if isinstance(node, File | Folder):
                    node.mtime = mtime
        return self

    def find(self, path: str) -> Node | None:
        node: Node | None = self.root
        for name in path.split("/"):
            if name == ".":
                continue
            node = node.names.get(name) if isinstance(node, Folder) else None
        return node

    def folder_of(self, path: str) -> tuple[Folder, str]:
        above, _, name = path.rpartition("/")
        folder = self.find(above or ".")
        if not isinstance(folder, Folder):
            raise AssertionError(f"{above} is no folder")
        return folder, name

    def put(self, path: Path) -> None:
        """Make it a real folder, which must not be there."""
        _write(self.root, str(path))

    # --- losing power ---

    def after_strict_loss(self, choose: Random, lose: float) -> Disk:
        """Each name that no sync covered is lost by itself."""
        return Disk(_lose(self.root, choose, lose))

    def after_ordered_loss(self, choose: Random, lose: float) -> Disk:
        """Names are as they are; octets and commits that were not synced may go."""
        return Disk(_lose(self.root, choose, lose, keeps_names=True))


def ordered_losses(changes: Sequence[Change]) -> range:
    """How many of the changes may survive where a journal is lost from its end."""
    last = 0
    for position, change in enumerate(changes, 1):
        if change.verb in SYNCS:
            last = position
    return range(last, len(changes) + 1)


def commits_only(changes: Sequence[Change]) -> list[Change]:
    """Databases do not wait for the file system's journal."""
    return [change for change in changes if change.verb is Verb.COMMIT]


# --- playing ---


def _create(disk: Disk, change: Change) -> None:
    folder, name = disk.folder_of(change.operation.path)
    folder.names[name] = File()


def _add(disk: Disk, change: Change) -> None:
    _file(disk, change).octets += change.operation.octets


def _date(disk: Disk, change: Change) -> None:
    """`Change.times` has it."""


def _sync(disk: Disk, change: Change) -> None:
    file = _file(disk, change)
    file.durable = file.octets


def _sync_folder(disk: Disk, change: Change) -> None:
    folder = disk.find(change.operation.path)
    if not isinstance(folder, Folder):
        raise AssertionError("synced what is no folder")
    folder.durable = dict(folder.names)


def _rename(disk: Disk, change: Change) -> None:
    folder, name = disk.folder_of(change.operation.path)
    node = folder.names.pop(name)
    if isinstance(node, File) and change.operation.path.split("/")[-2] == "new":
        node.was_new = True
    folder, name = disk.folder_of(change.operation.to)
    folder.names[name] = node


def _link(disk: Disk, change: Change) -> None:
    node = disk.find(change.operation.path)
    if node is None:
        raise AssertionError("linked what is not there")
    folder, name = disk.folder_of(change.operation.to)
    folder.names[name] = node


def _unlink(disk: Disk, change: Change) -> None:
    folder, name = disk.folder_of(change.operation.path)
    folder.names.pop(name, None)


def _make_folder(disk: Disk, change: Change) -> None:
    folder, name = disk.folder_of(change.operation.path)
    if name not in folder.names:
        folder.names[name] = Folder()


def _commit(disk: Disk, change: Change) -> None:
    path = change.operation.path
    if not isinstance(disk.find(os.path.dirname(path)), Folder):
        return  # The folder it is in was lost.
    folder, name = disk.folder_of(path)
    node = folder.names.get(name)
    if not isinstance(node, Database):
        node = folder.names[name] = Database()
    node.commits.append(change.database)
    if change.operation.is_full:
        node.durable = len(node.commits) - 1


def _checkpoint(disk: Disk, change: Change) -> None:
    """What is read stays the same, and it is synced."""
    node = disk.find(change.operation.path)
    if isinstance(node, Database):
        node.durable = len(node.commits) - 1


_PLAYED: dict[Verb, Callable[[Disk, Change], None]] = {
    Verb.CREATE: _create,
    Verb.WRITE: _add,
    Verb.DATE: _date,
    Verb.SYNC: _sync,
    Verb.SYNC_FOLDER: _sync_folder,
    Verb.RENAME: _rename,
    Verb.LINK: _link,
    Verb.UNLINK: _unlink,
    Verb.MAKE_FOLDER: _make_folder,
    Verb.REMOVE_FOLDER: _unlink,
    Verb.COMMIT: _commit,
    Verb.CHECKPOINT: _checkpoint,
}


def _file(disk: Disk, change: Change) -> File:
    node = disk.find(change.operation.path)
    if not isinstance(node, File):
        raise AssertionError(f"{change.operation.path} is no file")
    return node


# --- trees ---


def _read(path: str) -> Folder:
    folder = Folder(mtime=os.stat(path).st_mtime_ns)
    for entry in os.scandir(path):
        if entry.name.endswith(IGNORED):
            continue
        if entry.is_dir():
            folder.names[entry.name] = _read(entry.path)
        elif entry.name in DATABASES:
            connection = sqlite3.connect(entry.path)
            folder.names[entry.name] = Database([connection.serialize()])
            connection.close()
        else:
            octets = Path(entry.path).read_bytes()
            mtime = entry.stat().st_mtime_ns
            folder.names[entry.name] = File(octets, octets, mtime)
    folder.durable = dict(folder.names)
    return folder


def _copied(folder: Folder, seen: dict[int, Node]) -> Folder:
    def copy(node: Node) -> Node:
        if id(node) not in seen:
            match node:
                case File(octets, durable, mtime, was_new):
                    seen[id(node)] = File(octets, durable, mtime, was_new)
                case Database(commits, durable_from):
                    seen[id(node)] = Database(list(commits), durable_from)
                case Folder():
                    _copied(node, seen)
        return seen[id(node)]

    made = Folder(mtime=folder.mtime)
    seen[id(folder)] = made
    made.names = {name: copy(node) for name, node in folder.names.items()}
    made.durable = {name: copy(node) for name, node in folder.durable.items()}
    return made


Name = tuple[int, str]
"""Of a folder, by its ``id``, and the name in it."""


def _lose(
    root: Folder, choose: Random, lose: float, *, keeps_names: bool = False
) -> Folder:
    """What is found: all of it durable then. Links stay links."""
    folders = _folders(root)
    chosen: dict[Name, Node] = {}
    for folder in folders:
        for name in sorted({*folder.names, *folder.durable}):
            node, durable = folder.names.get(name), folder.durable.get(name)
            if node is not durable and not keeps_names and choose.random() < lose:
                node = durable
            if node is not None:
                chosen[id(folder), name] = node
    _keep_renames_whole(folders, chosen, choose)
    found: dict[int, Node] = {}

    def node_found(node: Node) -> Node:
        if id(node) not in found:
            match node:
                case File(octets, durable, mtime):
                    if choose.random() < lose:
                        octets = durable
                    found[id(node)] = File(octets, octets, mtime)
                case Database(commits, durable_from):
                    last = len(commits) - 1
                    if choose.random() < lose:
                        last = choose.randint(durable_from, last)
                    found[id(node)] = Database([commits[last]])
                case Folder():
                    found[id(node)] = folder_found(node)
        return found[id(node)]

    def folder_found(old: Folder) -> Folder:
        made = Folder(mtime=old.mtime)
        for name in sorted({*old.names, *old.durable}):
            if (id(old), name) in chosen:
                made.names[name] = node_found(chosen[id(old), name])
        made.durable = dict(made.names)
        return made

    return folder_found(root)


def _folders(root: Folder) -> list[Folder]:
    """Every folder that has, or may still have, a name."""
    every = {id(root): root}
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for node in (*folder.names.values(), *folder.durable.values()):
            if isinstance(node, Folder) and id(node) not in every:
                every[id(node)] = node
                waiting.append(node)
    return list(every.values())


def _keep_renames_whole(
    folders: Sequence[Folder], chosen: dict[Name, Node], choose: Random
) -> None:
    """
    What is renamed is found under one name at least, within one folder under one.

    Between two folders it may be found under both.
    """
    now: dict[int, list[Name]] = {}
    durable: dict[int, list[Name]] = {}
    nodes: dict[int, Node] = {}
    for folder in folders:
        for names, of in ((folder.names, now), (folder.durable, durable)):
            for name, node in names.items():
                of.setdefault(id(node), []).append((id(folder), name))
                nodes[id(node)] = node
    for key in sorted(now.keys() & durable.keys(), key=lambda key: now[key][0][1]):
        added = [name for name in now[key] if name not in durable[key]]
        taken = [name for name in durable[key] if name not in now[key]]
        node = nodes[key]
        if isinstance(node, File) and node.was_new and not added:
            # Found where it went to, so nowhere else.
            for old in taken:
                if chosen.get(old) is node:
                    del chosen[old]
        if not (added and taken):
            continue
        for new, old in zip(sorted(added), sorted(taken), strict=False):
            if new[0] == old[0] or not isinstance(node, File) or node.was_new:
                keep, drop = choose.choice([(new, old), (old, new)])
                chosen[keep] = nodes[key]
                if chosen.get(drop) is nodes[key]:
                    del chosen[drop]
        if not any(chosen.get(name) is nodes[key] for name in (*added, *taken)):
            chosen[choose.choice([*added, *taken])] = nodes[key]


def _write(folder: Folder, path: str, made: dict[int, str] | None = None) -> None:
    made = {} if made is None else made
    os.mkdir(path)
    for name, node in folder.names.items():
        at = f"{path}/{name}"
        match node:
            case Folder():
                _write(node, at, made)
            case File(octets, _, mtime):
                if id(node) in made:
                    os.link(made[id(node)], at)
                    continue
                made[id(node)] = at
                with open(at, "wb") as file:
                    file.write(octets)
                if mtime:
                    os.utime(at, ns=(mtime, mtime))
            case Database(commits):
                with open(at, "wb") as file:
                    stat = os.fstat(file.fileno())
                    octets = commits[-1]
                    if name == "index.sqlite":
                        octets = as_file(octets, stat)
                    file.write(octets)
    if folder.mtime:
        os.utime(path, ns=(folder.mtime, folder.mtime))


# --- databases ---


def opened(octets: bytes) -> sqlite3.Connection:
    """A database in memory; WAL is not for those."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(octets[:18] + b"\1\1" + octets[20:])
    return connection


def as_file(octets: bytes, stat: os.stat_result) -> bytes:
    """The index as if it had always been this file (STORE.md §3)."""
    connection = opened(octets)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables[0]:
        connection.execute(
            "UPDATE account SET inode = ?, device = ?", (stat.st_ino, stat.st_dev)
        )
    changed = connection.serialize()
    connection.close()
    return changed[:18] + octets[18:20] + changed[20:]
