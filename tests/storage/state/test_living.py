"""Who is alive, by locks that end with a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailkit.storage.state.living import Living


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def begun(run: Path, name: str) -> Living:
    living = Living(str(run))
    living.begin(name)
    return living


def kill(living: Living) -> None:
    """What the kernel does for a process that is no more."""
    os.close(living._descriptor)


def test_who_is_killed_is_found(run: Path) -> None:
    one, two = begun(run, "one"), begun(run, "two")
    assert one.dead() == []
    kill(two)
    assert one.dead() == ["two"]
    assert one.dead() == ["two"]
    one.forget("two")
    one.forget("two")
    assert one.dead() == []
    one.end()


def test_who_ends_leaves_nothing(run: Path) -> None:
    one, two = begun(run, "one"), begun(run, "two")
    two.end()
    two.end()
    assert one.dead() == []
    one.end()
    assert list(run.iterdir()) == []


def test_others_in_the_folder_are_nobody(run: Path) -> None:
    one = begun(run, "one")
    (run / "notices.1").touch()
    (run / "new.sender.two").touch()  # of one that is about to begin
    (run / "sender.three").mkdir()
    (run / "sender.four").symlink_to("nowhere")
    assert one.dead() == []
    one.end()


def test_one_that_is_gone_meanwhile(run: Path) -> None:
    """The folder may be emptied: who is alive stays so, and ends."""
    one, two = begun(run, "one"), begun(run, "two")
    for path in run.iterdir():
        path.unlink()
    assert one.dead() == []
    one.end()
    two.end()


def test_without_a_folder_nobody_was_there(run: Path) -> None:
    assert list(Living(str(run)).dead()) == []


def test_what_cannot_be_told(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    living = Living(str(tmp_path / "run"))
    with pytest.raises(OSError, match="run"):
        living.begin("one")
    with pytest.raises(OSError, match="run"):
        living.dead()
    living.end()


def test_a_name_that_another_is_about_to_take(run: Path) -> None:
    one = begun(run, "one")
    os.rename(run / "sender.one", run / "new.sender.one")
    with pytest.raises(OSError, match="unavailable"):
        Living(str(run)).begin("one")
    one.end()
