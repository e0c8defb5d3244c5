"""
Rich text as our own people write it: cleaned to a few elements, and said in plain text.

What a browser's editor, or anybody who speaks HTTP, hands in is cleaned before it is
kept, shown again or sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import nh3

LONGEST = 1024 * 1024
"""Characters of HTML that are taken."""

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i"),
    *("img", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table"),
    *("tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "blockquote": {"type"},
    "img": {"src", "alt", "width", "height"},
    "div": {"dir"},
    "p": {"dir"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_DROPPED = {"script", "style", "title", "head", "textarea", "select", "template"}
_SCHEMES = {"http", "https", "mailto", "cid", "tel"}
_PICTURE = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')  # as nh3 writes it
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_BLOCKS = frozenset(
    ("div", "h1", "h2", "h3", "hr", "ol", "p", "pre", "table", "tr", "ul", "li")
)
_PARAGRAPHS = frozenset(("h1", "h2", "h3", "ol", "p", "pre", "table", "ul"))
_DEEPEST = 50
"""Quotes and lists in each other; those below look like the last."""


def clean(html: str) -> str:
    """
    Leave text, simple marks, links, and pictures that come along by ``cid:``.

    Nothing that is left runs, loads anything, or has a style of its own.
    """
    cleaned = nh3.clean(
        html[:LONGEST],
        tags=_TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    # Whoever reads it leaves out the first line end of a <pre>.
    return _PICTURE.sub(_with_source, cleaned).replace("<pre>\n", "<pre>\n\n")


def _with_source(found: re.Match[str]) -> str:
    """A picture of nothing is none."""
    return found[0] if ' src="' in found[1] else ""


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src" and not value.lower().startswith("cid:"):
        return None
    if tag == "a" and name == "href" and value.lower().startswith("cid:"):
        return None
    if tag == "blockquote" and value != "cite":
        return None
    return value


def is_blank(html: str) -> bool:
    """Whether nobody would see anything of it."""
    return not to_text(html).strip() and "<img" not in html


def to_text(html: str) -> str:
    """
    The same in plain text: quotes with ``>``, lists with ``*``, links with what they
    lead to where that is not their text.
    """
    reader = _Reader()
    reader.feed(html[:LONGEST])
    reader.close()
    return reader.text()


def _without_end(line: str) -> str:
    """Without blanks at its end; a signature's is kept (RFC 3676 §4.3)."""
    kept = line.rstrip(" \t")
    return line[:3] if kept == "--" else kept


class _Reader(HTMLParser):
    """Writes text as elements begin and end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._has_line = False
        self._quotes = 0
        self._above = 0  # the quotes that the last line is in
        self._is_fresh = False  # nothing stands in the innermost quote yet
        self._lists: list[int] = []
        self._pending = 0
        self._hidden = 0
        self._preformatted = 0
        self._is_at_first = False  # the first line end in <pre> is none
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._hidden += 1
            return
        found = dict(attrs)
        step = _BEGINNINGS.get(tag)
        if tag in _BLOCKS or tag == "blockquote":
            self._end_line(tag in _PARAGRAPHS and not self._lists)
        if step is not None:
            step(self, found)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self._hidden = max(self._hidden - 1, 0)
            return
        step = _ENDINGS.get(tag)
        if tag in _BLOCKS or tag == "blockquote":
            self._end_line(tag in _PARAGRAPHS and len(self._lists) < 2)
        if step is not None:
            step(self)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._preformatted:
            if self._is_at_first:
                data = data.removeprefix("\n")
                self._is_at_first = False
            first, *others = data.split("\n")
            self._add(first)
            for line in others:
                self._break()
                self._add(line)
            return
        text = _SPACE.sub(" ", data)
        if not self._line or self._line.endswith(" "):
            text = text.lstrip(" ")
        if text:
            self._add(text)

    def text(self) -> str:
        """What was written, without empty lines around it."""
        self._end_line(False)
        lines = "\n".join(self._lines).split("\n")
        text = "\n".join(map(_without_end, lines)).replace("\xa0", " ")
        return _BLANK_LINES.sub("\n\n", text).strip("\n")

    def _add(self, text: str) -> None:
        if not self._has_line and self._pending:
            if self._pending > 1:
                self._lines.append(">" * min(self._quotes, self._above))
            self._pending = 0
        self._is_fresh = False
        self._has_line = True
        self._line += text

    def _break(self) -> None:
        front = ">" * self._quotes + " " if self._quotes else ""
        self._lines.append((front + self._line).rstrip() if front else self._line)
        self._above = self._quotes
        self._line, self._has_line, self._pending = "", False, 0

    def _end_line(self, is_paragraph: bool) -> None:
        if self._has_line:
            self._break()
        if self._lines:
            wanted = 2 if is_paragraph and not self._is_fresh else 1
            self._pending = max(self._pending, wanted)

    # --- elements that do more than to begin a line

    def _begin_quote(self, found: dict[str, str | None]) -> None:
        self._quotes = min(self._quotes + 1, _DEEPEST)
        self._pending = min(self._pending, 1)
        self._is_fresh = True

    def _end_quote(self) -> None:
        self._quotes = max(self._quotes - 1, 0)
        self._pending = min(self._pending, 1)
        self._is_fresh = False

    def _begin_link(self, found: dict[str, str | None]) -> None:
        self._links.append((found.get("href") or "", len(self._line)))

    def _end_link(self) -> None:
        if not self._links:
            return
        to, begun = self._links.pop()
        shown = self._line[begun:].strip()
        bare = to.removeprefix("mailto:")
        if to and shown not in (to, bare, to.partition("://")[2].rstrip("/")):
            self._add(f" <{bare}>" if shown else f"<{bare}>")

    def _begin_numbers(self, found: dict[str, str | None]) -> None:
        start = found.get("start") or "1"
        number = int(start) if start.isascii() and start.isdigit() else 1
        self._lists.append(min(number, 1_000_000))

    def _begin_marks(self, found: dict[str, str | None]) -> None:
        self._lists.append(-1)

    def _end_list(self) -> None:
        if self._lists:
            self._lists.pop()

    def _begin_entry(self, found: dict[str, str | None]) -> None:
        depth = min(len(self._lists), _DEEPEST)
        mark = "*"
        if self._lists and self._lists[-1] >= 0:
            mark = f"{self._lists[-1]}."
            self._lists[-1] += 1
        self._add(f"{'  ' * max(depth - 1, 0)}{mark} ")

    def _begin_cell(self, found: dict[str, str | None]) -> None:
        if self._line and not self._line.endswith(" "):
            self._add("  ")

    def _begin_picture(self, found: dict[str, str | None]) -> None:
        shown = _SPACE.sub(" ", found.get("alt") or "").strip()
        if shown:
            self._add(f"[{shown}]")

    def _begin_rule(self, found: dict[str, str | None]) -> None:
        self._add("-" * 20)
        self._end_line(False)

    def _begin_line(self, found: dict[str, str | None]) -> None:
        self._add("")
        self._break()

    def _begin_preformatted(self, found: dict[str, str | None]) -> None:
        self._preformatted += 1
        self._is_at_first = True

    def _end_preformatted(self) -> None:
        self._preformatted = max(self._preformatted - 1, 0)


_BEGINNINGS: dict[str, Callable[[_Reader, dict[str, str | None]], None]] = {
    "a": _Reader._begin_link,
    "blockquote": _Reader._begin_quote,
    "br": _Reader._begin_line,
    "hr": _Reader._begin_rule,
    "img": _Reader._begin_picture,
    "li": _Reader._begin_entry,
    "ol": _Reader._begin_numbers,
    "pre": _Reader._begin_preformatted,
    "td": _Reader._begin_cell,
    "th": _Reader._begin_cell,
    "ul": _Reader._begin_marks,
}

_ENDINGS: dict[str, Callable[[_Reader], None]] = {
    "a": _Reader._end_link,
    "blockquote": _Reader._end_quote,
    "ol": _Reader._end_list,
    "pre": _Reader._end_preformatted,
    "ul": _Reader._end_list,
}
