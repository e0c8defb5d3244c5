"""How one leaves a list."""

from __future__ import annotations

import pytest

from mailkit.formats.leaving import Leaving, read_leaving

ONE = b" List-Unsubscribe=One-Click\r\n"
ROWS = [
    (None, None, Leaving()),
    (
        b" <mailto:l@a.example?subject=x>\r\n",
        None,
        Leaving(mailto="mailto:l@a.example?subject=x"),
    ),
    (
        b" <https://a.example/u>,\r\n <mailto:x@y>\r\n",
        ONE,
        Leaving("https://a.example/u", "https://a.example/u", "mailto:x@y"),
    ),
    (b" <https://a.example/u>", None, Leaving(page="https://a.example/u")),
    (b" <http://a.example/u>", ONE, Leaving(page="http://a.example/u")),
    (
        b" <http://a.example/u>, <https://b.example/>",
        ONE,
        Leaving("https://b.example/", "http://a.example/u"),
    ),
    (b" <https://a.example/u>", b" something", Leaving(page="https://a.example/u")),
    (
        b" <javascript:x>, <mailto:a@b>, <mailto:c@d>, no",
        ONE,
        Leaving(mailto="mailto:a@b"),
    ),
]


@pytest.mark.parametrize("value,post,leaving", ROWS)
def test_read(value: bytes | None, post: bytes | None, leaving: Leaving) -> None:
    assert read_leaving(value, post) == leaving
    assert bool(leaving) is any((leaving.one_click, leaving.page, leaving.mailto))
