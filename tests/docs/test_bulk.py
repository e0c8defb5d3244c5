"""The how-to about bulk mail: its table and its message are sent by its commands."""

from __future__ import annotations

import re
import shlex
from email import message_from_string
from email.policy import default
from pathlib import Path

from tests.app.cli.conftest import Shell, folder, shell
from tests.docs.rfcs import ROOT

__all__ = ["folder", "shell"]

PAGE = (ROOT / "docs" / "howto" / "bulk-mail.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    [found] = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def commands(word: str) -> list[list[str]]:
    """Those of the page that begin with a word, as the shell has them."""
    found = re.findall(rf"^mailkit ({word} .*?)(?:  #.*)?$", PAGE, re.MULTILINE)
    return [shlex.split(one) for one in found]


def ready(shell: Shell, folder: Path) -> None:
    settings = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with (folder / "mailkit.toml").open("a") as file:
        file.write("\n" + "\n".join(settings))
    (folder / "people.csv").write_text(block("csv"))
    (folder / "spring.eml.j2").write_text(block("jinja"))
    (folder / "plan.pdf").write_bytes(b"%PDF")
    shell.ok("domain", "add", "example.org")
    for name in ("news", "alice"):
        words = ("account", "add", f"{name}@example.org", "--password-stdin")
        shell.ok(*words, stdin="x" * 12)


def test_what_is_sent_is_what_the_page_shows(shell: Shell, folder: Path) -> None:
    ready(shell, folder)
    plan, send, other = commands("send")
    said = shell.ok(*plan)
    assert re.search(r"^messages +2$", said, re.MULTILINE), said
    text = said.partition("\n\n")[2]
    message = message_from_string(text, policy=default)
    assert message["Subject"] == "Ann, your seeds are here"
    assert message["To"] == "Ann <ann@example.net>"
    leave = message["List-Unsubscribe"].strip()
    assert leave.startswith("<https://mail.example.org/u/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = (str(part.get_content()) for part in message.iter_parts())
    assert "Hello Ann, parcel 17 is on its way." in plain
    assert "<b>Ann</b>, parcel 17" in html
    assert shell.ok("queue", "list") == "the queue is empty\n"
    shell.ok(*send)
    shell.ok(*other)
    items = shell.run("--json", "queue", "list").json
    found = sorted(one["recipients"][0]["recipient"] for one in items)
    assert found == ["ann@example.net"] * 2 + ["bob@example.com"] * 2
    # What it says of stopping, and of those who want no more.
    for words in commands("queue"):
        shell.ok(*words)
    assert shell.ok("queue", "list") == "the queue is empty\n"
    shell.ok("suppression", "add", "ann@example.net")
    for words in commands("suppression"):
        shell.ok(*words)
    for words in commands("account show"):
        assert "alice@example.org" in shell.ok(*words)
