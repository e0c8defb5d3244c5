"""What to look for in a mailbox (RFC 9051 §6.4.4), in terms of UIDs only.

A session has turned sequence numbers into UIDs, charsets into text and dates into
days before a query is made.
"""

from __future__ import annotations

from datetime import date

from attrs import frozen

from mailkit.model.uidset import UIDSet


@frozen
class Everything:
    """ALL."""


@frozen
class Uids:
    """Messages with these UIDs."""

    uids: UIDSet


@frozen
class HasFlag:
    """A system flag or keyword is set (SEEN, KEYWORD …)."""

    flag: str


@frozen
class Larger:
    """More than this many octets."""

    octets: int


@frozen
class Smaller:
    """Fewer than this many octets."""

    octets: int


@frozen
class Arrived:
    """INTERNALDATE's day, as stored, is ``since`` or later and before ``before``."""

    since: date | None = None
    before: date | None = None


@frozen
class Sent:
    """The Date field's day, its zone disregarded, as in `Arrived`."""

    since: date | None = None
    before: date | None = None


@frozen
class Saved:
    """When it came into this mailbox, as in `Arrived` (RFC 8514 §4.2)."""

    since: date | None = None
    before: date | None = None


@frozen
class HeaderContains:
    """A field of that name holds the text, encoded words decoded; "" is any value."""

    name: str
    text: str


@frozen
class BodyContains:
    """The text is in the body, transfer encoding and charset undone."""

    text: str


@frozen
class TextContains:
    """The text is in the header or the body."""

    text: str


@frozen
class ModifiedSince:
    """MODSEQ is this or higher (RFC 7162 §3.1.5)."""

    mod_seq: int


@frozen
class HasEmailId:
    """EMAILID is this (RFC 8474 §6)."""

    email_id: str


@frozen
class HasThreadId:
    """THREADID is this (RFC 8474 §6)."""

    thread_id: str


@frozen
class Not:
    query: Query


@frozen
class AllOf:
    queries: tuple[Query, ...]


@frozen
class AnyOf:
    queries: tuple[Query, ...]


Query = (
    Everything
    | Uids
    | HasFlag
    | Larger
    | Smaller
    | Arrived
    | Sent
    | Saved
    | HeaderContains
    | BodyContains
    | TextContains
    | ModifiedSince
    | HasEmailId
    | HasThreadId
    | Not
    | AllOf
    | AnyOf
)
