"""A message on its way into mailboxes: its file, synced, and what is kept of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from attrs import define, field

from mailkit.formats.rendered import render
from mailkit.storage.index.rows import RenderedRow
from mailkit.storage.maildir import naming
from mailkit.storage.safefile import Files, NewFile


@define(eq=False)
class Shown:
    """What the index keeps of a message's octets."""

    thread_id: str
    envelope: bytes
    body: bytes
    bodystructure: bytes
    preview: bytes
    header_fields: bytes
    has_attachments: bool = False

    @classmethod
    def of(cls, octets: bytes, email_id: str) -> Shown:
        """Render; large messages one at a time, so that memory stays bounded."""
        if len(octets) > _LARGE:
            with _ONE_LARGE:
                rendered = render(octets)
        else:
            rendered = render(octets)
        root = rendered.thread_root or email_id.encode()
        return cls(naming.thread_id(root), *rendered[:5], rendered.has_attachments)

    @property
    def weight(self) -> int:
        """How many octets it is."""
        return sum(map(len, self.row(0)[1:]))

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
    """A message that is written and synced under a name that is not its last."""

    path: str
    base: str
    internal_date: int
    pieces: Sequence[bytes] = field(repr=False)
    """Its octets; let go of once they are written."""
    uses: int = 1
    """In how many mailboxes it is still to be put: by link, and by rename at last."""
    is_once: bool = False
    """It is not put where the account has a message of the same EMAILID."""
    size: int = field(init=False)
    email_id: str = field(init=False)
    is_written: bool = field(init=False, default=False)
    shown: Shown = field(init=False)
    """What the index keeps of it; there when it is written."""

    def __attrs_post_init__(self) -> None:
        self.size = sum(map(len, self.pieces))
        self.email_id = naming.email_id(self.base)

    def write(self, files: Files) -> None:
        """Write it into ``tmp`` or the spool, durably, and render it."""
        self.begin(files)()

    def begin(self, files: Files) -> Callable[[], None]:
        """Write it; what is returned renders it and makes it durable."""
        octets = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        self.pieces = ()
        new = files.create(self.path)
        try:
            new.write(octets)
            new.hurry()
        except BaseException:
            new.discard()
            raise
        return partial(self._finish, new, octets)

    def _finish(self, new: NewFile, octets: bytes) -> None:
        try:
            # While the disk is at it.
            self.shown = Shown.of(octets, self.email_id)
            new.finish(self.internal_date)
        except BaseException:
            new.discard()
            raise
        self.is_written = True


def with_crlf(octets: bytes) -> bytes:
    """A stranger's message as IMAP and POP3 send it: lines that end in LF get CRLF."""
    if octets.count(b"\n") == octets.count(b"\r\n"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


_LARGE = 1 << 20
_ONE_LARGE = threading.Lock()
"""Held by whoever renders a large message: each takes some times its size."""
