"""Senders that tell which message comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import CannotName
from mailkit.formats import verp
from mailkit.model.path import Path
from tests.formats.garbage import anything

KEYS = (b"k" * 32, b"old" * 10)


def test_what_was_written_is_read() -> None:
    written = verp.write("5f3c09d1a2b4e687.1", "example.org", KEYS)
    assert written.local_part.startswith("bounce+5f3c09d1a2b4e687.1-")
    assert verp.read(written, KEYS) == "5f3c09d1a2b4e687.1"
    assert len(verp.write("x" * 46, "example.org", KEYS).local_part) == 64


def test_case_does_not_matter() -> None:
    written = verp.write("5f3c", "example.org", KEYS)
    assert verp.read(Path(written.local_part.upper(), "EXAMPLE.org"), KEYS) == "5f3c"


def test_an_older_key_is_still_believed() -> None:
    written = verp.write("5f3c", "example.org", KEYS[1:])
    assert verp.read(written, KEYS) == "5f3c"
    assert verp.read(written, KEYS[:1]) is None


def test_nothing_can_be_exchanged() -> None:
    written = verp.write("5f3c", "example.org", KEYS)
    assert verp.read(Path(written.local_part, "example.com"), KEYS) is None
    other = written.local_part.replace("5f3c", "5f3d")
    assert verp.read(Path(other, "example.org"), KEYS) is None
    assert verp.read(Path(written.local_part[:-1], "example.org"), KEYS) is None


@pytest.mark.parametrize("id", ["", "A", "a-b", "x" * 47, "é", "a\n"])
def test_what_is_no_id(id: str) -> None:
    with pytest.raises(CannotName):
        verp.write(id, "example.org", KEYS)


@pytest.mark.parametrize("local_part", ["", "bounce", "bounce+", "bob+x-aaaaaaaaaa"])
def test_what_is_no_such_address(local_part: str) -> None:
    assert verp.read(Path(local_part, "example.org"), KEYS) is None


@anything
@given(st.text(max_size=40))
def test_garbage_is_not_ours(text: str) -> None:
    assert verp.read(Path("bounce+" + text, "example.org"), KEYS) is None
