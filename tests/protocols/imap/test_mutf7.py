"""Modified UTF-7 (RFC 3501 §5.1.3)."""

from __future__ import annotations

import pytest

from mailkit.errors import Malformed
from mailkit.protocols.imap import mutf7

NAMES = [
    ("", b""),
    ("INBOX", b"INBOX"),
    ("a&b", b"a&-b"),
    ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("Entwürfe", b"Entw&APw-rfe"),
    ("Отправленные", b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"),
    ("😀", b"&2D3eAA-"),
    ("ü&", b"&APw-&-"),
    ("\t", b"&AAk-"),
]


@pytest.mark.parametrize(("name", "octets"), NAMES)
def test_both_ways(name: str, octets: bytes) -> None:
    assert mutf7.encode(name) == octets
    assert mutf7.decode(octets) == name


@pytest.mark.parametrize(
    "octets",
    [
        b"&",  # no end
        b"&APw",
        b"&Jjo!",  # RFC 3501's own example of what is not permitted
        b"&U,BTFw-&ZeVnLIqe-",  # a superfluous shift, likewise
        b"&AGE-",  # "a" could be written as itself
        b"&A-",
        b"&APx-",  # bits that are not 0 behind the last character
        b"&2D0-",  # half a surrogate pair
        b"&A/-",
        b"\xc3\xbc",
        b"\xff",
    ],
)
def test_other_spellings_are_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        mutf7.decode(octets)
