"""
People, subject and dates out of the ENVELOPE that `overview` wrote (RFC 9051 §7.5.2).

A list of messages is shown from what the index keeps rendered, so nothing of a header
is parsed again. Only what is asked for is decoded. Nothing here raises for octets that
nobody wrote so: what cannot be read is empty.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from attrs import frozen

from mailkit.formats import date, encodedword
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.model.conversation import Person

_TOKEN = re.compile(
    rb'[ ]*+(?:([()])|"((?:[^"\\]++|\\.)*+)"|\{([0-9]{1,10})\}\r\n|NIL)', re.S
)
_PLAIN_PARTS = re.compile(
    rb'\(("[^"\\]*+"|NIL) ("[^"\\]*+"|NIL)'
    + rb' (\((?:\((?:(?:"[^"\\]*+"|NIL) ?)*+\))*+\)|NIL)' * 6
    + rb' ("[^"\\]*+"|NIL) ("[^"\\]*+"|NIL)\)\Z'
)
"""What nearly all are: nothing escaped, no literals."""
_PLAIN_PERSON = re.compile(
    rb'\((?:"([^"\\]*+)"|NIL) (?:"[^"\\]*+"|NIL) "([^"\\]*+)" "([^"\\]*+)"\)'
)
_LITERAL = re.compile(rb"\{([0-9]{1,10})\}\r\n")
_ESCAPED = re.compile(rb"\\(.)", re.S)
_PARTS = 10
_NOTHING = (b"NIL",) * _PARTS
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+"
)
"""Controls, and what turns the direction of the text around it."""


@frozen
class Overview:
    """One ENVELOPE, taken apart and not decoded yet."""

    parts: tuple[bytes, ...]
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def of(cls, octets: bytes, limits: Limits = DEFAULT_LIMITS) -> Overview:
        """Take what `overview.render` wrote apart."""
        if b"}\r\n" in octets:
            octets = _with_quotes(octets)
        match = _PLAIN_PARTS.match(octets)
        return cls(match.groups() if match else _parts(octets), limits)

    @property
    def sent(self) -> float | None:
        """Seconds since 1970 of the Date field."""
        written = string(self.parts[0])
        moment = date.parse(written) if written else None
        return None if moment is None else moment.timestamp()

    @property
    def subject(self) -> str:
        return one_line(string(self.parts[1]))

    @property
    def from_(self) -> tuple[Person, ...]:
        return people(self.parts[2], self.limits)

    @property
    def reply_to(self) -> tuple[Person, ...]:
        return people(self.parts[4], self.limits)

    @property
    def to(self) -> tuple[Person, ...]:
        return people(self.parts[5], self.limits)

    @property
    def cc(self) -> tuple[Person, ...]:
        return people(self.parts[6], self.limits)

    @property
    def bcc(self) -> tuple[Person, ...]:
        return people(self.parts[7], self.limits)

    @property
    def in_reply_to(self) -> str:
        return string(self.parts[8]).decode("utf-8", "replace")

    @property
    def message_id(self) -> str:
        return string(self.parts[9]).decode("utf-8", "replace")


class Said(NamedTuple):
    """One ENVELOPE, decoded whole."""

    sent: float | None
    from_: tuple[Person, ...]
    reply_to: tuple[Person, ...]
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    subject: str
    message_id: str
    in_reply_to: str


def said(octets: bytes) -> Said:
    """
    All that `overview.render` wrote.

    A list is looked at again and again, and nearly all of its messages are those of the
    last time: of the same octets the same is said.
    """
    return _said(octets) if len(octets) > _LONGEST_SAID else _known_said(octets)


def _said(octets: bytes) -> Said:
    found = Overview.of(octets)
    return Said(
        found.sent,
        found.from_,
        found.reply_to,
        found.to,
        found.cc,
        found.bcc,
        found.subject,
        found.message_id,
        found.in_reply_to,
    )


_LONGEST_SAID = 1000
_known_said = lru_cache(2000)(_said)


def string(octets: bytes) -> bytes:
    """What a string of IMAP says; nothing for NIL and for what is none."""
    match = _TOKEN.match(octets)
    if match is None:
        return b""
    quoted, length = match[2], match[3]
    if quoted is not None:
        return _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
    if length is not None:
        return octets[match.end() : match.end() + int(length)]
    return b""


def one_line(octets: bytes) -> str:
    """Decode text that is shown on one line, without what nobody sees in it."""
    text = encodedword.decode(octets)
    if text.isprintable():
        return text.strip()
    return " ".join(_UNSEEN.sub(" ", text).split())


def people(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[Person, ...]:
    """
    Those of an address list; of a group its members, or its name if it has none.

    Beyond the limit nobody is read.
    """
    if octets == b"NIL":
        return ()
    if len(octets) > _LONGEST_KEPT:
        return _people(octets, limits.addresses)
    return _known_people(octets, limits.addresses)


_LONGEST_KEPT = 500


def _people(octets: bytes, most: int) -> tuple[Person, ...]:
    found: list[Person] = []
    group: Person | None = None
    at = 1
    while at < len(octets) and len(found) < most:
        match = _PLAIN_PERSON.match(octets, at)
        if match is not None:
            at = match.end()
            name, local_part, domain = match.groups()
        else:
            fields, at = _fields(octets, at)
            if len(fields) != 4:
                break
            name, _, local_part, domain = fields
        if domain is None:
            if group is not None:
                found.append(group)
            # A name begins a group, and without one it ends (RFC 9051 §7.5.2).
            group = None if local_part is None else Person(one_line(local_part), "")
            continue
        group = None
        found.append(
            Person(
                "" if name is None else one_line(name),
                _address(local_part or b"", domain),
            )
        )
    if group is not None:
        found.append(group)
    return tuple(found[:most])


_known_people = lru_cache(2000)(_people)
"""The same few write nearly all that is on a page."""


def _address(local_part: bytes, domain: bytes) -> str:
    octets = b"%b@%b" % (local_part, domain) if domain else local_part
    text = octets.decode("utf-8", "replace")
    return text if text.isprintable() else _UNSEEN.sub("", text)


def _fields(octets: bytes, at: int) -> tuple[list[bytes | None], int]:
    """The strings between parentheses, and where they end; none if there are none."""
    fields: list[bytes | None] = []
    depth = 0
    while True:
        match = _TOKEN.match(octets, at)
        if match is None:
            return [], len(octets)
        at = match.end()
        parenthesis, quoted, length = match.groups()
        if parenthesis == b"(":
            depth += 1
        elif parenthesis == b")":
            return (fields if depth == 1 else []), at
        elif length is not None:
            fields.append(octets[at : at + int(length)])
            at += int(length)
        elif quoted is not None:
            fields.append(_ESCAPED.sub(rb"\1", quoted))
        else:
            fields.append(None)


def _with_quotes(octets: bytes) -> bytes:
    """The same without literals: a regular expression cannot count."""
    pieces: list[bytes] = []
    at = 0
    while match := _LITERAL.search(octets, at):
        end = match.end() + int(match[1])
        text = octets[match.end() : end].replace(b"\\", b"\\\\")
        pieces += (octets[at : match.start()], b'"', text.replace(b'"', b'\\"'), b'"')
        at = end
    return b"".join([*pieces, octets[at:]])


def _parts(octets: bytes) -> tuple[bytes, ...]:
    """The ten parts of any ENVELOPE without literals."""
    found: list[bytes] = []
    depth = 0
    at = start = 0
    while True:
        match = _TOKEN.match(octets, at)
        if match is None:
            return _NOTHING
        if depth == 1:
            start = match.start()
        at = match.end()
        if match[1] == b"(":
            depth += 1
            if depth == 1:
                continue
        elif match[1] == b")":
            depth -= 1
            if depth == 0:
                return tuple(found) if len(found) == _PARTS else _NOTHING
        if depth == 0:
            return _NOTHING
        if depth == 1:
            found.append(octets[start:at].lstrip(b" "))
