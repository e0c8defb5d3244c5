"""The first words of a message, for lists of messages (RFC 8970)."""

from __future__ import annotations

import re

from mailkit.formats import body, charset, htmltext, mime
from mailkit.formats.fields import parameter
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.readable import texts

LENGTH = 200
"""Characters of the longest preview (RFC 8970 §3.3)."""

_ENOUGH = 2 * LENGTH  # characters that give a preview if they are not mostly space
_PLAIN_SOURCE = 1024  # octets that give 200 characters but for the oddest text
_LAST_WORD = re.compile(rb"\s[^\s]*+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff\u034f]")
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.M)


def preview(octets: bytes, root: mime.Part, limits: Limits = DEFAULT_LIMITS) -> str:
    """
    Give at most 200 characters of the message's text, on one line.

    The first text/plain part counts, else the first text/html one; attachments and
    forwarded messages do not. Quoted lines are left out if anything is left.
    """
    marked: mime.Part | None = None
    for part in texts(root, limits):
        if part.subtype == b"html":
            marked = marked or part
        elif part.subtype == b"plain":
            text = _text(octets, part, _PLAIN_SOURCE, limits)
            if ">" in text:
                text = _condensed(_QUOTED_LINE.sub("", text)) or text
            text = _condensed(text)
            if text:
                return text
    if marked is None:
        return ""
    text = _text(octets, marked, limits.preview_source, limits)
    return _condensed(htmltext.words(text))


def _text(octets: bytes, part: mime.Part, most: int, limits: Limits) -> str:
    encoding = part.encoding
    if encoding in body.ENCODED:
        most *= 4
    end = min(part.end, part.body + min(most, limits.preview_source))
    source = octets[part.body : end]
    if encoding in body.ENCODED:
        source = body.decode(source, encoding)
    if end < part.end and not source.isascii():
        # A character may be cut in two: go back to the last white space.
        source = _LAST_WORD.sub(b"", source)
    label = parameter(part.parameters, b"charset") or b""
    return charset.decode(source, label)


def _condensed(text: str) -> str:
    whole, text = text, " ".join(text[:_ENOUGH].split())
    if len(text) < LENGTH and len(whole) > _ENOUGH:
        text = " ".join(whole.split(None, LENGTH)[:LENGTH])
    if not text.isprintable():
        text = " ".join(_CONTROL.sub("", text).split())
    if len(text) <= LENGTH:
        # A character cut in two at the end of the source is not shown.
        return text.rstrip("\ufffd ")
    return text[:LENGTH].rstrip()
