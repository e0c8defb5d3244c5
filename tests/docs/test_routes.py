"""The how-tos about routes: their settings are read, their commands print that."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.app.cli.conftest import Shell, folder, shell
from tests.docs.rfcs import ROOT

__all__ = ["folder", "shell"]

PAGES = ["route-into-redis.md", "smarthost.md", "backup-mx.md"]
ANY = "…"


def blocks(page: str, kind: str) -> list[str]:
    text = (ROOT / "docs" / "howto" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Each command with the lines that it shall print."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ mailkit "):
                found.append((line.removeprefix("$ mailkit "), []))
            else:
                found[-1][1].append(line)
    return found


def pattern(lines: list[str]) -> str:
    """``…`` is any lines, or the rest of one."""
    parts = []
    for line in lines:
        if line == ANY:
            parts.append(r"(?:.*\n)*?")
        else:
            escaped = re.escape(line).replace(rf"\ *{ANY}", ".*").replace(ANY, ".*")
            parts.append(re.sub(r"(\\ )+\.\*$", ".*", escaped) + r"\n")
    return "".join(parts)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(page: str, shell: Shell, folder: Path) -> None:
    with (folder / "mailkit.toml").open("a") as file:
        file.write("\n".join(blocks(page, "toml")))
    shell.ok("domain", "add", "example.org")
    shell.ok("account", "add", "alice@example.org", "--password-stdin", stdin="x" * 12)
    tried = commands(page)
    assert tried
    for command, lines in tried:
        said = shell.ok(*shlex.split(command))
        assert re.fullmatch(pattern(lines), said), f"{command}\n\n{said}"
