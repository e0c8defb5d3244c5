"""The PROXY protocol, versions 1 and 2: who it was that came to the proxy.

From the specification that HAProxy publishes (proxy-protocol.txt): one header in
front of everything else, either one text line or a binary block.
"""

from __future__ import annotations

import ipaddress
from enum import Enum

from attrs import frozen

from mailkit.errors import Malformed

MAX_TEXT = 107
"""Octets of a version 1 line with its CRLF."""

MAX_BINARY = 16 + 4096
"""Octets of a version 2 header that we take; the addresses need 232."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


class Family(Enum):
    """What the addresses of a header are."""

    UNKNOWN = "unknown"  # version 1 UNKNOWN, version 2 LOCAL: believe the connection
    IP = "ip"
    UNIX = "unix"


@frozen
class ProxyHeader:
    """What a proxy says of the connection that it passes on."""

    family: Family
    host: str = ""
    port: int = 0
    local_host: str = ""
    local_port: int = 0


def read_proxy_header(octets: bytes) -> tuple[ProxyHeader, int] | None:
    """
    Read the header at the start of ``octets``.

    :returns: the header and its length in octets; ``None`` when more must come.
    :raises Malformed: if this is no header of either version, or too long a one.
    """
    if octets[:12] == _SIGNATURE[: len(octets)] and octets:
        return _read_binary(octets)
    if octets[:6] == b"PROXY "[: len(octets)]:
        return _read_text(octets)
    raise Malformed("no PROXY header")


def _read_text(octets: bytes) -> tuple[ProxyHeader, int] | None:
    end = octets.find(b"\r\n", 0, MAX_TEXT)
    if end < 0:
        if len(octets) >= MAX_TEXT:
            raise Malformed("PROXY line too long")
        return None
    words = octets[:end].split(b" ")
    if words[1:2] == [b"UNKNOWN"]:
        return ProxyHeader(Family.UNKNOWN), end + 2
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6"):
        raise Malformed("PROXY line not understood")
    version = 4 if words[1] == b"TCP4" else 6
    header = ProxyHeader(
        Family.IP,
        _address(words[2], version),
        _port(words[4]),
        _address(words[3], version),
        _port(words[5]),
    )
    return header, end + 2


def _address(word: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        raise Malformed("PROXY line has no address where one belongs") from None
    if b"%" in word:  # RFC 4007 §11; means nothing here, and may be any text
        raise Malformed("PROXY line has an address with a zone")
    if address.version != version:
        raise Malformed("PROXY line has an address of the other family")
    return str(address)


def _port(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5 or int(word) > 65535:
        raise Malformed("PROXY line has no port where one belongs")
    return int(word)


def _read_binary(octets: bytes) -> tuple[ProxyHeader, int] | None:
    if len(octets) < 16:
        return None
    version, command = octets[12] >> 4, octets[12] & 15
    family, length = octets[13] >> 4, int.from_bytes(octets[14:16], "big")
    if version != 2 or command > 1 or 16 + length > MAX_BINARY:
        raise Malformed("PROXY header not understood")
    if len(octets) < 16 + length:
        return None
    body = octets[16 : 16 + length]
    return _addresses(command, family, body), 16 + length


def _addresses(command: int, family: int, body: bytes) -> ProxyHeader:
    if command == 0 or family == 0:  # LOCAL, AF_UNSPEC
        return ProxyHeader(Family.UNKNOWN)
    if family == 3:
        return ProxyHeader(Family.UNIX)
    width = {1: 4, 2: 16}.get(family)
    if width is None or len(body) < 2 * width + 4:
        raise Malformed("PROXY header without its addresses")
    return ProxyHeader(
        Family.IP,
        str(ipaddress.ip_address(body[:width])),
        int.from_bytes(body[2 * width : 2 * width + 2], "big"),
        str(ipaddress.ip_address(body[width : 2 * width])),
        int.from_bytes(body[2 * width + 2 : 2 * width + 4], "big"),
    )
