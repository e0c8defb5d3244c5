"""The suppression list by the command."""

from __future__ import annotations

import pytest

from mailkit.app.cli import suppression
from tests.app.cli.conftest import Shell


def test_add_list_drop(shell: Shell) -> None:
    said = shell.ok("suppression", "add", "Bob@example.net", "--reason", "by phone")
    assert said == "bob@example.net is suppressed\n"
    said = shell.ok("suppression", "add", "a@example.com", "c@example.com")
    assert said == "a@example.com, c@example.com are suppressed\n"
    header, *lines = shell.ok("suppression", "list").splitlines()
    assert header.split() == ["address", "cause", "since", "reason"]
    assert [line.split()[0] for line in lines] == [
        "a@example.com",
        "c@example.com",
        "bob@example.net",
    ]
    [row] = shell.run("--json", "suppression", "list", "example.net").json
    assert (row["address"], row["cause"], row["reason"]) == (
        "bob@example.net",
        "by-hand",
        "by phone",
    )
    said = shell.ok("suppression", "drop", "bob@example.net")
    assert said == "bob@example.net is not suppressed any more\n"
    assert shell.refused("suppression", "drop", "bob@example.net") == (
        "bob@example.net is not on the suppression list"
    )
    gone = shell.run("--json", "suppression", "drop", "a@example.com", "c@example.com")
    assert gone.json == {"dropped": ["a@example.com", "c@example.com"]}
    assert shell.run("--json", "suppression", "list").json == []
    assert shell.run("suppression", "list", "--json").json == []
    assert shell.run("suppression", "list", "--", "--json").status == 1


def test_a_list_of_many_pages(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"n{number}@example.net" for number in range(5)]
    shell.ok("suppression", "add", *names)
    monkeypatch.setattr(suppression, "_PAGE", 2)
    rows = shell.run("--json", "suppression", "list").json
    assert [row["address"] for row in rows] == names


def test_what_is_no_address(shell: Shell) -> None:
    assert "is not an address" in shell.refused("suppression", "add", "bob")
