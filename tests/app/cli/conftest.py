"""The command over a data folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from click.testing import CliRunner

from mailkit.app import find
from mailkit.app.cli.main import mailkit

MEMORY = "/dev/shm"
CONFIG = """\
hostname = "mail.example.org"
data = "data"
"""


@define
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    error: str

    @property
    def json(self) -> Any:  # Any: whatever was printed
        return json.loads(self.out)


@define
class Shell:
    """Runs the command in a folder that has a config file."""

    folder: Path

    def run(self, *words: str, stdin: str = "") -> Said:
        runner = CliRunner()
        result = runner.invoke(mailkit, words, input=stdin, prog_name="mailkit")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def ok(self, *words: str, stdin: str = "") -> str:
        said = self.run(*words, stdin=stdin)
        assert (said.status, said.error) == (0, "")
        return said.out

    def refused(self, *words: str, stdin: str = "") -> str:
        said = self.run(*words, stdin=stdin)
        assert (said.status, said.out) == (1, "")
        [line] = said.error.splitlines()
        assert line.startswith("mailkit: ")
        return line.removeprefix("mailkit: ")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Empty, and in memory where there is such a folder: this is not about disks."""
    path = tempfile.mkdtemp(dir=MEMORY if os.path.isdir(MEMORY) else None)
    yield Path(path)
    shutil.rmtree(path)


@pytest.fixture
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(find, "SYSTEM", folder / "nothing")
    for name in ("MAILKIT_CONFIG", "MAILKIT_HOSTNAME"):
        monkeypatch.delenv(name, raising=False)
    (folder / "mailkit.toml").write_text(CONFIG)
    return Shell(folder)


@pytest.fixture
def house(shell: Shell) -> Shell:
    """A domain and two accounts."""
    shell.ok("domain", "add", "example.org")
    for name in ("alice", "bob"):
        address = f"{name}@example.org"
        shell.ok("account", "add", address, "--password-stdin", stdin="secret-9\n")
    return shell
