"""
HTML as it came, made into tags that open and close in order, none too deep.

A parser of HTML may need time and room by the square of what it reads: unclosed
``<b>`` are opened again in every paragraph, and every ``<div>`` looks at all that are
open. So what is parsed is first cut into tokens as the HTML standard says, and written
anew: known tags alone, closed in order, at most `Limits.depth` deep, and ``<b>`` and
its like under names of our own, which no parser opens again. Whatever is written so
goes through the real parser afterwards; nothing here has to be believed.
"""

from __future__ import annotations

import re

from attrs import define, field, frozen


def words(text: str) -> frozenset[str]:
    """Words with spaces between them, as a set."""
    return frozenset(text.split())


OURS = "mk-"
"""What stands before the names of tags that parsers open again."""

REOPENED = words("a b big code em font i nobr s small strike strong tt u")
"""What the HTML standard calls formatting elements."""

VOID = words("br hr img wbr col")

_BLOCKS = words(
    "address article aside blockquote center details dd dir div dl dt fieldset"
    " figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre"
    " section summary table ul"
)
_TABLE_PARTS = words("caption colgroup tbody td tfoot th thead tr")
TAGS = (
    REOPENED
    | VOID
    | _BLOCKS
    | _TABLE_PARTS
    | words(
        "abbr acronym bdi bdo body cite del dfn ins kbd label mark q rp rt ruby samp"
        " span sub sup time var"
    )
)
"""Tags that are kept."""

_UNSEEN = words(
    "audio canvas iframe math noembed noframes script select style svg template"
    " textarea title video xmp"
)
"""Tags that go with all that is in them."""

_RAW = words("iframe noembed noframes script style textarea title xmp")
"""Of those, what holds text and no tags."""

_ATTRIBUTES = (
    r"(?:[\s/]++|(?:=[^\s/>=]*+|[^\s/>=]++)"
    r"(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|(?=>)))?+)*+"
)
_TOKEN = re.compile(
    rf"<!--(?:-?>|.*?(?:--!?>|\Z))|<(?:[!?]|/(?![a-zA-Z]))[^>]*+(?:>|\Z)"
    rf"|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>{_ATTRIBUTES})>",
    re.S,
)
_MAYBE = re.compile(r"<[a-zA-Z!?/]")
_CLOSED_BY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(closed.split()), frozenset(stop.split()))
    for name, closed, stop in (
        ("li", "li p", "ul ol table td th"),
        ("dt", "dt dd p", "dl table td th"),
        ("dd", "dt dd p", "dl table td th"),
        ("td", "td th", "table tr"),
        ("th", "td th", "table tr"),
        ("tr", "tr td th caption colgroup", "table tbody thead tfoot"),
        ("tbody", "tbody thead tfoot caption colgroup", "table"),
        ("thead", "tbody thead tfoot caption colgroup", "table"),
        ("tfoot", "tbody thead tfoot caption colgroup", "table"),
    )
}
_P = (frozenset(("p",)), frozenset(("table", "td", "th", "caption")))
_BARRIER = frozenset(("table", "td", "th", "caption"))
_TABLE = frozenset(("table",))
_NONE: frozenset[str] = frozenset()


@frozen
class TokenLimits:
    """What one HTML part may cost; what is beyond is left out."""

    size: int = 2 * 1024 * 1024
    """Characters that are looked at."""
    depth: int = 150
    """Tags that are open at the same time; browsers stop at 512."""
    tags: int = 150_000
    """Tags altogether; text goes on behind them."""


@frozen
class Tokens:
    """What came out."""

    html: str
    """Known tags alone, in order; formatting under our own names."""
    sheets: tuple[str, ...]
    """The text of all ``<style>``, as it stood."""
    is_cut: bool
    """Whether there was more than the limits let be looked at."""


def rewrite(source: str, limits: TokenLimits | None = None) -> Tokens:
    """Write HTML anew; whatever the source is, something comes out."""
    limits = limits or TokenLimits()
    writer = _Writer(limits)
    is_cut = len(source) > limits.size
    if is_cut:
        source = source[: limits.size]
    is_cut = writer.read(source) or is_cut
    return Tokens("".join(writer.out), tuple(writer.sheets), is_cut)


@define(eq=False)
class _Writer:
    """Follows what is open and writes."""

    _limits: TokenLimits
    out: list[str] = field(factory=list)
    sheets: list[str] = field(factory=list)
    _open: list[str] = field(factory=list)
    _left_out: dict[str, int] = field(factory=dict)
    _endless: set[str] = field(factory=set)

    def read(self, source: str) -> bool:
        """Read all of it; whether there were too many tags."""
        at = 0
        left = self._limits.tags
        end = len(source)
        while at < end:
            maybe = _MAYBE.search(source, at)
            if maybe is None:
                self._text(source, at, end)
                break
            self._text(source, at, maybe.start())
            at = maybe.start()
            match = _TOKEN.match(source, at)
            if match is None:
                break  # a tag that the end of all cuts off is none
            at = match.end()
            name = match["name"]
            if name is None:
                continue
            left -= 1
            if left < 0:
                self._close(0)
                return True
            name = name.lower()
            if name in _UNSEEN:
                if not match["end"]:
                    at = self._skip(source, at, name)
            elif name == "plaintext":
                self._text(source, at, end)
                break
            elif name in TAGS:
                if match["end"]:
                    self._end(name)
                else:
                    self._start(name, match["rest"])
        self._close(0)
        return False

    def _text(self, source: str, start: int, end: int) -> None:
        if start < end:
            text = source[start:end]
            self.out.append(text.replace("<", "&lt;") if "<" in text else text)

    def _skip(self, source: str, at: int, name: str) -> int:
        """Pass what is in a tag that is not shown; where to go on."""
        end = None if name in self._endless else _END_OF[name].search(source, at)
        if end is None:
            self._endless.add(name)
            # Raw text goes on to the end; a tag without end shall not hide the rest.
            if name == "style":
                self.sheets.append(source[at:])
            return len(source) if name in _RAW else at
        if name == "style":
            self.sheets.append(source[at : end.start()])
        return end.end()

    def _start(self, name: str, rest: str) -> None:
        if name in _BLOCKS:
            self._imply(_P)
        if name in _CLOSED_BY:
            self._imply(_CLOSED_BY[name])
        elif name == "a":
            self._end("a")
        if "<" in rest:
            rest = rest.replace("<", "&lt;")
        if rest and rest[-1] == "/":
            rest += " "
        if name in VOID:
            self.out.append(f"<{name}{rest}>")
        elif len(self._open) >= self._limits.depth:
            self._left_out[name] = self._left_out.get(name, 0) + 1
        else:
            self._open.append(name)
            self.out.append(f"<{_written(name)}{rest}>")

    def _end(self, name: str) -> None:
        if self._left_out.get(name):
            self._left_out[name] -= 1
            return
        stop = _BARRIER
        if name in _TABLE_PARTS:
            stop = _TABLE
        elif name == "table":
            stop = _NONE
        opened = self._open
        for at in range(len(opened) - 1, -1, -1):
            if opened[at] == name:
                self._close(at)
                return
            if opened[at] in stop:
                return

    def _imply(self, rule: tuple[frozenset[str], frozenset[str]]) -> None:
        """Close what this start tag ends, as parsers do: ``<li>`` ends ``<li>``."""
        closed, stop = rule
        opened = self._open
        found = -1
        for at in range(len(opened) - 1, -1, -1):
            if opened[at] in closed:
                found = at
            elif opened[at] in stop:
                break
        if found >= 0:
            self._close(found)

    def _close(self, at: int) -> None:
        for name in reversed(self._open[at:]):
            self.out.append(f"</{_written(name)}>")
        del self._open[at:]


def _written(name: str) -> str:
    return OURS + name if name in REOPENED or name == "body" else name


_END_OF = {
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*+>?", re.IGNORECASE) for name in _UNSEEN
}
