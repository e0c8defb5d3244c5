"""
Drafts as files: ``<account>/drafts/<id>/``.

A draft is the file ``v<version>`` in JSON, and ``f<number>`` are its files. A version
is kept by a link to a name that must be free, so of two who keep the same one alone
succeeds, in whatever process. What was begun and has to be finished is a small file of
the draft's id in ``<data>/drafts/``.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import asdict, define, evolve, field, frozen
from attrs.validators import ge
from zope.interface import implementer

from mailkit.errors import DraftChanged, NoSuchDraft, StorageBroken, TooMany
from mailkit.interfaces.drafts import IDraftStore, IDraftUpload
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.draft import (
    Draft,
    DraftFile,
    DraftId,
    DraftState,
    Opening,
    Purpose,
    Writing,
    is_draft_id,
)
from mailkit.storage.maildir.naming import account_folder
from mailkit.storage.safefile import Files, NewFile, told_as_ours

T = TypeVar("T")

_VERSION = re.compile(r"v([0-9]{1,15})")
_LOOKS = 20
"""How often a draft is looked for that others keep changing."""
_PIECE = 1 << 20


@frozen
class DraftLimits:
    """How much may be kept of what is not sent."""

    drafts: int = field(default=1000, validator=ge(1))
    """Of one account."""


@implementer(IDraftStore)
@define(eq=False)
class DraftFolders:
    """The drafts below one data folder; several processes may have it open."""

    _data: Path
    _lanes: ILanes
    _files: Files = field(factory=Files)
    _limits: DraftLimits = DraftLimits()

    async def drafts(self, account: AccountName) -> Sequence[Draft]:
        return await self._run(account, partial(self._all, account))

    async def draft(self, account: AccountName, id: DraftId) -> Draft:
        return await self._run(account, partial(self._read, account, id))

    async def put(self, account: AccountName, draft: Draft) -> None:
        await self._run(account, partial(self._put, account, draft))

    async def remove(self, account: AccountName, id: DraftId) -> None:
        await self._run(account, partial(self._remove, account, id))

    async def begin_file(
        self, account: AccountName, id: DraftId, number: int
    ) -> IDraftUpload:
        folder = self._folder(account, id)
        new = await self._lanes.sync(partial(_told, partial(self._begin, folder)))
        path = os.path.join(folder, f"f{number}")
        return DraftUpload(self._lanes, self._files, new, path)

    async def file(self, account: AccountName, id: DraftId, number: int) -> IContent:
        path = os.path.join(self._folder(account, id), f"f{number}")
        size = await self._lanes.sync(partial(_told, partial(_size, path)))
        return DraftFileContent(self._lanes, path, size)

    async def remove_file(self, account: AccountName, id: DraftId, number: int) -> None:
        path = os.path.join(self._folder(account, id), f"f{number}")
        await self._run(account, partial(self._files.unlink, path))

    async def mark(self, account: AccountName, id: DraftId) -> None:
        await self._lanes.sync(partial(_told, partial(self._mark, account, id)))

    async def unmark(self, id: DraftId) -> None:
        path = self._mark_of(id)
        await self._lanes.sync(partial(_told, partial(self._files.unlink, path)))

    async def marked(self) -> Sequence[tuple[AccountName, DraftId]]:
        return await self._lanes.sync(partial(_told, self._marked))

    async def _run(self, account: AccountName, work: Callable[[], T]) -> T:
        # Not the lane of its mail: that may be busy for long.
        return await self._lanes.run(("drafts", account), partial(_told, work))

    # --- what follows runs in threads ---

    def _folder(self, account: AccountName, id: str = "") -> str:
        """:raises NoSuchDraft: if the id is none, whoever made it up."""
        folder = f"{self._data}/mail/{account_folder(account)}/drafts"
        if not id:
            return folder
        if not is_draft_id(id):
            raise NoSuchDraft(id)
        return os.path.join(folder, id)

    def _all(self, account: AccountName) -> list[Draft]:
        found: list[Draft] = []
        for id in _names(self._folder(account)):
            if is_draft_id(id):
                try:
                    found.append(self._read(account, DraftId(id)))
                except NoSuchDraft:
                    continue  # it went while we looked, or never had a version
        return sorted(found, key=lambda draft: draft.changed, reverse=True)

    def _read(self, account: AccountName, id: DraftId) -> Draft:
        folder = self._folder(account, id)
        looks = _LOOKS
        while looks and (version := _newest(folder)):
            try:
                with open(os.path.join(folder, f"v{version}"), "rb") as file:
                    return of_text(file.read())
            except FileNotFoundError:
                looks -= 1  # the next version is there already
        raise NoSuchDraft(id)

    def _put(self, account: AccountName, draft: Draft) -> None:
        folder = self._folder(account, draft.id)
        if draft.version == 1:
            if len(_names(os.path.dirname(folder))) >= self._limits.drafts:
                raise TooMany("drafts")
            self._files.make_folders(folder)
        newest = _newest(folder)
        if not newest and draft.version != 1:
            raise NoSuchDraft(draft.id)
        if newest >= draft.version:
            raise DraftChanged(draft.id)
        beside = os.path.join(folder, f"new-{secrets.token_hex(8)}")
        new = self._files.create(beside)
        try:
            new.write(to_text(draft))
            new.finish()
            self._files.link(beside, os.path.join(folder, f"v{draft.version}"))
        except FileExistsError as error:
            raise DraftChanged(draft.id) from error
        finally:
            new.discard()
        self._files.sync_folder(folder)
        for name in _names(folder):
            version = _version(name)
            if version and version < draft.version:
                self._files.unlink(os.path.join(folder, name))

    def _remove(self, account: AccountName, id: DraftId) -> None:
        self._files.remove_tree(self._folder(account, id))
        self._files.unlink(self._mark_of(id))

    def _begin(self, folder: str) -> NewFile:
        if not _newest(folder):
            raise NoSuchDraft(os.path.basename(folder))
        return self._files.create(os.path.join(folder, f"part-{secrets.token_hex(8)}"))

    def _mark_of(self, id: DraftId) -> str:
        if not is_draft_id(id):
            raise NoSuchDraft(id)
        return f"{self._data}/drafts/{id}"

    def _mark(self, account: AccountName, id: DraftId) -> None:
        path = self._mark_of(id)
        self._files.make_folders(os.path.dirname(path))
        if not os.path.exists(path):
            self._files.replace(path, account.encode())

    def _marked(self) -> list[tuple[AccountName, DraftId]]:
        folder = f"{self._data}/drafts"
        found: list[tuple[AccountName, DraftId]] = []
        for id in filter(is_draft_id, sorted(_names(folder))):
            try:
                with open(os.path.join(folder, id), "rb") as file:
                    account = AccountName(file.read().decode("utf-8", "replace"))
            except FileNotFoundError:
                continue  # it was finished while we looked
            found.append((account, DraftId(id)))
        return found


@implementer(IDraftUpload)
@define(eq=False)
class DraftUpload:
    """A file that comes in pieces, under a name of its own until it is whole."""

    _lanes: ILanes
    _files: Files
    _new: NewFile
    _path: str
    size: int = field(default=0, init=False)
    _is_over: bool = field(default=False, init=False)

    async def write(self, octets: bytes) -> None:
        await self._do(partial(self._new.write, octets))
        self.size += len(octets)

    async def finish(self) -> None:
        await self._do(self._finish)
        self._is_over = True

    async def discard(self) -> None:
        if not self._is_over:
            self._is_over = True
            await self._do(self._new.discard)

    async def _do(self, work: Callable[[], object]) -> None:
        await self._lanes.sync(partial(_told, work))

    def _finish(self) -> None:
        self._new.finish()
        try:
            self._files.rename(self._new.path, self._path)
            self._files.sync_folder(os.path.dirname(self._path))
        except FileNotFoundError as error:
            raise NoSuchDraft(self._path) from error


@implementer(IContent)
@define(eq=False)
class DraftFileContent:
    """A file of a draft, read where it lies."""

    _lanes: ILanes
    _path: str
    size: int
    octets: bytes | None = field(default=None, init=False)

    async def read(self, start: int, count: int) -> bytes:
        work = partial(_told, partial(_piece, self._path, start, min(count, _PIECE)))
        return await self._lanes.sync(work)


def to_text(draft: Draft) -> bytes:
    """A draft in JSON."""
    facts = asdict(draft)
    facts["opening"]["purpose"] = draft.opening.purpose.value
    facts["state"] = draft.state.value
    return json.dumps(facts, ensure_ascii=True).encode("ascii")


def of_text(octets: bytes) -> Draft:
    """
    The way back; what another version of this program wrote besides is left out.

    :raises StorageBroken: if it is none.
    """
    try:
        facts: dict[str, Any] = json.loads(octets)  # Any: it is JSON
        writing = Writing(**_known(Writing, facts.pop("writing")))
        opening = facts.pop("opening")
        files = [DraftFile(**_known(DraftFile, one)) for one in facts.pop("files")]
        draft = Draft(**_known(Draft, facts))
        return evolve(
            draft,
            writing=writing,
            opening=Opening(Purpose(opening["purpose"]), opening["original"]),
            files=tuple(files),
            references=tuple(draft.references),
            state=DraftState(draft.state),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageBroken(f"a draft cannot be read: {error}") from error


def _known(kind: type, facts: dict[str, Any]) -> dict[str, Any]:
    names = kind.__annotations__
    return {name: value for name, value in facts.items() if name in names}


def _told(work: Callable[[], T]) -> T:
    with told_as_ours():
        return work()


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _version(name: str) -> int:
    match = _VERSION.fullmatch(name)
    return int(match[1]) if match else 0


def _newest(folder: str) -> int:
    return max(map(_version, _names(folder)), default=0)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise NoSuchDraft(os.path.basename(path)) from error
        raise


def _piece(path: str, start: int, count: int) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return os.pread(file.fileno(), count, start)
    except FileNotFoundError as error:
        raise NoSuchDraft(os.path.basename(path)) from error
