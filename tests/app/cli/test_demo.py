"""However the demo ends, nothing of it is left."""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path

import pytest
from attrs import define, field

from mailkit.app.cli import demo
from mailkit.app.demo.servers import DemoFailed
from tests.app.cli.conftest import Shell

NOTHING_LEFT = "stopped: both servers have ended, nothing is left"


@define(eq=False)
class FakePair:
    """Two servers that are none: what happens while they start, and what was done."""

    happens: signal.Signals | Exception | None
    folder: Path = field(init=False)
    done: list[str] = field(factory=list)

    def start(self) -> None:
        self.done.append("start")
        if isinstance(self.happens, Exception):
            raise self.happens
        if self.happens is not None:
            signal.raise_signal(self.happens)

    def stop(self) -> None:
        for one in demo.ENDS:  # somebody is impatient
            signal.raise_signal(one)
        self.done.append("stop")


class FakeStory:
    """Tells nothing."""

    def __init__(self, pair: object, tell: object) -> None:
        """It needs neither."""

    def begins(self) -> None:
        """Nothing."""

    run = ends = stays = begins


@pytest.fixture
def play(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePair:
    """A demo whose servers and story are doubles."""
    pair = FakePair(None)

    def make(folder: Path, *_: object) -> FakePair:
        pair.folder = folder
        return pair

    monkeypatch.setattr(demo, "make_pair", make)
    monkeypatch.setattr(demo, "Story", FakeStory)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return pair


@pytest.mark.parametrize("ends", demo.ENDS)
def test_stopped_half_way(shell: Shell, play: FakePair, ends: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in demo.ENDS]
    play.happens = ends
    assert shell.refused("demo") == NOTHING_LEFT
    assert play.done == ["start", "stop"]
    assert not play.folder.exists()
    assert [signal.getsignal(one) for one in demo.ENDS] == before


def test_to_its_end(shell: Shell, play: FakePair) -> None:
    assert shell.ok("demo") == ""
    assert play.done == ["start", "stop"]
    assert not play.folder.exists()


def test_kept_until_somebody_ends_it(
    shell: Shell, play: FakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes right before it waits is heard as well: it does not wait for ever."""
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(time, "sleep", sleep)
    assert shell.ok("demo", "--keep") == "\n"
    assert waited == [demo.LOOK] * 3
    assert play.done == ["start", "stop"]
    assert not play.folder.exists()


def test_ended_while_it_still_says_how(
    shell: Shell, play: FakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stays(story: FakeStory) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(FakeStory, "stays", stays)
    assert shell.ok("demo", "--keep") == "\n"
    assert play.done == ["start", "stop"]


def test_nobody_reads_it(shell: Shell, play: FakePair) -> None:
    """As ``mailkit demo | head`` does."""
    play.happens = BrokenPipeError()
    with pytest.raises(BrokenPipeError):
        shell.run("demo")
    assert play.done == ["start", "stop"]
    assert not play.folder.exists()


def test_what_failed_can_be_looked_at(shell: Shell, play: FakePair) -> None:
    play.happens = DemoFailed("mail.west.test does not answer")
    said = shell.refused("demo")
    assert said == (
        f"mail.west.test does not answer (logs and mail are in {play.folder})"
    )
    assert play.folder.is_dir()
