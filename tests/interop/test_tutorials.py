"""The tutorials do what they say: every command and every dialogue in them is tried."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

import pytest

from tests.interop.server import (
    ENVIRONMENT,
    PATIENCE,
    TWISTD,
    Server,
    need,
)
from tests.interop.test_process import start_to_try

FOLDER = Path(__file__).parent.parent.parent / "docs" / "tutorials"
STANDARD = {
    "smtp": 2525,
    "submission": 2587,
    "submissions": 2465,
    "lmtp": 2424,
    "imap": 2143,
    "imaps": 2993,
    "pop3": 2110,
    "pop3s": 2995,
    "metrics": 9108,
}
ANY = "…"
MARK = "--- command "
BEHIND = "mailkit trace"
"""What it shows is written a moment after the answer that it tells of."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server, _ = start_to_try(tmp_path / "try", (*TWISTD, "-n", "mailkit"))
    yield server
    server.kill()


def blocks(page: str, kind: str, server: Server) -> list[list[str]]:
    """The fenced blocks of one kind, with the ports of this very server."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    for service, port in STANDARD.items():
        text = re.sub(rf"\b{port}\b", str(server.ports[service]), text)
    found = re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


def pattern(lines: list[str]) -> str:
    """Lines as written in a tutorial; ``…`` is anything, alone any lines or none."""
    parts = []
    for line in lines:
        if line == ANY:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(re.escape(line).replace(ANY, ".*").replace(r"\ .*", " .*"))
            parts.append(r"\n")
    return "".join(parts)


def expect(lines: list[str], said: str, what: str) -> None:
    assert re.fullmatch(pattern(lines), said), f"{what}\n\n{said}"


def commands(block: list[str]) -> list[tuple[str, list[str]]]:
    """Each command of a block with the lines it shall print."""
    found: list[tuple[str, list[str]]] = []
    for line in block:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def shell_script(wanted: list[tuple[str, list[str]]]) -> str:
    lines = []
    for number, (command, shown) in enumerate(wanted):
        lines.append(f"echo '{MARK}{number}'")
        if command.startswith(BEHIND):
            last = max(shown[-1].split(ANY), key=len).strip()
            until = f"{{ {command}; }} 2>&1 | grep -qF '{last}'"
            again = f"for i in $(seq 120); do {until} && break; sleep 0.5; done"
            lines.append(again)
        lines.append(f"{{ {command}; }} 2>&1 </dev/null")
    return "\n".join(lines)


def test_a_mail_server_on_a_laptop(server: Server, tmp_path: Path) -> None:
    need("curl", "bash")
    programs = tmp_path / "bin"
    programs.mkdir()
    mailkit = programs / "mailkit"
    mailkit.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mailkit.app.cli "$@"\n')
    mailkit.chmod(0o755)
    wanted = [
        pair
        for block in blocks("laptop.md", "console", server)
        for pair in commands(block)
    ]
    assert len(wanted) > 10
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", shell_script(wanted)],
        cwd=server.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE * len(wanted),
        check=False,
        env={**ENVIRONMENT, "PATH": f"{programs}:{ENVIRONMENT['PATH']}"},
    )
    said = re.split(rf"^{MARK}\d+\n", done.stdout.replace("\r", ""), flags=re.MULTILINE)
    assert len(said) == len(wanted) + 1
    for (command, lines), printed in zip(wanted, said[1:], strict=True):
        expect(lines, printed, command)


def test_speak_smtp(server: Server) -> None:
    turns = list(chain.from_iterable(blocks("speak-smtp.md", "smtp", server)))
    place = ("127.0.0.1", server.ports["smtp"])
    with socket.create_connection(place, PATIENCE) as peer:
        replies = peer.makefile("r", encoding="utf-8", newline="\n")
        asked = "the greeting"
        while turns:
            wanted = spoken(turns, "S:")
            if wanted:
                expect(wanted, reply(replies), asked)
            for asked in spoken(turns, "C:"):
                peer.sendall(asked.encode() + b"\r\n")


def spoken(turns: list[str], who: str) -> list[str]:
    """What one side says now; it is taken off the dialogue."""
    lines: list[str] = []
    while turns and turns[0].startswith(who):
        lines.append(turns.pop(0)[3:])
    return lines


def reply(replies: TextIO) -> str:
    """One whole reply (RFC 5321 §4.2)."""
    lines = ""
    while True:
        line = replies.readline().replace("\r", "")
        lines += line
        if line[3:4] != "-":
            return lines
