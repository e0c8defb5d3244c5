"""Every `mailkit …` that a page shows is a command that there is, with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from mailkit.app.cli.main import mailkit
from tests.docs.rfcs import ROOT

PAGES = sorted([*(ROOT / "docs").glob("[eht]*/*.md"), ROOT / "README.md"])
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(mailkit [^`]+)`")
ANY = ("…", "|")
"""In place of words; what has them is not a command as it is typed."""


def shown(page: Path) -> list[str]:
    """The commands on a page, each on one line."""
    text = page.read_text(encoding="utf-8")
    found = list(INLINE.findall(FENCED.sub("", text)))
    for _, block in FENCED.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        found += [
            line.strip().removeprefix("$ ")
            for line in lines
            if re.match(r" *(\$ )?mailkit ", line)
        ]
    return [one.partition("  #")[0] for one in found]


COMMANDS = [(page, line) for page in PAGES for line in shown(page)]


@pytest.mark.parametrize(
    ("page", "line"),
    COMMANDS,
    ids=[f"{page.name}: {line}" for page, line in COMMANDS],
)
def test_it_is_there(page: Path, line: str) -> None:
    words = shlex.split(line.partition(" | ")[0].partition(" < ")[0])[1:]
    command: click.Command = mailkit
    context = click.Context(command)
    while words:
        word = words.pop(0)
        if word in ANY or word.isupper():
            continue
        if word.startswith("-"):
            names = {name for one in command.get_params(context) for name in one.opts}
            assert word.partition("=")[0] in names, f"{command.name} has no {word}"
            option = next(
                one for one in command.get_params(context) if word in one.opts
            )
            if isinstance(option, click.Option) and not option.is_flag and words:
                words.pop(0)
        elif isinstance(command, click.Group):
            found = [command.get_command(context, one) for one in word.split("|")]
            assert None not in found, f"{command.name} has no {word}"
            assert found[-1] is not None
            command = found[-1]
