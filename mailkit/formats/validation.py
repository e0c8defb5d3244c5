"""
What is wrong with a message's header, and what is done about it.

One table says for each check what submission does, where the author can still be
told, and what port 25 does, where a stranger's mistake is seldom worth a lost letter.
RFC 5322 §3.6 says what a header must have, RFC 6409 §8 what submission may mend.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Sequence

from attrs import define, field, frozen

from mailkit.formats import addresslist, body, date, header
from mailkit.formats.fields import message_ids
from mailkit.formats.limits import DEFAULT_LIMITS, Limits


class Action(enum.Enum):
    """What is done about a finding."""

    NOTE = "note"
    REPAIR = "repair"
    REFUSE = "refuse"


@define(eq=False)
class Facts:
    """What the checks look at, gathered once a message."""

    octets: bytes  # of the header, its empty line included
    fields: list[header.FieldOctets]
    values: dict[bytes, list[bytes]]  # raw, by lower-case name
    utf8: bool
    limits: Limits
    _authors: list[addresslist.NamedAddress] | None = field(init=False, default=None)

    def once(self, name: bytes) -> bytes | None:
        """Give the topmost field's unfolded text."""
        values = self.values.get(name)
        return None if values is None else header.unfold(values[0])

    def authors(self) -> list[addresslist.NamedAddress]:
        """All addresses of From."""
        if self._authors is None:
            self._authors = _addresses(self.values.get(b"from", ()), self.limits)
        return self._authors


@frozen
class Check:
    """One row of the table."""

    name: str
    text: str  # short plain English, fit for a reply
    code: str  # the enhanced code if it is refused (RFC 3463 §3.7)
    submission: Action
    arrival: Action  # on port 25
    finds: Callable[[Facts], bool] = field(repr=False)


@frozen
class Finding:
    """A check that found something."""

    check: Check

    @property
    def text(self) -> str:
        """What is wrong, in plain English."""
        return self.check.text

    @property
    def code(self) -> str:
        """The enhanced status code, "5.6.0" for instance."""
        return self.check.code


SINGULAR = frozenset(
    (
        b"date",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"bcc",
        b"message-id",
        b"in-reply-to",
        b"references",
        b"subject",
    )
)
"""Fields that may be there once (RFC 5322 §3.6); From has a check of its own."""

_LONGEST_FROM = 8 * 1024  # octets; nobody has so many authors

BLIND = frozenset((b"bcc", b"resent-bcc"))
"""Fields that submission takes out (RFC 5322 §3.6.3)."""

_NO_LINE_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BARE_CR = re.compile(rb"\r(?!\n)")


def _several_authors(facts: Facts) -> bool:
    if _are_too_long(facts.values.get(b"from", ())):
        return False
    if b"sender" in facts.values or len(facts.values.get(b"from", ())) != 1:
        return False
    return len(facts.authors()) > 1


def _unreadable_author(facts: Facts) -> bool:
    values = facts.values.get(b"from")
    if values is None:
        return False
    return _are_too_long(values) or _are_unreadable(facts.authors())


def _unreadable_resender(facts: Facts) -> bool:
    values = facts.values.get(b"resent-from", ())[:1]
    if not values:
        return False
    return _are_too_long(values) or _are_unreadable(_addresses(values, facts.limits))


def _are_unreadable(found: list[addresslist.NamedAddress]) -> bool:
    return not found or any(not each.local_part or not each.domain for each in found)


def _ambiguous_author(facts: Facts) -> bool:
    said = facts.values.get(b"from", [])
    resent = facts.values.get(b"resent-from", [])[:1]
    return any(
        not (_are_too_long(values) or all(map(addresslist.is_certain, values)))
        for values in (said, resent)
    )


def _are_too_long(values: Sequence[bytes]) -> bool:
    return sum(map(len, values)) > _LONGEST_FROM


def _unreadable_date(facts: Facts) -> bool:
    value = facts.once(b"date")
    return value is not None and date.parse(value) is None


def _unreadable_message_id(facts: Facts) -> bool:
    value = facts.once(b"message-id")
    return value is not None and message_ids(value, facts.limits) != [value]


def _repeated(facts: Facts) -> bool:
    if len(facts.values) == len(facts.fields):
        return False  # every field is there once
    return any(len(facts.values.get(name, ())) > 1 for name in SINGULAR)


def _stray_lines(facts: Facts) -> bool:
    end = facts.octets
    empty = 2 if end.endswith(b"\n\r\n") or end == b"\r\n" else end.endswith(b"\n\n")
    return sum([len(raw) for raw, _, _ in facts.fields]) + empty < len(end)


def _too_much(facts: Facts) -> bool:
    limits = facts.limits
    return len(facts.octets) > limits.header_size or (
        len(facts.fields) >= limits.fields
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "header-too-large",
        "The header is too large",
        "5.6.0",
        Action.REFUSE,
        Action.REFUSE,
        _too_much,
    ),
    Check(
        "nul",
        "The header contains NUL or a bare CR",
        "5.6.0",
        Action.REFUSE,
        Action.REFUSE,
        lambda facts: b"\0" in facts.octets or bool(_BARE_CR.search(facts.octets)),
    ),
    Check(
        "begins-folded",
        "The header begins with a folded line",
        "5.6.0",
        Action.REFUSE,
        Action.REFUSE,  # it would go on with the last field that we put on top
        lambda facts: facts.octets.startswith((b" ", b"\t")),
    ),
    Check(
        "control-octets",
        "The header contains control characters",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        lambda facts: bool(_NO_LINE_CONTROL.search(facts.octets)),
    ),
    Check(
        "stray-lines",
        "The header contains a line that is no field",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        _stray_lines,
    ),
    Check(
        "long-lines",
        "A line of the header is longer than 998 octets",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        lambda facts: body.has_long_lines(facts.octets),
    ),
    Check(
        "eight-bit",
        "The header contains 8-bit characters without SMTPUTF8",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        lambda facts: not facts.utf8 and not facts.octets.isascii(),
    ),
    Check(
        "no-utf8",
        "The header is not valid UTF-8",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        lambda facts: facts.utf8 and not _is_utf8(facts.octets),
    ),
    Check(
        "from-missing",
        "The From field is missing",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        lambda facts: b"from" not in facts.values,
    ),
    Check(
        "from-several",
        "There is more than one From field",
        "5.6.0",
        Action.REFUSE,
        Action.REFUSE,
        lambda facts: len(facts.values.get(b"from", ())) > 1,
    ),
    Check(
        "from-unreadable",
        "The From field contains no valid address",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        _unreadable_author,
    ),
    Check(
        "resent-from-unreadable",
        "The newest Resent-From field contains no valid address",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        _unreadable_resender,
    ),
    Check(
        "from-ambiguous",
        "The From field can be read in more than one way",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        _ambiguous_author,
    ),
    Check(
        "sender-missing",
        "Several authors need a Sender field",
        "5.6.0",
        Action.NOTE,
        Action.NOTE,
        _several_authors,
    ),
    Check(
        "date-missing",
        "The Date field is missing",
        "5.6.0",
        Action.REPAIR,
        Action.NOTE,
        lambda facts: b"date" not in facts.values,
    ),
    Check(
        "date-unreadable",
        "The Date field is not a date",
        "5.6.0",
        Action.NOTE,
        Action.NOTE,
        _unreadable_date,
    ),
    Check(
        "message-id-missing",
        "The Message-ID field is missing",
        "5.6.0",
        Action.REPAIR,
        Action.NOTE,
        lambda facts: b"message-id" not in facts.values,
    ),
    Check(
        "message-id-unreadable",
        "The Message-ID field is not one identification",
        "5.6.0",
        Action.NOTE,
        Action.NOTE,
        _unreadable_message_id,
    ),
    Check(
        "blind-copies",
        "The message tells its blind copies",
        "5.6.0",
        Action.REPAIR,
        Action.NOTE,
        lambda facts: not BLIND.isdisjoint(facts.values),
    ),
    Check(
        "duplicates",
        "A field that may be there once is there again",
        "5.6.0",
        Action.REFUSE,
        Action.NOTE,
        _repeated,
    ),
)
"""All checks; the first that refuses is the one to tell."""


def examine(
    octets: bytes, *, utf8: bool, limits: Limits = DEFAULT_LIMITS
) -> list[Finding]:
    """
    Run all checks over a message's header.

    :param utf8: whether the message was sent with SMTPUTF8 (RFC 6531 §3.4).
    """
    end = header.find_end(octets)
    fields = header.scan(octets, 0, end, limits)
    values: dict[bytes, list[bytes]] = {}
    for _, name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    facts = Facts(octets[:end], fields, values, utf8, limits)
    return [Finding(check) for check in CHECKS if check.finds(facts)]


def refused_on_submission(findings: Iterable[Finding]) -> Finding | None:
    """Give the finding for which submission refuses, if there is one."""
    for finding in findings:
        if finding.check.submission is Action.REFUSE:
            return finding
    return None


def refused_on_arrival(findings: Iterable[Finding]) -> Finding | None:
    """Give the finding for which port 25 refuses, if there is one."""
    for finding in findings:
        if finding.check.arrival is Action.REFUSE:
            return finding
    return None


def is_text_alone(octets: bytes) -> bool:
    """
    Say whether a message has no header, not even the empty line that ends one.

    What was written is all body then, whatever a reader of headers makes of it.
    """
    fields = header.scan(octets, 0, header.find_end(octets))
    return bool(octets) and not fields and not octets.startswith((b"\r\n", b"\n"))


def repair(octets: bytes, *, date_text: bytes, message_id: bytes) -> bytes:
    """
    Mend what submission may mend (RFC 6409 §8).

    Bcc and Resent-Bcc go; Date and Message-ID are added where they are missing.

    :param date_text: what `date.format` gives for now.
    :param message_id: a fresh one with its angle brackets.
    """
    octets = header.remove(octets, BLIND)
    fields = header.scan(octets, 0, header.find_end(octets))
    present = {name.lower() for _, name, _ in fields}
    added: list[bytes] = []
    if b"date" not in present:
        added.append(b"Date: " + date_text + b"\r\n")
    if b"message-id" not in present:
        added.append(b"Message-ID: " + message_id + b"\r\n")
    if not fields and not octets.startswith((b"\r\n", b"\n")):
        added.append(b"\r\n")  # all that was written is body
    return header.add_on_top(octets, *added)


def authors(
    octets: bytes, limits: Limits = DEFAULT_LIMITS
) -> list[addresslist.NamedAddress]:
    """
    List whom a message says it is from.

    These are the addresses of From; of a message that was sent on, those of the
    newest, that is topmost, Resent-From (RFC 5322 §3.6.6).
    """
    found: dict[bytes, list[bytes]] = {}
    for _, name, value in header.scan(octets, 0, header.find_end(octets), limits):
        found.setdefault(name.lower(), []).append(value)
    resent = found.get(b"resent-from")
    values = found.get(b"from", []) if resent is None else resent[:1]
    return [
        address
        for value in values
        for address in addresslist.flatten(addresslist.parse(value, limits))
    ]


def _addresses(
    values: Iterable[bytes], limits: Limits
) -> list[addresslist.NamedAddress]:
    return [
        address
        for value in values
        for address in addresslist.flatten(addresslist.parse(value, limits))
    ]


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
