"""What a person looks for in their mail, as they say it in the search box."""

from __future__ import annotations

from datetime import date
from enum import Enum

from attrs import frozen

from mailkit.model.mailbox import MailboxName


class Field(Enum):
    """Where a word is looked for."""

    ANYWHERE = ""
    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    SUBJECT = "subject"
    BODY = "body"
    FILENAME = "filename"
    LIST = "list"
    """The List-Id field (RFC 2919 §2)."""


class Mark(Enum):
    """What is so of a message, or is not."""

    ATTACHMENT = "attachment"
    STARRED = "starred"
    READ = "read"


class Unit(Enum):
    """Of an age."""

    DAY = "d"
    MONTH = "m"
    YEAR = "y"


@frozen
class Words:
    """One word or more, next to each other and in order where ``is_phrase``."""

    text: str
    field: Field = Field.ANYWHERE
    is_phrase: bool = False


@frozen
class Marked:
    """A mark is there."""

    mark: Mark


@frozen
class Within:
    """It lies in a mailbox, by the name that addresses of pages give it."""

    box: str


@frozen
class Labelled:
    """It has a label, by its name or its keyword's."""

    label: str


@frozen
class Dated:
    """
    It came on ``since`` or later, and before ``before``.

    Days are those of the person who asks.
    """

    since: date | None = None
    before: date | None = None


@frozen
class Aged:
    """It is older than so many units, or newer."""

    count: int
    unit: Unit
    is_older: bool


@frozen
class Sized:
    """It has more octets than that, or fewer."""

    octets: int
    is_larger: bool


@frozen
class HasMessageId:
    """Its Message-ID, without angle brackets."""

    message_id: str


@frozen
class InMailboxes:
    """`Within` or the scope of a search, made out: one of these mailboxes."""

    names: frozenset[MailboxName]


@frozen
class HasKeyword:
    """`Labelled`, made out: a keyword, whatever its case."""

    keyword: str


@frozen
class Came:
    """`Dated` and `Aged`, made out: seconds since 1970, not before and before."""

    since: float | None = None
    before: float | None = None


@frozen
class Not:
    sought: Sought


@frozen
class AllOf:
    """Without any: everything."""

    sought: tuple[Sought, ...] = ()


@frozen
class AnyOf:
    sought: tuple[Sought, ...]


Sought = (
    Words
    | Marked
    | Within
    | Labelled
    | Dated
    | Aged
    | Sized
    | HasMessageId
    | InMailboxes
    | HasKeyword
    | Came
    | Not
    | AllOf
    | AnyOf
)
"""`Within`, `Labelled`, `Dated` and `Aged` are made out before a store is asked."""
