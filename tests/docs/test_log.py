"""The reference of log lines: each is one that is written, at that level."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from mailkit.services.queue.trying import HELD
from mailkit.services.sendinglimits import FROZEN, SLOWED
from tests.docs.rfcs import ROOT

PAGE = (ROOT / "docs" / "reference" / "log.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\w+) \| `([^`]+)` \|", PAGE, re.MULTILINE)
LEVELS = ("debug", "info", "warn", "error")


def _written() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "mailkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr=level),
                    args=[ast.Constant(value=str(words)), *_],
                ) if level in LEVELS:
                    yield level, words


WRITTEN = frozenset(_written())


@pytest.mark.parametrize(("level", "line"), ROWS)
def test_it_is_written(level: str, line: str) -> None:
    assert (level, line) in WRITTEN


def test_there_are_some() -> None:
    assert len(ROWS) > 25


@pytest.mark.parametrize("kind", [FROZEN, SLOWED, HELD])
def test_every_alarm_is_named(kind: str) -> None:
    assert f"`{kind}`" in PAGE
