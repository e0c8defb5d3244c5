"""One message to many, by the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mailkit.app import sendings
from mailkit.app.cli import send
from mailkit.app.settings import ListenSettings, Settings, WebSettings
from mailkit.services.sendings import putting
from tests.app.cli.conftest import Shell

TEMPLATE = """\
From: Alice <alice@example.org>
To: {{ name }} <{{ email }}>
Subject: Hello {{ name }}

Hello {{ name }}!
"""
PEOPLE = "email,name\nann@example.net,Ann\nbob@example.net,Bob\n"


@pytest.fixture
def ready(house: Shell) -> Shell:
    """A template and a table."""
    config = house.folder / "mailkit.toml"
    config.write_text(config.read_text() + '[web]\norigin = "https://example.org"\n')
    (house.folder / "Spring.eml.j2").write_text(TEMPLATE)
    (house.folder / "people.csv").write_text(PEOPLE)
    return house


WORDS = (
    "send", "--from", "alice@example.org", "--to", "people.csv",
    "--template", "Spring.eml.j2",
)  # fmt: skip


def lines(said: str) -> dict[str, str]:
    """A table of facts."""
    found = (line.partition("  ") for line in said.splitlines())
    return {name.strip(): value.strip() for name, _, value in found}


def test_a_plan_alone(ready: Shell) -> None:
    said = ready.ok(*WORDS, "--dry-run", "--rate", "300/h")
    plan, _, message = said.partition("\n\n")
    facts = lines(plan)
    assert (facts["sending"], facts["messages"]) == ("spring", "2")
    assert facts["rate"] == "300/h"
    assert "To: Ann <ann@example.net>" in message
    assert "Hello Ann!" in message
    assert ready.ok("queue", "list") == "the queue is empty\n"
    found = ready.run("--json", *WORDS, "--dry-run").json
    assert (found["messages"], found["put"]) == (2, 0)
    assert found["example"].startswith("Date: ")


def test_send_and_send_again(ready: Shell) -> None:
    told = ready.ok(*WORDS)
    assert lines(told)["put into the queue"] == "2"
    items = ready.run("--json", "queue", "list").json
    assert [one["recipients"][0]["recipient"] for one in items] == [
        "ann@example.net",
        "bob@example.net",
    ]
    assert {one["account"] for one in items} == {"alice@example.org"}
    assert items[0]["from"].startswith("<bounce+")
    said = ready.run("--json", *WORDS).json
    assert (said["put"], said["messages"], said["put_before"]) == (0, 0, 2)
    ready.folder.joinpath("people.csv").write_text(PEOPLE + "cat@example.net,Cat\n")
    table = lines(ready.ok(*WORDS))
    assert table["put into the queue"] == "1"
    assert table["were there already"] == "2"
    assert "sending spring" in ready.ok("trace", items[0]["id"].partition(".")[0])


@pytest.mark.parametrize(
    ("more", "is_signed"), [((), True), (("--rate", "9/h"), False)]
)
def test_what_leaves_at_once_is_signed(
    ready: Shell, more: Sequence[str], is_signed: bool
) -> None:
    ready.ok(*WORDS, *more)
    folder = ready.folder / "data" / "queue" / "content"
    octets = [path.read_bytes() for path in folder.iterdir()]
    signed = [one.count(b"DKIM-Signature: v=1;") for one in octets]
    assert signed == [2 * is_signed] * 2  # RSA and Ed25519


def test_suppressed_addresses(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.ok("suppression", "add", "ann@example.net", "--reason", "by phone")
    said = ready.run(*WORDS)
    assert said.status == 1
    assert "suppressed: ann@example.net (by-hand, " in said.error
    assert "1 address of the table may get no bulk mail" in said.error
    monkeypatch.setattr(send, "is_terminal", lambda: True)
    for answers in ("n\n", "y\nn\n"):
        said = ready.run(*WORDS, stdin=answers)
        assert (said.status, said.error.splitlines()[-1]) == (
            1,
            "mailkit: nothing is sent",
        )
    assert ready.ok("queue", "list") == "the queue is empty\n"
    said = ready.run(*WORDS, "--skip-suppressed", stdin="y\n")
    assert said.status == 0
    assert lines(said.out)["left out: suppressed"] == "1"
    monkeypatch.setattr(send, "_SHOWN", 0)
    assert "suppressed: and 1 more" in ready.run(*WORDS, "--yes", stdin="n\n").error


def test_attachments(ready: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (ready.folder / "plan.pdf").write_bytes(b"%PDF")
    said = ready.ok(*WORDS, "--attach", "plan.pdf", "--dry-run", "--name", "other")
    assert "Content-Type: application/pdf" in said
    assert "filename=plan.pdf" in said
    assert lines(said)["sending"] == "other"
    monkeypatch.setattr(send, "MOST_ATTACHED", 3)
    refused = ready.refused(*WORDS, "--attach", "plan.pdf")
    assert refused == "4 B are attached: most hosts take no more than 3 B"


def test_what_is_wrong(ready: Shell) -> None:
    people = ready.folder / "people.csv"
    people.write_text("email,name\nann@example.net,Ann\nann@example.net,Ann\nx,X\n")
    said = ready.run(*WORDS)
    assert (said.status, said.out) == (1, "")
    assert said.error == (
        "mailkit: nothing is sent:\n"
        "  line 3: ann@example.net is in line 2 already\n"
        "  line 4: 'x' is not an address\n"
    )
    people.write_bytes(b"email\n\xff@example.net\n")
    assert ready.refused(*WORDS).startswith("people.csv, line 2: that is not UTF-8")
    said = ready.run(*WORDS, "--rate", "much")
    assert said.status == 2
    assert "expects a rate such as 300/h or 5/s" in said.error


def test_who_stops_it_hears_how_to_go_on(
    ready: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(putting, "MOST_AT_ONCE", 1)

    class Stopping(putting.Putting):
        async def _put(self, batch: putting.Batch) -> None:
            await super()._put(batch)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(send, "Putting", Stopping)
        said = ready.run(*WORDS)
    assert said.status == 1
    assert said.error.startswith("mailkit: stopped: what is in the queue leaves")
    assert said.error.endswith("call it again with --name spring\n")
    assert "put into the queue" not in said.out
    table = lines(ready.ok(*WORDS, "--name", "spring"))
    assert table["put into the queue"] == "1"
    assert table["were there already"] == "1"


def test_files_in_the_example_are_cut_short(ready: Shell) -> None:
    ready.folder.joinpath("plan.bin").write_bytes(bytes(range(256)) * 40)
    said = ready.ok(*WORDS, "--dry-run", "--attach", "plan.bin")
    assert "[178 more lines]" in said
    assert len(said.splitlines()) < 50
    assert "filename=plan.bin" in said
    assert said.endswith("--\n")
    whole = ready.run("--json", *WORDS, "--dry-run", "--attach", "plan.bin").json
    assert whole["example"].count("\r\n") > 180


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_end_as_other_systems_end_them(ready: Shell, end: str) -> None:
    for name, text in (("people.csv", PEOPLE), ("Spring.eml.j2", TEMPLATE)):
        ready.folder.joinpath(name).write_bytes(text.replace("\n", end).encode())
    said = ready.ok(*WORDS, "--dry-run")
    assert "Hello Ann!" in said
    assert "To: Ann <ann@example.net>" in said


def test_an_address_of_ours_that_nobody_has(ready: Shell) -> None:
    ready.ok("account", "add", "s@example.org", "--password-stdin", stdin="secret-99\n")
    ready.ok("account", "suspend", "s@example.org")
    people = "email,name\nx@example.org,X\ns@example.org,S\n"
    ready.folder.joinpath("people.csv").write_text(people)
    assert ready.run(*WORDS).error == (
        "mailkit: nothing is sent:\n"
        "  line 2: x@example.org: nobody here has that address\n"
        "  line 3: s@example.org: its account is suspended\n"
    )


def test_a_sender_whom_nobody_can_answer(ready: Shell) -> None:
    """It may be wanted; whoever mistyped the address hears of it in time."""
    template = ready.folder / "Spring.eml.j2"
    template.write_text(TEMPLATE.partition("\n")[2])  # without a From of its own
    words = [one.replace("alice@", "alcie@") for one in WORDS]
    said = "mailkit: nobody has alcie@example.org: answers to it go back\n"
    done = ready.run(*words, "--dry-run")
    assert (done.status, done.error) == (0, said)
    ready.ok("alias", "add", "alcie@example.org", "alice@example.org")
    assert ready.run(*words, "--dry-run").error == ""
    assert ready.run(*WORDS, "--dry-run").error == ""


def test_a_server_that_sends_no_mail(ready: Shell) -> None:
    config = ready.folder / "mailkit.toml"
    config.write_text(config.read_text() + "[relay]\nenabled = false\n")
    assert ready.refused(*WORDS).startswith("this server sends no mail")


def test_names() -> None:
    table = {"Spring.eml.j2": "spring", "Our news!.txt": "our-news", "ä.j2": "sending"}
    for file, name in table.items():
        assert send._name_of(Path(file)) == name


def test_warnings() -> None:
    settings = Settings(hostname="mail.example.org")
    [words] = sendings.warnings(settings)
    assert words.startswith("nobody can unsubscribe")
    listen = ListenSettings(https=("tcp:443",))
    assert sendings.warnings(Settings("mail.example.org", listen=listen)) == []
    web = WebSettings(origin="http://example.org")
    [words] = sendings.warnings(Settings("mail.example.org", web=web))
    assert "RFC 8058" in words
