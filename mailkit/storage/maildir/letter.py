"""A message on its way into mailboxes: its file, synced, and what is kept of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from attrs import define

from mailkit.formats.rendered import render
from mailkit.storage.index.rows import RenderedRow
from mailkit.storage.maildir import naming
from mailkit.storage.safefile import Files


@define(eq=False)
class Shown:
    """What the index keeps of a message's octets."""

    thread_id: str
    envelope: bytes
    body: bytes
    bodystructure: bytes
    preview: bytes
    header_fields: bytes

    @classmethod
    def of(cls, octets: bytes, email_id: str) -> Shown:
        """Render; large messages one at a time, so that memory stays bounded."""
        if len(octets) > _LARGE:
            with _ONE_LARGE:
                rendered = render(octets)
        else:
            rendered = render(octets)
        root = rendered.thread_root or email_id.encode()
        return cls(naming.thread_id(root), *rendered[:5])

    def row(self, key: int) -> RenderedRow:
        """As a row of the index."""
        return RenderedRow(
            key,
            self.envelope,
            self.body,
            self.bodystructure,
            self.preview,
            self.header_fields,
        )


@define(eq=False)
class Letter:
    """A message whose file is written and synced, under a name that is not its last."""

    path: str
    base: str
    email_id: str
    size: int
    internal_date: int
    shown: Shown
    uses: int = 1
    """In how many mailboxes it is still to be put: by link, and by rename at last."""


def write_letter(
    files: Files,
    folder: str,
    base: str,
    pieces: Sequence[bytes],
    internal_date: int,
) -> Letter:
    """Write a message into ``tmp`` or the spool, durably, and render it."""
    new = files.create(f"{folder}/{base}")
    try:
        for piece in pieces:
            if piece:
                new.write(piece)
        new.finish(internal_date)
    except BaseException:
        new.discard()
        raise
    octets = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    email_id = naming.email_id(base)
    return Letter(
        new.path,
        base,
        email_id,
        len(octets),
        internal_date,
        Shown.of(octets, email_id),
    )


def with_crlf(octets: bytes) -> bytes:
    """A stranger's message as IMAP and POP3 send it: lines that end in LF get CRLF."""
    if octets.count(b"\n") == octets.count(b"\r\n"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


_LARGE = 1 << 20
_ONE_LARGE = threading.Lock()
"""Held by whoever renders a large message: each takes some times its size."""
