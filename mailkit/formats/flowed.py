"""
Text whose lines may be joined again where it is read: format=flowed (RFC 3676).

Written from text as people type it, where a line is a paragraph and a line that
begins with ``>`` is quoted.
"""

from __future__ import annotations

import re

LENGTH = 72
"""Characters of a line where one can be ended (RFC 3676 §4.2)."""

SIGNATURE = "-- "
"""The line above a signature (RFC 3676 §4.3)."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_QUOTE = re.compile(r"(?:> ?)*>")


def write(text: str) -> str:
    """
    Lines of at most `LENGTH` characters, where words are not longer.

    A line that goes on in the next one ends with a space. Whoever does not know the
    format reads proper text.
    """
    return "\n".join(line for given in _LINE_END.split(text) for line in _lines(given))


def read(text: str, *, deletes_spaces: bool = False) -> str:
    """
    Join what was made lines of for the way (RFC 3676 §4).

    :param deletes_spaces: DelSp, whether the space at a joint goes too (§4.2).
    """
    joined: list[tuple[int, str]] = []
    is_open = False
    for given in _LINE_END.split(text):
        depth = len(given) - len(given.lstrip(">"))
        line = given[depth:]
        if line.startswith(" "):
            line = line[1:]
        if is_open and line != SIGNATURE and joined[-1][0] == depth:
            joined[-1] = depth, joined[-1][1] + line
        else:
            joined.append((depth, line))
        is_open = line.endswith(" ") and line != SIGNATURE
        if is_open and deletes_spaces:
            joined[-1] = depth, joined[-1][1][:-1]
    return "\n".join(_quoted(depth, line) for depth, line in joined)


def _quoted(depth: int, line: str) -> str:
    if not depth:
        return line
    return f"{'>' * depth} {line}" if line else ">" * depth


def _lines(given: str) -> list[str]:
    """One line as it was typed, as lines for the way."""
    if given == SIGNATURE:
        return [given]
    given = given.rstrip(" ")
    quote = _QUOTE.match(given)
    front = ""
    if quote is not None:
        front = ">" * quote[0].count(">")
        given = given[quote.end() :].removeprefix(" ")
        if given:
            front += " "
    elif given.startswith((" ", ">", "From ")):
        front = " "  # stuffed (RFC 3676 §4.4)
    return [front + piece for piece in _pieces(given, LENGTH - len(front), front == "")]


def _pieces(line: str, room: int, is_bare: bool) -> list[str]:
    """Cut behind spaces; what follows a cut must not look quoted or stuffed."""
    pieces: list[str] = []
    while len(line) > room:
        cut = line.rfind(" ", 0, max(room, 1)) + 1
        if not line[:cut].strip():
            cut = line.find(" ", max(room, 1)) + 1
        if not cut:
            break
        pieces.append(line[:cut])
        line = line[cut:]
        if is_bare and line.startswith((" ", ">", "From ")):
            line = f" {line}"
    pieces.append(line)
    return pieces
