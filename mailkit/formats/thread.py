"""What joins messages into conversations: root identification and base subject."""

from __future__ import annotations

import re

from mailkit.formats.fields import message_ids
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

_SPACE = re.compile(r"\s+")
_BLOB = r"\[[^\[\]]*\]\s*"
_LEADER = re.compile(rf"(?:(?:{_BLOB})*+(?:re|fwd?)\s*+(?:{_BLOB})?:|\s)", re.I)
_LEADING_BLOB = re.compile(_BLOB)
_LONGEST = 1000
_TRAILER = "(fwd)"
_FORWARD_HEAD = "[fwd:"


def root(
    message_id: bytes | None,
    in_reply_to: bytes | None,
    references: bytes | None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """
    Give the identification of the message that began the conversation.

    The first of References, else the first of In-Reply-To, else the message's own
    (RFC 5256 §3, "REFERENCES"); b"" if there is none.
    """
    for value in (references, in_reply_to, message_id):
        if value:
            found = message_ids(value, limits)
            if found:
                return found[0]
    return b""


def base_subject(subject: str) -> str:
    """
    Take replies, forwards and list names off a decoded subject (RFC 5256 §2.1).

    Of a subject over 1,000 characters only these count. Upper and lower case stay;
    compare with ``i;unicode-casemap`` or `str.casefold`.
    """
    text = _SPACE.sub(" ", subject[:_LONGEST])
    while True:
        text = _without_trailers(text)
        text = _without_leaders(text)
        if text[:5].lower() == _FORWARD_HEAD and text.endswith("]"):
            text = text[5:-1]
        else:
            return text


def _without_trailers(text: str) -> str:
    text = text.rstrip()
    while text[-5:].lower() == _TRAILER:
        text = text[:-5].rstrip()
    return text


def _without_leaders(text: str) -> str:
    at = 0
    while True:
        match = _LEADER.match(text, at)
        if match is None:
            match = _LEADING_BLOB.match(text, at)
            if match is None or match.end() == len(text):
                return text[at:]
        at = match.end()
