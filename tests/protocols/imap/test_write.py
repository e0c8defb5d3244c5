"""What the writers write, to the octet."""

from __future__ import annotations

import pytest

from mailkit.errors import LocalMisuse
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import Copied, MailboxName, MailboxStatus
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.protocols.imap.items import StatusItem
from mailkit.protocols.imap.response import bad, ok
from mailkit.protocols.imap.write import (
    capability,
    codes,
    dates,
    mailbox,
    search,
    session,
    strings,
)
from mailkit.protocols.imap.write import list as write_list
from mailkit.protocols.imap.write.flags import FlagLists, flag_list

# --- strings


def test_quoted() -> None:
    assert strings.quoted(b'a"b\\c') == b'"a\\"b\\\\c"'
    assert strings.quoted(b"") == b'""'


@pytest.mark.parametrize("octets", [b"a\rb", b"a\nb", b"a\0b"])
def test_what_cannot_be_quoted(octets: bytes) -> None:
    with pytest.raises(LocalMisuse):
        strings.quoted(octets)


def test_literals() -> None:
    assert strings.literal(b"a\r\n") == b"{3}\r\na\r\n"
    assert strings.literal8(b"\0") == b"~{1}\r\n\0"
    with pytest.raises(LocalMisuse):
        strings.literal(b"\0")


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"atom", b"atom"),
        (b"", b'""'),
        (b"two words", b'"two words"'),
        (b"nil", b'"nil"'),
        (b"a]", b'"a]"'),
        (b"\xc3\xa4", b"{2}\r\n\xc3\xa4"),
        (b"a\nb", b"{3}\r\na\nb"),
    ],
)
def test_astring(octets: bytes, written: bytes) -> None:
    assert strings.astring(octets) == written


def test_names_of_mailboxes() -> None:
    assert strings.mailbox("INBOX", is_utf8=False) == b'"INBOX"'
    assert strings.mailbox("Entwürfe & so", is_utf8=False) == b'"Entw&APw-rfe &- so"'
    assert strings.mailbox("Entwürfe & so", is_utf8=True) == '"Entwürfe & so"'.encode()
    assert strings.mailbox("a\nb", is_utf8=True) == b"{3}\r\na\nb"


# --- flags and dates


def test_flag_lists() -> None:
    assert flag_list(()) == b"()"
    lists = FlagLists("\\Recent")
    assert lists[frozenset({"b", SEEN})] == b"(\\Recent \\Seen b)"
    assert frozenset({"b", SEEN}) in lists


def test_flag_lists_do_not_grow_for_ever() -> None:
    lists = FlagLists()
    for number in range(5000):
        assert lists[frozenset({f"k{number}"})] == b"(k%d)" % number
    assert len(lists) <= 4096


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, b'"01-Jan-1970 00:00:00 +0000"'),
        (837596665, b'"17-Jul-1996 09:44:25 +0000"'),
        (1709251199, b'"29-Feb-2024 23:59:59 +0000"'),
        (-1, b'"31-Dec-1969 23:59:59 +0000"'),
    ],
)
def test_dates(seconds: int, written: bytes) -> None:
    assert dates.date_times([seconds]) == [written]


def test_dates_do_not_grow_for_ever() -> None:
    for day in range(5000):
        dates.date_times([day * 86_400])
    assert len(dates._DAYS) <= 4096
    assert dates.date_times([0]) == [b'"01-Jan-1970 00:00:00 +0000"']


# --- responses


STATUS = MailboxStatus(MailboxName("x"), "M1", 7, 44, 99, 17, 16, 2, 44421, 3)


def test_status() -> None:
    assert mailbox.status("blurdybloop", STATUS, tuple(StatusItem), is_utf8=False) == (
        b'* STATUS "blurdybloop" (MESSAGES 17 RECENT 3 UIDNEXT 44 UIDVALIDITY 7 '
        b"UNSEEN 16 DELETED 2 SIZE 44421 MAILBOXID (M1))\r\n"
    )


def test_the_state_of_a_mailbox() -> None:
    assert mailbox.exists(23) == b"* 23 EXISTS\r\n"
    assert mailbox.recent(5) == b"* 5 RECENT\r\n"
    assert mailbox.expunged([3, 3, 5]) == b"* 3 EXPUNGE\r\n" * 2 + b"* 5 EXPUNGE\r\n"
    assert mailbox.flags([SEEN, "x"]) == b"* FLAGS (\\Seen x)\r\n"
    assert mailbox.untagged(ok("First", codes.unseen(12))) == (
        b"* OK [UNSEEN 12] First\r\n"
    )
    assert mailbox.untagged(bad("No")) == b"* BAD No\r\n"


def test_list() -> None:
    assert write_list.line(("\\Noselect",), "/", "", is_utf8=False) == (
        b'* LIST (\\Noselect) "/" ""\r\n'
    )
    assert (
        write_list.line((), "/", "ü", is_utf8=True) == '* LIST () "/" "ü"\r\n'.encode()
    )
    assert write_list.line((), "/", "Foo", ("SUBSCRIBED",), is_utf8=False) == (
        b'* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED"))\r\n'
    )
    assert write_list.line(
        (), "\\", "x", ("SUBSCRIBED", "SPECIAL-USE"), is_utf8=False, old_name="y"
    ) == (
        b'* LIST () "\\\\" "x" ("CHILDINFO" ("SUBSCRIBED" "SPECIAL-USE") '
        b'"OLDNAME" ("y"))\r\n'
    )
    assert write_list.lsub_line(("\\Noselect",), "/", "a", is_utf8=False) == (
        b'* LSUB (\\Noselect) "/" "a"\r\n'
    )
    assert write_list.namespace("/") == b'* NAMESPACE (("" "/")) NIL NIL\r\n'


def test_children() -> None:
    """RFC 3348 §3.1."""
    assert write_list.line(("\\HasNoChildren",), "/", "INBOX", is_utf8=False) == (
        b'* LIST (\\HasNoChildren) "/" "INBOX"\r\n'
    )
    assert write_list.line(("\\HasChildren",), "/", "foo", is_utf8=False) == (
        b'* LIST (\\HasChildren) "/" "foo"\r\n'
    )


def test_search() -> None:
    assert search.search(NO_UIDS) == b"* SEARCH\r\n"
    assert search.search(UIDSet(((2, 3), (9, 9)))) == b"* SEARCH 2 3 9\r\n"


def test_esearch() -> None:
    found = UIDSet(((2, 2), (10, 11)))
    assert search.esearch(b"A282", False) == b'* ESEARCH (TAG "A282")\r\n'
    assert (
        search.esearch(b"A284", False, least=4) == b'* ESEARCH (TAG "A284") MIN 4\r\n'
    )
    assert search.esearch(b"A285", True, least=7, most=3800, every=found, count=0) == (
        b'* ESEARCH (TAG "A285") UID MIN 7 MAX 3800 ALL 2,10:11 COUNT 0\r\n'
    )


def test_codes() -> None:
    assert codes.capability(["A", "B"]) == b"CAPABILITY A B"
    assert codes.permanent_flags([SEEN, "\\*"]) == b"PERMANENTFLAGS (\\Seen \\*)"
    assert codes.uid_validity(3857529045) == b"UIDVALIDITY 3857529045"
    assert codes.uid_next(4392) == b"UIDNEXT 4392"
    assert codes.mailbox_id("F-1") == b"MAILBOXID (F-1)"
    assert codes.append_uid(38505, [3955]) == b"APPENDUID 38505 3955"
    assert codes.append_uid(38505, [5, 6, 7]) == b"APPENDUID 38505 5:7"


@pytest.mark.parametrize(
    ("pairs", "written"),
    [
        (((304, 3956), (319, 3957), (320, 3958)), b"304,319:320 3956,3957:3958"),
        (((1, 11), (2, 12), (3, 13)), b"1:3 11:13"),
        (((1, 13), (2, 12)), b"1,2 13,12"),
        (((5, 9),), b"5 9"),
    ],
)
def test_copy_uid(pairs: tuple[tuple[int, int], ...], written: bytes) -> None:
    assert codes.copy_uid(Copied(38505, pairs)) == b"COPYUID 38505 " + written


def test_capabilities() -> None:
    before = capability.before_login(["PLAIN"], can_start_tls=True, may_login=False)
    assert capability.capabilities(before) == (
        b"* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ ID ENABLE SASL-IR STARTTLS "
        b"AUTH=PLAIN LOGINDISABLED\r\n"
    )
    secure = capability.before_login([], can_start_tls=False, may_login=True)
    assert not {"STARTTLS", "LOGINDISABLED"} & set(secure)
    assert {"IMAP4rev2", "IDLE", "MOVE"} <= set(capability.after_login())
    assert "STARTTLS" not in capability.after_login()


def test_enabled() -> None:
    assert capability.enabled([]) == b"* ENABLED\r\n"
    assert capability.enabled(["IMAP4rev2"]) == b"* ENABLED IMAP4rev2\r\n"


def test_id() -> None:
    assert session.identification({}) == b"* ID NIL\r\n"
    assert session.identification({"name": "mailkit", "vendor": "ä"}) == (
        b'* ID ("name" "mailkit" "vendor" {2}\r\n\xc3\xa4)\r\n'
    )
