"""The parts of a message that are its text, and not something that goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from mailkit.formats import mime
from mailkit.formats.fields import disposition
from mailkit.formats.limits import DEFAULT_LIMITS, Limits


def texts(root: mime.Part, limits: Limits = DEFAULT_LIMITS) -> Iterator[mime.Part]:
    """The text parts in their order; not attachments, nor of forwarded messages."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting.extend(reversed(part.parts))
        elif part.type == b"text" and not is_attachment(part, limits):
            yield part


def is_attachment(part: mime.Part, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether its Content-Disposition says so (RFC 2183 §2.2)."""
    value = part.described.get(b"content-disposition")
    found = None if value is None else disposition(value, limits)
    return found is not None and found.value == b"attachment"
