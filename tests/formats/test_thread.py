"""Conversations: roots and base subjects (RFC 5256 §2.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import thread
from tests.formats.garbage import anything


@pytest.mark.parametrize(
    ("message_id", "in_reply_to", "references", "root"),
    [
        (b"<3@a>", b"<2@a>", b"<1@a> <2@a>", b"<1@a>"),
        (b"<3@a>", b"<2@a>", None, b"<2@a>"),
        (b"<3@a>", b"<2@a>", b"nothing", b"<2@a>"),
        (b"<3@a>", b"your letter", b"", b"<3@a>"),
        (b"", None, None, b""),
        (None, None, None, b""),
    ],
)
def test_roots(
    message_id: bytes | None,
    in_reply_to: bytes | None,
    references: bytes | None,
    root: bytes,
) -> None:
    assert thread.root(message_id, in_reply_to, references) == root


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Meeting", "Meeting"),
        ("  two\twords \r\n", "two words"),
        ("Re: Meeting", "Meeting"),
        ("RE : Fwd: fw: Meeting (fwd) (FWD)", "Meeting"),
        ("Re[2]: Meeting", "Meeting"),
        ("Re [list]: Meeting", "Meeting"),
        ("[list] Re: [list] Meeting", "Meeting"),
        ("[list] Meeting", "Meeting"),
        ("[list]", "[list]"),
        ("[a] [b]", "[b]"),
        ("[fwd: Meeting]", "Meeting"),
        ("Re: [Fwd: Re: Meeting (fwd)]", "Meeting"),
        ("Re: ", ""),
        ("Regarding: Meeting", "Regarding: Meeting"),
        ("[open Meeting", "[open Meeting"),
        ("", ""),
    ],
)
def test_base_subjects(subject: str, base: str) -> None:
    assert thread.base_subject(subject) == base


@anything
@given(st.text("re fwd:[]()ab", max_size=40) | st.text(max_size=20))
def test_a_base_subject_is_its_own_base(subject: str) -> None:
    base = thread.base_subject(subject)
    assert thread.base_subject(base) == base


def test_endless_subjects_take_linear_time() -> None:
    for text in ("Re: ", "[a]", "[", " ", "(fwd)", "[fwd:", "re"):
        thread.base_subject(text * (1 << 15))
