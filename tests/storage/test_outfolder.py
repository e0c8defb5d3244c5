"""Maildir folders of other people's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from attrs import define, field
from zope.interface.verify import verifyObject

from mailkit.errors import StorageBroken, StorageFull
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.model.queueitem import Fate
from mailkit.model.target import ToMaildir
from mailkit.storage.outfolder import IntoMaildir
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.net.relay.world import TEXT, OnDisk, item

NAME = "0.Q5f3c.1.mail.example.org"
HEAD = (
    b"Return-Path: <x@elsewhere.test>\r\nDelivered-To: a@x.test\r\n"
    b"Delivered-To: b@x.test\r\n"
)


@define
class Trouble:
    """Writes down what is done, and fails where it was told to."""

    fails: Verb | None = None
    error: BaseException = field(factory=lambda: OSError(28, "full"))
    seen: list[tuple[Verb, str]] = field(factory=list)

    def before(self, operation: Operation) -> None:
        if operation.verb is self.fails:
            raise self.error

    def after(self, operation: Operation) -> None:
        self.seen.append((operation.verb, os.path.basename(operation.path)))


def carry(folder: Path, trouble: Trouble | None = None, meta: bool = False) -> Carried:
    target = ToMaildir(folder=str(folder / "out"), has_metadata=meta)
    end = IntoMaildir(target, "mail.example.org", DirectLanes(), Files(trouble))
    verifyObject(IRouteEnd, end)
    done = at_once(end.carry(item("a@x.test", "b@x.test"), OnDisk(TEXT)))
    at_once(end.close())
    return done


def test_a_message_is_there_once(tmp_path: Path) -> None:
    for _ in range(2):
        done = carry(tmp_path)
        assert [one.fate for one in done.reports] == [Fate.RELAYED] * 2
    [file] = (tmp_path / "out" / "new").iterdir()
    assert file.name == NAME
    assert file.read_bytes() == HEAD + TEXT
    file.rename(tmp_path / "out" / "cur" / f"{NAME}:2,S")
    carry(tmp_path)
    assert not any((tmp_path / "out" / "new").iterdir())
    assert not any((tmp_path / "out" / "tmp").iterdir())
    assert not (tmp_path / "out" / "meta").exists()


def test_metadata_is_there_before_the_message(tmp_path: Path) -> None:
    trouble = Trouble()
    carry(tmp_path, trouble, meta=True)
    steps = [step for step in trouble.seen if step[0] in (Verb.SYNC, Verb.RENAME)]
    assert steps == [
        (Verb.SYNC, f"{NAME}.json.new"),
        (Verb.RENAME, f"{NAME}.json.new"),
        (Verb.SYNC, NAME),
        (Verb.RENAME, NAME),
    ]
    assert trouble.seen[-1] == (Verb.SYNC_FOLDER, "new")
    told = json.loads((tmp_path / "out" / "meta" / f"{NAME}.json").read_text())
    assert told["envelope"]["to"] == ["a@x.test", "b@x.test"]


@pytest.mark.parametrize(
    "verb", [Verb.CREATE, Verb.WRITE, Verb.SYNC, Verb.RENAME, Verb.MAKE_FOLDER]
)
def test_a_disk_that_fails_leaves_nothing_behind(tmp_path: Path, verb: Verb) -> None:
    with pytest.raises(StorageFull):
        carry(tmp_path, Trouble(verb))
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert left == []
    carry(tmp_path)
    assert (tmp_path / "out" / "new" / NAME).exists()


def test_what_an_attempt_left_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "out" / "tmp").mkdir(parents=True)
    (tmp_path / "out" / "tmp" / NAME).write_bytes(b"half")
    carry(tmp_path)
    assert (tmp_path / "out" / "new" / NAME).read_bytes() == HEAD + TEXT


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageBroken):
        carry(tmp_path)
