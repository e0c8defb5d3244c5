r"""
Every command line that the RFCs show is read, whole and octet by octet.

Left out are lines that show a mistake of the client on purpose, and commands of
extensions that are not spoken here. Line ends inside a command are ``\r\n``.
"""

from __future__ import annotations

import pytest

from mailkit.protocols.imap import events as ev
from mailkit.protocols.imap.state import State
from tests.protocols.imap.driver import driver

N, A, S = State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED

REVISION_2: list[tuple[State, type[ev.Event], str]] = [
    # §6.1
    (N, ev.Capability, "abcd CAPABILITY"),
    (N, ev.StartTLS, "efgh STARTTLS"),
    (S, ev.Noop, "a002 NOOP"),
    (S, ev.Noop, "a047 NOOP"),
    (S, ev.Logout, "A023 LOGOUT"),
    # §6.2
    (N, ev.StartTLS, "a002 STARTTLS"),
    (N, ev.Authenticate, "a004 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q="),
    (N, ev.Authenticate, "A001 AUTHENTICATE GSSAPI"),
    (N, ev.Authenticate, "A01 AUTHENTICATE PLAIN"),
    (N, ev.Authenticate, "A01 AUTHENTICATE EXTERNAL ="),
    (N, ev.Login, "a001 LOGIN SMITH SESAME"),
    # §6.3
    (A, ev.Enable, "t2 ENABLE CONDSTORE X-GOOD-IDEA"),
    (A, ev.Enable, "a1 ENABLE CONDSTORE"),
    (A, ev.Select, "A142 SELECT INBOX"),
    (S, ev.Select, "A143 SELECT Drafts"),
    (A, ev.Examine, "A932 EXAMINE blurdybloop"),
    (A, ev.Create, "A003 CREATE owatagusiam/"),
    (A, ev.Create, "A004 CREATE owatagusiam/blurdybloop"),
    (A, ev.Create, "A005 CREATE NonNormalized"),
    (A, ev.List, 'A682 LIST "" *'),
    (A, ev.Delete, "A683 DELETE blurdybloop"),
    (A, ev.Delete, "A685 DELETE foo/bar"),
    (A, ev.List, 'A86 LIST "" %'),
    (A, ev.Rename, "A683 RENAME blurdybloop sarasoop"),
    (A, ev.Rename, "Z433 RENAME INBOX old-mail"),
    (A, ev.Rename, "1001 RENAME X Y"),
    (A, ev.Subscribe, "1002 SUBSCRIBE Y"),
    (A, ev.Unsubscribe, "1003 UNSUBSCRIBE X"),
    (A, ev.Subscribe, "A002 SUBSCRIBE #news.comp.mail.mime"),
    (A, ev.Unsubscribe, "A002 UNSUBSCRIBE #news.comp.mail.mime"),
    (A, ev.List, 'A101 LIST "" ""'),
    (A, ev.List, 'A102 LIST #news.comp.mail.misc ""'),
    (A, ev.List, 'A103 LIST /usr/staff/jones ""'),
    (A, ev.List, "A202 LIST ~/Mail/ %"),
    (A, ev.List, 'A01 LIST "" "*"'),
    (A, ev.List, 'A02 LIST (SUBSCRIBED) "" "*"'),
    (A, ev.List, 'A03 LIST () "" "%" RETURN (CHILDREN)'),
    (A, ev.List, 'A04 LIST (REMOTE) "" "%" RETURN (CHILDREN)'),
    (A, ev.List, 'A05 LIST (REMOTE SUBSCRIBED) "" "*"'),
    (A, ev.List, 'A06 LIST (REMOTE) "" "*" RETURN (SUBSCRIBED)'),
    (A, ev.List, 'CA3 LIST "" "%" RETURN (CHILDREN)'),
    (A, ev.List, 'C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"'),
    (A, ev.List, 'C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%" RETURN (CHILDREN)'),
    (A, ev.List, 'D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"'),
    (A, ev.List, 'D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*"'),
    (A, ev.List, 'a1 LIST "" ("foo")'),
    (A, ev.List, 'a2 LIST (SUBSCRIBED) "" "foo/*"'),
    (A, ev.List, 'a3 LIST (SUBSCRIBED RECURSIVEMATCH) "" foo RETURN (CHILDREN)'),
    (A, ev.List, 'a1 LIST (REMOTE) "" *'),
    (A, ev.List, 'a2 LIST () "" %'),
    (A, ev.List, 'a3.1 LIST "" (% music/rock)'),
    (A, ev.List, 'A01 LIST "" % RETURN (STATUS (MESSAGES UNSEEN))'),
    (
        A,
        ev.List,
        'A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))',
    ),
    (A, ev.Namespace, "A001 NAMESPACE"),
    (A, ev.Create, 'A002 CREATE "INBOX.Sent Mail"'),
    (A, ev.List, 'A002 LIST (SPECIAL-USE) "" "*"'),
    (A, ev.List, 'A003 LIST (SPECIAL-USE) "#mh/" "*"'),
    (A, ev.Create, 'A006 CREATE "#mh/Deleted Items"'),
    (A, ev.List, 'A002 LIST "" "Other Users/%"'),
    (A, ev.List, 'A003 LIST "" "#Users/Mike/%"'),
    (A, ev.List, 'A002 LIST "" "~mark/%"'),
    (A, ev.Status, "A042 STATUS blurdybloop (UIDNEXT MESSAGES)"),
    (A, ev.AppendBegins, "A003 APPEND saved-messages (\\Seen) {4}\r\nabc\n"),
    (A, ev.AppendBegins, "A003 APPEND saved-messages (\\Seen) {4+}\r\nabc\n"),
    (S, ev.Copy, "A004 COPY 2:4 meeting"),
    (S, ev.Copy, "A005 UID COPY 305:310 meeting"),
    (S, ev.Copy, "A006 COPY 2 funny"),
    (S, ev.Idle, "A002 IDLE\r\nDONE"),
    # §6.4
    (S, ev.Fetch, "A003 FETCH 4 ALL"),
    (S, ev.Close, "A341 CLOSE"),
    (S, ev.Unselect, "A342 UNSELECT"),
    (S, ev.Expunge, "A202 EXPUNGE"),
    (S, ev.Search, "A282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994"),
    (S, ev.Search, 'A283 SEARCH RETURN () FLAGGED NOT FROM "Smith"'),
    (S, ev.Search, 'A284 SEARCH TEXT "string not in mailbox"'),
    (S, ev.Search, "A285 SEARCH CHARSET UTF-8 TEXT {12}\r\nотпуск"),
    (S, ev.Search, "A284 SEARCH RETURN (MIN) UNSEEN"),
    (S, ev.Search, "A285 UID SEARCH RETURN (MIN MAX) 1:5000"),
    (S, ev.Search, "A286 SEARCH RETURN (COUNT) DELETED"),
    (S, ev.Search, "A282 SEARCH RETURN (SAVE) FLAGGED SINCE 1-Feb-1994"),
    (S, ev.Fetch, "A283 FETCH $ (UID INTERNALDATE FLAGS BODY.PEEK[HEADER])"),
    (S, ev.Search, "A301 UID SEARCH UID $ SMALLER 4096"),
    (S, ev.Search, "A301 UID SEARCH $ SMALLER 4096"),
    (
        S,
        ev.Search,
        "P283 SEARCH CHARSET UTF-8 (OR $ 1,3000:3021) TEXT {8+}\r\nмать",
    ),
    (
        S,
        ev.Search,
        "B283 SEARCH RETURN (SAVE) CHARSET KOI8-R (OR $ 1,3000:3021) TEXT {4}\r\nXXXX",
    ),
    (S, ev.Copy, 'E283 COPY $ "Other Messages"'),
    (S, ev.Search, "F282 SEARCH RETURN (SAVE) KEYWORD $Junk"),
    (S, ev.Store, "F284 STORE $ +FLAGS.Silent (\\Deleted)"),
    (S, ev.Search, "C283 SEARCH RETURN (ALL SAVE) SINCE 12-Feb-2006"),
    (S, ev.Search, 'C285 SEARCH RETURN (MAX SAVE MIN) SINCE 12-Feb-2006 NOT FROM "S"'),
    (S, ev.Search, "C286 SEARCH RETURN (MAX SAVE MIN COUNT) SINCE 12-Feb-2006"),
    (S, ev.Fetch, "A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])"),
    (S, ev.Store, "A003 STORE 2:4 +FLAGS (\\Deleted)"),
    (S, ev.Move, "a UID MOVE 42:69 foo"),
    (S, ev.UidExpunge, "A003 UID EXPUNGE 3000:3002"),
    (S, ev.Fetch, "A999 UID FETCH 4827313:4828442 FLAGS"),
    # §7.1
    (A, ev.Rename, "o356 RENAME this that"),
    (N, ev.Login, 'b LOGIN "fred" "foo"'),
    (A, ev.Create, 'l create "///////"'),
    (A, ev.Select, 'k1 select "/archive/projects/experiment-iv"'),
    (A, ev.Status, 'k2 status "/archive/projects/experiment-iv" (messages)'),
    (S, ev.Search, "h search from maria@example.com"),
    (A, ev.Delete, "m356 DELETE Notes"),
    (S, ev.Store, "m STORE 42 FLAGS f1 f2 f3 f4 f5 ... f250"),
    (S, ev.Copy, "n1 uid copy 1:* oldmail"),
    # §7.6, §8
    (N, ev.Login, "A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man"),
    (N, ev.StartTLS, "a000 starttls"),
    (
        N,
        ev.Authenticate,
        "A001 AUTHENTICATE SCRAM-SHA-256\r\n"
        "biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=",
    ),
    (A, ev.Enable, "babc ENABLE IMAP4rev2"),
    (S, ev.Fetch, "a003 fetch 12 full"),
    (S, ev.Fetch, "a004 fetch 12 body[header]"),
    (S, ev.Store, "a005 store 12 +flags \\deleted"),
    (S, ev.Logout, "a006 logout"),
]

OTHERS: list[tuple[State, type[ev.Event], str]] = [
    # RFC 3501
    (A, ev.Lsub, 'A002 LSUB "#news." "comp.mail.*"'),
    (A, ev.Lsub, 'A003 LSUB "#news." "comp.%"'),
    (S, ev.Check, "FXXZ CHECK"),
    (S, ev.Search, 'A282 SEARCH FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"'),
    (S, ev.Search, "A284 SEARCH CHARSET UTF-8 TEXT {6}\r\nXXXXXX"),
    (N, ev.Login, "a001 login mrc secret"),
    # RFC 2342 §5
    (A, ev.List, 'A002 LIST "" "Other Users/%"'),
    (A, ev.Create, 'A003 CREATE "Delete Items"'),
    # RFC 2971 §3.1
    (
        N,
        ev.Id,
        'a023 ID ("name" "sodr" "version" "19.34" "vendor" "Pink Floyd Music Limited")',
    ),
    (A, ev.Id, "a042 ID NIL"),
    # RFC 3516 §6
    (S, ev.Fetch, "A1 FETCH 2 (BINARY.PEEK[1]<0.100> BINARY.SIZE[2.1])"),
    # RFC 3691 §2
    (S, ev.Unselect, "A341 UNSELECT"),
    # RFC 4466 §2.2 and §2.6.1, with the words of RFC 6154 and RFC 4731
    (A, ev.Create, "a CREATE foo (USE (\\Trash))"),
    (S, ev.Search, "a SEARCH RETURN (MIN COUNT) ALL"),
    # RFC 5182
    (S, ev.Fetch, "A283 FETCH $ (UID INTERNALDATE FLAGS RFC822.HEADER)"),
    # RFC 5258 §5
    (A, ev.List, 'BBB LIST "" ("INBOX" "Drafts" "Sent/%")'),
    (A, ev.List, 'a1 LIST "" ("foo" "foo/*")'),
    # RFC 6154 §5
    (A, ev.List, 't1 LIST "" "%" RETURN (SPECIAL-USE)'),
    (A, ev.List, 't3 LIST (SPECIAL-USE) "" "*"'),
    (A, ev.Create, "t2 CREATE MySpecial (USE (\\Drafts \\Sent))"),
    (A, ev.Create, "t3 CREATE Everything (USE (\\All))"),
    # RFC 6855 §4
    (A, ev.AppendBegins, "a APPEND x UTF8 (~{2}\r\nhi)"),
    # RFC 7888 §3
    (N, ev.Login, 'A001 LOGIN "FRED FOOBAR" "fat man"'),
    (N, ev.Login, "A001 LOGIN {11+}\r\nFRED FOOBAR {7+}\r\nfat man"),
    # RFC 8438 §3
    (A, ev.Status, "A01 STATUS frop (MESSAGES SIZE UIDNEXT)"),
    (A, ev.List, 'A04 LIST "" % RETURN (STATUS (MESSAGES SIZE))'),
    # RFC 8474 §4 and §5
    (A, ev.List, '11 list "" "*" return (status (mailboxid))'),
    (A, ev.AppendBegins, '5 append inbox "20-Mar-2018 03:07:37 +1100" {2}\r\nhi'),
    (S, ev.Fetch, "22 fetch 1:* (emailid threadid)"),
    (S, ev.Search, "27 search emailid M6d99ac3275bb4e"),
    (S, ev.Search, "28 search threadid T64b478a75b7ea9"),
    # RFC 8514 §4
    (S, ev.Fetch, "A101 FETCH 998 (SAVEDATE)"),
    (S, ev.Search, "A102 SEARCH SAVEDON 28-Dec-2014"),
    (S, ev.Search, "A103 SEARCH SAVEDSINCE 28-Dec-2014"),
    # RFC 8970 §3
    (S, ev.Fetch, "A2 FETCH 1 (RFC822.SIZE PREVIEW)"),
    (S, ev.Fetch, "B1 FETCH 1:4 (ENVELOPE PREVIEW (LAZY))"),
    (S, ev.Fetch, "C3 FETCH $ (UID PREVIEW (LAZY))"),
]


@pytest.mark.parametrize(("state", "event", "text"), REVISION_2 + OTHERS)
def test_example_is_read(state: State, event: type[ev.Event], text: str) -> None:
    octets = text.encode() + b"\r\n"
    whole = driver(state)
    whole.feed(octets)
    assert type(whole.events[0]) is event, whole.output
    assert b" BAD " not in whole.output

    slowly = driver(state)
    for place in range(len(octets)):
        slowly.feed(octets[place : place + 1])
    told = [e for e in slowly.events if not isinstance(e, ev.AppendChunk)]
    assert told == [e for e in whole.events if not isinstance(e, ev.AppendChunk)]
    assert slowly.output == whole.output


def test_there_is_an_example_of_every_command() -> None:
    shown = {event for _, event, _ in REVISION_2 + OTHERS}
    within = {
        ev.AuthResponse,
        ev.AuthCancelled,
        ev.AppendChunk,
        ev.AppendEnds,
        ev.AppendAborted,
        ev.Done,
        ev.HangUp,
    }
    assert shown | within == set(ev.Event.__args__)
