"""
A strict reader of what a server says (RFC 9051 §7, §9), for tests.

It takes nothing that the grammar does not have: neither a second space nor an 8-bit
octet between quotes before ENABLE nor ``\\Recent`` after ``ENABLE IMAP4rev2``. What
rev1 has beside that (RFC 3501 §9) and what announced extensions add is in it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

from attrs import define, frozen

T = TypeVar("T")

_ATOM = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")
_ASTRING = re.compile(rb"[!#$&'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")
_LITERAL8 = re.compile(rb"~\{([0-9]+)\}\r\n")
_NUMBER = re.compile(rb"0|[1-9][0-9]*")
_TAG = re.compile(rb"[!#$&',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+")
_TEXT = re.compile(rb"[^\r\n\0\x80-\xff]+")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SET = re.compile(rb"[1-9][0-9]*(?::[1-9][0-9]*)?(?:,[1-9][0-9]*(?::[1-9][0-9]*)?)*")
_DATE_TIME = re.compile(
    rb'"(?: [1-9]|[0-3][0-9])-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
    rb'-[0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] [+-][0-9]{4}"'
)
_SECTION = re.compile(
    rb"(?:[1-9][0-9]*(?:\.[1-9][0-9]*)*)?"
    rb"(?:(?:(?<=[0-9])\.|(?<=\[))(?:HEADER(?:\.FIELDS(?:\.NOT)?)?|TEXT))?"
    rb"(?:(?<=[0-9])\.MIME)?"
)
_SYSTEM_FLAGS = {b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft"}
_ATTRIBUTES = {
    *(b"\\Noinferiors", b"\\Noselect", b"\\Marked", b"\\Unmarked", b"\\NonExistent"),
    *(b"\\HasChildren", b"\\HasNoChildren", b"\\Subscribed", b"\\Remote"),
    *(b"\\All", b"\\Archive", b"\\Drafts", b"\\Flagged", b"\\Junk", b"\\Sent"),
    b"\\Trash",
}
_BARE_CODES = {
    *(b"ALERT", b"PARSE", b"READ-ONLY", b"READ-WRITE", b"TRYCREATE", b"UIDNOTSTICKY"),
    *(b"UNAVAILABLE", b"AUTHENTICATIONFAILED", b"AUTHORIZATIONFAILED", b"EXPIRED"),
    *(b"PRIVACYREQUIRED", b"CONTACTADMIN", b"NOPERM", b"INUSE", b"EXPUNGEISSUED"),
    *(b"CORRUPTION", b"SERVERBUG", b"CLIENTBUG", b"CANNOT", b"LIMIT", b"OVERQUOTA"),
    *(b"ALREADYEXISTS", b"NONEXISTENT", b"NOTSAVED", b"HASCHILDREN", b"CLOSED"),
    *(b"UNKNOWN-CTE", b"TOOBIG", b"USEATTR"),
}


class Ungrammatical(AssertionError):  # noqa: N818 - as an AssertionError reads
    """What the server said is in no grammar."""


@frozen
class Said:
    """One response: its tag, ``*`` or ``+``, its name, and its octets."""

    tag: bytes
    name: bytes
    octets: bytes
    values: tuple[object, ...] = ()


def read_all(octets: bytes) -> list[Said]:
    """
    Everything that one connection was told, from the greeting on.

    :raises Ungrammatical:
    """
    reader = Reader(octets)
    said = []
    while reader.at < len(octets):
        said.append(reader.response())
    return said


@define
class Reader:
    """Goes from left to right and knows what was enabled on the way."""

    octets: bytes
    at: int = 0
    is_utf8: bool = False
    is_rev2: bool = False

    # --- responses

    def response(self) -> Said:
        start = self.at
        if self.skip(b"+ "):
            self._continuation()
            return Said(b"+", b"", self.octets[start : self.at])
        if not self.skip(b"* "):
            tag = self.match(_TAG, "a tag")
            if b"+" in tag:
                self.fail("a tag without +")
            self.mark(b" ")
            name = self.condition((b"OK", b"NO", b"BAD"))
            return Said(tag, name, self.octets[start : self.at])
        name, values = self._untagged()
        self.mark(b"\r\n")
        return Said(b"*", name, self.octets[start : self.at], values)

    def _continuation(self) -> None:
        line = self.octets[self.at : self.octets.index(b"\r\n", self.at)]
        if _BASE64.fullmatch(line) is None:
            self.text()
        else:
            self.at += len(line)
        self.mark(b"\r\n")

    def _untagged(self) -> tuple[bytes, tuple[object, ...]]:
        if self.octets[self.at : self.at + 1].isdigit():
            number = self.number()
            self.mark(b" ")
            name = self.atom()
            if name == b"FETCH":
                self.nonzero(number)
                self.mark(b" ")
                return name, (number, self.fetched())
            if name == b"EXPUNGE":
                self.nonzero(number)
            elif name != b"EXISTS" and (name != b"RECENT" or self.is_rev2):
                self.fail("EXISTS, EXPUNGE or FETCH")
            return name, (number,)
        name = self.match(_ATOM, "a response")
        if name in (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"):
            self.at -= len(name)
            self.condition((name,))
            self.at -= 2
            return name, ()
        read = _UNTAGGED.get(name)
        if read is None:
            self.fail("a known response")
        return name, tuple(read(self))

    def condition(self, names: tuple[bytes, ...]) -> bytes:
        name = self.match(_ATOM, "a condition")
        if name not in names:
            self.fail(f"one of {names}")
        self.mark(b" ")
        if self.skip(b"["):
            self.code()
            self.mark(b"] ")
        self.text()
        self.mark(b"\r\n")
        return name

    def code(self) -> None:
        name = self.match(re.compile(rb"[A-Z0-9-]+"), "a response code")
        if name in _BARE_CODES:
            return
        read = _CODES.get(name)
        if read is None:
            self.fail("a known response code")
        read(self)

    # --- data

    def capability(self) -> list[object]:
        names = []
        while self.skip(b" "):
            names.append(self.match(re.compile(rb"[^ \](){%*\"\\\r\n]+"), "a name"))
        if b"IMAP4rev2" not in names or len(set(names)) != len(names):
            self.fail("IMAP4rev2 and each name once")
        return [names]

    def enabled(self) -> list[object]:
        names = []
        while self.skip(b" "):
            names.append(self.match(_ATOM, "a capability"))
        self.is_rev2 |= b"IMAP4rev2" in names
        self.is_utf8 |= self.is_rev2 or b"UTF8=ACCEPT" in names
        return [names]

    def flags_response(self) -> list[object]:
        self.mark(b" ")
        return [self.flag_list(())]

    def flag_list(self, more: tuple[bytes, ...]) -> list[bytes]:
        flags = self.list_of(lambda: self.flag(more), may_be_empty=True)
        if len({flag.lower() for flag in flags}) != len(flags):
            self.fail("each flag once")
        return flags

    def flag(self, more: tuple[bytes, ...]) -> bytes:
        if not self.octets.startswith(b"\\", self.at):
            return self.atom()
        flag = self.match(re.compile(rb"\\[A-Za-z*]+"), "a flag")
        if flag not in _SYSTEM_FLAGS and flag not in more:
            self.fail(f"a flag, not {flag!r}")
        return flag

    def listed(self) -> list[object]:
        self.mark(b" ")
        flag = re.compile(rb"\\[A-Za-z]+")
        attributes = self.list_of(lambda: self.match(flag, "an attribute"), True)
        if not _ATTRIBUTES.issuperset(attributes):
            self.fail(f"known attributes, not {attributes!r}")
        if {b"\\HasChildren", b"\\HasNoChildren"}.issubset(attributes):
            self.fail("children or none")
        self.mark(b" ")
        if not self.skip(b"NIL"):
            self.match(re.compile(rb'"(?:[^"\\]|\\["\\])"'), "a separator")
        self.mark(b" ")
        name = self.mailbox()
        if self.skip(b" "):
            self.list_of(self._extended_item)
        return [attributes, name]

    def _extended_item(self) -> bytes:
        name = self.astring()
        self.mark(b" ")
        if name == b"CHILDINFO":
            self.list_of(lambda: self.match(_QUOTED, "a quoted option"))
        elif name == b"OLDNAME":
            self.list_of(self.mailbox)
        else:
            self.fail("CHILDINFO or OLDNAME")
        return name

    def namespace(self) -> list[object]:
        for _ in range(3):
            self.mark(b" ")
            if self.skip(b"NIL"):
                continue
            self.mark(b"(")
            while not self.skip(b")"):
                self.mark(b"(")
                self.string()
                self.mark(b" ")
                self.match(re.compile(rb'NIL|"[^"\\]"'), "a separator")
                self.mark(b")")
        return []

    def status(self) -> list[object]:
        self.mark(b" ")
        name = self.mailbox()
        self.mark(b" ")
        return [name, dict(self.list_of(self._status_item, True))]

    def _status_item(self) -> tuple[bytes, int]:
        name = self.atom()
        self.mark(b" ")
        if name not in (
            *(b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"DELETED", b"SIZE"),
            b"RECENT",
        ):
            self.fail("a status item")
        value = self.number()
        if name in (b"UIDNEXT", b"UIDVALIDITY"):
            self.nonzero(value)
        return name, value

    def search(self) -> list[object]:
        if self.is_rev2:
            self.fail("ESEARCH, as rev2 is on")
        numbers = []
        while self.skip(b" "):
            numbers.append(self.number())
            self.nonzero(numbers[-1])
        return [numbers]

    def esearch(self) -> list[object]:
        if self.skip(b" (TAG "):
            self.astring()
            self.mark(b")")
        self.skip(b" UID")
        found: dict[bytes, bytes] = {}
        while self.skip(b" "):
            name = self.atom()
            self.mark(b" ")
            form = _SET if name == b"ALL" else _NUMBER
            if name not in (b"MIN", b"MAX", b"ALL", b"COUNT") or name in found:
                self.fail("MIN, MAX, ALL or COUNT, each once")
            found[name] = self.match(form, "a number")
            if name != b"COUNT" and found[name] == b"0":
                self.fail("a number above 0")
        return [found]

    def id(self) -> list[object]:
        self.mark(b" ")
        if not self.skip(b"NIL"):
            words = self.list_of(self.nstring)
            if len(words) % 2:
                self.fail("pairs")
        return []

    # --- FETCH

    def recent_flags(self) -> list[bytes]:
        return self.flag_list(() if self.is_rev2 else (b"\\Recent",))

    def fetched(self) -> dict[bytes, object]:
        items: dict[bytes, object] = {}

        def item() -> None:
            name, value = self._item()
            if name in items:
                self.fail(f"{name!r} once")
            items[name] = value

        self.list_of(item)
        return items

    def _item(self) -> tuple[bytes, object]:
        name = self.match(re.compile(rb"[A-Z0-9.]+"), "an item")
        if name in (b"BODY", b"BINARY", b"BINARY.SIZE") and self.octets.startswith(
            b"[", self.at
        ):
            return self._section(name)
        self.mark(b" ")
        read = _ITEMS.get(name)
        if read is None:
            self.fail(f"a known item, not {name!r}")
        return name, read(self)

    def _section(self, name: bytes) -> tuple[bytes, object]:
        start = self.at
        self.mark(b"[")
        kind = self.match(_SECTION, "a section")
        if b"HEADER.FIELDS" in kind:
            self.mark(b" ")
            self.list_of(self.astring)
        self.mark(b"]")
        if self.skip(b"<"):
            self.number()
            self.mark(b">")
        section = name + self.octets[start : self.at]
        self.mark(b" ")
        if name == b"BINARY.SIZE":
            return section, self.number()
        if name == b"BINARY":
            match = _LITERAL8.match(self.octets, self.at)
            if match is not None:
                return section, self._octets(match)
        return section, self.nstring()

    def envelope(self) -> list[object]:
        self.mark(b"(")
        values: list[object] = [self.nstring(), self._next(self.nstring)]
        values += [self._next(self._addresses) for _ in range(6)]
        values += [self._next(self.nstring) for _ in range(2)]
        self.mark(b")")
        return values

    def _next(self, read: Callable[[], object]) -> object:
        self.mark(b" ")
        return read()

    def _addresses(self) -> object:
        if self.skip(b"NIL"):
            return None
        self.mark(b"(")
        found = []
        while not self.skip(b")"):
            self.mark(b"(")
            found.append([self.nstring(), *[self._next(self.nstring) for _ in "123"]])
            self.mark(b")")
        if not found:
            self.fail("NIL for no address")
        return found

    def body(self, is_extended: bool) -> None:
        self.mark(b"(")
        if self.octets.startswith(b"(", self.at):
            while self.octets.startswith(b"(", self.at):
                self.body(is_extended)
            self.mark(b" ")
            self.string()
            if is_extended and self.skip(b" "):
                self._parameters()
                self._extension()
        else:
            self._one_part(is_extended)
        self.mark(b")")

    def _one_part(self, is_extended: bool) -> None:
        kind = self.string().lower()
        self.mark(b" ")
        subkind = self.string().lower()
        self.mark(b" ")
        self._parameters()
        self._next(self.nstring)
        self._next(self.nstring)
        self._next(self.string)
        self._next(self.number)
        if kind == b"message" and subkind in (b"rfc822", b"global"):
            self._next(self.envelope)
            self.mark(b" ")
            self.body(is_extended)
            self._next(self.number)
        elif kind == b"text":
            self._next(self.number)
        if is_extended and self.skip(b" "):
            self.nstring()
            self._extension()

    def _parameters(self) -> None:
        if not self.skip(b"NIL"):
            words = self.list_of(self.string)
            if len(words) % 2:
                self.fail("names and values")

    def _extension(self) -> None:
        """Disposition, language, location; the first of them has its space to come."""
        if not self.skip(b" "):
            return
        if not self.skip(b"NIL"):
            self.mark(b"(")
            self.string()
            self.mark(b" ")
            self._parameters()
            self.mark(b")")
        if not self.skip(b" "):
            return
        if self.octets.startswith(b"(", self.at):
            self.list_of(self.string)
        else:
            self.nstring()
        if self.skip(b" "):
            self.nstring()

    # --- words

    def string(self) -> bytes:
        match = _QUOTED.match(self.octets, self.at)
        if match is None:
            match = _LITERAL.match(self.octets, self.at)
            if match is None:
                self.fail("a string")
            octets = self._octets(match)
            if b"\0" in octets:
                self.fail("a literal without NUL")
            return octets
        self.at = match.end()
        octets = match[1]
        if not octets.isascii():
            if not self.is_utf8:
                self.fail("7-bit octets between quotes")
            octets.decode("utf-8")
        return re.sub(rb'\\(["\\])', rb"\1", octets)

    def _octets(self, match: re.Match[bytes]) -> bytes:
        size = int(match[1])
        octets = self.octets[match.end() : match.end() + size]
        if len(octets) != size:
            self.fail(f"{size} octets")
        self.at = match.end() + size
        return octets

    def nstring(self) -> bytes | None:
        return None if self.skip(b"NIL") else self.string()

    def astring(self) -> bytes:
        match = _ASTRING.match(self.octets, self.at)
        if match is None:
            return self.string()
        self.at = match.end()
        return match[0]

    def mailbox(self) -> bytes:
        name = self.astring()
        if name.upper() == b"INBOX" and name != b"INBOX":
            self.fail("INBOX spelt so")
        if not self.is_utf8 and not name.isascii():
            self.fail("modified UTF-7")
        return name

    def atom(self) -> bytes:
        return self.match(_ATOM, "an atom")

    def number(self) -> int:
        return int(self.match(_NUMBER, "a number"))

    def nonzero(self, number: int) -> None:
        if not number:
            self.fail("a number above 0")

    def uid_set(self) -> bytes:
        return self.match(_SET, "a set of UIDs")

    def text(self) -> None:
        self.match(_TEXT, "text")

    def list_of(self, read: Callable[[], T], may_be_empty: bool = False) -> list[T]:
        self.mark(b"(")
        found: list[T] = []
        if may_be_empty and self.skip(b")"):
            return found
        while True:
            found.append(read())
            if self.skip(b")"):
                return found
            self.mark(b" ")

    def match(self, form: re.Pattern[bytes], what: str) -> bytes:
        match = form.match(self.octets, self.at)
        if match is None:
            self.fail(what)
        self.at = match.end()
        return match[0]

    def skip(self, mark: bytes) -> bool:
        if self.octets.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def mark(self, mark: bytes) -> None:
        if not self.skip(mark):
            self.fail(repr(mark))

    def fail(self, what: str) -> NoReturn:
        before = self.octets[max(self.at - 80, 0) : self.at]
        after = self.octets[self.at : self.at + 40]
        raise Ungrammatical(f"expected {what} at {before!r} HERE {after!r}")


def _object_ids(reader: Reader) -> object:
    if reader.skip(b"NIL"):
        return None
    return reader.list_of(lambda: reader.match(_ATOM, "an object id"))


_UNTAGGED: dict[bytes, Callable[[Reader], list[object]]] = {
    b"CAPABILITY": Reader.capability,
    b"ENABLED": Reader.enabled,
    b"FLAGS": Reader.flags_response,
    b"LIST": Reader.listed,
    b"LSUB": Reader.listed,
    b"NAMESPACE": Reader.namespace,
    b"STATUS": Reader.status,
    b"SEARCH": Reader.search,
    b"ESEARCH": Reader.esearch,
    b"ID": Reader.id,
}

_ITEMS: dict[bytes, Callable[[Reader], object]] = {
    b"UID": Reader.number,
    b"FLAGS": Reader.recent_flags,
    b"INTERNALDATE": lambda reader: reader.match(_DATE_TIME, "a date-time"),
    b"RFC822.SIZE": Reader.number,
    b"ENVELOPE": Reader.envelope,
    b"BODY": lambda reader: reader.body(False),
    b"BODYSTRUCTURE": lambda reader: reader.body(True),
    b"RFC822": Reader.nstring,
    b"RFC822.HEADER": Reader.nstring,
    b"RFC822.TEXT": Reader.nstring,
    b"PREVIEW": Reader.nstring,
    b"SAVEDATE": lambda reader: reader.match(_DATE_TIME, "a date-time"),
    b"EMAILID": _object_ids,
    b"THREADID": _object_ids,
}


def _number(reader: Reader) -> None:
    reader.mark(b" ")
    reader.nonzero(reader.number())


def _append_uid(reader: Reader) -> None:
    _number(reader)
    _number(reader)


def _copy_uid(reader: Reader) -> None:
    _number(reader)
    sizes = []
    for _ in range(2):
        reader.mark(b" ")
        ranges = [part.split(b":") for part in reader.uid_set().split(b",")]
        sizes.append(sum(abs(int(r[-1]) - int(r[0])) + 1 for r in ranges))
    if sizes[0] != sizes[1]:
        reader.fail("as many UIDs here as there")


def _permanent_flags(reader: Reader) -> None:
    reader.mark(b" ")
    reader.flag_list((b"\\*",))


def _bad_charset(reader: Reader) -> None:
    if reader.skip(b" "):
        reader.list_of(reader.astring)


_CODES: dict[bytes, Callable[[Reader], object]] = {
    b"CAPABILITY": Reader.capability,
    b"PERMANENTFLAGS": _permanent_flags,
    b"UIDNEXT": _number,
    b"UIDVALIDITY": _number,
    b"UNSEEN": _number,
    b"APPENDUID": _append_uid,
    b"COPYUID": _copy_uid,
    b"BADCHARSET": _bad_charset,
}
