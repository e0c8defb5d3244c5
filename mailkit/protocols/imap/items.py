"""What FETCH and STATUS can ask for (RFC 9051 §6.4.5, §6.3.11)."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen


class Attribute(Enum):
    """Items of FETCH that are kept ready to send; the value is their name."""

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    PREVIEW = b"PREVIEW"
    """RFC 8970 §3; its LAZY changes nothing where the preview is kept ready."""
    SAVEDATE = b"SAVEDATE"
    """RFC 8514 §4.2."""
    EMAILID = b"EMAILID"
    """RFC 8474 §5.1."""
    THREADID = b"THREADID"
    """RFC 8474 §5.2."""


class SectionKind(Enum):
    """What of a part is asked for (RFC 9051 §6.4.5.1)."""

    WHOLE = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"


@frozen
class Partial:
    """``<start.count>``: so many octets from there, fewer where there are none."""

    start: int
    count: int


@frozen
class FetchSection:
    """
    BODY[…], BINARY[…] and the RFC822 family.

    ``name`` is what the response calls it, ``<start>`` included, ready to send:
    ``BODY[1.2.HEADER.FIELDS (Date From)]<0>``, ``RFC822.TEXT``.
    """

    name: bytes
    part: tuple[int, ...] = ()
    kind: SectionKind = SectionKind.WHOLE
    fields: tuple[str, ...] = ()
    r"""Names of header fields, as written by the client."""
    partial: Partial | None = None
    is_peek: bool = False
    r"""Reading it leaves ``\Seen`` alone."""
    is_binary: bool = False
    """Transfer encoding is to be undone (RFC 9051 §6.4.5, RFC 3516 §4.2)."""

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the message as it is."""
        return (
            self.kind is SectionKind.WHOLE
            and not self.part
            and self.partial is None
            and not self.is_binary
        )


@frozen
class FetchBinarySize:
    """BINARY.SIZE[…]: octets of a part once decoded (RFC 3516 §4.2)."""

    name: bytes
    part: tuple[int, ...] = field(default=())


FetchItem = Attribute | FetchSection | FetchBinarySize


class StatusItem(Enum):
    """What STATUS can tell (RFC 9051 §6.3.11); the value is its name."""

    MESSAGES = b"MESSAGES"
    RECENT = b"RECENT"
    """RFC 3501 §6.3.10."""
    UIDNEXT = b"UIDNEXT"
    UIDVALIDITY = b"UIDVALIDITY"
    UNSEEN = b"UNSEEN"
    DELETED = b"DELETED"
    SIZE = b"SIZE"
    """RFC 8438 §3."""
    MAILBOXID = b"MAILBOXID"
    """RFC 8474 §4.3."""


class ListSelection(Enum):
    """Which names LIST is about (RFC 9051 §6.3.9.1, RFC 6154 §2)."""

    SUBSCRIBED = b"SUBSCRIBED"
    REMOTE = b"REMOTE"
    RECURSIVEMATCH = b"RECURSIVEMATCH"
    SPECIAL_USE = b"SPECIAL-USE"


class ListReturn(Enum):
    """What LIST tells of each name (RFC 9051 §6.3.9.2, RFC 5819 §2, RFC 6154 §2)."""

    SUBSCRIBED = b"SUBSCRIBED"
    CHILDREN = b"CHILDREN"
    STATUS = b"STATUS"
    SPECIAL_USE = b"SPECIAL-USE"
