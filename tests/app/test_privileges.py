"""Who the server is on this machine."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from mailkit.app import privileges
from mailkit.app.privileges import (
    Identity,
    become,
    check_writable,
    give,
    look_up,
    make_folder,
)
from mailkit.errors import Refused


def test_look_up() -> None:
    entry = pwd.getpwuid(os.getuid())
    found = look_up(entry.pw_name)
    assert found == Identity(entry.pw_name, entry.pw_uid, entry.pw_gid)
    with pytest.raises(Refused, match="no user no such user on this machine"):
        look_up("no such user")


def test_becoming_takes_the_groups_first(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, object]] = []
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(
            os, name, lambda *args, name=name: calls.append((name, args))
        )
    become(Identity("mail", 8, 12))
    assert calls == [
        ("initgroups", ("mail", 12)),
        ("setgid", (12,)),
        ("setuid", (8,)),
    ]


def test_what_root_makes_is_given_to_who_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners: list[tuple[object, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda *args: owners.append(args))
    monkeypatch.setattr(privileges, "is_root", lambda: True)
    folder = tmp_path / "a" / "b"
    make_folder(folder, Identity("mail", 8, 12))
    make_folder(folder, Identity("mail", 8, 12))
    assert owners == [(folder, 8, 12)]
    give([folder], None)
    monkeypatch.setattr(privileges, "is_root", lambda: False)
    give([folder], Identity("mail", 8, 12))
    assert owners == [(folder, 8, 12)]


def test_a_folder_that_can_be_written_holds_no_trace(tmp_path: Path) -> None:
    check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot write to .*nothing: No such file"):
        check_writable(tmp_path / "nothing")
