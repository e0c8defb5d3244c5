"""Tables of commands about sessions, logins and mailboxes: what is read, what not."""

from __future__ import annotations

import pytest

from mailkit.model.mailbox import INBOX, MailboxName, SpecialUse
from mailkit.protocols.imap.events import (
    Authenticate,
    Create,
    Delete,
    Enable,
    Event,
    Examine,
    Id,
    List,
    Login,
    Lsub,
    Rename,
    Select,
    Status,
    Subscribe,
)
from mailkit.protocols.imap.items import ListReturn, ListSelection, StatusItem
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State
from tests.protocols.imap.driver import driver, read, refusal

N, A = State.NOT_AUTHENTICATED, State.AUTHENTICATED
REV2 = "IMAP4REV2"
BOX = MailboxName("x")


def name(text: str) -> MailboxName:
    return MailboxName(text)


READ: list[tuple[State, bytes, Event]] = [
    (N, b"LOGIN fred blurdybloop", Login("fred", "blurdybloop")),
    (N, b'login "fr\\"ed" "a\\\\b"', Login('fr"ed', "a\\b")),
    (N, b'LOGIN {3+}\r\nbob ""', Login("bob", "")),
    (N, b"LOGIN {3+}\r\nbob {5+}\r\np\xc3\xa4ss", Login("bob", "päss")),
    (N, b"LOGIN a]b c}d", Login("a]b", "c}d")),
    (N, b"AUTHENTICATE plain AGEAYg==", Authenticate("PLAIN", b"\0a\0b")),
    (N, b"AUTHENTICATE external =", Authenticate("EXTERNAL", b"")),
    (N, b"ID nil", Id(None)),
    (N, b"ID ()", Id(())),
    (N, b'ID ("name" "x" "os" NIL)', Id((("name", "x"), ("os", None)))),
    (N, b'ID ("name" {2+}\r\n\xc3\xa4)', Id((("name", "ä"),))),
    (A, b"ENABLE utf8=accept X", Enable(("UTF8=ACCEPT", "X"))),
    (A, b"SELECT inBox", Select(INBOX)),
    (A, b'SELECT "INBOX"', Select(INBOX)),
    (A, b"SELECT {5+}\r\ninbox", Select(INBOX)),
    (A, b"EXAMINE Entw&APw-rfe", Examine(name("Entwürfe"))),
    (A, b"DELETE &Jjo-!", Delete(name("☺!"))),
    (A, b"SUBSCRIBE a&-b", Subscribe(name("a&b"))),
    (A, b'CREATE ""', Create(name(""))),
    (A, b"CREATE x (use ())", Create(BOX)),
    (A, b"CREATE x (USE (\\sent))", Create(BOX, (SpecialUse.SENT,))),
    (
        A,
        b"CREATE x (USE (\\Sent \\All \\Sent))",
        Create(BOX, (SpecialUse.SENT, SpecialUse.ALL)),
    ),
    (A, b'RENAME "a b" c', Rename(name("a b"), name("c"))),
    (
        A,
        b"STATUS x (messages RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE MAILBOXID)",
        Status(BOX, tuple(StatusItem)),
    ),
    (A, b"STATUS x (SIZE SIZE)", Status(BOX, (StatusItem.SIZE,))),
    (A, b'LIST "" *', List("", ("*",))),
    (A, b"LIST Entw&APw-rfe/ %", List("Entwürfe/", ("%",))),
    (A, b'LIST "" &bad', List("", ())),
    (A, b'LIST "" (a &bad "b c")', List("", ("a", "b c"), is_extended=True)),
    (
        A,
        b'LIST (SUBSCRIBED special-use) "" {1+}\r\n* RETURN ()',
        List(
            "",
            ("*",),
            frozenset({ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE}),
            is_extended=True,
        ),
    ),
    (
        A,
        b'LIST "" % RETURN (children SUBSCRIBED SPECIAL-USE STATUS (UNSEEN))',
        List(
            "",
            ("%",),
            frozenset(),
            frozenset(ListReturn),
            (StatusItem.UNSEEN,),
            is_extended=True,
        ),
    ),
    (A, b'LSUB "" *', Lsub("", "*")),
    (A, b'LSUB "" &bad', Lsub("", None)),
]


@pytest.mark.parametrize(("state", "line", "event"), READ)
def test_read(state: State, line: bytes, event: Event) -> None:
    assert read(line, state) == event


REFUSED: list[tuple[State, bytes, str]] = [
    (N, b"", "BAD Expected the command, found the end"),
    (N, b" NOOP", "BAD Only one space may stand before the command"),
    (N, b"XYZZY", "BAD Unknown command XYZZY"),
    (N, b'"NOOP"', 'BAD Expected the command, found "NOOP"'),
    (N, b"NOOP ", "BAD Too much, found ?"),
    (N, b"NOOP x" + b"y" * 50, "BAD Too much, found ?x" + "y" * 38 + "..."),
    (N, b"SELECT x", "BAD SELECT comes after login"),
    (N, b"FETCH 1 FLAGS", "BAD FETCH comes after login"),
    (A, b"LOGIN a b", "BAD LOGIN comes before login"),
    (A, b"FETCH 1 FLAGS", "BAD FETCH needs a selected mailbox"),
    (State.SELECTED, b"ENABLE X", "BAD ENABLE comes before a mailbox is selected"),
    (N, b"LOGIN", "BAD Missing user name"),
    (N, b"LOGIN fred", "BAD Missing password"),
    (N, b"LOGIN  fred x", "BAD Only one space may stand before the user name"),
    (N, b"LOGIN (fred x", "BAD Expected the user name"),
    (N, b'LOGIN "fred x', "BAD Expected the user name"),
    (N, b'LOGIN "fr\\ed" x', "BAD Expected the user name"),
    (N, b'LOGIN "fred"x', "BAD Expected a space before the password"),
    (N, b"LOGIN fred x y", "BAD Too much"),
    (N, b"LOGIN {2+}\r\n\xff\xff x", "BAD The user name is not in UTF-8"),
    (
        N,
        b"LOGIN ~{1+}\r\na x",
        "BAD Expected a space before the password",
    ),
    (
        N,
        b'LOGIN "\xc3\xa4" x',
        "BAD 8-bit octets in the user name: quoted UTF-8 needs ENABLE, or a literal",
    ),
    (N, b"AUTHENTICATE", "BAD Missing mechanism"),
    (N, b"AUTHENTICATE PLAIN ", "BAD Missing initial response"),
    (N, b"AUTHENTICATE PLAIN =AAA", "BAD The response is not base64"),
    (N, b"AUTHENTICATE PLAIN AAA=BBB", "BAD The response is not base64"),
    (N, b"AUTHENTICATE PLAIN AAAA AAAA", "BAD The response is not base64"),
    (N, b"ID", "BAD Missing ID parameters"),
    (N, b"ID x", "BAD The ID parameters are a list in parentheses, or NIL"),
    (N, b'ID ("a")', "BAD Expected a space before the ID value, found )"),
    (N, b"ID (a NIL)", "BAD Expected the ID field, found a?NIL)"),
    (N, b'ID ("' + b"a" * 31 + b'" NIL)', "BAD An ID field or value is too long"),
    (N, b'ID ("a" "' + b"a" * 1025 + b'")', "BAD An ID field or value is too long"),
    (
        N,
        b"ID (" + b" ".join([b'"a" NIL'] * 31) + b")",
        "BAD More than 30 ID fields",
    ),
    (A, b"ENABLE", "BAD Missing capability"),
    (A, b"ENABLE " + b" ".join([b"X"] * 501), "BAD More than 500 capabilities"),
    (A, b"SELECT", "BAD Missing mailbox name"),
    (A, b"SELECT a b", "BAD Too much, found ?b"),
    (A, b"SELECT x (CONDSTORE)", "BAD Too much, found ?(CONDSTORE)"),
    (A, b"SELECT &bad", "BAD The mailbox name is not modified UTF-7"),
    (A, b"SELECT {1+}\r\n\xff", "BAD The mailbox name is not modified UTF-7"),
    (A, b'CREATE "a\tb"', "BAD The mailbox name is not modified UTF-7"),
    (A, b"CREATE &AA0-", "NO [CANNOT] The mailbox name has control characters in it"),
    (A, b"CREATE x USE", "BAD Expected ( before the parameters of CREATE, found USE"),
    (A, b"CREATE x (SIZE 1)", "BAD CREATE knows the parameter USE only"),
    (
        A,
        b"CREATE x (USE \\All)",
        "BAD Expected ( before the special uses, found \\All)",
    ),
    (
        A,
        b"CREATE x (USE (All))",
        "BAD Expected \\ before a special use, found All))",
    ),
    (A, b"CREATE x (USE (\\Old))", "NO [USEATTR] No such special use"),
    (
        A,
        b"CREATE x (USE (\\All)",
        "BAD Expected ) after the parameters of CREATE, found the end",
    ),
    (A, b"RENAME x", "BAD Missing new mailbox name"),
    (A, b"STATUS x", "BAD Missing list of status items"),
    (A, b"STATUS x ()", "BAD Expected the status item, found )"),
    (A, b"STATUS x (WEIGHT)", "BAD Unknown status item WEIGHT"),
    (A, b"STATUS x (SIZE", "BAD Missing status item"),
    (A, b'LIST ""', "BAD Missing mailbox pattern"),
    (A, b'LIST "" ()', "BAD Expected the mailbox pattern, found )"),
    (A, b'LIST "" x RETURN', "BAD Missing list of return options"),
    (A, b'LIST "" x GIVE (x)', "BAD After the patterns LIST takes RETURN (...) only"),
    (A, b'LIST "" x RETURN (x)', "BAD Unknown return option X"),
    (
        A,
        b'LIST (RECURSIVEMATCH) "" *',
        "BAD RECURSIVEMATCH needs SUBSCRIBED beside it",
    ),
    (A, b'LIST (FOO) "" *', "BAD Unknown selection option FOO"),
    (
        A,
        b'LIST "" (' + b" ".join([b"x"] * 501) + b")",
        "BAD More than 500 patterns",
    ),
    (A, b"LIST &bad *", "BAD The mailbox name is not modified UTF-7"),
]


@pytest.mark.parametrize(("state", "line", "text"), REFUSED)
def test_refused(state: State, line: bytes, text: str) -> None:
    assert refusal(line, state) == text


@pytest.mark.parametrize("extension", [REV2, "UTF8=ACCEPT"])
def test_after_enable_names_are_in_utf_8(extension: str) -> None:
    assert read('SELECT "Entwürfe"'.encode(), A, extension) == Select(name("Entwürfe"))
    assert read(b"SELECT a&b", A, extension) == Select(name("a&b"))
    decomposed = "SELECT {3+}\r\nu\u0308".encode()
    assert read(decomposed, A, extension) == Select(name("\u00fc"))
    assert read('LIST "" "ü*"'.encode(), A, extension) == List("", ("ü*",))


def test_after_enable_bad_utf_8_is_refused() -> None:
    assert refusal(b'SELECT "\xff"', A, REV2) == "BAD The mailbox name is not UTF-8"
    text = "BAD The mailbox name is not UTF-8"
    assert refusal(b"SELECT {1+}\r\n\xff", A, REV2) == text


def test_other_extensions_change_no_grammar() -> None:
    assert read(b"SELECT a&-b", A, "CONDSTORE") == Select(name("a&b"))


def test_secrets_are_not_shown() -> None:
    assert "blurdybloop" not in repr(Login("fred", "blurdybloop"))
    assert "secret" not in repr(Authenticate("PLAIN", b"\0a\0secret"))


def test_an_empty_line_has_no_tag() -> None:
    driven = driver(N)
    text = b"* BAD A command begins with a tag, a space and its name\r\n"
    assert driven.feed(b"\r\n") == text
    assert driven.feed(b"a+b NOOP\r\n") == text
    assert driven.feed(b"x" * 256 + b" NOOP\r\n") == text
    assert driven.feed(b"abc\r\n") == text


@pytest.mark.parametrize(
    "line",
    [
        b'a LOGIN alice "hunter2',
        b"a LOGIN alice hunter2 word",
        b'a LOGIN "alice"hunter2',
        b"a LOGIN alice (hunter2)",
        b'a LOGIN alice hunter2"',
        b"a LOGIN alice hunter2\xff",
        b'a AUTHENTICATE "hunter2"',
        b"a AUTHENTICATE PLAIN hunter2!",
    ],
)
def test_complaints_tell_no_secret(line: bytes) -> None:
    """What is wrong with a login is said without repeating any of it."""
    machine = IMAPServer()
    machine.receive(line + b"\r\n")
    machine.next_event()
    said = machine.take_output()
    assert b" BAD " in said
    assert b"hunter2" not in said
