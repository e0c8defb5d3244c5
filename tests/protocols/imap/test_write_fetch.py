"""FETCH responses, to the octet, and what they cost."""

from __future__ import annotations

import pytest

from mailkit.errors import LocalMisuse
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import FlagRecord, MessageRecord, Want
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Fetch
from mailkit.protocols.imap.items import Attribute, FetchBinarySize, FetchItem
from mailkit.protocols.imap.write import fetch
from tests.protocols.imap.driver import read

ROW = MessageRecord(
    uid=44,
    mod_seq=5,
    flags=frozenset({SEEN}),
    size=44827,
    internal_date=837596665,
    save_date=0,
    email_id="M1",
    thread_id="T1",
    envelope=b'("Mon" %s)',
    body=b"(body)",
    bodystructure=b"(structure)",
    preview=b'"Hello"',
    header_fields=b"Date: Mon\r\nFrom: a\0b\r\nSubject: Hi\r\n there\r\n",
)
OTHER = ROW._replace(uid=45, flags=frozenset(), thread_id="")


def items_of(octets: bytes) -> tuple[FetchItem, ...]:
    event = read(b"FETCH 1 " + octets)
    assert isinstance(event, Fetch)
    return event.items


LINES = [
    (b"UID", b"UID 44", Want(0)),
    (b"FLAGS", b"FLAGS (\\Seen)", Want.FLAGS),
    (b"INTERNALDATE", b'INTERNALDATE "17-Jul-1996 09:44:25 +0000"', Want.FACTS),
    (b"RFC822.SIZE", b"RFC822.SIZE 44827", Want.FACTS),
    (b"ENVELOPE", b'ENVELOPE ("Mon" %s)', Want.ENVELOPE),
    (b"BODY", b"BODY (body)", Want.BODY),
    (b"BODYSTRUCTURE", b"BODYSTRUCTURE (structure)", Want.BODYSTRUCTURE),
    (b"PREVIEW", b'PREVIEW "Hello"', Want.PREVIEW),
    (b"SAVEDATE", b'SAVEDATE "01-Jan-1970 00:00:00 +0000"', Want.IDS),
    (b"EMAILID", b"EMAILID (M1)", Want.IDS),
    (b"THREADID", b"THREADID (T1)", Want.IDS),
    (
        b"BODY.PEEK[HEADER.FIELDS (Subject DATE)]",
        b"BODY[HEADER.FIELDS (Subject DATE)] {34}\r\n"
        b"Date: Mon\r\nSubject: Hi\r\n there\r\n\r\n",
        Want.HEADER_FIELDS,
    ),
    (
        b"BODY[HEADER.FIELDS (From)]<2.6>",
        b"BODY[HEADER.FIELDS (From)]<2> {6}\r\nom: a?",
        Want.HEADER_FIELDS,
    ),
    (
        b"(UID FLAGS RFC822.SIZE)",
        b"UID 44 FLAGS (\\Seen) RFC822.SIZE 44827",
        Want.FLAGS | Want.FACTS,
    ),
]


@pytest.mark.parametrize(("asked", "told", "want"), LINES)
def test_a_line(asked: bytes, told: bytes, want: Want) -> None:
    items = items_of(asked)
    assert all(map(fetch.is_ready, items))
    template = fetch.template_of(items)
    assert template.want == want
    assert template.lines([ROW], [12]) == b"* 12 FETCH (" + told + b")\r\n"
    assert template.parts([ROW]) == [told]
    assert fetch.fetch_lines([ROW], [12], items) == template.lines([ROW], [12])


def test_several_rows() -> None:
    items = items_of(b"(FLAGS THREADID)")
    assert fetch.fetch_lines([ROW, OTHER], [3, 4], items, UIDSet(((45, 45),))) == (
        b"* 3 FETCH (FLAGS (\\Seen) THREADID (T1))\r\n"
        b"* 4 FETCH (FLAGS (\\Recent) THREADID NIL)\r\n"
    )
    assert fetch.fetch_lines([], [], items) == b""


def test_rows_and_numbers_have_to_match() -> None:
    with pytest.raises(LocalMisuse, match="1 numbers for 2"):
        fetch.fetch_lines([ROW, OTHER], [3], items_of(b"UID"))


def test_no_items_at_all() -> None:
    assert fetch.template_of(()).parts([ROW, OTHER]) == [b"", b""]


@pytest.mark.parametrize(
    "asked",
    [
        b"BODY[]",
        b"BODY[HEADER]",
        b"BODY[1.HEADER.FIELDS (Date)]",
        b"BODY[HEADER.FIELDS.NOT (Date)]",
        b"BODY[HEADER.FIELDS (Date X-Unheard-Of)]",
        b"BINARY.SIZE[1]",
    ],
)
def test_what_is_not_ready(asked: bytes) -> None:
    items = items_of(asked)
    assert not fetch.is_ready(items[0])
    with pytest.raises(LocalMisuse):
        fetch.template_of(items)


def test_flag_lines() -> None:
    flagged = [
        (3, FlagRecord(44, frozenset({SEEN}), 7)),
        (4, FlagRecord(45, frozenset({"$Junk"}), 8)),
    ]
    recent = UIDSet(((45, 45),))
    assert fetch.flag_lines(flagged) == (
        b"* 3 FETCH (FLAGS (\\Seen))\r\n* 4 FETCH (FLAGS ($Junk))\r\n"
    )
    assert fetch.flag_lines(flagged, recent, uid=True) == (
        b"* 3 FETCH (UID 44 FLAGS (\\Seen))\r\n"
        b"* 4 FETCH (UID 45 FLAGS (\\Recent $Junk))\r\n"
    )


def test_one_message_in_pieces() -> None:
    pieces = [
        fetch.begin(7),
        fetch.template_of((Attribute.UID,)).parts([ROW])[0],
        b" ",
        fetch.section(b"BODY[]<0>", b"abc"),
        b" ",
        fetch.section_head(b"BODY[TEXT]", 2),
        b"hi",
        fetch.END,
    ]
    assert b"".join(pieces) == (
        b"* 7 FETCH (UID 44 BODY[]<0> {3}\r\nabc BODY[TEXT] {2}\r\nhi)\r\n"
    )


def test_sections() -> None:
    assert fetch.section(b"BODY[9]", None) == b"BODY[9] NIL"
    assert fetch.section(b"BODY[1]", b"a\0b") == b"BODY[1] {3}\r\na?b"
    assert fetch.section(b"BINARY[1]", b"a\0b", True) == b"BINARY[1] ~{3}\r\na\0b"
    assert fetch.section_head(b"BINARY[1]", 5, True) == b"BINARY[1] ~{5}\r\n"
    size = FetchBinarySize(b"BINARY.SIZE[1]", (1,))
    assert fetch.binary_size(size.name, 9) == b"BINARY.SIZE[1] 9"
