"""Whatever a client says: all of it is answered, nothing breaks, nothing differs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.protocols.smtp.server import State
from tests.services.smtp.test_session import Client
from tests.services.smtp.world import ALICE, BOB, World

WORDS = [
    b"EHLO a\r\n",
    b"LHLO a\r\n",
    b"MAIL FROM:<dave@example.net>\r\n",
    b"MAIL FROM:<>",
    b" SIZE=9999",
    b"\r\n",
    b"RCPT TO:<alice@example.org>\r\n",
    b"RCPT TO:<bob@example.org>\r\n",
    b"RCPT TO:<sales@example.org>\r\n",
    b"RCPT TO:<nobody@example.org>\r\n",
    b"DATA\r\n",
    b".\r\n",
    b"From: a@b\r\n",
    b"Delivered-To: sales@example.org\r\n",
    b"BDAT 11\r\n",
    b"BDAT 11 LAST\r\n",
    b"BDAT 0 LAST\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"x",
    b".",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"AUTH PLAIN\r\n",
    b"*\r\n",
    b"AUTH PLAIN AGJvYkBleGFtcGxlLm9yZwBidWlsZGVy\r\n",
    b"VRFY a\r\n",
    b"HELP\r\n",
    b"MAIL FROM:<alice@example.org>\r\n",
    b"From: bob@example.org\r\n",
]
HEAD = b"EHLO a\r\nLHLO a\r\n"


@pytest.mark.parametrize("service", ["smtp", "submission", "lmtp"])
@given(words=st.lists(st.sampled_from(WORDS), max_size=30))
def test_anything(service: str, words: list[bytes]) -> None:
    octets = HEAD + b"".join(words)
    one, other = Client(World(), service), Client(World(), service)
    whole = one.say(octets)
    single = other.say(*(octets[i : i + 1] for i in range(len(octets))))
    assert whole == single
    for line in whole:
        assert re.match(r"[2345]\d\d[ -]", line), line
        assert "internal error" not in line
    for account in (ALICE, BOB):
        assert one.world.mailbox(account) == other.world.mailbox(account)
    for client in (one, other):
        idle = client.session.is_idle or client.session.is_over
        open_files = [f for f in client.world.spool.files if not f.is_discarded]
        assert len(open_files) == (0 if idle else 1) or (
            client.session.machine.state is State.AUTH
        )
        client.wire.leave()
        assert all(file.is_discarded for file in client.world.spool.files)
