"""
A conversation for paper: its messages one below the other, in one document.

What strangers wrote lies in shadow trees, each with its own style sheet: no message's
style reaches another one or our own words, and what a message places freely stays
within its sheet. Nothing runs in the document, which is served like a message's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from attrs import field, frozen

from mailkit.services.reading.document import LOOK
from mailkit.services.reading.message import Body


@frozen
class Sheet:
    """One message."""

    author: str
    address: str
    """Where it came from; empty if that is all that is known of the author."""
    lines: tuple[str, ...]
    """To whom it went, when, and what is to be said of it."""
    body: Body | None = field(repr=False)
    files: tuple[str, ...] = ()
    """Names of what is attached."""


@frozen
class Words:
    """What stands on the sheets beside the messages, in the reader's language."""

    language: str
    direction: str
    title: str
    left_out: str
    """That not all of it is here; empty: it is."""
    files: str
    """What stands before names of files."""


_OWN = """\
html{background:#fff;color-scheme:light}
body{margin:0 auto;max-width:800px;padding:16px;color:#1d1c19;overflow-wrap:anywhere;\
font:15px/1.6 Inter,system-ui,sans-serif}
h1{font-size:20px;margin:0 0 16px}
header p,footer{margin:0;color:#57534b;font-size:13px}
header b{color:#1d1c19;font-size:15px}
article{border-top:1px solid #8a857a;padding:12px 0}
header{break-inside:avoid;break-after:avoid}
.sheet{contain:content;padding:12px 0}
"""
_SELECTORS = re.compile(r"(^|[{}])([^{}]*)(?=\{)")
_ROOT = re.compile(r"(?<![-\w.#:\[])(?:html|body)(?![-\w])|:root(?![-\w])", re.I)
_HOST = re.compile(r":host(?:-context)?(?![-\w])", re.I)


def own_root(css: str) -> str:
    """
    A message's style sheet for a tree that has no ``html`` and no ``body``.

    What it says of them it says of the element around the message; what it says of the
    tree's host, which is not its own, is of nobody.
    """
    return _SELECTORS.sub(_renamed, _HOST.sub(":not(*)", css))


def _renamed(found: re.Match[str]) -> str:
    if found[2].lstrip().startswith("@"):
        return found[0]
    return found[1] + _ROOT.sub(".mk-body", found[2])


_WITHIN = f"""\
:host{{display:block;color-scheme:light}}
{own_root(LOOK)}.mk-body{{padding:0;color:#1d1c19}}a{{color:#0b665a}}
.mk-quote>summary,.quoted>summary{{display:none}}
"""
_FOLDED = re.compile(r'<details class="(mk-quote|quoted)">')


def write_sheets(sheets: Sequence[Sheet], words: Words) -> bytes:
    """Write the document; blocks, so it runs in a thread."""
    note = f"<p>{escape(words.left_out)}</p>" if words.left_out else ""
    return (
        f'<!doctype html>\n<html lang="{escape(words.language)}"'
        f' dir="{escape(words.direction)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(words.title)}</title><style>{_OWN}</style></head><body>"
        f'<main><h1 dir="auto">{escape(words.title)}</h1>{note}'
        f"{''.join(_sheet(sheet, words) for sheet in sheets)}</main></body></html>\n"
    ).encode("utf-8", "replace")


def _sheet(sheet: Sheet, words: Words) -> str:
    address = f" <bdi>&lt;{escape(sheet.address)}&gt;</bdi>" if sheet.address else ""
    lines = "".join(f"<p>{escape(line)}</p>" for line in sheet.lines)
    files = ""
    if sheet.files:
        names = ", ".join(f"<bdi>{escape(name)}</bdi>" for name in sheet.files)
        files = f"<footer>{escape(words.files)} {names}</footer>"
    body = "" if sheet.body is None else _body(sheet.body)
    return (
        f"<article><header><p><b><bdi>{escape(sheet.author)}</bdi></b>{address}</p>"
        f"{lines}</header>{body}{files}</article>"
    )


def _body(body: Body) -> str:
    """A tree of its own; the parser makes it, no script."""
    parts = "".join(
        one.html if one.marked else f'<div class="mk-text">{one.html}</div>'
        for one in body.texts
    )
    html = _FOLDED.sub(r'<details class="\1" open>', parts)
    return (
        '<div class="sheet"><div><template shadowrootmode="open">'
        f"<style>{_WITHIN}</style><style>{own_root(body.css)}</style>"
        f'<div class="mk-body" dir="auto">{html}</div></template></div></div>'
    )
