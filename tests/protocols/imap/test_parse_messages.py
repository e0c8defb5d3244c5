"""Tables of commands about messages: what is read, and what is not."""

from __future__ import annotations

from datetime import date

import pytest

from mailkit.model.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, FlagAction
from mailkit.model.mailbox import MailboxName
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
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import (
    AppendBegins,
    Copy,
    Event,
    Fetch,
    Move,
    Search,
    Store,
    UidExpunge,
)
from mailkit.protocols.imap.items import (
    Attribute,
    FetchBinarySize,
    FetchItem,
    FetchSection,
    Partial,
    SectionKind,
)
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
from mailkit.protocols.imap.parse.search import CHARSETS
from mailkit.protocols.imap.sequence import STAR, SequenceSet
from mailkit.protocols.imap.state import State
from tests.protocols.imap.driver import driver, read, refusal

BOX = MailboxName("x")
ONE = SequenceSet(((1, 1),))
FEB = date(1994, 2, 1)
FEB2 = date(1994, 2, 2)

SETS: list[tuple[bytes, SequenceSet]] = [
    (b"1", ONE),
    (b"*", SequenceSet(((STAR, STAR),))),
    (b"1:*", SequenceSet(((1, STAR),))),
    (b"*:4,5:7", SequenceSet(((STAR, 4), (5, 7)))),
    (b"2,4:7,9,12:*", SequenceSet(((2, 2), (4, 7), (9, 9), (12, STAR)))),
    (b"4294967295", SequenceSet(((4294967295, 4294967295),))),
    (b"$", SequenceSet((), True)),
    (b"1,$", SequenceSet(((1, 1),), True)),
]


@pytest.mark.parametrize(("octets", "numbers"), SETS)
def test_sets(octets: bytes, numbers: SequenceSet) -> None:
    assert read(b"COPY " + octets + b" x") == Copy(numbers, BOX)


@pytest.mark.parametrize(
    "octets",
    [b"0", b"01", b"1:", b":1", b"1,,2", b",1", b"1,", b"1:2:3", b"$1", b"1:0", b"**"],
)
def test_no_sets(octets: bytes) -> None:
    text = f"BAD Not a message set: {octets.decode()}"
    assert refusal(b"COPY " + octets + b" x") == text


def test_sets_that_cannot_be() -> None:
    too_large = "BAD A number in the message set is too large"
    assert refusal(b"COPY 4294967296 x") == too_large
    assert refusal(b"COPY 1:4294967296 x") == too_large
    assert refusal(b"COPY x x") == "BAD Expected the message set, found x?x"
    assert refusal(b"COPY") == "BAD Missing message set"


def test_a_set_is_resolved_by_the_largest_number() -> None:
    assert SequenceSet(((9, STAR),)).resolve(7) == UIDSet(((7, 9),))
    assert SequenceSet(((STAR, 4), (5, 7))).resolve(10) == UIDSet(((4, 10),))
    assert SequenceSet((), True).resolve(10) == UIDSet()


def test_what_a_set_says_of_itself() -> None:
    assert SequenceSet(((9, STAR), (2, 3))).has_star
    assert SequenceSet(((9, STAR), (2, 3))).largest == 9
    assert not ONE.has_star
    assert SequenceSet((), True).largest == 0


READ: list[tuple[bytes, Event]] = [
    (b"MOVE 1 x", Move(ONE, BOX)),
    (b"UID move 1 x", Move(ONE, BOX, True)),
    (b"UID COPY 1 x", Copy(ONE, BOX, True)),
    (b"UID EXPUNGE 1", UidExpunge(ONE)),
    (b"STORE 1 FLAGS ()", Store(ONE, FlagAction.REPLACE, frozenset())),
    (
        b"STORE 1 +flags.silent (\\seen $Junk a)",
        Store(ONE, FlagAction.ADD, frozenset({SEEN, "$Junk", "a"}), True),
    ),
    (
        b"UID STORE 1 -FLAGS \\DELETED x",
        Store(ONE, FlagAction.REMOVE, frozenset({DELETED, "x"}), False, True),
    ),
    (
        b"STORE 1 -FLAGS.SILENT (x)",
        Store(ONE, FlagAction.REMOVE, frozenset({"x"}), True),
    ),
    (
        b"STORE 1 FLAGS.SILENT x",
        Store(ONE, FlagAction.REPLACE, frozenset({"x"}), True),
    ),
]


@pytest.mark.parametrize(("line", "event"), READ)
def test_read(line: bytes, event: Event) -> None:
    assert read(line) == event


REFUSED = [
    (b"UID", "BAD Missing command after UID"),
    (
        b"UID NOOP",
        "BAD UID goes before COPY, EXPUNGE, FETCH, MOVE, SEARCH, STORE, not NOOP",
    ),
    (b"STORE 1", "BAD Missing what to store"),
    (b"STORE 1 ", "BAD STORE takes [+|-]FLAGS[.SILENT], not nothing"),
    (b"STORE 1 FLAG x", "BAD STORE takes [+|-]FLAGS[.SILENT], not FLAG"),
    (
        b"STORE 1 (UNCHANGEDSINCE 1) FLAGS x",
        "BAD STORE takes [+|-]FLAGS[.SILENT], not (UNCHANGEDSINCE",
    ),
    (b"STORE 1 FLAGS", "BAD Missing flags"),
    (b"STORE 1 FLAGS ", "BAD Not a flag: an extra space"),
    (b"STORE 1 FLAGS (x", "BAD Expected a list of flags in parentheses, found (x"),
    (b"STORE 1 FLAGS (x  y)", "BAD Not a flag: an extra space"),
    (b"STORE 1 FLAGS (x y)z", "BAD Too much, found z"),
    (b"STORE 1 FLAGS \\Recent", "BAD \\Recent is not a flag that can be set"),
    (b"STORE 1 FLAGS a]", "BAD Not a flag: a]"),
    (b"STORE 1 FLAGS " + b"a" * 256, "BAD A keyword has more than 255 octets"),
    (b"STORE 1 FLAGS (" + b"a " * 100 + b"a)", "BAD More than 100 flags"),
]


@pytest.mark.parametrize(("line", "text"), REFUSED)
def test_refused(line: bytes, text: str) -> None:
    assert refusal(line) == text


# --- FETCH

A = Attribute
HEADER = SectionKind.HEADER
FIELDS = SectionKind.HEADER_FIELDS
NOT_FIELDS = SectionKind.HEADER_FIELDS_NOT

ITEMS: list[tuple[bytes, tuple[FetchItem, ...]]] = [
    (b"FAST", (A.FLAGS, A.INTERNALDATE, A.SIZE)),
    (b"all", (A.FLAGS, A.INTERNALDATE, A.SIZE, A.ENVELOPE)),
    (b"FULL", (A.FLAGS, A.INTERNALDATE, A.SIZE, A.ENVELOPE, A.BODY)),
    (b"flags", (A.FLAGS,)),
    (b"(UID UID bodystructure)", (A.UID, A.BODYSTRUCTURE)),
    (b"(PREVIEW (lazy) SAVEDATE)", (A.PREVIEW, A.SAVEDATE)),
    (b"(EMAILID THREADID BODY)", (A.EMAILID, A.THREADID, A.BODY)),
    (b"RFC822", (FetchSection(b"RFC822"),)),
    (
        b"RFC822.HEADER",
        (FetchSection(b"RFC822.HEADER", kind=HEADER, is_peek=True),),
    ),
    (b"RFC822.TEXT", (FetchSection(b"RFC822.TEXT", kind=SectionKind.TEXT),)),
    (b"BODY[]", (FetchSection(b"BODY[]"),)),
    (b"body.peek[]", (FetchSection(b"BODY[]", is_peek=True),)),
    (b"BODY[1.20]", (FetchSection(b"BODY[1.20]", (1, 20)),)),
    (b"BODY[1.mime]", (FetchSection(b"BODY[1.MIME]", (1,), SectionKind.MIME),)),
    (b"BODY[TEXT]", (FetchSection(b"BODY[TEXT]", (), SectionKind.TEXT),)),
    (b"BODY[2.HEADER]", (FetchSection(b"BODY[2.HEADER]", (2,), HEADER),)),
    (
        b"BODY[]<0.100>",
        (FetchSection(b"BODY[]<0>", partial=Partial(0, 100)),),
    ),
    (
        b"BODY[HEADER.FIELDS (Date X-Y)]",
        (FetchSection(b"BODY[HEADER.FIELDS (Date X-Y)]", (), FIELDS, ("Date", "X-Y")),),
    ),
    (
        b'BODY.PEEK[3.HEADER.FIELDS.NOT ("a;b" "nil" {1+}\r\nc)]<5.6>',
        (
            FetchSection(
                b'BODY[3.HEADER.FIELDS.NOT ("a;b" "nil" c)]<5>',
                (3,),
                NOT_FIELDS,
                ("a;b", "nil", "c"),
                Partial(5, 6),
                True,
            ),
        ),
    ),
    (b"BINARY[]", (FetchSection(b"BINARY[]", is_binary=True),)),
    (
        b"BINARY.PEEK[1.2]<3.4>",
        (
            FetchSection(
                b"BINARY[1.2]<3>",
                (1, 2),
                partial=Partial(3, 4),
                is_peek=True,
                is_binary=True,
            ),
        ),
    ),
    (b"BINARY.SIZE[1]", (FetchBinarySize(b"BINARY.SIZE[1]", (1,)),)),
    (
        b"BODY[" + b"1." * 99 + b"1]",
        (FetchSection(b"BODY[" + b"1." * 99 + b"1]", (1,) * 100),),
    ),
]


@pytest.mark.parametrize(("octets", "items"), ITEMS)
def test_items(octets: bytes, items: tuple[FetchItem, ...]) -> None:
    assert read(b"FETCH 1 " + octets) == Fetch(ONE, items)


def test_uid_fetch_tells_the_uid() -> None:
    items = (A.UID, A.FLAGS)
    assert read(b"UID FETCH 1 FLAGS") == Fetch(ONE, items, True)
    assert read(b"UID FETCH 1 (FLAGS UID)") == Fetch(ONE, items, True)
    macro = (A.UID, A.FLAGS, A.INTERNALDATE, A.SIZE)
    assert read(b"UID FETCH 1 FAST") == Fetch(ONE, macro, True)


def test_long_lists_are_read_as_short_ones() -> None:
    names = tuple(f"X-{n}" for n in range(100))
    octets = b"BODY[HEADER.FIELDS (" + " ".join(names).encode() + b")]"
    item = FetchSection(octets, (), FIELDS, names)
    assert read(b"FETCH 1 " + octets) == Fetch(ONE, (item,))
    assert read(b"UID FETCH 1 (FLAGS " + octets + b")") == Fetch(
        ONE, (A.UID, A.FLAGS, item), True
    )
    assert refusal(b"FETCH 1 " + octets + b")") == "BAD Too much, found )"


NO_ITEMS = [
    (b"", "BAD Expected an item to fetch"),
    (b"()", "BAD Expected an item to fetch"),
    (b"(FLAGS", "BAD Missing item to fetch"),
    (b"(FLAGS )", "BAD Expected an item to fetch"),
    (b"(FLAGS)x", "BAD Too much, found x"),
    (b"(ALL)", "BAD ALL stands alone, without parentheses"),
    (b"WEIGHT", "BAD Unknown item to fetch WEIGHT"),
    (b"(MODSEQ)", "BAD Unknown item to fetch MODSEQ"),
    (b"FLAGS[]", "BAD FLAGS takes no section"),
    (b"BINARY", "BAD Unknown item to fetch BINARY"),
    (b"PREVIEW (EAGER)", "BAD Too much, found ?(EAGER)"),
    (b"BODY[", "BAD A section is HEADER, HEADER.FIELDS, TEXT, MIME or a part"),
    (b"BODY[1", "BAD Expected . or ] after a part number"),
    (b"BODY[1.", "BAD A section is HEADER, HEADER.FIELDS, TEXT, MIME or a part"),
    (b"BODY[1.]", "BAD Nothing follows the dot in the section"),
    (b"BODY[0]", "BAD The part number must be from 1 to 4294967295"),
    (
        b"BODY[" + b"9" * 21 + b"]",
        "BAD Expected the part number, a number, found " + "9" * 21 + "]",
    ),
    (b"BODY[" + b"1." * 100 + b"1]", "BAD A part deeper than 100 levels"),
    (b"BODY[MIME]", "BAD MIME needs a part number before it"),
    (b"BODY[FOO]", "BAD A section is HEADER, HEADER.FIELDS, TEXT, MIME or a part"),
    (b"BODY[HEADERX]", "BAD A section is HEADER, HEADER.FIELDS, TEXT, MIME or a part"),
    (b"BODY[HEADER", "BAD Expected ] after the section, found the end"),
    (
        b"BODY[HEADER.FIELDS]",
        "BAD Expected a space before the list of header fields, found ]",
    ),
    (b"BODY[HEADER.FIELDS ()]", "BAD Expected the header field, found )]"),
    (b"BODY[HEADER.FIELDS (a:b)]", "BAD Not the name of a header field"),
    (b'BODY[HEADER.FIELDS ("")]', "BAD Not the name of a header field"),
    (b"BODY[]<1>", "BAD Expected . between the first octet and the count, found >"),
    (b"BODY[]<1.0>", "BAD The count of octets must be from 1 to 9223372036854775807"),
    (b"BODY[]<1.2", "BAD Expected > after the count of octets, found the end"),
    (b"BODY[]<.2>", "BAD Expected the first octet, a number, found .2>"),
    (
        b"BINARY[1.TEXT]",
        "BAD Expected ] after the part: BINARY takes part numbers only, found TEXT]",
    ),
    (b"BINARY.SIZE[]<0.1>", "BAD Too much, found <0.1>"),
    (
        b"(" + b" ".join([b"BODY[%d]" % n for n in range(1, 502)]) + b")",
        "BAD More than 500 items to fetch",
    ),
    (
        b"BODY[HEADER.FIELDS (" + b"x " * 1000 + b"x)]",
        "BAD More than 1000 header fields",
    ),
]


@pytest.mark.parametrize(("octets", "text"), NO_ITEMS)
def test_no_items(octets: bytes, text: str) -> None:
    assert refusal(b"FETCH 1 " + octets) == text


# --- SEARCH


def unset(flag: str) -> NotKey:
    return NotKey(HasFlag(flag))


KEYS: list[tuple[bytes, SearchKey]] = [
    (b"ALL", Everything()),
    (b"answered", HasFlag(ANSWERED)),
    (b"DRAFT", HasFlag(DRAFT)),
    (b"DELETED", HasFlag(DELETED)),
    (b"FLAGGED", HasFlag(FLAGGED)),
    (b"SEEN", HasFlag(SEEN)),
    (b"UNANSWERED", unset(ANSWERED)),
    (b"UNDELETED", unset(DELETED)),
    (b"UNDRAFT", unset(DRAFT)),
    (b"UNFLAGGED", unset(FLAGGED)),
    (b"UNSEEN", unset(SEEN)),
    (b"NEW", AllKeys((RecentKey(), unset(SEEN)))),
    (b"OLD", NotKey(RecentKey())),
    (b"RECENT", RecentKey()),
    (b"SAVEDATESUPPORTED", Everything()),
    (b"1:*", NumberKey(SequenceSet(((1, STAR),)))),
    (b"$", NumberKey(SequenceSet((), True))),
    (b"*", NumberKey(SequenceSet(((STAR, STAR),)))),
    (b"UID 1", UidKey(ONE)),
    (b"KEYWORD $Junk", HasFlag("$Junk")),
    (b"UNKEYWORD x", unset("x")),
    (b"BEFORE 1-Feb-1994", Arrived(before=FEB)),
    (b'BEFORE "01-feb-1994"', Arrived(before=FEB)),
    (b"ON 1-Feb-1994", Arrived(FEB, FEB2)),
    (b"SINCE 1-Feb-1994", Arrived(since=FEB)),
    (b"SENTBEFORE 1-Feb-1994", Sent(before=FEB)),
    (b"SENTON 1-Feb-1994", Sent(FEB, FEB2)),
    (b"SENTON 31-Dec-9999", Sent(date.max)),
    (b"SENTSINCE 1-Feb-1994", Sent(since=FEB)),
    (b"SAVEDBEFORE 1-Feb-1994", Saved(before=FEB)),
    (b"SAVEDON 1-Feb-1994", Saved(FEB, FEB2)),
    (b"SAVEDSINCE 1-Feb-1994", Saved(since=FEB)),
    (b"LARGER 5000000000", Larger(5_000_000_000)),
    (b"SMALLER 0", Smaller(0)),
    (b"BCC a", HeaderContains("Bcc", "a")),
    (b"CC a", HeaderContains("Cc", "a")),
    (b"FROM a", HeaderContains("From", "a")),
    (b"SUBJECT a", HeaderContains("Subject", "a")),
    (b'TO ""', HeaderContains("To", "")),
    (b"HEADER X-Y {2+}\r\n\xc3\xa4", HeaderContains("X-Y", "ä")),
    (b"BODY a]", BodyContains("a]")),
    (b"TEXT a", TextContains("a")),
    (b"EMAILID a-_1", HasEmailId("a-_1")),
    (b"THREADID T", HasThreadId("T")),
    (b"NOT SEEN", unset(SEEN)),
    (b"NOT NOT ALL", NotKey(NotKey(Everything()))),
    (b"(SEEN)", HasFlag(SEEN)),
    (b"(SEEN DRAFT)", AllKeys((HasFlag(SEEN), HasFlag(DRAFT)))),
    (b"SEEN DRAFT", AllKeys((HasFlag(SEEN), HasFlag(DRAFT)))),
    (b"OR SEEN DRAFT", AnyKeys((HasFlag(SEEN), HasFlag(DRAFT)))),
    (
        b"OR SEEN or DRAFT (1 ALL)",
        AnyKeys(
            (HasFlag(SEEN), HasFlag(DRAFT), AllKeys((NumberKey(ONE), Everything())))
        ),
    ),
    (
        b"OR OR SEEN DRAFT ALL",
        AnyKeys((AnyKeys((HasFlag(SEEN), HasFlag(DRAFT))), Everything())),
    ),
    (b"(" * 100 + b"SEEN" + b")" * 100, HasFlag(SEEN)),
    (b"CHARSET utf-8 TEXT {2+}\r\n\xc3\xa4", TextContains("ä")),
    (b'CHARSET "US-ASCII" TEXT a', TextContains("a")),
    (b"CHARSET ISO-8859-1 TEXT {1+}\r\n\xe4", TextContains("ä")),
    (b"CHARSET KOI8-R TEXT {1+}\r\n\xc1", TextContains("а")),
]


@pytest.mark.parametrize(("octets", "key"), KEYS)
def test_keys(octets: bytes, key: SearchKey) -> None:
    assert read(b"SEARCH " + octets) == Search(key)


R = SearchReturn


def test_returns() -> None:
    assert read(b"UID SEARCH RETURN () ALL") == Search(
        Everything(), frozenset({R.ALL}), True
    )
    assert read(b"SEARCH return (min MAX all COUNT SAVE) CHARSET UTF-8 ALL") == Search(
        Everything(), frozenset(R)
    )


NO_KEYS = [
    (b"", "BAD Missing search key"),
    (b"WEIGHT 1", "BAD Unknown search key WEIGHT"),
    (b"MODSEQ 1", "BAD Unknown search key MODSEQ"),
    (b"NOT", "BAD Missing key after NOT"),
    (b"OR SEEN", "BAD Missing second key of OR"),
    (b"OR", "BAD Missing first key of OR"),
    (b"()", "BAD Expected the search key, found )"),
    (b"(SEEN", "BAD Missing search key"),
    (b"SEEN)", "BAD Too much, found )"),
    (b"SEEN ", "BAD Missing search key"),
    (b"FROM", "BAD Missing argument of FROM"),
    (b"HEADER X", "BAD Missing text to look for"),
    (b"BEFORE", "BAD Missing argument of BEFORE"),
    (b"BEFORE 30-Feb-1994", "BAD Not a date like 1-Feb-1994"),
    (b'BEFORE "1-Feb-1994', "BAD Not a date like 1-Feb-1994"),
    (b"BEFORE 1994-02-01", "BAD Not a date like 1-Feb-1994"),
    (b"LARGER x", "BAD Expected the size, a number, found x"),
    (
        b"LARGER 9223372036854775808",
        "BAD The size must be from 0 to 9223372036854775807",
    ),
    (b"KEYWORD \\Seen", "BAD Expected the keyword, found \\Seen"),
    (b"EMAILID a.b", "BAD Not an object id"),
    (b"(" * 101 + b"SEEN" + b")" * 101, "BAD Keys nested deeper than 100 levels"),
    (b"NOT " * 101 + b"SEEN", "BAD Keys nested deeper than 100 levels"),
    (b"OR " * 101 + b"SEEN", "BAD Keys nested deeper than 100 levels"),
    (b"1 " * 10_000 + b"1", "BAD More than 10000 search keys"),
    (b"RETURN (FOO) ALL", "BAD Unknown return option FOO"),
    (b"RETURN ALL", "BAD Expected ( before the return options, found ALL"),
    (b"RETURN ()", "BAD Missing search key"),
    (b"TEXT {1+}\r\n\xff", "BAD The text to look for is not in UTF-8"),
    (b"CHARSET US-ASCII TEXT {1+}\r\n\xff", "BAD The text to look for is not in ASCII"),
    (b"CHARSET UTF-8", "BAD Missing search key"),
]


@pytest.mark.parametrize(("octets", "text"), NO_KEYS)
def test_no_keys(octets: bytes, text: str) -> None:
    assert refusal(b"SEARCH " + octets) == text


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"CHARSET X-FOO TEXT a", "X-FOO"),
        (b"CHARSET {1+}\r\n\xff TEXT a", "?"),
        (b'CHARSET "X FOO" TEXT {1+}\r\n\xff', "X?FOO"),
    ],
)
def test_a_charset_that_nobody_knows_is_the_session_s_to_refuse(
    octets: bytes, name: str
) -> None:
    found = read(b"SEARCH " + octets)
    assert found == Search(Everything(), unknown_charset=name)
    saving = read(b"UID SEARCH RETURN (SAVE) " + octets)
    returns = frozenset({SearchReturn.SAVE})
    assert saving == Search(Everything(), returns, True, name)


@pytest.mark.parametrize("charset", CHARSETS)
def test_every_charset_is_known(charset: str) -> None:
    line = f"SEARCH CHARSET {charset} TEXT abc".encode()
    assert read(line) == Search(TextContains("abc"))


def test_after_utf8_accept_no_charset_is_named() -> None:
    text = "BAD After ENABLE UTF8=ACCEPT a SEARCH names no charset"
    line = b"SEARCH CHARSET UTF-8 TEXT a"
    assert refusal(line, State.SELECTED, "UTF8=ACCEPT") == text
    assert read(line, State.SELECTED, "IMAP4rev2") == Search(TextContains("a"))


def test_after_enable_quoted_text_is_utf_8() -> None:
    line = 'SEARCH SUBJECT "ü"'.encode()
    key = HeaderContains("Subject", "ü")
    assert read(line, State.SELECTED, "IMAP4rev2") == Search(key)
    assert refusal(line).startswith("BAD 8-bit octets in the text to look for")
    text = "BAD The text to look for is not UTF-8"
    assert refusal(b'SEARCH SUBJECT "\xff"', State.SELECTED, "IMAP4rev2") == text


def test_many_ors_are_no_nesting() -> None:
    read(b"SEARCH " + b"OR SUBJECT a " * 500 + b"SUBJECT b")


# --- APPEND

APPENDS: list[tuple[bytes, AppendBegins]] = [
    (b"x {1+}", AppendBegins(BOX, 1)),
    (b"{1+}\r\nx {1+}", AppendBegins(BOX, 1)),
    (b"x () {1+}", AppendBegins(BOX, 1)),
    (b"x (\\SEEN a) {1+}", AppendBegins(BOX, 1, frozenset({SEEN, "a"}))),
    (
        b'x "17-Jul-1996 02:44:25 -0700" {1+}',
        AppendBegins(BOX, 1, internal_date=837596665.0),
    ),
    (
        b'x (a) " 7-Jul-1996 02:44:25 +0000" {1+}',
        AppendBegins(BOX, 1, frozenset("a"), 836707465.0),
    ),
    (b"x ~{1+}", AppendBegins(BOX, 1, is_binary=True)),
]


@pytest.mark.parametrize(("octets", "event"), APPENDS)
def test_appends(octets: bytes, event: AppendBegins) -> None:
    driven = driver()
    driven.feed(b"a APPEND " + octets + b"\r\n!\r\n")
    assert driven.events[0] == event
    assert driven.output == b"a OK Done\r\n"


NO_APPENDS = [
    (b"", "BAD Expected the mailbox name, found the end"),
    (b"x", "BAD Missing message"),
    (b"x hello", "BAD APPEND ends with the message as a literal"),
    (b"x {}", "BAD APPEND ends with the message as a literal"),
    (b"x (\\Recent) {1+}\r\na", "BAD \\Recent is not a flag that can be set"),
    (b"x(a) {1+}\r\na", "BAD Expected a space before the message, found (a)?{1+}?"),
    (b"x (a){1+}\r\na", "BAD Expected a space before the message, found {1+}?"),
    (
        b'x "7-Jul-1996 02:44:25 +0000" {1+}\r\na',
        'BAD Not a date-time like "17-Jul-1996 02:44:25 -0700"',
    ),
    (
        b'x "17-Foo-1996 02:44:25 +0000" {1+}\r\na',
        'BAD Not a date-time like "17-Jul-1996 02:44:25 -0700"',
    ),
    (b"x UTF8 ({1+}\r\na)", "BAD UTF8 takes a literal8, ~{size}"),
    (b"x y {1+}\r\na", "BAD APPEND ends with the message as a literal"),
]


@pytest.mark.parametrize(("octets", "text"), NO_APPENDS)
def test_no_appends(octets: bytes, text: str) -> None:
    assert refusal(b"APPEND " + octets) == text
