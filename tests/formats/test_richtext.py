"""Rich text as our own people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import richtext
from tests.formats.garbage import anything

CLEANED = [
    ("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>"),
    ("<p onclick=x style='color:red' class=y>Hi</p>", "<p>Hi</p>"),
    ("a<script>alert(1)</script>b<style>x{}</style>c", "abc"),
    ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
    (
        '<a href="https://x.example/" target=_top>x</a>',
        '<a href="https://x.example/">x</a>',
    ),
    ('<a href="cid:1">x</a>', "<a>x</a>"),
    ('<img src="https://x.example/t.gif" alt="t">', ""),
    ('a<img src="data:image/png;base64,AAAA"><img alt=">src=&quot;x">b', "ab"),
    ("<pre><svg>\n", "<pre>\n\n</pre>"),
    ("<pre>\n\nx</pre>", "<pre>\n\nx</pre>"),
    ('<img src="cid:1" alt="t" onerror=x>', '<img src="cid:1" alt="t">'),
    (
        '<blockquote type="cite">x</blockquote>',
        '<blockquote type="cite">x</blockquote>',
    ),
    ('<blockquote type="x">x</blockquote>', "<blockquote>x</blockquote>"),
    ("<svg><script>x</script></svg><form><input></form>", ""),
    ("<iframe src=x>y</iframe>z", "yz"),
]


@pytest.mark.parametrize(("html", "clean"), CLEANED)
def test_cleaned(html: str, clean: str) -> None:
    assert richtext.clean(html) == clean
    assert richtext.clean(clean) == clean


TEXTS = [
    ("", ""),
    ("Hello", "Hello"),
    ("<p>one</p><p>two</p>", "one\n\ntwo"),
    ("<div>one</div><div>two</div>", "one\ntwo"),
    ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
    ("one<br>two<br><br>three", "one\ntwo\n\nthree"),
    ("a  b\n c", "a b c"),
    ("a<b> b</b> <i> c</i>", "a b c"),
    ("<ul><li>a<li>b</ul>c", "* a\n* b\n\nc"),
    ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
    ("<ol start=x><li>a</ol>", "1. a"),
    ("<ul><li>a<ol><li>b</ol></ul>", "* a\n  1. b"),
    ("</ul></ol></blockquote></a></pre></script>x", "x"),
    ("<li>alone", "* alone"),
    (
        "<p>A:</p><blockquote><p>b</p><p>c</p></blockquote><p>d</p>",
        "A:\n> b\n>\n> c\n\nd",
    ),
    ("a<blockquote>b<blockquote>c</blockquote>d</blockquote>", "a\n> b\n>> c\n> d"),
    ('<a href="https://x.example/">here</a>', "here <https://x.example/>"),
    ('<a href="https://x.example/">x.example</a>', "x.example"),
    ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/"),
    ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
    ('<a href="mailto:a@x.example">Anna</a>', "Anna <a@x.example>"),
    ('<a href="https://x.example/"></a>', "<https://x.example/>"),
    ("<a>x</a>", "x"),
    ("<pre>a  b\n c</pre>d", "a  b\n c\n\nd"),
    ("<pre>a<b>\nb</b></pre>", "a\nb"),
    ("<pre>\na\n</pre><pre>\n\nb</pre>", "a\n\nb"),
    ("<table><tr><td>a<td>b<tr><th>c</table>", "a  b\nc"),
    ('x <img src="cid:1" alt="a  cat"> y<img src="cid:2">', "x [a cat] y"),
    ("a<hr>b", "a\n--------------------\nb"),
    ("a<script>x</script><style>y</style>b", "ab"),
    ("1 &lt; 2 &amp; 3&nbsp;4", "1 < 2 & 3 4"),
    ("a<div>-- <br>me</div>", "a\n-- \nme"),
    ("<p>a</p><p></p><p></p><p>b</p>", "a\n\nb"),
    ("a<br><br><br><br>b", "a\n\nb"),
]


@pytest.mark.parametrize(("html", "text"), TEXTS)
def test_in_plain_text(html: str, text: str) -> None:
    assert richtext.to_text(html) == text


def test_blank() -> None:
    assert richtext.is_blank("<p><br></p> &nbsp;")
    assert not richtext.is_blank('<p><img src="cid:1"></p>')
    assert not richtext.is_blank("x")


_PIECES = st.lists(
    st.sampled_from(
        [f"<{tag}>" for tag in (*richtext._TAGS, "script", "svg", "a href=x")]
        + [f"</{tag}>" for tag in (*richtext._TAGS, "script", "svg")]
        + ["a", " ", "\n", "&lt;", "<!--", "-->", "<", ">", '"', "<![CDATA["]
    ),
    max_size=30,
).map("".join)


@anything
@given(_PIECES)
def test_anything_is_cleaned_and_read(html: str) -> None:
    clean = richtext.clean(html)
    assert "<script" not in clean
    assert richtext.clean(clean) == clean
    assert "\n\n\n" not in richtext.to_text(html)


def test_depth_costs_nothing() -> None:
    assert richtext.to_text("<blockquote>" * 5000 + "x").startswith(">" * 50 + " x")
    assert richtext.to_text("<ul><li>" * 300 + "x").endswith("x")


def test_endless_blanks_take_linear_time() -> None:
    """With quadratic work this would run for minutes."""
    text = richtext.to_text("<pre>a" + " " * 500_000 + "b\n--  \n\t \nc" + " \t" * 9)
    assert text == "a" + " " * 500_000 + "b\n-- \n\nc"
