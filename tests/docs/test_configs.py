"""Every piece of `mailkit.toml` that a page shows is one that a server reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailkit.app.find import read_text
from tests.docs.rfcs import ROOT

PAGES = sorted([*(ROOT / "docs").glob("[eht]*/*.md"), ROOT / "README.md"])
FENCED = re.compile(r"^ *```toml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHOWN = [
    (page, block)
    for page in PAGES
    for block in FENCED.findall(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[page.name for page, _ in SHOWN])
def test_it_is_read(page: Path, block: str) -> None:
    hostname = "" if "hostname" in block else 'hostname = "mail.example.org"\n'
    config = read_text(hostname + block, page.with_name("mailkit.toml"))
    assert "." in config.settings.hostname


def test_there_are_some() -> None:
    assert len(SHOWN) > 5
