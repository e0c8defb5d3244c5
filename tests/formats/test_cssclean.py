"""Style sheets of strangers: what is kept, what goes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.cssclean import clean_declarations, clean_sheet

DECLARATIONS = [
    ("color:red", "color:red", True),
    ("COLOR : Red ;; ", "color:Red", True),
    ("margin:0 auto !important", "margin:0 auto !important", False),
    ("background:transparent", "background:transparent", False),
    ("color:inherit !important", "color:inherit !important", False),
    ("width:calc(100% - (2px * 3))", "width:calc(100% - (2px * 3))", False),
    ("background:linear-gradient(#fff,#eee)",) * 2 + (True,),
    ("font-family:'A;B',\"C\"", "font-family:'A;B',\"C\"", False),
    ("color:/*x*/red", "color:red", True),
    ("color:r/*x*/ed;margin:0", "color:red;margin:0", True),
    ("font:12px/1.5 Größe", "font:12px/1.5 Größe", False),
    ("background:url(x)", "", False),
    ("background:red url(x)", "", False),
    ("background:0url(x)", "", False),
    ("x:expression(1)", "", False),
    ("x:)", "", False),
    ("x:(", "", False),
    ("x:\\75", "", False),
    ("x:'<b>'", "", False),
    ("x:a<b", "", False),
    ("behavior:x", "", False),
    ("1x:y", "", False),
    ("x", "", False),
    ("x:", "", False),
    ("x:" + "y" * 3000, "", False),
    ("x:'open", "", False),
    # A browser ends the string at such an end of a line, too (CSS Syntax §3.3).
    ("x:'\f;background:url(y);z:'", "", False),
    ("x:'\r;background:url(y);z:'", "", False),
    # A comment may come together when another is taken out.
    ("x:a /<!--* b;c:'*/;background:url(y)'", "c:'*/;background:url(y)'", False),
    ("a:b;c:url(;);d:e", "a:b;d:e", False),
]


@pytest.mark.parametrize("source,css,has_colours", DECLARATIONS)
def test_declarations(source: str, css: str, has_colours: bool) -> None:
    assert clean_declarations(source) == (css, has_colours)


SHEETS = [
    ("p{color:red}", "p{color:red}", True),
    ("p , b.c#d>e::before [x='y']{margin:0}", "p , b.c#d>e::before [x='y']{margin:0}"),
    ("@media (max-width:600px){p{margin:0}b{x:y}}", None),
    ("@media all{p{margin:0}", "@media all{p{margin:0}}"),
    ("@media (width<600px){p{margin:0}}", "@media (width\\3c 600px){p{margin:0}}"),
    ("@import 'x';p{margin:0}", "p{margin:0}"),
    ("@font-face{src:url(x)}p{margin:0}", "p{margin:0}"),
    ("@supports (x:y){p{margin:0}}b{margin:0}", "b{margin:0}"),
    ("p{}b{margin:0}", "b{margin:0}"),
    ("p{margin:0;b{x:y}}i{margin:0}", "i{margin:0}"),
    ("}p{margin:0}", "p{margin:0}"),
    ("<b>{x:y}i{margin:0}", "i{margin:0}"),
    ("p{content:'}'}i{margin:0}", "p{content:'}'}i{margin:0}"),
    ("<!-- p{margin:0} -->", "p{margin:0}"),
    ("@media all{" * 4 + "p{margin:0}" + "}" * 4 + "i{margin:0}", None),
    ("p{margin:0", ""),
    # What a browser reads as an address goes on over braces and quotation marks.
    ("p url({x:') {} q{background:url(y)} r{'}i{margin:0}", "i{margin:0}"),
    ("p:not(URL({x:') {} q{background:url(y)} r{'}i{margin:0}", "i{margin:0}"),
    ("@media url({p{x:')'}}i{margin:0}", "i{margin:0}"),
    # Rules follow each other without an end of a line, which ended this string.
    ('[a="]{b:c}\nd{x:"] {} q{background:url(y)}"}i{margin:0}', None),
    # A string without an end goes on to the end of its line.
    ("[a=']{b:c}i{margin:0}", ""),
    ("[a='b\nc']{d:e}i{margin:0}", ""),
    ("p{x:'a}\ny:z}i{margin:0}", "i{margin:0}"),
    ("[a = 'b c' i], [d|e^=\"f\"] {x:y}", "[a = 'b c' i], [d|e^=\"f\"]{x:y}"),
]


@pytest.mark.parametrize("row", SHEETS)
def test_sheets(row: tuple[str, str | None] | tuple[str, str | None, bool]) -> None:
    source, css = row[0], row[1]
    made = clean_sheet(source)
    if css is not None:
        assert made.css == css
    assert made.has_colours is (len(row) == 3)
    assert made.css.count("{") == made.css.count("}") or "'}'" in made.css


_PIECES = [
    *"ab{}();:'\"\\ \n\r\f]",
    *(
        "[a=",
        "/*",
        "*/",
        "<!--",
        "-->",
        "url(",
        "@media all",
        "q{x:url(y)}",
        "p{x:",
        "!",
    ),
]
_TOKEN = re.compile(
    r"(?P<string>'(?:[^'\\\n]|\\.)*+'|\"(?:[^\"\\\n]|\\.)*+\")"
    r"|(?P<wrong>/\*|url\(|['\"]|@import)|.",
    re.S | re.I,
)
"""As browsers see it (CSS Syntax §4.3), as far as it could do harm."""


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_browsers_find_no_address_either(source: str) -> None:
    for css in (clean_sheet(source).css, clean_declarations(source).css):
        lines = css.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
        for token in _TOKEN.finditer(lines):
            assert token["wrong"] is None, css


@pytest.mark.parametrize("piece", ['\\"', "\\'", '"\\', "'(", '"{'])
def test_endless_strings_take_linear_time(piece: str) -> None:
    """With quadratic work this would run for minutes."""
    assert clean_sheet("p{x:" + piece * 120_000).css == ""
    assert clean_declarations("x:" + piece * 120_000).css == ""


def test_a_sheet_is_read_so_far() -> None:
    assert clean_sheet("p{margin:0}i{margin:0}", most=11).css == "p{margin:0}"


def test_media_is_kept_three_deep() -> None:
    made = clean_sheet("@media all{" * 4 + "p{margin:0}" + "}" * 4).css
    assert made == "@media all{" * 3 + "}" * 3


@given(st.text(alphabet="ab{}();:@'\"\\/*<>!-u rl\n", max_size=60))
def test_whatever_comes_nothing_is_fetched(source: str) -> None:
    for css in (clean_sheet(source).css, clean_declarations(source).css):
        assert "<" not in css
        assert "url(" not in css.lower()
        assert "\\" not in css.replace("\\3c ", "") or "'" in css or '"' in css
