"""Plain text as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.plainhtml import Line, PlainLimits, lines_of, render

_REL = 'rel="noopener noreferrer nofollow" target="_blank"'


def _p(text: str) -> str:
    return f'<p dir="auto">{text}</p>\n'


ROWS = [
    ("", ""),
    ("a\r\nb", _p("a<br>\nb")),
    ("a\n\nb\n\n\n", _p("a") + _p("b")),
    ("<b>&", _p("&lt;b&gt;&amp;")),
    ("a  b", _p("a\u00a0 b")),
    (" a\tb", None),
    (
        "see www.a.example/x.",
        _p(f'see <a href="http://www.a.example/x" {_REL}>www.a.example/x</a>.'),
    ),
    (
        "(https://a.example/(b))",
        _p(f'(<a href="https://a.example/(b)" {_REL}>https://a.example/(b)</a>)'),
    ),
    (
        'https://a.example/"x',
        _p(f'<a href="https://a.example/" {_REL}>https://a.example/</a>"x'),
    ),
    ("http://...", _p("http://...")),
    ("a@b.example!", _p('<a href="/compose?to=a%40b.example">a@b.example</a>!')),
    ("no.link here", _p("no.link here")),
    ("> a\n> b\nc", f"<blockquote>{_p('a<br>' + chr(10) + 'b')}</blockquote>{_p('c')}"),
    (
        "a\n-- \nme",
        _p("a") + f'<div class="signature">{_p("-- <br>" + chr(10) + "me")}</div>',
    ),
    ("a\x00\x07b", _p("ab")),
]


@pytest.mark.parametrize("turn", ["\u2066", "\u2067", "\u2069", "\u202e", "\u200f"])
def test_what_turns_the_direction_round_is_in_no_link(turn: str) -> None:
    html = render(f"See https://a.example/{turn}moc.knab now").html
    assert 'href="https://a.example/"' in html
    assert ">https://a.example/</a>" in html


@pytest.mark.parametrize("text,html", ROWS)
def test_rendered(text: str, html: str | None) -> None:
    made = render(text)
    assert made.is_cut is False
    if html is not None:
        assert made.html == html


def test_long_quotes_are_folded() -> None:
    html = render("> a\n> b\n>> c\n> d\ne").html
    assert html.startswith('<details class="quoted">')
    assert html.count("<blockquote>") == 2


def test_flowed_text_is_put_together() -> None:
    text = "a \nb\n> c \n> d\n e\n-- \nme"
    assert lines_of(text, flowed=True) == [
        Line(0, "a b"),
        Line(1, "c d"),
        Line(0, "e"),
        Line(0, "-- "),
        Line(0, "me"),
    ]
    assert lines_of("a \nb", flowed=True, delete_space=True) == [Line(0, "ab")]
    assert lines_of("a \n> b", flowed=True) == [Line(0, "a "), Line(1, "b")]
    assert lines_of("a \n-- \nb", flowed=True)[1:] == [Line(0, "-- "), Line(0, "b")]


def test_limits() -> None:
    assert render("abcdef", limits=PlainLimits(size=3)).is_cut
    assert render("a\nb\nc", limits=PlainLimits(lines=2)).is_cut
    assert lines_of(">" * 9 + "x", limits=PlainLimits(depth=3)) == [Line(3, ">>>>>>x")]
    made = render("www.a.example www.b.example", limits=PlainLimits(links=1))
    assert made.html.count("<a ") == 1
    made = render("www.a.example\nwww.b.example", limits=PlainLimits(links=1))
    assert made.html.count("<a ") == 1


@given(st.text(alphabet="<>&\"' ab.@:/w-\n\t", max_size=100))
def test_nothing_that_is_written_becomes_a_tag(text: str) -> None:
    html = render(text).html
    for tag in (
        "<p dir",
        "</p>",
        "<br>",
        "<a href",
        "</a>",
        "<blockquote>",
        "</blockquote>",
        "<details",
        "</details>",
        "<summary",
        "</summary>",
        "<div class",
        "</div>",
    ):
        html = html.replace(tag, "")
    assert "<" not in html
