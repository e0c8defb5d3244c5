"""HTML of messages: what readers get of it. What is harmful: tests/web/hostile."""

from __future__ import annotations

import pytest

from mailkit.formats.htmlclean import (
    CleanHTML,
    Wishes,
    clean,
    host_of,
    http_address,
    link_address,
)
from mailkit.formats.htmltokens import TokenLimits

PARTS = {"pic@x": "2.1", "a b": "3"}


def cleaned(source: str, *, shows: bool = False) -> CleanHTML:
    return clean(
        source,
        Wishes(
            part_url=lambda number: f"/part/M/{number}",
            picture_url=(lambda url: f"/img/{len(url)}") if shows else None,
            parts=PARTS,
        ),
    )


LINK = 'rel="noopener noreferrer nofollow" target="_blank"'
ROWS = [
    ("<p>Hi <b>you</b>", "<p>Hi <b>you</b></p>"),
    (
        "<a href=https://a.example/?b&amp;c>x</a>",
        f'<a href="https://a.example/?b&amp;c" {LINK}>x</a>',
    ),
    ("<a href=//a.example/x>x</a>", f'<a href="https://a.example/x" {LINK}>x</a>'),
    ("<a href=#top name=here>x</a>", '<a name="here" href="#top">x</a>'),
    ("<a href=x>y</a>", "<a>y</a>"),
    ("<a>y</a>", "<a>y</a>"),
    (
        "<img src=cid:pic@x alt='A &quot;b&quot;'>",
        '<img alt="A &quot;b&quot;" src="/part/M/2.1">',
    ),
    ("<img src=CID:a%20b>", '<img src="/part/M/3" alt="">'),
    ("<img src=cid:none>", '<img class="mk-blocked" alt="">'),
    (
        "<img src='data:image/png;base64,AA=='>",
        '<img src="data:image/png;base64,AA==" alt="">',
    ),
    ("<img src=x>", '<img class="mk-blocked" alt="">'),
    ("<img src=//[::1>", ""),
    (
        "<body bgcolor=#fff text=black style='margin:0'>x",
        '<div style="color:black;background-color:#fff;margin:0">x</div>',
    ),
    ("<body>x", "<div>x</div>"),
    ("<p style='url(x)'>x", "<p>x</p>"),
    ("<font color='red;'>x</font>", "<font>x</font>"),
    ("<blockquote>x</blockquote>", "<blockquote>x</blockquote>"),
    ("x\u00a0&amp;&lt;", "x&nbsp;&amp;&lt;"),
]


@pytest.mark.parametrize("source,html", ROWS)
def test_cleaned(source: str, html: str) -> None:
    assert cleaned(source).html == html


def test_a_quote_is_folded_once() -> None:
    made = cleaned(
        '<div class="gmail_quote x">a<br><img src=cid:pic@x>'
        "<blockquote type=cite>b</blockquote></div>c"
    ).html
    assert made.count("<details") == made.count("</details>") == 1
    assert made.endswith("</blockquote></div></details>c")


def test_pictures_are_counted_and_shown_on_wish() -> None:
    source = "<img src=https://P.example/a><img src=//q.example/b><img src=cid:pic@x>"
    made = cleaned(source)
    assert (made.pictures, made.trackers) == (2, 0)
    assert made.hosts == {"p.example", "q.example"}
    assert made.shown_parts == {"2.1"}
    assert "/img/" not in made.html
    made = cleaned(source, shows=True)
    assert made.pictures == 2
    assert made.html.count("/img/") == 2


@pytest.mark.parametrize(
    "attributes",
    [
        "width=1 height=1",
        "width=0",
        "height='1px'",
        "style='width:1px;height:20px'",
        "style='display:none'",
        "style='visibility:hidden'",
        "style='opacity:0'",
    ],
)
def test_trackers_are_never_fetched(attributes: str) -> None:
    made = cleaned(f"<img src=https://t.example/x {attributes}>", shows=True)
    assert (made.pictures, made.trackers, made.html) == (0, 1, "")


@pytest.mark.parametrize(
    "source,has_colours",
    [
        ("<p>x", False),
        ("<p style='color:red'>x", True),
        ("<p style='color:inherit'>x", False),
        ("<p style='-webkit-text-fill-color:#000'>x", True),
        ("<p style='-webkit-text-stroke:1px #000'>x", True),
        ("<p style='color-scheme:dark'>x", True),
        ("<p style='mix-blend-mode:difference'>x", True),
        ("<p style='backdrop-filter:invert(1)'>x", False),
        ("<font color=red>x</font>", True),
        ("<table bgcolor=#eee><tr><td>x</table>", True),
        ("<style>p{background:#fff}</style><p>x", True),
        ("<style>p{margin:0}</style><p>x", False),
    ],
)
def test_colours_are_seen(source: str, has_colours: bool) -> None:
    assert cleaned(source).has_colours is has_colours


MARKED = [
    ("https://evil.example/", "https://bank.example/", True),
    ("https://evil.example/", "www.bank.example", True),
    ("https://evil.example/", "https://me@bank.example:8080/x?y", True),
    ("https://evil.example/", "http://b\u00fccher.example", True),
    ("https://www.bank.example/", "bank.example", False),
    ("https://xn--bcher-kva.example/", "http://b\u00fccher.example", False),
    ("https://bank.example/", "Our bank", False),
    ("https://bank.example/", "invoice.pdf", False),
    ("https://bank.example/", "evil.pdf/x", True),
    ("https://bank.example/", "", False),
    ("mailto:a@b.example", "www.bank.example", False),
    ("#x", "www.bank.example", False),
    ("https://evil.example/", "Sign in at https://bank.example/login now", True),
    ("https://evil.example/", "Sign in at www.bank.example", True),
    ("https://evil.example/", "https://bank.example\u2215login", True),
    ("https://evil.example/", "bank\u200b.exa\u00admple", True),
    ("https://evil.example/", "bank\u3002example", True),
    ("https://evil.example/", "\uff42ank\uff0eexample", True),
    ("https://bank.example@evil.example/", "https://bank.example", True),
    ("https://bank.example/", "More at https://bank.example/x", False),
    ("https://bank.example/", "Node.js in ten minutes", False),
    ("https://evil.example/", "x" * 400 + "<i>bank.example</i>", False),
]


@pytest.mark.parametrize("address,text,is_marked", MARKED)
def test_links_that_say_another_host_are_marked(
    address: str, text: str, is_marked: bool
) -> None:
    made = cleaned(f'<a href="{address}"><b>{text}</b></a>').html
    assert ("shows another address" in made) is is_marked


def test_the_mark_is_seen_whatever_is_around_it() -> None:
    made = cleaned('<bdo dir=rtl><a href="https://evil.example/">bank.example</a>').html
    for part in ("all:initial", "12px", "direction:ltr", "unicode-bidi:isolate"):
        assert part in made


def test_names_that_dns_cannot_have_are_compared_as_they_are() -> None:
    long = "a" * 70
    made = cleaned(f'<a href="https://evil.example/">{long}.example</a>').html
    assert "shows another address" in made


ADDRESSES = [
    ("HTTP:\\\\a.example\\x", "http://a.example\\x"),
    ("https:a.example/x", "https://a.example/x"),
    ("https://[::1", None),
    ("https://", None),
    ("javascript:x", None),
    ("noscheme", None),
    ("https://a.example/" + "x" * 20_000, None),
    (
        "mailto:a@b.example,c@d.example?subject=x%26y&body=z&attach=/etc/passwd&cc=e",
        "/compose?to=a%40b.example%2Cc%40d.example&subject=x%26y&body=z&cc=e",
    ),
    ("mailto:?to=a@b.example", "/compose?to=a%40b.example"),
    ("mailto:", "/compose?"),
]


@pytest.mark.parametrize("address,leads", ADDRESSES)
def test_link_addresses(address: str, leads: str | None) -> None:
    """``mailto:`` is RFC 6068's."""
    assert link_address(address) == leads


def test_mailto_with_too_many_fields_keeps_the_first_ones() -> None:
    assert link_address("mailto:a@b?" + "&".join(["cc=x"] * 50)) == (
        "/compose?to=a%40b" + "&cc=x" * 20
    )


def test_hosts() -> None:
    assert host_of("https://A.example:443/x") == "a.example"
    assert host_of("https://[::1") is None
    assert http_address("https:/") is None


def test_long_ones_are_cut() -> None:
    wishes = Wishes(part_url=str, limits=TokenLimits(size=10))
    made = clean("x" * 20, wishes)
    assert made.is_cut
    assert made.html == "x" * 10
