"""Routes by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.cli.conftest import Shell

FILE = """\
[[route]]
name = "outside"
to = "smarthost"
host = "smart.example"
username = "u"
password = "very secret"

[[route]]
name = "archive"
to = "maildir"
folder = "archive"
mode = "also"
recipient = ["*"]
"""


@pytest.fixture
def people(shell: Shell, folder: Path) -> Shell:
    with (folder / "mailkit.toml").open("a") as file:
        file.write(FILE)
    shell.ok("domain", "add", "example.org")
    shell.ok("account", "add", "alice@example.org", "--password-stdin", stdin="x" * 12)
    return shell


def test_add_list_remove(people: Shell, folder: Path) -> None:
    url = "url=redis://:hidden@localhost/1"
    patterns = ["--recipient", "t@example.org", "--recipient", "*-t@example.org"]
    more = ["--sender", "<>", "--account", "example.org", "--also"]
    said = people.ok(
        "route", "add", "t", "redis", url, "key=t", "whole=true", *patterns, *more
    )
    assert said == "route t leads to Redis list t at localhost:6379/1\n"
    people.ok("route", "add", "p", "pipe", "program=/bin/cat", "timeout=5 s")
    people.ok("route", "add", "m", "maildir", "folder=m", 'recipient=["a.test"]')
    rows = people.run("--json", "route", "list").json
    assert [(row["route"], row["from"]) for row in rows] == [
        ("outside", "mailkit.toml"),
        ("archive", "mailkit.toml"),
        ("m", "directory"),
        ("p", "directory"),
        ("t", "directory"),
    ]
    assert rows[2]["to"] == f"Maildir {folder.resolve() / 'm'}"
    assert rows[4] == {
        "route": "t",
        "from": "directory",
        "recipient": ["t@example.org", "*-t@example.org"],
        "sender": ["<>"],
        "account": ["example.org"],
        "mode": "also",
        "to": "Redis list t at localhost:6379/1",
    }
    assert people.ok("route", "remove", "t") == "there is no route t any more\n"
    assert people.refused("route", "remove", "t") == "there is no route t"
    assert "stands in the config file" in people.refused("route", "remove", "archive")
    told = people.ok("audit") + people.ok("route", "list")
    assert "route add" in told
    assert "route remove" in told
    assert "redis://localhost/1" in told
    assert "hidden" not in told
    assert "secret" not in told


WRONG = [
    (("archive", "mx"), "there is a route archive already"),
    (("x", "fax"), "route x: to: expects one of"),
    (("x", "smarthost"), '"smarthost" needs host'),
    (("x", "mx", "host=y"), 'host: means nothing with to = "mx"'),
    (("x", "mx", "--recipient", "@"), "recipient: "),
    (("local", "mx"), "name: expects a name"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_is_wrong(people: Shell, words: tuple[str, ...], said: str) -> None:
    told = people.refused("route", "add", *words)
    assert said in told
    assert not told.startswith("mailkit: ")  # the command says that itself


def test_wrong_usage(people: Shell) -> None:
    said = people.run("route", "add", "x", "mx", "inward")
    assert said.status == 2
    assert "'inward' is not KEY=VALUE" in said.error


def test_explain(people: Shell) -> None:
    people.ok("alias", "add", "team@example.org", "alice@example.org", "x@far.test")
    people.ok("route", "add", "b", "mx", "--recipient", "backup.test")
    people.ok("route", "add", "no", "error", "code=550", "text=Gone",
              "--recipient", "old@example.org")  # fmt: skip

    def told(*words: str) -> dict[str, object]:
        found: dict[str, object] = people.run("--json", "route", "explain", *words).json
        return found

    mine = told("alice@example.org")
    archive = f"archive: Maildir {Path.cwd() / 'archive'} (recipient *)"
    assert mine["rule"] == "none"
    assert mine["why"] == "example.org is ours: the directory says who has the address"
    assert mine["target"] == ["account alice@example.org"]
    assert mine["also"] == [archive]
    assert mine["passed_over"] == ["outside (it is for mail that leaves)"]
    assert mine["result"] == "taken"
    assert mine["next_hops"] == ["example.org by archive"]

    team = told("team@example.org", "--from", "<>")
    assert team["target"] == [
        "account alice@example.org",
        "x@far.test by route outside",
    ]

    stranger = told("x@far.test", "--from", "y@else.test")
    assert stranger["result"] == "550 5.7.1 We do not relay to that domain"
    assert stranger["also"] == []
    assert stranger["passed_over"] == ["outside (it is not for strangers)"]
    assert "no route takes" in str(stranger["why"])

    own = told("x@far.test", "--account", "alice@example.org")
    assert (own["asked_by"], own["rule"]) == ("alice@example.org", "outside")
    assert own["why"] == "it is for all mail that leaves"
    assert own["target"] == ["smarthost smart.example:587"]

    backup = told("x@backup.test")
    assert backup["rule"] == "b"
    assert backup["stands_in"] == "directory"
    assert backup["why"] == "recipient backup.test"
    assert backup["target"] == ["the hosts that DNS names"]
    assert backup["passed_over"] == ["outside (all says less)"]
    assert backup["next_hops"] == ["backup.test", "backup.test by archive"]

    gone = told("old@example.org")
    assert (gone["rule"], gone["result"]) == ("no", "550 5.7.1 Gone")

    lines = people.ok("route", "explain", "x@backup.test").splitlines()
    assert [line.split()[0] for line in lines][:3] == ["address", "asked", "rule"]
    for wrong in (("x",), ("x@y.test", "--account", "who@example.org")):
        people.refused("route", "explain", *wrong)


def test_without_a_queue_there_are_no_routes(shell: Shell, folder: Path) -> None:
    with (folder / "mailkit.toml").open("a") as file:
        file.write("[relay]\nenabled = false\n")
    assert "relay.enabled" in shell.refused("route", "add", "x", "mx")
    shell.ok("domain", "add", "example.org")
    assert "not relay" in shell.ok("route", "explain", "x@far.test")


def test_an_explanation_of_dns(shell: Shell) -> None:
    shell.ok("domain", "add", "example.org")
    shell.ok("account", "add", "alice@example.org", "--password-stdin", stdin="x" * 12)
    said = shell.ok("route", "explain", "x@far.test", "--account", "alice@example.org")
    assert "far.test is not ours: DNS says where its mail goes" in said
    assert "x@far.test by DNS" in said
