"""
The words of IMAP commands (RFC 9051 §4, §9).

A command is its text and, apart, the octets of its literals: in the text a literal is
``{size}CRLF``, and CRLF stands nowhere else in it.

All complaints are `Malformed` and name what was wrong; they become the text of a BAD.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mailkit.errors import Malformed
from mailkit.model.flags import SYSTEM_FLAGS, Flags
from mailkit.model.mailbox import MailboxName
from mailkit.protocols.imap import mutf7
from mailkit.protocols.imap.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.imap.sequence import STAR, SequenceSet

T = TypeVar("T")

# Sets of octets as RFC 9051 §9 has them. ATOM-CHAR: printable ASCII except
# ( ) { % * " \ ] and SP. An astring may hold ], a list-mailbox % and * as well.
_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_ASTRING = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_PATTERN = re.compile(rb"[!#$%&'*+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]{1,255}")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*+)"')
_ESCAPE = re.compile(rb'\\(["\\])')
_LITERAL = re.compile(rb"\{[0-9]+\+?\}\r\n")
_NUMBER = re.compile(rb"[0-9]{1,20}(?![0-9])")
_SET = re.compile(rb"[0-9*:,$]+")
_SET_ENTRY = rb"(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?|\$"
_WELL_FORMED_SET = re.compile(rb"(?:%b)(?:,(?:%b))*+" % (_SET_ENTRY, _SET_ENTRY))
_FLAG_LIST = re.compile(rb"\(([^()\r\n\"]*)\)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSHOWN = re.compile(rb"[^!-~]+")

_SYSTEM_FLAGS = {flag.lower().encode(): flag for flag in SYSTEM_FLAGS}

MOST = 0xFFFFFFFF
"""The largest number, nz-number and uniqueid."""
MOST_64 = 0x7FFFFFFFFFFFFFFF
"""The largest number64."""


class Declined(Malformed):
    """In the grammar, and yet answered NO without asking anybody."""

    def __init__(self, text: str, code: bytes) -> None:
        super().__init__(text)
        self.code = code


class LiteralToCome(Exception):  # noqa: N818 - no error at all
    """The text ends in a literal whose octets are not here; caught by the machine."""


def shown(octets: bytes) -> str:
    """A word of the peer as it may be said back: short and printable."""
    text = _UNSHOWN.sub(b"?", octets[:40]).decode("ascii")
    return f"{text}..." if len(octets) > 40 else text


class Lexer:
    """
    Reads one command from left to right.

    ``what`` of all methods is how a complaint calls the thing that was expected.
    """

    __slots__ = (
        "_literals",
        "_taken",
        "at",
        "charset",
        "is_secret",
        "is_utf8",
        "limits",
        "takes_charset",
        "text",
    )

    def __init__(
        self,
        text: bytes,
        literals: Sequence[bytes] = (),
        limits: Limits = DEFAULT_LIMITS,
        *,
        is_utf8: bool = False,
        takes_charset: bool = True,
    ) -> None:
        """
        :param is_utf8: UTF8=ACCEPT or IMAP4rev2 is on: quoted strings may hold UTF-8,
            and names of mailboxes are written in it (RFC 6855 §3).
        :param takes_charset: SEARCH may say CHARSET; not after UTF8=ACCEPT.
        """
        self.text = text
        self.at = 0
        self.limits = limits
        self.is_utf8 = is_utf8
        self.takes_charset = takes_charset
        self.charset = "utf-8"
        """The codec of texts; what nobody named is taken as UTF-8 (RFC 9051 §6.4.4)."""
        self.is_secret = False
        """A password is among what follows: no complaint may repeat any of it."""
        self._literals = literals
        self._taken = 0

    # --- marks

    def space(self, what: str) -> None:
        """Exactly one space, with ``what`` to follow."""
        starts, at = self.text.startswith, self.at
        if not starts(b" ", at):
            self._missed_space(what)
        self.at = at + 1
        if starts(b" ", at + 1):
            raise Malformed(f"Only one space may stand before the {what}")

    def try_space(self) -> bool:
        """One space, if there is one."""
        return self.skip(b" ")

    def next_is(self, mark: bytes) -> bool:
        """Whether this mark comes next; it is left where it is."""
        return self.text.startswith(mark, self.at)

    def skip(self, mark: bytes) -> bool:
        """This mark, if it comes next."""
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def expect(self, mark: bytes, what: str) -> None:
        """This mark."""
        if not self.skip(mark):
            raise Malformed(f"Expected {mark.decode()} {what}{self._found()}")

    def end(self) -> None:
        """Nothing more."""
        if self.at != len(self.text):
            raise Malformed(f"Too much{self._found()}")

    @property
    def is_at_end(self) -> bool:
        """Whether nothing more comes."""
        return self.at == len(self.text)

    # --- words

    def tag(self) -> bytes:
        """The tag of a command."""
        match = _TAG.match(self.text)
        if match is None or not self.text.startswith(b" ", match.end()):
            raise Malformed("A command begins with a tag, a space and its name")
        self.at = match.end()
        return match[0]

    def atom(self, what: str) -> bytes:
        """An atom, as it was written."""
        match = _ATOM.match(self.text, self.at)
        if match is None:
            raise Malformed(f"Expected the {what}{self._found()}")
        self.at = match.end()
        return match[0]

    def word(self, what: str) -> bytes:
        """An atom that is a word of the protocol, in upper case."""
        return self.atom(what).upper()

    def one_of(self, table: Mapping[bytes, T], what: str) -> T:
        """What a table has for the next word."""
        word = self.word(what)
        found = table.get(word)
        if found is None:
            raise Malformed(f"Unknown {what} {shown(word)}")
        return found

    def number(self, what: str, least: int = 0, most: int = MOST) -> int:
        """A number within bounds."""
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise Malformed(f"Expected the {what}, a number{self._found()}")
        number = int(match[0])
        if not least <= number <= most:
            raise Malformed(f"The {what} must be from {least} to {most}")
        self.at = match.end()
        return number

    # --- strings

    def astring(self, what: str) -> bytes:
        """An atom, with ``]`` perhaps, or a string."""
        match = _ASTRING.match(self.text, self.at)
        if match is None:
            return self.string(what)
        self.at = match.end()
        return match[0]

    def pattern(self, what: str) -> bytes:
        """A name with wildcards (list-mailbox), or a string."""
        match = _PATTERN.match(self.text, self.at)
        if match is None:
            return self.string(what)
        self.at = match.end()
        return match[0]

    def string(self, what: str) -> bytes:
        """
        A quoted string or a literal.

        :raises LiteralToCome: where the text ends in the announcement of one.
        """
        match = _QUOTED.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            octets = match[1]
            if not octets.isascii():
                self._check_eight_bit(octets, what)
            if b"\\" in octets:
                return _ESCAPE.sub(rb"\1", octets)
            return octets
        match = _LITERAL.match(self.text, self.at)
        if match is None:
            raise Malformed(f"Expected the {what}{self._found()}")
        if self._taken == len(self._literals):
            raise LiteralToCome
        self.at = match.end()
        self._taken += 1
        return self._literals[self._taken - 1]

    def decoded(self, what: str) -> str:
        """An astring as text, in the charset of the command."""
        octets = self.astring(what)
        try:
            return octets.decode(self.charset)
        except ValueError:
            raise Malformed(f"The {what} is not in {self.charset.upper()}") from None

    def mailbox(self, what: str = "mailbox name") -> MailboxName:
        """A name of a mailbox, in NFC, INBOX spelt so (RFC 9051 §5.1)."""
        octets = self.astring(what)
        if octets[:6].upper() in (b"INBOX", b"INBOX/"):
            octets = octets[:5].upper() + octets[5:]
        name = self.name_of(octets)
        if _CONTROL.search(name):
            raise Declined(f"The {what} has control characters in it", b"CANNOT")
        return MailboxName(name)

    def name_of(self, octets: bytes) -> str:
        """
        The text of a mailbox name or pattern: modified UTF-7, or after ENABLE UTF-8.

        :raises Malformed: where it is not.
        """
        if not self.is_utf8:
            name = mutf7.decode(octets)
        else:
            try:
                name = octets.decode("utf-8")
            except ValueError:
                raise Malformed("The mailbox name is not UTF-8") from None
        return name if name.isascii() else unicodedata.normalize("NFC", name)

    # --- sets and flags

    def sequence_set(self, what: str = "message set") -> SequenceSet:
        """Message numbers or UIDs, ``*`` and ``$`` unresolved (RFC 9051 §9)."""
        match = _SET.match(self.text, self.at)
        if match is None:
            raise Malformed(f"Expected the {what}{self._found()}")
        if _WELL_FORMED_SET.fullmatch(match[0]) is None:
            raise Malformed(f"Not a {what}: {shown(match[0])}")
        self.at = match.end()
        # Ten thousand numbers are usual here: `*` is read as the number STAR, which
        # no message has.
        entries = match[0].replace(b"*", b"%d" % STAR).split(b",")
        is_saved = b"$" in entries
        ranges: list[tuple[int, int]] = []
        for entry in entries:
            first, colon, last = entry.partition(b":")
            if colon:
                ranges.append((int(first), int(last)))
            elif first != b"$":
                number = int(first)
                ranges.append((number, number))
        if ranges and max(map(max, ranges)) > MOST:
            raise Malformed(f"A number in the {what} is too large")
        return SequenceSet(tuple(ranges), is_saved)

    def flag_list(self) -> Flags:
        """Flags in parentheses, perhaps none."""
        match = _FLAG_LIST.match(self.text, self.at)
        if match is None:
            raise Malformed(f"Expected a list of flags in parentheses{self._found()}")
        self.at = match.end()
        return self.flags_of(match[1].split(b" ")) if match[1] else frozenset()

    def flags_of(self, words: Sequence[bytes]) -> Flags:
        """Flags from their words: system flags in their one spelling."""
        if len(words) > self.limits.flags:
            raise Malformed(f"More than {self.limits.flags} flags")
        return frozenset([self._flag(word) for word in words])

    def _flag(self, word: bytes) -> str:
        flag = _SYSTEM_FLAGS.get(word.lower())
        if flag is not None:
            return flag
        if word.startswith(b"\\"):
            raise Malformed(f"{shown(word)} is not a flag that can be set")
        if _ATOM.fullmatch(word) is None:
            raise Malformed(f"Not a flag: {shown(word) or 'an extra space'}")
        if len(word) > self.limits.keyword:
            raise Malformed(f"A keyword has more than {self.limits.keyword} octets")
        return word.decode("ascii")

    # --- complaints

    def _found(self) -> str:
        if self.is_secret:
            return ""
        rest = self.text[self.at : self.at + 41]
        return f", found {shown(rest)}" if rest else ", found the end"

    def _missed_space(self, what: str) -> None:
        if self.is_at_end:
            raise Malformed(f"Missing {what}")
        raise Malformed(f"Expected a space before the {what}{self._found()}")

    def _check_eight_bit(self, octets: bytes, what: str) -> None:
        if not self.is_utf8:
            raise Malformed(
                f"8-bit octets in the {what}: quoted UTF-8 needs ENABLE, or a literal"
            )
        try:
            octets.decode("utf-8")
        except ValueError:
            raise Malformed(f"The {what} is not UTF-8") from None
