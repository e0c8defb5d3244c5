"""The two programs of ``docs/howto/write-a-client.md`` send and read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mailkit.testing.server import MailServer

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "write-a-client.md"
SEND, LATEST = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)


def run(program: str, *words: str, password: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env={"PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_both(tmp_path: Path) -> None:
    """A file is sent and read, the certificate checked on both ways."""
    (tmp_path / "note.txt").write_text("attached\n")
    with MailServer() as server:
        anna = server.account("anna")
        send, read = server.ports["submissions"], server.ports["imaps"]
        trusted = str(server.certificate)
        run(
            SEND, "localhost", str(send), anna.address, anna.address, "note.txt",
            trusted, password=anna.password, folder=tmp_path,
        )  # fmt: skip
        names = [p.get_filename() for p in server.wait("anna").message.walk()]
        assert "note.txt" in names
        said = run(
            LATEST, "localhost", str(read), anna.address, trusted,
            password=anna.password, folder=tmp_path,
        )  # fmt: skip
    assert said.splitlines()[:2] == [
        "anna@example.test: note.txt",
        "The file is attached.",
    ]
    assert len(SEND.splitlines()) <= 25
    assert len(LATEST.splitlines()) <= 25
