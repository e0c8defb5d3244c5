"""The words of an HTML page, for lists and for search; markup is not understood."""

from __future__ import annotations

import html
import re

_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script|title|head)\b.*?(?:</\1\s*>|\Z)"
    r"|</?[a-z!?][^>]*(?:>|\Z)",
    re.S | re.I,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|tt|u|wbr)"
    r"(?:\s[^<>]*+)?>",
    re.I,
)


def words(page: str) -> str:
    """What a reader sees of it, words apart; nothing else about it is to be trusted."""
    return html.unescape(_UNSEEN.sub(" ", _INLINE.sub("", page)))
