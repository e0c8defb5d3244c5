"""Drafts as files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from attrs import evolve
from twisted.trial.unittest import TestCase

from mailkit.errors import DraftChanged, NoSuchDraft, StorageBroken
from mailkit.interfaces.drafts import IDraftStore
from mailkit.model.draft import DraftId
from mailkit.storage import drafts
from mailkit.storage.drafts import DraftFolders, DraftLimits
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.drafts import ANNA, ONE, DraftsContract
from mailkit.testing.lanes import DirectLanes


class TestDraftFolders(DraftsContract, TestCase):
    """As every store of drafts."""

    def make_store(self, most: int) -> IDraftStore:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        limits = DraftLimits(most)
        return DraftFolders(Path(folder.name), DirectLanes(), limits=limits)


def folders(tmp_path: Path, files: Files | None = None) -> DraftFolders:
    return DraftFolders(tmp_path, DirectLanes(), files or Files())


def of_anna(tmp_path: Path) -> Path:
    return tmp_path / "mail" / "example.test" / "anna" / "drafts" / ONE.id


def test_one_file_a_draft(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.put(ANNA, ONE))
    at_once(store.put(ANNA, evolve(ONE, version=2)))
    assert os.listdir(of_anna(tmp_path)) == ["v2"]


class _Meanwhile:
    """Does something between two steps, once."""

    def __init__(self, verb: Verb, store: DraftFolders) -> None:
        self._verb, self._store = verb, store
        self.is_done = False

    def before(self, operation: Operation) -> None:
        if operation.verb is self._verb and not self.is_done:
            self.is_done = True
            at_once(self._store.put(ANNA, evolve(ONE, version=2, revision=7)))

    def after(self, operation: Operation) -> None:
        """Nothing."""


def test_of_two_processes_one_succeeds(tmp_path: Path) -> None:
    at_once(folders(tmp_path).put(ANNA, ONE))
    meanwhile = _Meanwhile(Verb.LINK, folders(tmp_path))
    store = folders(tmp_path, Files(meanwhile))
    with pytest.raises(DraftChanged):
        at_once(store.put(ANNA, evolve(ONE, version=2, revision=8)))
    assert at_once(store.draft(ANNA, ONE.id)).revision == 7
    assert os.listdir(of_anna(tmp_path)) == ["v2"]


class _Stop(BaseException):
    """The process is gone."""


class _StopsBefore:
    """Ends the program before its ``left``th step."""

    def __init__(self, left: int) -> None:
        self.left = left

    def before(self, operation: Operation) -> None:
        self.left -= 1
        if self.left < 0:
            raise _Stop

    def after(self, operation: Operation) -> None:
        """Nothing."""


@pytest.mark.parametrize("steps", range(12))
def test_stopped_anywhere_one_version_is_there(tmp_path: Path, steps: int) -> None:
    at_once(folders(tmp_path).put(ANNA, ONE))
    new = evolve(ONE, version=2, revision=9)
    stopping = _StopsBefore(steps)
    try:
        at_once(folders(tmp_path, Files(stopping)).put(ANNA, new))
    except _Stop:
        pass
    else:
        assert stopping.left >= 0
    store = folders(tmp_path)
    found = at_once(store.draft(ANNA, ONE.id))
    assert found in (ONE, new)
    at_once(store.put(ANNA, evolve(new, version=found.version + 1)))
    assert list(at_once(store.drafts(ANNA))) == [evolve(new, version=found.version + 1)]


def test_a_new_one_that_is_stopped_is_no_draft(tmp_path: Path) -> None:
    of_anna(tmp_path).mkdir(parents=True)
    store = folders(tmp_path)
    assert list(at_once(store.drafts(ANNA))) == []
    with pytest.raises(NoSuchDraft):
        at_once(store.draft(ANNA, ONE.id))


def test_one_that_others_keep_changing(tmp_path: Path) -> None:
    """Each version goes as it is about to be read; at some time it is enough."""
    at_once(folders(tmp_path).put(ANNA, ONE))
    (of_anna(tmp_path) / "v1").unlink()
    (of_anna(tmp_path) / "v3").symlink_to("nowhere")
    with pytest.raises(NoSuchDraft):
        at_once(folders(tmp_path).draft(ANNA, ONE.id))


def test_marks_that_go_while_they_are_read(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.mark(ANNA, ONE.id))
    (tmp_path / "drafts" / ("f" * 32)).symlink_to("nowhere")
    (tmp_path / "drafts" / "something else").touch()
    assert list(at_once(store.marked())) == [(ANNA, ONE.id)]


def test_names_that_nobody_made(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.put(ANNA, ONE))
    (of_anna(tmp_path).parent / "something else").mkdir()
    assert list(at_once(store.drafts(ANNA))) == [ONE]
    with pytest.raises(NoSuchDraft):
        at_once(store.mark(ANNA, DraftId("../../x")))


def test_a_file_whose_folder_cannot_be_looked_into(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.put(ANNA, ONE))
    (of_anna(tmp_path) / "f1").symlink_to("f1")
    with pytest.raises(StorageBroken):
        at_once(store.file(ANNA, ONE.id, 1))


def test_what_is_no_draft(tmp_path: Path) -> None:
    at_once(folders(tmp_path).put(ANNA, ONE))
    (of_anna(tmp_path) / "v1").write_bytes(b'{"id": 1}')
    with pytest.raises(StorageBroken):
        at_once(folders(tmp_path).draft(ANNA, ONE.id))


def test_what_later_programs_know_is_left_out() -> None:
    text = drafts.to_text(ONE).replace(b'"version"', b'"colour": 1, "version"', 1)
    assert drafts.of_text(text) == ONE


def test_a_file_that_goes_while_it_is_read(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.put(ANNA, ONE))
    upload = at_once(store.begin_file(ANNA, ONE.id, 1))
    at_once(upload.write(b"abc"))
    at_once(upload.finish())
    content = at_once(store.file(ANNA, ONE.id, 1))
    at_once(store.remove_file(ANNA, ONE.id, 1))
    with pytest.raises(NoSuchDraft):
        at_once(content.read(0, 3))


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    store = folders(tmp_path)
    at_once(store.put(ANNA, ONE))
    (of_anna(tmp_path) / "v1").unlink()
    (of_anna(tmp_path) / "v1").mkdir()
    with pytest.raises(StorageBroken):
        at_once(store.draft(ANNA, ONE.id))
