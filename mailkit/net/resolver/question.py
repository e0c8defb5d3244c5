"""Questions as they are sent, and how an answer is known to be theirs."""

from __future__ import annotations

import random
import struct

import dns.name
from attrs import frozen
from dns.rdatatype import RdataType

HEADER = struct.Struct("!HHHHHH")
UDP_SIZE = 1232
"""Octets that a datagram may have without being cut on its way (RFC 9715 §3.1)."""

_KIND_AND_CLASS = struct.Struct("!HH")
_OPT = struct.Struct("!BHHIH")
_RESPONSE, _RECURSION, _AUTHENTIC = 0x8000, 0x0100, 0x0020
_DNSSEC_OK = 0x8000
_OPT_TYPE = 41
_IN = 1
_ANSWERS = (0, 3)  # NOERROR, NXDOMAIN


@frozen
class Question:
    """What is asked: a name in lower case, and a kind of record."""

    name: dns.name.Name
    kind: RdataType


@frozen
class Sent:
    """One question on its way to one server."""

    id: int
    question: bytes
    """Name, type and class, as they have to come back (RFC 5452 §9.1)."""
    octets: bytes

    def is_answered_by(self, octets: bytes) -> bool:
        """Whether it has our id, is an answer, and repeats our question exactly."""
        return self._has_our_id(octets) and octets.startswith(self.question, 12)

    def is_answered_loosely_by(self, octets: bytes) -> bool:
        """The same, where the server may have changed upper and lower case."""
        echo = octets[12 : 12 + len(self.question)]
        return self._has_our_id(octets) and echo.lower() == self.question.lower()

    def in_lower_case(self, octets: bytes) -> bytes:
        """
        An answer with the question in lower case.

        Names in its records point there, and would come out in mixed case.
        """
        end = 12 + len(self.question)
        if len(octets) < end or octets[4:6] != b"\0\1":
            return octets
        name = octets[12 : end - 4].lower()
        return b"".join((octets[:12], name, octets[end - 4 :]))

    def is_refused_by(self, octets: bytes) -> bool:
        """
        An answer without a question: nothing but a failure.

        Servers that cannot read what they are asked answer like that.
        """
        is_failure = self._has_our_id(octets) and octets[3] & 15 not in _ANSWERS
        return is_failure and octets[4:12] == bytes(8)

    def _has_our_id(self, octets: bytes) -> bool:
        if len(octets) < HEADER.size:
            return False
        id, flags = HEADER.unpack_from(octets)[:2]
        return id == self.id and bool(flags & _RESPONSE)


def compose(
    question: Question,
    id: int,
    mixes: random.Random | None,
    *,
    has_edns: bool,
    wants_proof: bool,
) -> Sent:
    """
    The octets of a question.

    :param mixes: who throws the dice for upper and lower case, if anybody does: so
        much more that a forger has to guess (the "0x20" bit).
    :param wants_proof: set DO (RFC 3225 §3) and AD (RFC 6840 §5.7).
    """
    name = question.name.to_wire()
    assert name is not None
    if mixes is not None:
        name = mix(name, mixes)
    asked = name + _KIND_AND_CLASS.pack(question.kind, _IN)
    flags = _RECURSION | (_AUTHENTIC if wants_proof else 0)
    head = HEADER.pack(id, flags, 1, 0, 0, 1 if has_edns else 0)
    tail = b""
    if has_edns:
        tail = _OPT.pack(0, _OPT_TYPE, UDP_SIZE, _DNSSEC_OK if wants_proof else 0, 0)
    return Sent(id, asked, head + asked + tail)


def mix(name: bytes, dice: random.Random) -> bytes:
    """A name on the wire with the case of its letters thrown."""
    bits = dice.getrandbits(len(name))
    mixed = bytearray(name)
    # Lengths of labels are below 64, so no letter.
    for place, octet in enumerate(name):
        if bits >> place & 1 and 0x61 <= octet <= 0x7A:
            mixed[place] = octet - 0x20
    return bytes(mixed)
