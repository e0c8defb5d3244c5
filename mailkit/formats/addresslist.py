"""
Address lists: From, To, Cc and their like (RFC 5322 §3.4, RFC 6532 §3.2).

Two readers give the same answer: one regular expression takes the plain addresses
that nearly all mail has, and from the first that is not plain a reader of tokens goes
on, which knows groups, comments, routes and what §4.4 calls obsolete. Neither ever
raises: mail is shown, not judged.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailkit.formats.header import unfold
from mailkit.formats.limits import DEFAULT_LIMITS, Limits


class NamedAddress(NamedTuple):
    """What RFC 5322 §3.4 calls a mailbox, in octets, quotes and escapes taken off."""

    name: bytes | None  # display name or, without one, the comment; encoded words stay
    route: bytes | None  # "@a,@b" (RFC 5322 §4.4)
    local_part: bytes
    domain: bytes  # b"" where none was written


class AddressGroup(NamedTuple):
    """A group and its members (RFC 5322 §3.4)."""

    name: bytes
    members: tuple[NamedAddress, ...]


AddressList = list[NamedAddress | AddressGroup]

_WORD = rb'[^\s()<>\[\]:;@\\,"]++'
_PLAIN = re.compile(
    rb'[ \t]*+(?:(?:"([^"\\\r\n]*+)"[ \t]*+|(%(w)s(?: %(w)s)*+)[ \t]*+)?+'
    rb"<(%(w)s)@(%(w)s)>|(%(w)s)@(%(w)s))[ \t]*+(?:,|\Z)" % {b"w": _WORD}
)
_TOKEN = re.compile(
    rb'\s++|[^\s()<>\[\]:;@\\,"]++|"(?:[^"\\]++|\\.)*+"?|\[[^\[\]]*+\]?|.', re.S
)
_COMMENT_TOKEN = re.compile(rb"[^()\\]++|\\.|.", re.S)
_WHOLE = re.compile(rb'[^\s()<>\[\]:;@\\,"]++|"(?:[^"\\]++|\\.)*+"|\[[^\[\]]*+\]', re.S)
_IN_COMMENT = re.compile(rb"[()]|\\.", re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)


def parse(value: bytes, limits: Limits = DEFAULT_LIMITS) -> AddressList:
    """Read an address-list field's text, folded or not."""
    value = unfold(value)
    found: AddressList = []
    at = 0
    end = len(value)
    most = limits.addresses
    while at < end:
        match = _PLAIN.match(value, at)
        if match is None:
            _Reader(value, found, most).read(at)
            break
        quoted, words, local_part, domain, bare, bare_domain = match.groups()
        if bare is not None:
            found.append(NamedAddress(None, None, bare, bare_domain))
        else:
            name = words if quoted is None else quoted.strip() or None
            found.append(NamedAddress(name, None, local_part, domain))
        at = match.end()
        if len(found) >= most:
            break
    return found


def flatten(addresses: AddressList) -> list[NamedAddress]:
    """List the addresses with those in groups, without the groups."""
    flat: list[NamedAddress] = []
    for entry in addresses:
        if isinstance(entry, NamedAddress):
            flat.append(entry)
        else:
            flat.extend(entry.members)
    return flat


def is_certain(value: bytes) -> bool:
    """
    Say whether every reader finds the same addresses in a field's text.

    Not so where a quote, a comment or an angle bracket stays open, where text comes
    after an address, and in routes (RFC 5322 §4.4): readers differ in what they skip.
    """
    value = unfold(value)
    plain = _PLAIN.match(value)
    if plain is not None and plain.end() == len(value):  # nearly always
        return True
    depth = at_signs = at = 0
    angle = b""
    while at < len(value):
        match = (_COMMENT_TOKEN if depth else _TOKEN).match(value, at)
        assert match is not None  # both take any octet
        token = match[0]
        at = match.end()
        if depth:
            depth += (token == b"(") - (token == b")")
        elif token == b"(":
            depth = 1
        elif token in (b",", b";") and angle != b"<":
            at_signs, angle = 0, b""
        elif token == b">" and angle == b"<":
            angle = token
        elif token == b"<" and not angle:
            at_signs, angle = 0, token
        elif token == b"@" and not at_signs and angle != b">":
            at_signs = 1
        elif token == b":" and not at_signs and not angle:
            pass  # a group begins
        elif not token.isspace() and (angle == b">" or not _WHOLE.fullmatch(token)):
            return False
    return not depth and angle != b"<"


class _Reader:
    """Reads token by token what the plain reader does not know."""

    def __init__(self, value: bytes, found: AddressList, most: int) -> None:
        self._value = value
        self._found = found
        self._left = most - len(found)
        self._group: bytes | None = None
        self._members: list[NamedAddress] = []
        self._begin_entry()

    def read(self, at: int) -> None:
        """Read from ``at`` to the end of the text."""
        value = self._value
        end = len(value)
        while at < end and self._left > 0:
            match = _TOKEN.match(value, at)
            assert match is not None
            token = match[0]
            if token == b"(":
                at = self._read_comment(match.end())
                continue
            at = match.end()
            if token in _STEPS:
                _STEPS[token](self)
            else:
                self._take(token)
        self._end_entry()
        self._end_group()

    def _begin_entry(self) -> None:
        self._words: list[bytes] = []  # a space stands for white space
        self._name: bytes | None = None
        self._route: list[bytes] | None = None
        self._local_part: list[bytes] | None = None  # joined late: "@" may be endless
        self._comment: bytes | None = None
        self._in_angle = False
        self._seen_angle = False

    def _take(self, token: bytes) -> None:
        if token.isspace():
            if self._words:
                self._words.append(b" ")
            return
        if token.startswith(b'"'):
            token = (
                token[1:-1] if len(token) > 1 and token.endswith(b'"') else token[1:]
            )
            if b"\\" in token:
                token = _ESCAPED.sub(rb"\1", token)
        if self._seen_angle and not self._in_angle:
            return  # after ">" nothing more belongs to the address
        self._words.append(token)

    def _read_comment(self, at: int) -> int:
        """Keep a comment as a name of last resort; give where it ends."""
        depth = 1
        for match in _IN_COMMENT.finditer(self._value, at):
            token = match[0]
            if token == b"(":
                depth += 1
            elif token == b")":
                depth -= 1
                if not depth:
                    text = self._value[at : match.start()]
                    self._comment = _ESCAPED.sub(rb"\1", text).strip() or None
                    self._take(b" ")
                    return match.end()
        return len(self._value)

    def _open_angle(self) -> None:
        if self._in_angle or self._seen_angle:
            return
        if self._local_part is not None:
            # "joe@example.org <joe@example.org>": what stands before is the name.
            name = b"@".join((*self._local_part, self._spaced()))
        else:
            name = self._spaced()
        self._name = name or None
        self._local_part = None
        self._words = []
        self._in_angle = self._seen_angle = True

    def _close_angle(self) -> None:
        self._in_angle = False

    def _at(self) -> None:
        if self._seen_angle and not self._in_angle:
            return
        written = self._joined()
        self._words = []
        if self._local_part is not None:
            self._local_part.append(written)
        elif self._in_angle and not written and self._route is None:
            self._route = [b"@"]
        elif self._route is not None and self._in_angle and self._route[-1] == b",":
            self._route.append(b"@")
        else:
            self._local_part = [written]

    def _colon(self) -> None:
        if self._in_angle:
            if self._route is not None and self._route[-1] == b"@":
                self._route.append(self._joined())
                self._words = []
        elif self._group is None and self._local_part is None and not self._seen_angle:
            self._group = self._spaced()
            self._begin_entry()
        else:
            self._take(b":")

    def _comma(self) -> None:
        if not (self._in_angle and self._route):
            self._end_entry()
        elif self._route[-1] == b"@":
            self._route += (self._joined(), b",")
            self._words = []

    def _semicolon(self) -> None:
        self._end_entry()
        self._end_group()

    def _end_entry(self) -> None:
        if self._left <= 0:
            return
        domain = self._joined()
        if self._local_part is not None:
            local_part = b"@".join(self._local_part)
        elif self._route and self._route[-1] == b"@":
            local_part = b""  # "<@example.org>": no route, for nothing comes after it
        elif self._seen_angle:
            local_part, domain = domain, b""
        else:
            local_part, domain = self._spaced(), b""
            if not local_part:
                self._begin_entry()
                return
        name = self._name or self._comment
        route = b"".join(self._route).rstrip(b",@") if self._route else None
        entry = NamedAddress(name, route or None, local_part, domain)
        (self._found if self._group is None else self._members).append(entry)
        self._left -= 1
        self._begin_entry()

    def _end_group(self) -> None:
        if self._group is not None:
            self._found.append(AddressGroup(self._group, tuple(self._members)))
            self._group = None
            self._members = []

    def _joined(self) -> bytes:
        return b"".join(word for word in self._words if word != b" ")

    def _spaced(self) -> bytes:
        return b" ".join(b"".join(self._words).split())


_STEPS = {
    b"<": _Reader._open_angle,
    b">": _Reader._close_angle,
    b"@": _Reader._at,
    b":": _Reader._colon,
    b",": _Reader._comma,
    b";": _Reader._semicolon,
}
