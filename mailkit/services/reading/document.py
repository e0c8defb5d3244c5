"""The document that shows a message's HTML, and nothing but it."""

from __future__ import annotations

from html import escape

from mailkit.formats.displayed import Kind
from mailkit.services.reading.message import Body, Text

LOOK = """\
html{background:#fff}
body{margin:0;padding:12px 16px;font:15px/1.6 Inter,system-ui,sans-serif;\
overflow-wrap:anywhere;text-align:start}
body>:first-child,.mk-text>:first-child{margin-top:0}
img{max-width:100%;height:auto}
img.mk-blocked{outline:1px dashed #8a857a;outline-offset:-1px;min-width:1em;\
min-height:1em;font-size:12px}
table{max-width:100%}
pre{white-space:pre-wrap}
blockquote{margin:0 0 0 2px;padding-inline-start:12px;\
border-inline-start:3px solid #8a857a}
summary{cursor:pointer;display:inline-block;padding:0 10px;border-radius:99px;\
background:#8a857a33;letter-spacing:.1em;font-weight:700;list-style:none;user-select:none}
summary::-webkit-details-marker{display:none}
details.mk-quote,details.quoted{margin:8px 0}
.mk-text{max-width:68ch}
.mk-rule{border:0;border-top:1px solid #8a857a66;margin:16px 0}
"""
"""How messages look that say nothing of it."""
_PAPER = ":root{color-scheme:light}body{color:#1d1c19}a{color:#0b665a}"
_THEMED = (
    ":root{color-scheme:light dark}html{background:light-dark(#fff,#1a1d1b)}"
    "body{color:light-dark(#1d1c19,#eceae4)}a{color:light-dark(#0b665a,#62d2ba)}"
)
_DARKENED = (
    "html{filter:invert(.9) hue-rotate(180deg);background:#fff}"
    "img:not(.mk-blocked){filter:invert(1) hue-rotate(180deg) contrast(1.1)}"
)
_LIGHT = ":root{color-scheme:light}"
_DARK = ":root{color-scheme:dark}"


def write_document(
    body: Body, *, title: str, language: str, theme: str = "auto", dark: bool = False
) -> bytes:
    """
    Write it.

    HTML that sets colours is shown on white paper, or turned dark as a whole; other
    HTML has the reader's theme.

    :param theme: ``auto``, ``light`` or ``dark``: the reader's.
    :param dark: whether the paper is to be dark.
    """
    styles = [LOOK]
    if body.has_colours:
        styles.append(_PAPER)
        if dark:
            styles.append(_DARKENED)
    else:
        styles += (_THEMED, {"light": _LIGHT, "dark": _DARK}.get(theme, ""))
    parts = '<hr class="mk-rule">'.join(map(_part, body.texts))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{''.join(styles)}</style>"
        f'<style>{body.css}</style></head><body dir="auto">{parts}</body></html>\n'
    ).encode("utf-8", "replace")


def _part(text: Text) -> str:
    if text.marked is not None:
        return text.marked.html
    assert text.plain is not None  # it is one of the two
    name = "mk-text mk-calendar" if text.kind is Kind.CALENDAR else "mk-text"
    return f'<div class="{name}">{text.plain.html}</div>'
