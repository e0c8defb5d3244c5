"""Domains, accounts and aliases by the command."""

from __future__ import annotations

import re
import time

import attrs
import click
import pytest

from mailkit.app.cli import account
from mailkit.app.cli.desk import open_with
from mailkit.app.find import read_config
from mailkit.model.event import MailEvent, Step
from tests.app.cli.conftest import Shell


def test_domains(shell: Shell) -> None:
    said = shell.ok("domain", "add", "Example.ORG")
    done, step = said.splitlines()
    assert done == "example.org is a domain of this server"
    assert step.endswith("mailkit domain dns example.org")
    [row] = shell.run("--json", "domain", "list").json
    assert (row["domain"], row["accounts"], row["aliases"]) == ("example.org", 1, 0)
    assert shell.refused("domain", "add", "example.org") == (
        "example.org is a domain of this server already"
    )
    shell.ok("domain", "remove", "example.org")
    assert shell.run("--json", "domain", "list").json == []
    assert "is not a domain" in shell.refused("domain", "remove", "example.org")


def test_a_table_for_people(house: Shell) -> None:
    header, first, *_ = house.ok("account", "list").splitlines()
    assert header.split() == ["account", "role", "quota", "state", "made"]
    assert first.startswith("alice@example.org       user  500 MB (default)  active  2")
    assert first == first.rstrip()


def test_an_account_whose_password_was_given(house: Shell) -> None:
    said = house.ok(
        "account",
        "add",
        "carol@example.org",
        "--password-stdin",
        "--admin",
        "--quota",
        "2 GB",
        stdin="pass word 7\n",
    )
    assert said == "carol@example.org is an account\n"
    row = house.run("--json", "account", "list", "example.org").json[2]
    assert (row["account"], row["role"], row["quota"]) == (
        "carol@example.org",
        "admin",
        "2 GB",
    )


def test_an_account_whose_password_was_made_shows_it_once(house: Shell) -> None:
    said = house.ok("account", "add", "carol@example.org", "--domain-admin")
    assert re.fullmatch(
        r"carol@example\.org is an account, password ([a-z2-9]{4}-){3}[a-z2-9]{4}\n",
        said,
    )
    made = house.run("--json", "account", "add", "dave@example.org").json
    assert set(made) == {"account", "password"}


def test_show(house: Shell) -> None:
    house.ok("alias", "add", "a@example.org", "alice@example.org")
    house.ok("account", "grant", "alice@example.org", "bob@example.org")
    shown = house.run("--json", "account", "show", "alice@example.org").json
    assert shown["aliases"] == ["a@example.org"]
    assert shown["may_send_as"] == ["bob@example.org"]
    assert (shown["used"], shown["state"]) == ("0 B", "active")
    [key] = shown["credentials"]
    assert "argon2id and SCRAM-SHA-256" in key
    assert "never used" in key
    text = house.ok("account", "show", "alice@example.org")
    assert re.search(r"^may send as +bob@example\.org$", text, re.MULTILINE)
    said = house.ok("account", "ungrant", "alice@example.org", "bob@example.org")
    assert said == "alice@example.org may not send as bob@example.org any more\n"
    assert "anyway" in house.refused(
        "account", "ungrant", "alice@example.org", "bob@example.org"
    )


def test_suspend_resume_passwd_remove(house: Shell) -> None:
    bob = "bob@example.org"
    assert house.ok("account", "suspend", bob) == f"{bob} is suspended\n"
    assert house.run("--json", "account", "show", bob).json["state"] == "suspended"
    assert house.ok("account", "resume", bob) == f"{bob} is active\n"
    said = house.ok("account", "passwd", bob, "--password-stdin", stdin="other-8\n")
    assert said == f"{bob} has a new password\n"
    assert "password " in house.ok("account", "passwd", bob)
    said = house.ok("account", "remove", bob)
    assert said == f"{bob} is removed, its mail is kept aside for 30 days\n"
    assert house.refused("account", "show", bob) == f"there is no account {bob}"
    said = house.ok("account", "remove", "alice@example.org", "--purge")
    assert said.endswith("its mail is deleted\n")


def test_import(house: Shell) -> None:
    file = house.folder / "people.csv"
    file.write_text("address,password,quota\nc@example.org,secret-1,1 GB\n")
    with file.open("a") as more:
        more.write("alice@example.org,secret-2\n")
    said = house.run("--json", "account", "import", str(file)).json
    assert said == {"made": ["c@example.org"], "passed_over": ["alice@example.org"]}
    assert house.ok("account", "import", str(file)) == "0 made, 2 there already\n"
    file.write_text("d@elsewhere.example,secret-1\n")
    said = house.run("account", "import", str(file))
    assert (said.status, said.out) == (1, "")
    heading, problem = said.error.splitlines()
    assert heading == "mailkit: nothing is made:"
    assert problem.startswith("  line 1: elsewhere.example is not a domain")


def test_import_of_what_is_not_utf8(house: Shell) -> None:
    file = house.folder / "people.csv"
    file.write_bytes(b"c@example.org,secret-1\nz\xe9@example.org,secret-1\n")
    said = house.refused("account", "import", str(file))
    assert said == f"{file}: that is not UTF-8; save the file in that encoding"
    assert "c@example.org" not in house.ok("account", "list")


def test_aliases(house: Shell) -> None:
    said = house.ok(
        "alias", "add", "team@example.org", "alice@example.org", "bob@example.org"
    )
    assert said == "team@example.org leads to alice@example.org, bob@example.org\n"
    house.ok("alias", "add", "@example.org", "bob@example.org")
    assert house.run("--json", "alias", "list").json == [
        {"alias": "@example.org", "targets": ["bob@example.org"]},
        {
            "alias": "team@example.org",
            "targets": ["alice@example.org", "bob@example.org"],
        },
    ]
    said = house.ok("alias", "remove", "team@example.org", "bob@example.org")
    assert said == "team@example.org leads to alice@example.org\n"
    said = house.ok("alias", "remove", "team@example.org")
    assert said == "team@example.org is no alias any more\n"
    said = house.ok("alias", "add", "x@example.org", "y@elsewhere.example")
    assert said == "x@example.org leads to y@elsewhere.example\n"


def test_aliases_lead_nowhere_where_no_mail_leaves(house: Shell) -> None:
    config = house.folder / "mailkit.toml"
    config.write_text(f"{config.read_text()}\n[relay]\nenabled = false\n")
    assert "sends no mail" in house.refused(
        "alias", "add", "x@example.org", "y@elsewhere.example"
    )


def test_mailboxes(house: Shell) -> None:
    rows = house.run("--json", "mailbox", "list", "alice@example.org").json
    assert [row["mailbox"] for row in rows] == [
        "INBOX",
        "Archive",
        "Drafts",
        "Junk",
        "Sent",
        "Trash",
    ]
    assert rows[0] == {"mailbox": "INBOX", "messages": 0, "unseen": 0, "size": "0 B"}


def test_every_change_leaves_a_line(house: Shell) -> None:
    house.ok("account", "suspend", "bob@example.org")
    rows = house.run("--json", "audit", "bob@example.org").json
    assert [row["action"] for row in rows] == ["account add", "account suspend"]
    assert all(row["who"].endswith(" (mailkit)") for row in rows)
    assert "active" in rows[1]["before"]
    assert "suspended" in rows[1]["after"]
    assert len(house.run("--json", "audit", "--limit", "1").json) == 1
    assert house.run("audit", "--limit", "-1").status == 2


@pytest.mark.parametrize(
    "words",
    [
        ["account", "add", "a@example.org", "--admin", "--domain-admin"],
        ["account", "add", "a@example.org", "--quota", "much"],
        ["account", "add"],
        ["account", "fly"],
        ["domain", "add", "--fast", "x.example"],
        ["alias", "add", "a@example.org"],
        ["account", "import", "/no/such/file"],
        ["--no-such-option"],
    ],
)
def test_wrong_usage_is_2(shell: Shell, words: list[str]) -> None:
    said = shell.run(*words)
    assert said.status == 2
    assert "Usage: mailkit" in said.error


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["account", "add", "a@elsewhere.example"], "is not a domain of this server"),
        (["account", "add", "alice"], "is not an address"),
        (["account", "add", "alice@example.org"], "there is an account"),
        (["account", "suspend", "nobody@example.org"], "there is no account"),
        (["account", "passwd", "a@example.org", "--password-stdin"], "no password on"),
        (["mailbox", "list", "nobody@example.org"], "there is no account"),
        (["trace", "<none@example.org>"], "nothing is known about"),
        (["audit", "no domain"], "cannot be part of a domain"),
        (["domain", "remove", "example.org"], "has accounts: alice@example.org"),
    ],
)
def test_what_is_refused_is_1_with_one_line(
    house: Shell, words: list[str], reason: str
) -> None:
    assert reason in house.refused(*words)


def test_an_index_is_checked_and_made_anew(house: Shell) -> None:
    rows = house.run("--json", "mailbox", "check", "alice@example.org").json
    assert rows[0] == {"mailbox": "INBOX", "messages": 0, "problems": []}
    stray = house.folder / "data/mail/example.org/alice/Maildir/cur/1.x"
    stray.write_text("Subject: x\n\n")
    said = house.run("mailbox", "check", "alice@example.org")
    assert said.status == 1
    assert "1 files have no row: 1.x" in said.out
    assert said.error == (
        "mailkit: there are problems: mailkit mailbox rebuild alice@example.org\n"
    )
    said_anew = house.ok("mailbox", "rebuild", "alice@example.org")
    assert said_anew == "the index of alice@example.org is made anew\n"
    rows = house.run("--json", "mailbox", "check", "alice@example.org").json
    assert rows[0] == {"mailbox": "INBOX", "messages": 1, "problems": []}
    rows = house.run("--json", "audit", "alice@example.org").json
    assert rows[-1]["action"] == "mailbox rebuild"


def test_on_a_terminal_the_password_is_asked_for_twice(
    house: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def prompt(*words: object, **options: object) -> str:
        asked.append(options)
        return "typed by hand"

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(account, "is_terminal", lambda: True)
    said = house.ok("account", "add", "carol@example.org")
    assert said == "carol@example.org is an account\n"
    assert asked == [{"hide_input": True, "confirmation_prompt": True}]


def test_a_trace_tells_each_step(house: Shell) -> None:
    settings = read_config(None, {}, house.folder).settings
    settings = attrs.evolve(settings, data=house.folder / "data")
    with open_with(settings) as at:
        at.foundation.events.record(
            MailEvent(
                time.time(),
                Step.DELIVERED,
                "a1b2",
                "<1@example.org>",
                "carol@example.net",
                "bob@example.org",
                "192.0.2.1",
                "bob@example.org",
                "INBOX",
                99,
            )
        )
    [row] = house.run("--json", "trace", "a1b2").json
    assert row["step"] == "delivered"
    assert row["sender"] == "<carol@example.net>"
    assert row["size"] == 99
    assert "Z  delivered  a1b2" in house.ok("trace", "a1b2")
