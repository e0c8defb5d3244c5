"""The strict reader of responses takes what is right and nothing else."""

from __future__ import annotations

import pytest

from tests.protocols.imap.grammar import Ungrammatical, read_all

ONE_PART = b'("text" "plain" NIL NIL NIL "7bit" 3 1'


@pytest.mark.parametrize(
    "octets",
    [
        b"* OK [CAPABILITY IMAP4rev1 IMAP4rev2 AUTH=PLAIN] ready\r\n",
        b"a OK [COPYUID 1 2:4 7,9:10] Copied\r\n",
        b"+ \r\n+ AGE=\r\n+ idling\r\n",
        b"* FLAGS (\\Seen $Work)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] Kept\r\n",
        b'* LIST (\\NonExistent) "/" "x" ("CHILDINFO" ("SUBSCRIBED"))\r\n',
        b'* LSUB () NIL a\r\n* NAMESPACE (("" "/")) NIL NIL\r\n',
        b'* STATUS "a" (MESSAGES 0 UIDNEXT 1)\r\n* ID ("name" NIL)\r\n',
        b"* SEARCH\r\n* SEARCH 1 2\r\n",
        b'* ESEARCH (TAG "a") UID MIN 1 COUNT 0\r\n',
        b"* 1 FETCH (FLAGS (\\Recent) UID 7 BODY[1.MIME]<5> {2}\r\nab BODY[2] NIL)\r\n",
        b"* 1 FETCH (BODY[HEADER.FIELDS (A B)] {0}\r\n BINARY[1] ~{1}\r\n\0)\r\n",
        b"* 1 FETCH (BODY " + ONE_PART + b"))\r\n",
        b"* 1 FETCH (BODY ("
        + ONE_PART
        + b')("a" "b" NIL NIL NIL "8bit" 3) "mixed"))\r\n',
        b'* ENABLED IMAP4rev2\r\n* LIST () "/" "\xc3\xa9"\r\n',
    ],
)
def test_right(octets: bytes) -> None:
    assert b"".join(said.octets for said in read_all(octets)) == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"* OK  two spaces\r\n* OK \r\n",
        b"* OK [UNKNOWN] what\r\n",
        b"* OK [UIDNEXT 0] none\r\n",
        b"a OK [COPYUID 1 2:4 7:8] Copied\r\n",
        b"a+ OK a tag\r\n",
        b"* OK \xc3\xa9\r\n",
        b"* CAPABILITY IMAP4rev1\r\n",
        b"* FLAGS (\\Seen \\Recent)\r\n",
        b"* FLAGS (a A)\r\n",
        b'* LIST () "/" "\xc3\xa9"\r\n',
        b'* LIST () "/" inbox\r\n',
        b'* LIST (\\Odd) "/" a\r\n',
        b'* LIST (\\HasChildren \\HasNoChildren) "/" a\r\n',
        b"* SEARCH 0\r\n* SEARCH  1\r\n",
        b"* ENABLED IMAP4rev2\r\n* SEARCH 1\r\n",
        b"* ENABLED IMAP4rev2\r\n* 1 RECENT\r\n",
        b'* ESEARCH (TAG "a") MIN 0\r\n',
        b"* 0 EXPUNGE\r\n",
        b"* 1 FETCH ()\r\n",
        b"* 1 FETCH (UID 1 UID 1)\r\n",
        b"* 1 FETCH (BODY[] {3}\r\nab)\r\n",
        b"* 1 FETCH (BODY[MIME] NIL)\r\n",
        b"* 1 FETCH (BODY[] {1}\r\n\0)\r\n",
        b'* 1 FETCH (BODY ( "mixed"))\r\n',
        b"* 1 FETCH (BODY " + ONE_PART + b" NIL))\r\n",
        b'* 1 FETCH (INTERNALDATE "1-Jan-2026 00:00:00 +0000")\r\n',
        b"* 1 EXIST\r\n* XYZZY\r\n",
        b"nothing at all",
    ],
)
def test_wrong(octets: bytes) -> None:
    with pytest.raises(Ungrammatical):
        read_all(octets)
