"""Scripts as they are served: without comments, and otherwise as they were written."""

from __future__ import annotations

from importlib.resources import files

import pytest

from mailkit.web.statics import _served
from tests.web.world import STATICS

FOLDER = files("mailkit.web").joinpath("static")
SCRIPTS = [name for name in STATICS.names if name.endswith(".js")]


def served(name: str) -> list[str]:
    found = STATICS.find(STATICS.version, name)
    assert found is not None
    return found.octets.decode().splitlines()


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_but_comments_is_left_out(name: str) -> None:
    written = FOLDER.joinpath(name).read_text("utf-8").splitlines()
    kept = iter(served(name))
    wanted = next(kept, None)
    for line in written:
        if line == wanted:
            wanted = next(kept, None)
        else:
            assert line.lstrip().startswith(("//", "/**", "* ", "*/")) or (
                line.strip() == "*"
            ), line
    assert wanted is None, "a line that nobody wrote"
    assert len(served(name)) < len(written)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_template_literal_has_more_than_one_line(name: str) -> None:
    """One that had might have a line that looks like a comment and is none."""
    for line in served(name):
        assert line.count("`") % 2 == 0, line


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("// a\nf();\n", "f();\n"),
        ("  // a\n\n  f(); // b\n", "\n  f(); // b\n"),
        ("/** a */\nf();\n", "f();\n"),
        ("/**\n * a *b* c\n * `x`\n */\nf();\n", "f();\n"),
        ("  /** a */\n  f() {},\n", "  f() {},\n"),
        ("/** a */ f();\n", "/** a */ f();\n"),
        ("f(/* a */);\n", "f(/* a */);\n"),
        ('f("// a");\ng(/[/]/);\n', 'f("// a");\ng(/[/]/);\n'),
        ("/** never ends\nf();\n", "/** never ends\nf();\n"),
    ],
)
def test_whole_lines_alone_are_left_out(written: str, left: str) -> None:
    assert _served("x.js", written.encode()).decode() == left
    assert _served("x.css", written.encode()).decode() == written
