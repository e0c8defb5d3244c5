"""
Maildir folders of other people's, which a route puts messages into.

A message is written to ``tmp``, synced, and renamed into ``new``, as every Maildir has
it. Its name is made of the id in the queue: an attempt that is made again, because
nobody knows whether the last one came to its end, finds the message there and leaves it
as it is, while it is still in ``new`` or ``cur``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.formats import received, routed
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.target import ToMaildir
from mailkit.storage.safefile import Files, NewFile, told_as_ours

META = "meta"
"""The folder of the metadata, beside ``new``: readers of Maildirs do not look there."""

_FOLDERS = ("tmp", "new", "cur")
_PIECE = 1 << 20


@implementer(IRouteEnd)
@define(eq=False)
class IntoMaildir:
    """
    One folder that somebody else reads.

    Each message has Return-Path and a Delivered-To for each recipient on top.

    :param hostname: ours, for the names of files.
    """

    _target: ToMaildir
    _hostname: str
    _lanes: ILanes
    _files: Files = field(factory=Files)
    is_final: bool = True

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        folder = self._target.folder
        name = self._name(item)
        if not await self._lanes.run(("route", folder), lambda: self._begin(name)):
            await self._write(item, content, name)
        reports = tuple(
            Report(each.path, Fate.RELAYED, "2.1.5", f"written as {name}")
            for each in item.waiting
        )
        return Carried(reports=reports)

    async def close(self) -> None:
        """Nothing is held on to."""

    # -- within

    def _name(self, item: QueueItem) -> str:
        """The same for each attempt, and for no other message."""
        host = self._hostname.replace("/", "_").replace(":", "_")
        return f"{int(item.arrived)}.Q{item.id}.{host}"

    async def _write(self, item: QueueItem, content: IContent, name: str) -> None:
        lane = ("route", self._target.folder)
        run = self._lanes.run
        file = await run(lane, lambda: self._create(name, _head(item)))
        try:
            at = 0
            while piece := await content.read(at, _PIECE):
                at += len(piece)
                await run(lane, lambda piece=piece: _add(file, piece))  # type: ignore[misc]  # the default binds it
            meta = await self._meta(item, content)
            await run(lane, lambda: self._finish(file, name, meta))
        except BaseException:
            await run(lane, file.discard)
            raise

    async def _meta(self, item: QueueItem, content: IContent) -> bytes:
        if not self._target.has_metadata:
            return b""
        octets = await content.read(0, routed.LOOKED_AT)
        facts = routed.facts_of(item, octets, content.size)
        return json.dumps(facts, indent=1).encode("ascii") + b"\n"

    # -- in the lane

    def _begin(self, name: str) -> bool:
        """Make the folders; whether the message is there already."""
        folder = self._target.folder
        with told_as_ours():
            wanted = [*_FOLDERS, META] if self._target.has_metadata else _FOLDERS
            for one in wanted:
                self._files.make_folders(os.path.join(folder, one))
            return os.path.exists(os.path.join(folder, "new", name)) or any(
                one.startswith(name) for one in os.listdir(os.path.join(folder, "cur"))
            )

    def _create(self, name: str, head: bytes) -> NewFile:
        path = os.path.join(self._target.folder, "tmp", name)
        with told_as_ours():
            self._files.unlink(path)  # of an attempt that did not come to its end
            file = self._files.create(path)
            try:
                file.write(head)
            except BaseException:
                file.discard()
                raise
            return file

    def _finish(self, file: NewFile, name: str, meta: bytes) -> None:
        """Whoever sees the message in ``new`` finds its metadata."""
        folder, files = self._target.folder, self._files
        with told_as_ours():
            if meta:
                files.replace(os.path.join(folder, META, f"{name}.json"), meta)
            file.finish()
            files.rename(file.path, os.path.join(folder, "new", name))
            files.sync_folder(os.path.join(folder, "new"))


def _head(item: QueueItem) -> bytes:
    paths: Sequence[str] = [str(each.path) for each in item.waiting]
    head = received.write_return_path(str(item.envelope.reverse_path))
    return head + b"".join(map(received.write_delivered_to, paths))


def _add(file: NewFile, piece: bytes) -> None:
    with told_as_ours():
        file.write(piece)
