"""Whole zones for the other name servers (AXFR, RFC 5936)."""

from __future__ import annotations

from collections.abc import Iterator

import dns.message
import dns.rrset
from dns.flags import Flag
from dns.message import Message
from dns.rrset import RRset

from mailkit.net.nameserver.zone import Zone

FULL = 16384
"""Octets after which a message is closed; compression reaches no further."""
LARGEST = 65535


def transfer(query: Message, zone: Zone) -> Iterator[bytes]:
    """The messages that carry a zone, the question in the first (RFC 5936 §2.2)."""
    is_first = True
    part: list[RRset] = []
    size = 0
    for whole in zone.everything():
        for rrset in _pieces(whole):
            added = _size(rrset)
            if part and size + added > FULL:
                yield _message(query, part, is_first)
                is_first, part, size = False, [], 0
            part.append(rrset)
            size += added
    if part:
        yield _message(query, part, is_first)


def _pieces(rrset: RRset) -> Iterator[RRset]:
    """A set that fills messages by itself, record by record: they are sets nowhere."""
    if len(rrset) == 1 or _size(rrset) <= FULL:
        yield rrset
        return
    for record in rrset:
        yield dns.rrset.from_rdata(rrset.name, rrset.ttl, record)


def _size(rrset: RRset) -> int:
    """About what it takes on the wire; never less."""
    owner = len(rrset.name.to_wire() or b"")
    return sum(owner + 10 + len(record.to_wire() or b"") for record in rrset)


def _message(query: Message, part: list[RRset], is_first: bool) -> bytes:
    response = dns.message.make_response(query)
    response.flags |= Flag.AA
    if not is_first:
        response.question.clear()
    response.answer = part
    return response.to_wire(max_size=LARGEST)
