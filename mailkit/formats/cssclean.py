"""
Style sheets of messages, with all taken out that fetches or that is no style.

What is not known to be harmless goes: a declaration with a function that is not in
`_FUNCTIONS`, with an escape or a bracket out of place, and every at-rule but
``@media``. What is left fetches nothing, whatever the reader's browser makes of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_FUNCTIONS = frozenset(
    (
        "rgb",
        "rgba",
        "hsl",
        "hsla",
        "hwb",
        "lab",
        "lch",
        "oklab",
        "oklch",
        "calc",
        "min",
        "max",
        "clamp",
        "linear-gradient",
        "radial-gradient",
        "conic-gradient",
        "repeating-linear-gradient",
        "repeating-radial-gradient",
        "-webkit-linear-gradient",
        "-moz-linear-gradient",
        "matrix",
        "rotate",
        "scale",
        "scalex",
        "scaley",
        "skew",
        "translate",
        "translatex",
        "translatey",
        "cubic-bezier",
        "steps",
        "fit-content",
        "minmax",
        "repeat",
    )
)
_PROPERTY = re.compile(r"-?[a-z][a-z0-9-]{0,60}\Z")
_REFUSED_PROPERTIES = frozenset(
    ("behavior", "-moz-binding", "-ms-behavior", "-o-link", "-o-link-source")
)
_COLOURED = frozenset(
    (
        "color",
        "background",
        "background-color",
        "background-image",
        "fill",
        "filter",
        "-webkit-filter",
        "-webkit-text-fill-color",
        "-webkit-text-stroke",
        "-webkit-text-stroke-color",
        "color-scheme",
        "mix-blend-mode",
        "stroke",
    )
)
_NO_COLOUR = frozenset(
    ("inherit", "initial", "unset", "revert", "transparent", "none", "currentcolor", "")
)
_STRING = r'"(?:[^"\\\n\r\f]|\\.)*+"|' + r"'(?:[^'\\\n\r\f]|\\.)*+'"
_BROKEN = r'"(?:[^"\\\n\r\f]|\\.)*+|' + r"'(?:[^'\\\n\r\f]|\\.)*+"
"""Ends with its line, in browsers too; looked at piece by piece it is never done."""
_VALUE_TOKEN = re.compile(
    rf"(?P<string>{_STRING})|(?P<word>[-a-zA-Z0-9_.%#\u00a0-\U0010ffff]++)(?P<call>\(?)"
    r"|(?P<open>\()|(?P<close>\))|[,!*/+=:|\s]++"
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.S)
_PIECE = re.compile(rf"{_STRING}|{_BROKEN}|[^\"'{{}};]++|.", re.S)
_OF_DECLARATIONS = re.compile(rf"{_STRING}|{_BROKEN}|[^\"'();]++|.", re.S)
_URL = re.compile(r"url\(", re.I)
"""Goes on to its ``)`` in browsers, over braces and quotation marks."""
_MEDIA = re.compile(r"@media\b[-a-zA-Z0-9\s:(),.<>=/]*\Z")
_WHERE = r"[-a-zA-Z0-9_~|^$*=\s]*+"
_QUOTED = r"[-a-zA-Z0-9_~|^$*= ]*+"
_SELECTOR = re.compile(
    r"(?:[-a-zA-Z0-9_#.,>+~*:()|^$=\s\u00a0-\U0010ffff]"
    rf"|\[{_WHERE}(?:(?:\"{_QUOTED}\"|'{_QUOTED}'){_WHERE})?\])++\Z"
)
_LONGEST_VALUE = 2_000
_DEEPEST = 3  # sheets in @media in @media


class CleanStyle(NamedTuple):
    """What is left of a style sheet, or of a style attribute."""

    css: str  # has neither "<" nor "&"
    has_colours: bool


def clean_declarations(source: str) -> CleanStyle:
    """Clean the text of a ``style`` attribute, or what stands between two braces."""
    if "/*" in source or "<!" in source:
        source = _COMMENT.sub("", source)
    kept: list[str] = []
    has_colours = False
    for declaration in _split(source):
        name, colon, value = declaration.partition(":")
        name = name.strip().lower()
        value = value.strip()
        if (
            colon
            and value
            and _PROPERTY.match(name)
            and name not in _REFUSED_PROPERTIES
            and _is_harmless(value)
        ):
            kept.append(f"{name}:{value}")
            has_colours = has_colours or _sets_colour(name, value)
    return CleanStyle(";".join(kept), has_colours)


def clean_sheet(source: str, most: int = 256 * 1024) -> CleanStyle:
    """
    Clean a whole style sheet.

    :param most: characters of it that are looked at.
    """
    rules: list[str] = []
    prelude: list[str] = []
    body: list[str] = []
    depth = skipped = 0  # @media that are open; braces of what is left out
    has_colours = in_rule = False
    for match in _PIECE.finditer(_COMMENT.sub("", source[:most])):
        piece = match[0]
        if skipped:
            skipped += (piece == "{") - (piece == "}")
        elif in_rule:
            if piece == "}":
                cleaned = clean_declarations("".join(body))
                if cleaned.css:
                    rules.append(f"{''.join(prelude).strip()}{{{cleaned.css}}}")
                    has_colours = has_colours or cleaned.has_colours
                prelude, body, in_rule = [], [], False
            elif piece == "{":  # rules in rules are not known to us
                prelude, body, in_rule, skipped = [], [], False, 2
            else:
                body.append(piece)
        elif piece == "{":
            head = "".join(prelude).strip()
            if head.startswith("@"):
                prelude = []
                if _is_media(head) and depth < _DEEPEST:
                    rules.append(head.replace("<", "\\3c ") + "{")
                    depth += 1
                else:
                    skipped = 1
            elif _is_selector(head):
                in_rule = True
            else:
                prelude, skipped = [], 1
        elif piece == "}":
            prelude = []
            if depth:
                rules.append("}")
                depth -= 1
        elif piece == ";":  # @import, @charset and the like end here
            prelude = []
        else:
            prelude.append(piece)
    rules.append("}" * depth)
    return CleanStyle("".join(rules), has_colours)


def _is_media(head: str) -> bool:
    return bool(_MEDIA.match(head.lower())) and not _URL.search(head)


def _is_selector(head: str) -> bool:
    if len(head) > _LONGEST_VALUE or _URL.search(head):
        return False
    return bool(_SELECTOR.match(head))


def _split(source: str) -> list[str]:
    """Cut at semicolons that stand in no string and no bracket."""
    if '"' not in source and "'" not in source and "(" not in source:
        return source.split(";")
    found: list[str] = []
    part: list[str] = []
    depth = 0
    for match in _OF_DECLARATIONS.finditer(source):
        piece = match[0]
        if piece == ";" and depth <= 0:
            found.append("".join(part))
            part = []
            continue
        depth += (piece == "(") - (piece == ")")
        part.append(piece)
    found.append("".join(part))
    return found


def _is_harmless(value: str) -> bool:
    if len(value) > _LONGEST_VALUE or "/*" in value:
        return False  # a comment goes on over quotation marks
    at = depth = 0
    while at < len(value):
        match = _VALUE_TOKEN.match(value, at)
        if match is None:
            return False
        if match["string"] is not None:
            if "<" in match["string"] or "&" in match["string"]:
                return False
        elif match["word"] is not None:
            if match["call"]:
                if match["word"].lower() not in _FUNCTIONS:
                    return False
                depth += 1
        elif match["open"] is not None:
            depth += 1
        elif match["close"] is not None:
            depth -= 1
            if depth < 0:
                return False
        at = match.end()
    return depth == 0


def _sets_colour(name: str, value: str) -> bool:
    if name not in _COLOURED:
        return False
    return value.lower().removesuffix("!important").strip() not in _NO_COLOUR
