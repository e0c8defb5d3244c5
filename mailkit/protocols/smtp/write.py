"""Writing SMTP: the one place that puts CRLF behind something."""

from __future__ import annotations

import re

from mailkit.errors import LocalMisuse
from mailkit.model.reply import Reply

REPLY_LINE = 512
"""Octets of a reply line with its CRLF (RFC 5321 §4.5.3.1.5)."""

_UNSAFE = re.compile(rb"[\r\n\0]")


def write_line(line: bytes) -> bytes:
    """
    End a line.

    :raises LocalMisuse: if there is a CR, LF or NUL in it: that would be two lines.
    """
    if _UNSAFE.search(line) is not None:
        raise LocalMisuse("CR, LF or NUL in a line of SMTP")
    return line + b"\r\n"


def write_reply(reply: Reply) -> bytes:
    """
    Write one reply, each line with the code and the status (RFC 2034 §4).

    What is not ASCII is shown as ``?``: only who said SMTPUTF8 could read it. A line
    that is too long is cut.
    """
    if "\n" not in reply.text:
        return _reply_line(str(reply))
    head = f"{reply.code}%s{reply.status}{' ' if reply.detail else ''}"
    lines = reply.text.split("\n")
    return b"".join(
        _reply_line(head % ("-" if i < len(lines) - 1 else " ") + text)
        for i, text in enumerate(lines)
    )


def _reply_line(text: str) -> bytes:
    return write_line(text.encode("ascii", "replace")[: REPLY_LINE - 2])
