"""The small files beside the mail are read, written, and refused when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.errors import StorageBroken
from mailkit.model.address import AccountName
from mailkit.storage.maildir import numbers
from mailkit.storage.maildir.numbers import UIDFile
from mailkit.storage.safefile import Files

ALICE = AccountName("alice@example.org")


def test_the_uid_file_is_kept(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert UIDFile.read(folder) is None
    new = UIDFile.new(ALICE, 1_700_000_000)
    new.write(Files(), folder)
    assert UIDFile.read(folder) == new
    assert new.mark == 1
    assert new.raised(5).mark == 5 + numbers.UID_STEP
    assert new.raised(9000).mark == 9000 + numbers.UID_STEP
    assert UIDFile.new(ALICE, 1).mailbox_id != UIDFile.new(ALICE, 2).mailbox_id


@pytest.mark.parametrize("text", [b"", b"1 2 3", b"2 1 F 5", b"1 x F 5", b"\xff"])
def test_a_damaged_uid_file_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / numbers.UID_FILE).write_bytes(text)
    with pytest.raises(StorageBroken):
        UIDFile.read(str(tmp_path))


def test_the_floor_is_kept(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert numbers.read_mod_seq_floor(folder) == 0
    numbers.write_mod_seq_floor(Files(), folder, 1 << 60)
    assert numbers.read_mod_seq_floor(folder) == 1 << 60
    (tmp_path / numbers.MOD_SEQ_FILE).write_bytes(b"x")
    with pytest.raises(StorageBroken):
        numbers.read_mod_seq_floor(folder)


def test_keywords_are_kept(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert numbers.read_keywords(folder) == {}
    numbers.write_keywords(Files(), folder, {"a": "$Junk", "b": "Ärger"})
    assert numbers.read_keywords(folder) == {"a": "$Junk", "b": "Ärger"}
    (tmp_path / numbers.KEYWORD_FILE).write_bytes(b"a x\na y\nA z\nbc d\nb\n\n")
    assert numbers.read_keywords(folder) == {"a": "x"}
