"""
Search keys as the client wrote them (RFC 9051 §6.4.4).

Leaves are those of `mailkit.model.query`, texts decoded and dates read; only what
a session has to resolve first has a class of its own here.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from mailkit.model.query import (
    Arrived,
    BodyContains,
    Everything,
    HasEmailId,
    HasFlag,
    HasThreadId,
    HeaderContains,
    Larger,
    Saved,
    Sent,
    Smaller,
    TextContains,
)
from mailkit.protocols.imap.sequence import SequenceSet


@frozen
class NumberKey:
    """Messages with these sequence numbers; ``$`` may be in it."""

    numbers: SequenceSet


@frozen
class UidKey:
    """UID: messages with these unique identifiers; ``$`` may be in it."""

    uids: SequenceSet


@frozen
class RecentKey:
    r"""RECENT: the session has the message as ``\Recent`` (RFC 3501 §6.4.4)."""


@frozen
class NotKey:
    r"""NOT, and the UN… keys."""

    key: SearchKey


@frozen
class AllKeys:
    """Several keys side by side: all of them hold. Never empty."""

    keys: tuple[SearchKey, ...]


@frozen
class AnyKeys:
    """OR: one of them holds. Never empty."""

    keys: tuple[SearchKey, ...]


LeafKey = (
    Everything
    | HasFlag
    | Larger
    | Smaller
    | Arrived
    | Sent
    | Saved
    | HeaderContains
    | BodyContains
    | TextContains
    | HasEmailId
    | HasThreadId
)
"""Keys that are a query as they stand."""

SearchKey = LeafKey | NumberKey | UidKey | RecentKey | NotKey | AllKeys | AnyKeys


class SearchReturn(Enum):
    """What RETURN asks for (RFC 9051 §6.4.4, RFC 4731 §3.1, RFC 5182 §2)."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"
    SAVE = b"SAVE"
