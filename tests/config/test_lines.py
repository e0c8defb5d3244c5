"""The line of each key."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.config.lines import find_lines

TEXT = '''\
# a comment
hostname = "mail.example.org"

"quoted" = 1
log.level = "info"
text = """
[listen]
imap = 3
"""

[listen]
smtp = [
  "tcp:25",   # ] not the end
  "tcp:2525",
]
imap = ["tcp:143"]

[ tls ]   # spaces are allowed
key = "x"

[[tls.also]]
certificate = "a"

[[tls.also]]
key = "b"
inline = { one = 1, two = { three = 3 } }
last = 1'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("hostname", 2),
        ("quoted", 4),
        ("log", 5),
        ("log.level", 5),
        ("text", 6),
        ("listen", 11),
        ("listen.smtp", 12),
        ("listen.smtp.1", 12),
        ("listen.imap", 16),
        ("tls", 18),
        ("tls.key", 19),
        ("tls.also", 21),
        ("tls.also.0", 21),
        ("tls.also.0.certificate", 22),
        ("tls.also.1", 24),
        ("tls.also.1.key", 25),
        ("tls.also.1.inline.two.three", 26),
        ("tls.also.1.last", 27),
        ("imap", None),
        ("tls.also.2", None),
    ],
)
def test_lines(key: str, line: int | None) -> None:
    tomllib.loads(TEXT)
    assert find_lines(TEXT).get(key) == line


def test_nothing() -> None:
    assert find_lines("") == {}


WORD = st.text("abc_", min_size=1, max_size=3)
VALUE = st.sampled_from(['"x"', "1", "[\n1,\n2,\n]", '"""\n[a]\nb = 1\n"""', "{x = 1}"])
TREE = st.dictionaries(WORD, st.dictionaries(WORD, VALUE, max_size=3), max_size=4)


@given(TREE)
def test_every_key_is_found_where_it_was_written(tree: dict[str, Any]) -> None:
    lines: list[str] = []
    written: dict[str, int] = {}
    for table, values in tree.items():
        lines.append(f"[{table}]")
        written[table] = len(lines)
        for name, value in values.items():
            written[f"{table}.{name}"] = len(lines) + 1
            lines += f"{name} = {value}".split("\n")
    found = find_lines("\n".join(lines))
    assert {key: found[key] for key in written} == written
