"""
Plain text of messages as HTML that is safe to put into a page.

Everything is escaped; what is made of it are paragraphs with their line ends, links
that show where they lead, quotes one can fold, and the signature. ``format=flowed``
is put together as RFC 3676 says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from attrs import frozen


@frozen
class PlainLimits:
    """What one text may cost; what is beyond is left out."""

    size: int = 1024 * 1024
    """Characters that are looked at."""
    lines: int = 50_000
    depth: int = 20
    """Quotes in quotes that are shown as such."""
    links: int = 5_000
    """Links that are made; later addresses stay text."""


class Line(NamedTuple):
    """One line, or one flowed paragraph."""

    depth: int  # how often it is quoted
    text: str


@frozen
class PlainHTML:
    """What may be shown."""

    html: str
    is_cut: bool
    """Whether it was too long to be shown whole."""


_URL = re.compile(
    r"(?P<url>\b(?:https?://|www\.)"
    r"[^\s<>\"\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069]{1,2000})"
    r"|(?P<mail>(?<![\w.@/+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b)",
    re.IGNORECASE,
)
_BEHIND = ".,;:!?'\u2019\u201d\u00bb*_~"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_QUOTED = re.compile(r">[ ]?(?=>)|>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SIGNATURE = "-- "
_FOLD_AT = 3
"""Quoted lines from which on a quote is folded; fewer are an answer's context."""


def lines_of(
    text: str,
    *,
    flowed: bool = False,
    delete_space: bool = False,
    limits: PlainLimits | None = None,
) -> list[Line]:
    """
    Cut a text into lines without their quote marks.

    :param flowed: whether its media type says ``format=flowed`` (RFC 3676 §4).
    :param delete_space: whether it says ``DelSp=yes`` (RFC 3676 §4.1).
    """
    limits = limits or PlainLimits()
    found: list[Line] = []
    flows = False
    for written in text.split("\n", limits.lines)[: limits.lines]:
        depth, line = _unquoted(written.removesuffix("\r"), limits.depth, flowed)
        if flowed and line.startswith(" "):  # space-stuffed (RFC 3676 §4.4)
            line = line[1:]
        is_signature = line == _SIGNATURE  # RFC 3676 §4.3
        if flows and found[-1].depth == depth and not is_signature:
            found[-1] = Line(depth, found[-1].text + line)
        else:
            found.append(Line(depth, line))
        flows = flowed and line.endswith(" ") and not is_signature
        if flows and delete_space:
            found[-1] = Line(depth, found[-1].text[:-1])
    return found


def render(
    text: str,
    *,
    flowed: bool = False,
    delete_space: bool = False,
    limits: PlainLimits | None = None,
) -> PlainHTML:
    """Write a text as HTML; the options are those of `lines_of`."""
    limits = limits or PlainLimits()
    is_cut = len(text) > limits.size or text.count("\n") >= limits.lines
    text = _CONTROL.sub("", text[: limits.size])
    lines = lines_of(text, flowed=flowed, delete_space=delete_space, limits=limits)
    while lines and not lines[-1].text.strip():
        lines.pop()
    writer = _Writer(limits.links)
    writer.write(lines)
    return PlainHTML("".join(writer.out), is_cut)


def _unquoted(line: str, most: int, flowed: bool) -> tuple[int, str]:
    """Take off the quote marks: ``>`` right behind one another, or with one space."""
    depth = at = 0
    while depth < most:
        match = _QUOTED.match(line, at)
        if match is None:
            break
        depth += 1
        at = match.end()
    if not depth:
        return 0, line
    rest = line[at:]
    return depth, rest if flowed or not rest.startswith(" ") else rest[1:]


class _Writer:
    """Puts one piece of HTML behind the other."""

    def __init__(self, links: int) -> None:
        self.out: list[str] = []
        self._links = links

    def write(self, lines: Sequence[Line], depth: int = 0) -> None:
        """Lines quoted ``depth`` times, and quotes within them."""
        for is_deeper, group in groupby(lines, key=lambda one: one.depth > depth):
            part = list(group)
            if not is_deeper:
                self._paragraphs([line.text for line in part], depth)
                continue
            if depth == 0 and len(part) >= _FOLD_AT:
                self.out.append(
                    '<details class="quoted"><summary title="Quoted text">'
                    "\u2022\u2022\u2022</summary>"
                )
                self._quote(part, depth)
                self.out.append("</details>")
            else:
                self._quote(part, depth)

    def _quote(self, part: Sequence[Line], depth: int) -> None:
        self.out.append("<blockquote>")
        self.write(part, depth + 1)
        self.out.append("</blockquote>")

    def _paragraphs(self, lines: list[str], depth: int) -> None:
        if depth == 0 and _SIGNATURE in lines:
            at = len(lines) - 1 - lines[::-1].index(_SIGNATURE)
            self._paragraphs(lines[:at], 1)
            self.out.append('<div class="signature">')
            self._paragraphs(lines[at:], 1)
            self.out.append("</div>")
            return
        for is_empty, group in groupby(lines, key=lambda one: not one.strip()):
            if not is_empty:
                text = "<br>\n".join(map(self._line, group))
                self.out.append(f'<p dir="auto">{text}</p>\n')

    def _line(self, line: str) -> str:
        if "  " in line or "\t" in line or line[:1] == " ":
            line = line.expandtabs(8)
            return _spaced(self._linked(line))
        return self._linked(line)

    def _linked(self, line: str) -> str:
        if self._links <= 0 or ("@" not in line and "." not in line):
            return escape(line, quote=False)
        out: list[str] = []
        at = 0
        for match in _URL.finditer(line):
            shown = match["url"]
            end = match.end()
            if shown is not None:
                shown = _without_tail(shown)
                end = match.start() + len(shown)
            self._links -= 1
            if self._links < 0 or not _is_address(shown):
                continue
            out.append(escape(line[at : match.start()], quote=False))
            out.append(_link(shown) if shown else _mail_link(match["mail"]))
            at = end
        out.append(escape(line[at:], quote=False))
        return "".join(out)


def _is_address(shown: str | None) -> bool:
    if shown is None:
        return True
    rest = shown.partition("://")[2] or shown.partition(".")[2]
    return bool(rest.strip(_BEHIND))


def _without_tail(url: str) -> str:
    """Leave out the punctuation behind an address, and a bracket it did not open."""
    while url[-1] in _BEHIND or (
        url[-1] in _PAIRS and url.count(url[-1]) > url.count(_PAIRS[url[-1]])
    ):
        url = url[:-1]
    return url


def _link(shown: str) -> str:
    target = shown if "://" in shown[:8] else f"http://{shown}"
    return (
        f'<a href="{escape(target)}" rel="noopener noreferrer nofollow"'
        f' target="_blank">{escape(shown, quote=False)}</a>'
    )


def _mail_link(address: str) -> str:
    return f'<a href="/compose?to={quote(address)}">{escape(address, quote=False)}</a>'


def _spaced(html: str) -> str:
    """Keep columns: of several spaces all but the last do not vanish."""
    return re.sub(
        r"^ |  +",
        lambda m: "\u00a0" * (len(m[0]) - 1) + ("\u00a0" if m.start() == 0 else " "),
        html,
    )
