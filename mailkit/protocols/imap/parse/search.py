"""SEARCH and its keys (RFC 9051 §6.4.4)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

from mailkit.errors import Malformed
from mailkit.formats import date
from mailkit.model.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
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
from mailkit.protocols.imap.events import Search
from mailkit.protocols.imap.keys import (
    AllKeys,
    AnyKeys,
    NotKey,
    NumberKey,
    RecentKey,
    SearchKey,
    SearchReturn,
    UidKey,
)
from mailkit.protocols.imap.lexer import MOST_64, Lexer, shown

CHARSETS: dict[str, str] = {
    "US-ASCII": "ascii",
    "UTF-8": "utf-8",
    **{f"ISO-8859-{n}": f"iso8859-{n}" for n in (*range(1, 12), *range(13, 17))},
    **{f"WINDOWS-125{n}": f"cp125{n}" for n in range(9)},
    "KOI8-R": "koi8-r",
    "KOI8-U": "koi8-u",
    "BIG5": "big5",
    "EUC-JP": "euc-jp",
    "EUC-KR": "euc-kr",
    "GB2312": "gb2312",
    "GB18030": "gb18030",
    "GBK": "gbk",
    "ISO-2022-JP": "iso2022-jp",
    "SHIFT_JIS": "shift-jis",
}
"""Charsets that SEARCH takes, and Python's codecs for them."""

_RETURNS: dict[bytes, SearchReturn] = {option.value: option for option in SearchReturn}
_DATE = re.compile(rb'"[^"]{0,20}"|[0-9A-Za-z-]{0,20}')
_OBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_NUMBERS = frozenset(b"0123456789*$")


def read_search(lexer: Lexer, *, uid: bool = False) -> Search:
    """``SEARCH [RETURN (…)] [CHARSET …] key …``."""
    lexer.space("search key")
    returns: frozenset[SearchReturn] | None = None
    if _skip_word(lexer, b"RETURN"):
        returns = _read_returns(lexer)
        lexer.space("search key")
    if _skip_word(lexer, b"CHARSET"):
        unknown = _read_charset(lexer)
        if unknown:
            lexer.at = len(lexer.text)
            return Search(Everything(), returns, uid, unknown)
        lexer.space("search key")
    reader = _Reader(lexer)
    keys = [reader.key(0)]
    while lexer.try_space():
        keys.append(reader.key(0))
    return Search(keys[0] if len(keys) == 1 else AllKeys(tuple(keys)), returns, uid)


def _skip_word(lexer: Lexer, word: bytes) -> bool:
    end = lexer.at + len(word)
    if lexer.text[lexer.at : end + 1].upper() != word + b" ":
        return False
    lexer.at = end
    lexer.space("argument of " + word.decode())
    return True


def _read_returns(lexer: Lexer) -> frozenset[SearchReturn]:
    lexer.expect(b"(", "before the return options")
    options: set[SearchReturn] = set()
    while not lexer.skip(b")"):
        if options:
            lexer.space("return option")
        options.add(lexer.one_of(_RETURNS, "return option"))
    return frozenset(options or {SearchReturn.ALL})


def _read_charset(lexer: Lexer) -> str:
    """Read all texts to come in it; its name if nobody here knows it."""
    if not lexer.takes_charset:
        # RFC 6855 §3.
        raise Malformed("After ENABLE UTF8=ACCEPT a SEARCH names no charset")
    name = lexer.astring("charset")
    codec = CHARSETS.get(name.decode("ascii", "replace").upper())
    if codec is None:
        return shown(name)
    lexer.charset = codec
    return ""


class _Reader:
    """Reads keys inside keys; counts them all."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._count = 0

    def key(self, depth: int) -> SearchKey:
        lexer = self._lexer
        self._count += 1
        if self._count > lexer.limits.search_keys:
            raise Malformed(f"More than {lexer.limits.search_keys} search keys")
        if lexer.is_at_end:
            raise Malformed("Missing search key")
        if lexer.text[lexer.at] in _NUMBERS:
            return NumberKey(lexer.sequence_set())
        if lexer.skip(b"("):
            return self._group(self._deeper(depth))
        name = lexer.word("search key")
        plain = _PLAIN.get(name)
        if plain is not None:
            return plain
        if name == b"NOT":
            lexer.space("key after NOT")
            return NotKey(self.key(self._deeper(depth)))
        if name == b"OR":
            return self._either(self._deeper(depth))
        read = _READERS.get(name)
        if read is None:
            raise Malformed(f"Unknown search key {shown(name)}")
        if not lexer.try_space():
            lexer.space(f"argument of {name.decode('ascii')}")
        return read(lexer)

    def _deeper(self, depth: int) -> int:
        if depth == self._lexer.limits.nesting:
            raise Malformed(f"Keys nested deeper than {depth} levels")
        return depth + 1

    def _group(self, depth: int) -> SearchKey:
        keys = [self.key(depth)]
        while not self._lexer.skip(b")"):
            self._lexer.space("search key")
            keys.append(self.key(depth))
        return keys[0] if len(keys) == 1 else AllKeys(tuple(keys))

    def _either(self, depth: int) -> SearchKey:
        # Clients say "one of these" as OR a OR b OR c d: that is no nesting here.
        keys: list[SearchKey] = []
        lexer = self._lexer
        lexer.space("first key of OR")
        keys.append(self.key(depth))
        lexer.space("second key of OR")
        while lexer.text[lexer.at : lexer.at + 3].upper() == b"OR ":
            lexer.at += 2
            lexer.space("first key of OR")
            keys.append(self.key(depth))
            lexer.space("second key of OR")
        keys.append(self.key(depth))
        return AnyKeys(tuple(keys))


def _unset(flag: str) -> NotKey:
    return NotKey(HasFlag(flag))


_PLAIN: dict[bytes, SearchKey] = {
    b"ALL": Everything(),
    b"ANSWERED": HasFlag(ANSWERED),
    b"DELETED": HasFlag(DELETED),
    b"DRAFT": HasFlag(DRAFT),
    b"FLAGGED": HasFlag(FLAGGED),
    b"NEW": AllKeys((RecentKey(), _unset(SEEN))),
    b"OLD": NotKey(RecentKey()),
    b"RECENT": RecentKey(),
    # Saved dates are kept for all mailboxes (RFC 8514 §4.3).
    b"SAVEDATESUPPORTED": Everything(),
    b"SEEN": HasFlag(SEEN),
    b"UNANSWERED": _unset(ANSWERED),
    b"UNDELETED": _unset(DELETED),
    b"UNDRAFT": _unset(DRAFT),
    b"UNFLAGGED": _unset(FLAGGED),
    b"UNSEEN": _unset(SEEN),
}


def _read_day(lexer: Lexer) -> datetime.date:
    match = _DATE.match(lexer.text, lexer.at)
    day = None if match is None else date.parse_day(match[0])
    if match is None or day is None:
        raise Malformed("Not a date like 1-Feb-1994")
    lexer.at = match.end()
    return day


def _next(day: datetime.date) -> datetime.date | None:
    return None if day == datetime.date.max else day + datetime.timedelta(days=1)


def _read_keyword(lexer: Lexer) -> HasFlag:
    return HasFlag(lexer.atom("keyword").decode("ascii"))


def _read_header(lexer: Lexer) -> HeaderContains:
    name = lexer.decoded("name of a header field")
    lexer.space("text to look for")
    return HeaderContains(name, lexer.decoded("text to look for"))


def _header(name: str) -> Callable[[Lexer], SearchKey]:
    return lambda lexer: HeaderContains(name, lexer.decoded("text to look for"))


def _read_object_id(lexer: Lexer) -> str:
    name = lexer.decoded("object id")
    if _OBJECT_ID.fullmatch(name) is None:
        raise Malformed("Not an object id")
    return name


def _size(lexer: Lexer) -> int:
    return lexer.number("size", 0, MOST_64)


_READERS: dict[bytes, Callable[[Lexer], SearchKey]] = {
    b"BCC": _header("Bcc"),
    b"BEFORE": lambda lexer: Arrived(before=_read_day(lexer)),
    b"BODY": lambda lexer: BodyContains(lexer.decoded("text to look for")),
    b"CC": _header("Cc"),
    b"EMAILID": lambda lexer: HasEmailId(_read_object_id(lexer)),
    b"FROM": _header("From"),
    b"HEADER": _read_header,
    b"KEYWORD": _read_keyword,
    b"LARGER": lambda lexer: Larger(_size(lexer)),
    b"ON": lambda lexer: Arrived(day := _read_day(lexer), _next(day)),
    b"SAVEDBEFORE": lambda lexer: Saved(before=_read_day(lexer)),
    b"SAVEDON": lambda lexer: Saved(day := _read_day(lexer), _next(day)),
    b"SAVEDSINCE": lambda lexer: Saved(since=_read_day(lexer)),
    b"SENTBEFORE": lambda lexer: Sent(before=_read_day(lexer)),
    b"SENTON": lambda lexer: Sent(day := _read_day(lexer), _next(day)),
    b"SENTSINCE": lambda lexer: Sent(since=_read_day(lexer)),
    b"SINCE": lambda lexer: Arrived(since=_read_day(lexer)),
    b"SMALLER": lambda lexer: Smaller(_size(lexer)),
    b"SUBJECT": _header("Subject"),
    b"TEXT": lambda lexer: TextContains(lexer.decoded("text to look for")),
    b"THREADID": lambda lexer: HasThreadId(_read_object_id(lexer)),
    b"TO": _header("To"),
    b"UID": lambda lexer: UidKey(lexer.sequence_set("UID set")),
    b"UNKEYWORD": lambda lexer: NotKey(_read_keyword(lexer)),
}
