"""Whatever octets come: nothing is raised, and pieces change nothing."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.formats import header
from mailkit.formats.rendered import render
from mailkit.model.mailbox import MessageRecord
from mailkit.protocols.imap import mutf7
from mailkit.protocols.imap.events import AppendChunk, Event, Fetch
from mailkit.protocols.imap.lexer import Lexer
from mailkit.protocols.imap.state import State
from mailkit.protocols.imap.write import strings
from mailkit.protocols.imap.write.fetch import template_of
from tests.protocols.imap.driver import SMALL, Driver, driver, read
from tests.protocols.imap.test_examples import OTHERS, REVISION_2

STATES = st.sampled_from([s for s in State if s is not State.LOGOUT])
ENABLED = st.sampled_from([(), ("IMAP4REV2",), ("UTF8=ACCEPT",)])

EXAMPLES = [text.encode() + b"\r\n" for _, _, text in REVISION_2 + OTHERS]
WORDS = [
    b" ", b"  ", b"(", b")", b"[", b"]", b"<0.1>", b'"', b'"a\\"b"', b"{3}\r\n",
    b"{3+}\r\n", b"~{3+}\r\n", b"{900+}\r\n", b"{9999+}\r\n", b"\r\n", b"\r", b"\n",
    b"\0", b"*", b"$", b"1:*", b"1", b",", b"\\Seen", b"\xc3\xa4", b"\xff", b"&", b"&-",
    b"a ", b"x" * 600, b"UID ", b"DONE\r\n", b"FETCH ", b"BODY[", b"HEADER.FIELDS (",
    b"SEARCH ", b"OR ", b"NOT ", b"RETURN ", b"CHARSET ", b"APPEND ", b"LOGIN ",
    b"AUTHENTICATE PLAIN", b"AAAA", b"=", b"IDLE\r\n", b"STORE 1 ", b"+FLAGS ",
    b'LIST "" ', b"STATUS ", b"UTF8 (", b"ENABLE ", b"NIL", b"ID (", b"abc",
    b"1-Feb-1994",
]  # fmt: skip

GARBAGE = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from(WORDS), max_size=20).map(b"".join),
    st.lists(
        st.one_of(st.sampled_from(EXAMPLES), st.sampled_from(WORDS)), max_size=8
    ).map(b"".join),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An example with a hole, or with something in it that does not belong there."""
    octets = draw(st.sampled_from(EXAMPLES))
    start = draw(st.integers(0, len(octets)))
    end = draw(st.integers(start, min(start + 5, len(octets))))
    return octets[:start] + draw(st.sampled_from([b"", *WORDS])) + octets[end:]


def joined(driven: Driver) -> list[Event]:
    """Events, chunks of one message as one."""
    events: list[Event] = []
    for event in driven.events:
        last = events[-1] if events else None
        if isinstance(event, AppendChunk) and isinstance(last, AppendChunk):
            events[-1] = AppendChunk(last.octets + event.octets)
        else:
            events.append(event)
    return events


def play(state: State, enabled: tuple[str, ...], pieces: list[bytes]) -> Driver:
    driven = driver(state, SMALL, enabled)
    for piece in pieces:
        driven.feed(piece)
    return driven


def starts_tls(octets: bytes) -> bool:
    # What follows STARTTLS in the same read is refused: there pieces do matter.
    return b"STARTTLS" in octets.upper()


def without_nul(octets: bytes) -> bytes:
    # In the chunk that NUL is found in, octets before it are dropped too.
    return octets.replace(b"\0", b"0") if b"APPEND" in octets.upper() else octets


@given(STATES, ENABLED, st.one_of(GARBAGE, damaged()))
def test_octet_by_octet_equals_whole(
    state: State, enabled: tuple[str, ...], octets: bytes
) -> None:
    octets = without_nul(octets)
    if starts_tls(octets):
        return
    whole = play(state, enabled, [octets])
    slowly = play(state, enabled, [octets[n : n + 1] for n in range(len(octets))])
    assert slowly.output == whole.output
    assert joined(slowly) == joined(whole)
    assert slowly.machine.state is whole.machine.state


@given(STATES, ENABLED, st.lists(st.one_of(GARBAGE, damaged()), max_size=4))
def test_garbage_never_raises_and_answers_are_lines(
    state: State, enabled: tuple[str, ...], pieces: list[bytes]
) -> None:
    driven = play(state, enabled, pieces)
    assert driven.output == b"" or driven.output.endswith(b"\r\n")
    for line in driven.output.split(b"\r\n"):
        assert b"\r" not in line
        assert b"\n" not in line
        assert b"\0" not in line


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS.map(str.encode))
def test_strings_go_and_come_back(octets: bytes) -> None:
    octets = octets.replace(b"\0", b"")
    written = strings.astring(octets)
    text, literals = written, []
    if written.startswith(b"{"):
        announced, _, rest = written.partition(b"\r\n")
        text, literals = announced + b"\r\n", [rest]
    lexer = Lexer(text, literals)
    assert lexer.astring("string") == octets
    assert lexer.is_at_end


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.booleans())
def test_mailbox_names_go_and_come_back(name: str, is_utf8: bool) -> None:
    name = unicodedata.normalize("NFC", name)
    lexer = Lexer(strings.mailbox(name, is_utf8=is_utf8), is_utf8=is_utf8)
    assert lexer.mailbox() == ("INBOX" if name.lower() == "inbox" else name)


FIELDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Date: Mon\r\n",
                b"from : a\r\n b\r\n",
                b"FROM:\n",
                b"Subject: x\0y\n\tz\r\n",
                b"Date:no end",
                b"X-Unheard-Of: x\r\n",
                b" stray\r\n",
                b"\r\n",
                b"date\r\n",
            ]
        ),
        st.binary(max_size=9),
    ),
    max_size=8,
).map(b"".join)


@given(FIELDS, st.sets(st.sampled_from([b"Date", b"FROM", b"subject"]), min_size=1))
def test_kept_header_fields_are_those_of_the_message(
    octets: bytes, names: set[bytes]
) -> None:
    asked = b"BODY[HEADER.FIELDS (%b)]" % b" ".join(sorted(names))
    event = read(b"FETCH 1 " + asked)
    assert isinstance(event, Fetch)
    kept = render(octets).header_fields
    row = MessageRecord(1, 1, frozenset(), 0, 0, 0, "", "", b"", b"", b"", b"", kept)
    expected = header.select(kept, {name.lower() for name in names})
    written = expected.replace(b"\0", b"?")
    assert template_of(event.items).parts([row]) == [
        b"%b {%d}\r\n%b" % (asked, len(written), written)
    ]


@given(TEXTS)
def test_modified_utf_7_goes_and_comes_back(text: str) -> None:
    octets = mutf7.encode(text)
    assert octets.isascii()
    assert mutf7.decode(octets) == text


@given(
    st.one_of(
        st.binary(), st.from_regex(rb"(&[A-Za-z0-9+,]{0,12}-|[ -~])*", fullmatch=True)
    )
)
def test_modified_utf_7_has_one_spelling(octets: bytes) -> None:
    try:
        text = mutf7.decode(octets)
    except Malformed:
        return
    assert mutf7.encode(text) == octets
