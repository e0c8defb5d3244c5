"""What a command loads before it begins: waiting for it is the most of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest

from mailkit.app.cli.late import LONGEST, LateGroup
from mailkit.app.cli.main import NOUNS, mailkit
from mailkit.app.garbage import LATE, MIDDLE, OLD
from tests.app.cli.conftest import Shell
from tests.docs.rfcs import ROOT

SERVERS_ALONE = (
    "twisted.internet.reactor",
    "twisted.internet.tcp",
    "twisted.web",
    "OpenSSL",
    "dns",
    "jinja2",
    "klein",
    "babel",
    "nh3",
    "prometheus_client",
    "mailkit.factories",
    "mailkit.net.pump",
    "mailkit.web.site",
    "mailkit.app.assemble",
)
"""What only a server needs, and takes longer to load than all that a command does."""

LOADED = """\
import sys
from mailkit.app.cli.main import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""

THRESHOLDS = """\
import gc
from mailkit.app.cli.main import main
try:
    main()
finally:
    print(*gc.get_threshold())
"""


LOOKS = """\
import atexit, gc, sys
atexit.register(lambda: print(len(looks), gc.get_freeze_count(), file=sys.stderr))
looks = []
gc.callbacks.append(lambda phase, _: looks.append(phase))
from mailkit.app.cli.main import main
del looks[:]
main()
"""


BARE = {
    **{name: value for name, value in os.environ.items() if "COVERAGE" not in name},
    "PYTHONPATH": str(ROOT),
}
"""Whoever measures coverage would be measured, too."""


def loaded(shell: Shell, *words: str) -> set[str]:
    """The modules that are there when a command has ended."""
    return set(run(shell, LOADED, *words).stderr.split())


def run(shell: Shell, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command by a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=shell.folder,
        env=BARE,
        input="secret-9\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("account", "list"),
        ("account", "add", "carol@example.org", "--password-stdin"),
        ("domain", "list"),
        ("alias", "list"),
        ("queue", "list"),
    ],
    ids=" ".join,
)
def test_no_server_is_loaded(house: Shell, words: tuple[str, ...]) -> None:
    modules = loaded(house, *words)
    assert "mailkit.app.foundation" in modules
    assert not modules & set(SERVERS_ALONE)


def test_who_asks_for_help_waits_for_nothing(shell: Shell) -> None:
    modules = loaded(shell, "--help")
    assert "click" in modules
    assert not {one for one in modules if one.partition(".")[0] in ("twisted", "rich")}


def test_what_is_long_is_not_looked_through_again_and_again(shell: Shell) -> None:
    """`mailkit send` makes some hundred objects a message, which go by themselves."""
    thresholds = run(shell, THRESHOLDS, "--version").stdout.splitlines()[-1]
    assert thresholds == f"{LATE} {MIDDLE} {OLD}"


def test_no_table_no_rich(house: Shell) -> None:
    assert "rich.table" in loaded(house, "account", "list")
    assert "rich" not in loaded(house, "--json", "account", "list")


def test_a_short_command_looks_for_no_garbage(house: Shell) -> None:
    """Neither behind the imports nor, as all of it is frozen, at the very end."""
    looks, frozen = map(int, run(house, LOOKS, "account", "list").stderr.split())
    assert looks == 0
    assert frozen > 10_000


def groups(context: click.Context) -> list[click.Context]:
    """All groups that know of commands which are not loaded."""
    found: list[click.Context] = []
    if isinstance(context.command, LateGroup):
        found.append(context)
        for name in context.command.list_commands(context):
            below = context.command.get_command(context, name)
            assert below is not None
            found += groups(click.Context(below, parent=context, info_name=name))
    return found


def test_what_lists_say_is_what_the_commands_say() -> None:
    found = groups(click.Context(mailkit, info_name="mailkit"))
    assert {one.info_name for one in found} == {"mailkit", "account", "domain"}
    for context in found:
        group = context.command
        assert isinstance(group, LateGroup)
        for name, late in group.late.items():
            command = group.get_command(context, name)
            assert command is not None
            assert command.name == name
            assert late.summary == command.get_short_help_str(LONGEST)
            assert late.summary in " ".join(context.get_help().split())


def test_lists_have_whole_sentences(house: Shell) -> None:
    for noun in NOUNS:
        said = house.run(noun, "--help").out
        _usage, _, rest = said.partition("\n")
        assert not re.search(r"\.\.\.$", rest, re.MULTILINE), said


def test_no_such_command(shell: Shell) -> None:
    assert shell.run("acount", "list").status == 2
    assert shell.run("domain", "lits").status == 2
