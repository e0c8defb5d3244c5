"""HTML made into tags that open and close in order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.htmltokens import TokenLimits, rewrite

ROWS = [
    ("a < b", "a &lt; b"),
    ("<p>x", "<p>x</p>"),
    ("<p>x<p>y", "<p>x</p><p>y</p>"),
    ("<b>x<i>y</b>z", "<mk-b>x<mk-i>y</mk-i></mk-b>z"),
    ("</b>x</p>", "x"),
    ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
    (
        "<table><tr><td>a<td>b<tr><td>c</table>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
    ),
    ("<dl><dt>a<dd>b</dl>", "<dl><dt>a</dt><dd>b</dd></dl>"),
    ("<div><table><tr><td></div>x", None),
    ("<a href=x><a href=y>z", "<mk-a href=x></mk-a><mk-a href=y>z</mk-a>"),
    ("<br/><img src=x/>", "<br/ ><img src=x/ >"),
    ("<script>a<b></script>c", "c"),
    ("<script>a", ""),
    ("<svg><p>x</svg>y", "y"),
    ("<svg><p>x", "<p>x</p>"),
    ("<svg><svg>x", "x"),
    ("</svg>x", "x"),
    ("<style>p{}</style><style>i{}", ""),
    ("<plaintext><b>", "&lt;b>"),
    ("<unknown>x</unknown>", "x"),
    ("<!-- x --><!x><?y></ z>a", "a"),
    ("<!--><b>x", "<mk-b>x</mk-b>"),
    ("x<b y", "x"),
    ("<p title='a<b'>x", "<p title='a&lt;b'>x</p>"),
    ("<body bgcolor=red>x", "<mk-body bgcolor=red>x</mk-body>"),
    ("<p =a b=>x", "<p =a b=>x</p>"),
    ("<td>a<th>b", "<td>a</td><th>b</th>"),
]


@pytest.mark.parametrize("source,html", ROWS)
def test_rewritten(source: str, html: str | None) -> None:
    if html is not None:
        assert rewrite(source).html == html
    assert rewrite(source).is_cut is False


def test_an_end_outside_does_not_close_what_is_around_a_cell() -> None:
    made = rewrite("<div><table><tr><td></div>x</table>y</div>").html
    assert made == "<div><table><tr><td>x</td></tr></table>y</div>"


def test_styles_are_handed_out() -> None:
    assert rewrite("<style>p{}</style>x<style>i{}").sheets == ("p{}", "i{}")


def test_none_is_too_deep() -> None:
    made = rewrite("<div>" * 10 + "x" + "</div>" * 10, TokenLimits(depth=3)).html
    assert made == "<div><div><div>x</div></div></div>"


def test_nor_too_many_or_too_long() -> None:
    made = rewrite("<p>" * 10, TokenLimits(tags=3))
    assert made.is_cut
    assert made.html == "<p></p><p></p><p></p>"
    made = rewrite("abcdef", TokenLimits(size=3))
    assert (made.html, made.is_cut) == ("abc", True)


_PIECES = [
    "<b>",
    "</b>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "</table>",
    "<li>",
    "<br>",
    "<a>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<svg>",
    "x",
    "<",
    "'",
    '"',
    "<i",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_whatever_comes_is_in_order(source: str) -> None:
    stack: list[str] = []
    made = rewrite(source).html
    for end, name in re.findall(r"<(/?)([a-z0-9-]+)[^>]*>", made):
        if end:
            assert stack.pop() == name
        elif name not in ("br", "hr", "img", "wbr", "col"):
            stack.append(name)
    assert stack == []
