"""`mailkit demo` is what it says: two servers, real mail, nothing left behind."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailkit.app.cli.main import mailkit
from mailkit.app.demo import servers
from tests.interop.server import (
    ENVIRONMENT,
    MAILKIT,
    STARTING,
    need,
    remove,
    run,
    wait_until,
)

CHAPTER = Path(__file__).parents[2] / "docs" / "tutorials" / "demo.md"

STORY = (
    r"^1  Anna writes to Ben$",
    r"│ 250 2\.0\.0 Accepted as [0-9a-f]{16}$",
    r"│ west\.test  MX  10 mail\.west\.test\.$",
    r"│ Return-Path: <anna@east\.test>$",
    r"  signed",
    r"  sent      mail\.west\.test 127\.0\.0\.\d:\d+, TLSv1\.3",
    r"^2  Is it from east\.test, and unchanged\? \(DKIM\)$",
    r"│ rsa-sha256     holds, by the key at r\d+\._domainkey\.east\.test$",
    r"│ ed25519-sha256 holds, by the key at e\d+\._domainkey\.east\.test$",
    r"│ signature by \w+ of east\.test: the body is another one$",
    r"^3  Could somebody have listened\? \(MTA-STS\)$",
    r"│ _mta-sts\.west\.test  TXT  v=STSv1; id=",
    r"│ mode: enforce$",
    r"checked by\s+(│\s+)?mta-sts$",
    r"^4  Ben replies$",
    r"│ In-Reply-To: <[0-9a-f]+@east\.test>$",
    r"│ rsa-sha256     holds, by the key at r\d+\._domainkey\.west\.test$",
    r"^5  mail\.west\.test is switched off, and Anna writes$",
    r"│ state        waits$",
    r"│ attempts     1$",
    r"no connection:\s+(│\s+)?connection\s+(│\s+)?refused",
    r"│ 1 item to be tried$",
    r"  deferred  4\.4\.1",
    r"  sent      mail\.west\.test",
    r"^6  Anna mistypes an address$",
    r"│ Subject: Not delivered: To a wrong address$",
    r"│     550 5\.1\.1 No such address here$",
    r"^That was all of it$",
)
"""What it shows, in this order."""


LAST = re.compile(r"their certificates are of(?:\n +│)? +(\S+)\n")
"""The last line that it shows, which may be too long for one."""


def told(out: Path) -> str:
    """As far as it is there: a line that is being written may end amid a character."""
    return out.read_text(encoding="utf-8", errors="replace")


def check(story: str) -> None:
    """Every step was taken, and its evidence shown."""
    at = 0
    for pattern in STORY:
        found = re.compile(pattern, re.MULTILINE).search(story, at)
        assert found, f"no {pattern!r} in:\n{story[at:]}"
        at = found.end()


def check_chapter(story: str) -> None:
    """What the tutorial shows of it is shown, in this order."""
    text = CHAPTER.read_text(encoding="utf-8")
    blocks = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    at = 0
    for block in blocks:
        pattern = re.escape(block).replace("…", ".*").replace(r"\ .*", " *.*")
        found = re.compile(pattern).search(story, at)
        assert found, f"the tutorial shows\n{block}and there is\n{story[at:]}"
        at = found.start() + 1


@pytest.fixture
def folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Where the demo of this test keeps its things, and nobody else's."""
    tmp_path_factory.getbasetemp()  # not in there
    made = Path(tempfile.mkdtemp(prefix="mailkit-"))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    yield made
    monkeypatch.undo()
    remove(made)


def test_on_one_address(folder: Path) -> None:
    result = CliRunner().invoke(mailkit, ["demo", "--one-address"])
    assert (result.exit_code, result.stderr) == (0, "")
    check(result.stdout)
    check_chapter(result.stdout)
    assert list(folder.iterdir()) == []


def test_both_are_kept_until_they_are_not_wanted(folder: Path, tmp_path: Path) -> None:
    need("curl")
    out = tmp_path / "out"
    with out.open("wb") as file:
        demo = subprocess.Popen(
            [*MAILKIT, "demo", "--keep"],
            stdout=file,
            stderr=file,
            env={**ENVIRONMENT, "TMPDIR": str(folder)},
        )
    try:
        wait_until(
            "both run on",
            lambda: LAST.search(told(out)) or demo.poll() is not None,
            STARTING,
        )
        story = told(out)
        check(story)
        assert "Both servers run on; Ctrl-C ends them" in story
        logins = re.findall(r"│ (\w+@\w+\.test)  password (\S+)$", story, re.M)
        places = re.findall(r"imap +([\d.]+):(\d+) \(STARTTLS\)", story)
        [authority] = LAST.findall(story)
        assert [name for name, _ in logins] == ["anna@east.test", "ben@west.test"]
        for (name, password), (address, port) in zip(logins, places, strict=True):
            said = run(
                "curl", "-sv", "--ssl-reqd", "--cacert", authority,
                "--user", f"{name}:{password}", f"imap://{address}:{port}/",
            )  # fmt: skip
            assert "* LIST" in said
            assert "INBOX" in said
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(STARTING) == 0, told(out)
    assert list(folder.iterdir()) == []


def test_what_goes_wrong_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder stays: the logs are in it."""
    monkeypatch.setattr(servers, "PATIENCE", 0.0)
    monkeypatch.setenv("MAILKIT_DATA", "/elsewhere")
    result = CliRunner().invoke(mailkit, ["demo"])
    assert result.exit_code == 1
    [kept] = folder.iterdir()
    assert f"(logs and mail are in {kept})" in result.stderr
    assert (kept / "east.test" / "mailkit.toml").exists()
