"""PROXY headers of both versions: tables, pieces and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.protocols.proxyheader import (
    MAX_BINARY,
    Family,
    ProxyHeader,
    read_proxy_header,
)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
IPV4 = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + b"\x04\xd2\x00\x19"
IPV6 = bytes.fromhex("20010db8" + "00" * 11 + "01") * 2 + b"\x04\xd2\x00\x19"

GOOD = [
    (
        b"PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n",
        ProxyHeader(Family.IP, "192.0.2.1", 1234, "198.51.100.2", 25),
    ),
    (
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1234 25\r\n",
        ProxyHeader(Family.IP, "2001:db8::1", 1234, "2001:db8::2", 25),
    ),
    (b"PROXY UNKNOWN\r\n", ProxyHeader(Family.UNKNOWN)),
    (b"PROXY UNKNOWN ff::1 ff::2 1 2\r\n", ProxyHeader(Family.UNKNOWN)),
    (SIGNATURE + b"\x20\x00\x00\x00", ProxyHeader(Family.UNKNOWN)),
    (SIGNATURE + b"\x21\x00\x00\x00", ProxyHeader(Family.UNKNOWN)),
    (
        SIGNATURE + b"\x21\x11\x00\x0c" + IPV4,
        ProxyHeader(Family.IP, "192.0.2.1", 1234, "198.51.100.2", 25),
    ),
    (
        SIGNATURE + b"\x21\x21\x00\x27" + IPV6 + b"\x04\x00\x00",  # a TLV follows
        ProxyHeader(Family.IP, "2001:db8::1", 1234, "2001:db8::1", 25),
    ),
    (SIGNATURE + b"\x21\x31\x00\x02ab", ProxyHeader(Family.UNIX)),
]

BAD = [
    b"EHLO client\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 1234\r\n",
    b"PROXY TCP5 192.0.2.1 198.51.100.2 1234 25\r\n",
    b"PROXY TCP4 192.0.2.1 2001:db8::1 1234 25\r\n",
    b"PROXY TCP4 192.0.2.1 nonsense 1234 25\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n",
    b"PROXY TCP6 fe80::1%\x1b 2001:db8::2 1234 25\r\n",
    b"PROXY " + b"x" * 120,
    SIGNATURE + b"\x11\x11\x00\x0c" + IPV4,
    SIGNATURE + b"\x22\x11\x00\x0c" + IPV4,
    SIGNATURE + b"\x21\x11\xff\xff" + IPV4,
    SIGNATURE + b"\x21\x11\x00\x04abcd",
    SIGNATURE + b"\x21\x41\x00\x04abcd",
]


@pytest.mark.parametrize(("octets", "header"), GOOD)
def test_good(octets: bytes, header: ProxyHeader) -> None:
    """The header is read, and what follows it is left alone."""
    assert read_proxy_header(octets + b"rest") == (header, len(octets))


@pytest.mark.parametrize(("octets", "header"), GOOD)
def test_pieces(octets: bytes, header: ProxyHeader) -> None:
    """Every prefix waits for more."""
    for length in range(1, len(octets)):
        assert read_proxy_header(octets[:length]) is None
    assert read_proxy_header(b"") is None


@pytest.mark.parametrize("octets", BAD)
def test_bad(octets: bytes) -> None:
    """What is no header is said to be none."""
    with pytest.raises(Malformed):
        read_proxy_header(octets)


@given(st.sampled_from([b"", SIGNATURE, b"PROXY "]), st.binary(max_size=300))
def test_garbage(start: bytes, rest: bytes) -> None:
    """Anything at all is a header, too short, or `Malformed`."""
    try:
        found = read_proxy_header(start + rest)
    except Malformed:
        return
    assert found is None or found[1] <= MAX_BINARY
