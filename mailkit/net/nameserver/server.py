"""From the octets of a question to those of its answer."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from enum import Enum

import dns.exception
import dns.flags
import dns.message
import dns.opcode
from attrs import define, field
from dns.flags import Flag
from dns.message import Message
from dns.rcode import Rcode
from dns.rdatatype import RdataType

from mailkit.errors import Unavailable
from mailkit.metrics import Metrics
from mailkit.net.door import LOOPBACK, is_within
from mailkit.net.nameserver.authority import Authority, NotOurs, is_for_us
from mailkit.net.nameserver.book import Book
from mailkit.net.nameserver.rate import RateLimit, Verdict
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.net.nameserver.transfer import LARGEST, transfer
from mailkit.net.nameserver.zone import Zone
from mailkit.net.resolver.forwarding import end_of_question

Forward = Callable[[bytes], Awaitable[bytes]]
"""Asks somebody else. :raises Unavailable:"""

LONGEST_QUESTION = 4096
"""Octets of a question with all that goes with it; to read 65535 takes too long."""
MOST_BESIDE = 4
"""Records that a question brings along: OPT, a signature, the SOA of an IXFR."""
MOST_REMEMBERED = 4096
"""Answers that are kept ready."""
LONGEST_REMEMBERED = 4096
"""Octets of a question and its answer, if that is to be kept ready."""
PLAIN_SIZE = 512
"""Octets of an answer to somebody without EDNS (RFC 1035 §2.3.4)."""

_OPCODE = 0x78  # of the third octet of a message; 0: a question
_TRANSFERS = (RdataType.AXFR, RdataType.IXFR)


class Way(Enum):
    """How a question came."""

    UDP = "udp"
    TCP = "tcp"


@define(eq=False)
class NameServer:
    """
    Answers with authority, and refuses what is not ours.

    :param forward: for questions of this machine about the names of others.
    :param metrics: counts answers by rcode.
    """

    book: Book
    limit: RateLimit
    settings: NameServerSettings = field(factory=NameServerSettings)
    forward: Forward | None = None
    metrics: Metrics | None = None
    _authority: Authority = field(init=False)
    _remembered: OrderedDict[tuple[Way, bytes], bytes] = field(
        factory=OrderedDict, init=False
    )
    """Answers without their ids, by questions without theirs."""
    _as_of: int = field(default=-1, init=False)

    def __attrs_post_init__(self) -> None:
        self._authority = Authority(self.book)

    async def answer(self, octets: bytes, host: str, way: Way) -> list[bytes]:
        """
        What to send: one message, several for a zone, none to what is no question.

        :param host: the asker's IP address.
        """
        if len(octets) < 12 or octets[2] & 0x80:
            return []  # too short to be answered, or an answer itself
        answers = await self._answers(octets, host, way)
        if way is Way.TCP or not answers:
            self._count(way, answers)
            return answers
        verdict = self.limit.judge(host, _sort(answers[0]))
        if verdict is Verdict.DROP:
            self._count(way, [], "dropped")
            return []
        if verdict is Verdict.SLIP:
            self._count(way, [], "slipped")
            return [_slip(answers[0])]
        self._count(way, answers)
        return answers

    async def _answers(self, octets: bytes, host: str, way: Way) -> list[bytes]:
        if self._as_of != self.book.changes:
            self._remembered.clear()
            self._as_of = self.book.changes
        remembered = self._remembered.get((way, octets[2:]))
        if remembered is not None:
            self._remembered.move_to_end((way, octets[2:]))
            return [octets[:2] + remembered]
        if octets[2] & _OPCODE:
            return [_bare(octets, Rcode.NOTIMP)]
        query = _parse(octets)
        if query is None:
            return [_bare(octets, Rcode.FORMERR)]
        [question] = query.question
        if question.rdtype in _TRANSFERS and is_for_us(query):
            return await self._transfer(query, host, way)
        answer = await self._one(query, octets, host, way)
        return [answer]

    async def _one(self, query: Message, octets: bytes, host: str, way: Way) -> bytes:
        response = self._begin(query)
        if query.edns > 0:
            response.set_rcode(Rcode.BADVERS)  # RFC 6891 §6.1.3
            return self._wire(query, response, way)
        if not is_for_us(query):
            response.set_rcode(Rcode.REFUSED)
            return self._wire(query, response, way)
        as_of = self.book.changes
        try:
            await self._authority.respond(query, response)
        except NotOurs:
            return await self._elsewhere(query, response, octets, host, way)
        wire = self._wire(query, response, way)
        if as_of == self.book.changes and response.rcode() != Rcode.SERVFAIL:
            self._remember(way, octets, wire)
        return wire

    def _begin(self, query: Message) -> Message:
        response = dns.message.make_response(query)
        if query.edns >= 0:
            ednsflags = query.ednsflags & dns.flags.DO
            response.use_edns(0, ednsflags, self.settings.udp_size)
        return response

    async def _elsewhere(
        self, query: Message, response: Message, octets: bytes, host: str, way: Way
    ) -> bytes:
        """A name of others: for this machine it is asked, if that is wanted."""
        if self.forward is None or not is_within(host, LOOPBACK):
            response.set_rcode(Rcode.REFUSED)
            return self._wire(query, response, way)
        response.flags |= Flag.RA
        if not query.flags & Flag.RD:
            response.set_rcode(Rcode.REFUSED)
            return self._wire(query, response, way)
        try:
            answer = await self.forward(octets)
        except Unavailable:
            response.set_rcode(Rcode.SERVFAIL)
            return self._wire(query, response, way)
        if way is Way.UDP and len(answer) > self._size(query):
            response.flags |= Flag.TC
            return self._wire(query, response, way)
        return answer

    async def _transfer(self, query: Message, host: str, way: Way) -> list[bytes]:
        """
        AXFR, and IXFR as if it were (RFC 1995 §4).

        By UDP the SOA says whether it is worth to come by TCP (RFC 1995 §2).
        """
        response = self._begin(query)
        [question] = query.question
        is_allowed = is_within(host, self.settings.transfer)
        is_short = way is Way.UDP
        if not is_allowed or (is_short and question.rdtype == RdataType.AXFR):
            response.set_rcode(Rcode.REFUSED)
            return [self._wire(query, response, way)]
        zone = await self._zone_of(query)
        if zone is None:
            response.set_rcode(Rcode.NOTAUTH)  # RFC 5936 §2.2.1
            return [self._wire(query, response, way)]
        if is_short:
            response.flags |= Flag.AA
            response.answer = [zone.apex.rrsets[RdataType.SOA]]
            return [self._wire(query, response, way)]
        return list(transfer(query, zone))

    async def _zone_of(self, query: Message) -> Zone | None:
        return await self.book.zone(query.question[0].name.canonicalize())

    def _wire(self, query: Message, response: Message, way: Way) -> bytes:
        size = LARGEST if way is Way.TCP else self._size(query)
        return response.to_wire(max_size=size, prefer_truncation=True)

    def _size(self, query: Message) -> int:
        """Octets of an answer by UDP (RFC 6891 §6.2.5)."""
        if query.edns < 0:
            return PLAIN_SIZE
        return max(min(query.payload, self.settings.udp_size), PLAIN_SIZE)

    def _remember(self, way: Way, octets: bytes, wire: bytes) -> None:
        if len(octets) + len(wire) > LONGEST_REMEMBERED:
            return
        self._remembered[way, octets[2:]] = wire[2:]
        if len(self._remembered) > MOST_REMEMBERED:
            self._remembered.popitem(last=False)

    def _count(self, way: Way, answers: list[bytes], outcome: str = "dropped") -> None:
        if self.metrics is None:
            return
        if answers:
            code = Rcode(answers[0][3] & 15)
            outcome = Rcode.to_text(code).lower()
        self.metrics.named(way.value, outcome)


def _parse(octets: bytes) -> Message | None:
    """One question, and little beside it; ``None``: it is not that."""
    questions, *beside = struct.unpack_from("!4H", octets, 4)
    # RFC 9619 §4 on their number.
    if questions != 1 or sum(beside) > MOST_BESIDE or len(octets) > LONGEST_QUESTION:
        return None
    try:
        query = dns.message.from_wire(octets, ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    # There is no name before it that a pointer could stand for (RFC 1035 §4.1.4).
    name = query.question[0].name.to_wire() or b""
    return query if octets.startswith(name, 12) else None


def _bare(octets: bytes, rcode: Rcode) -> bytes:
    """An answer to what cannot be read further than its head."""
    opcode_and_rd = octets[2] & 0x79
    return octets[:2] + bytes([0x80 | opcode_and_rd, rcode]) + bytes(8)


def _slip(answer: bytes) -> bytes:
    """An answer without its records, and with TC."""
    flags = bytes([answer[2] | 0x02, answer[3]])
    question = answer[12 : _end_of_question(answer)]
    return answer[:2] + flags + answer[4:6] + bytes(6) + question


def _sort(answer: bytes) -> bytes:
    """
    What makes answers equal: rcode, and for those that are about something the name.

    Failures of one network count together, whatever was asked.
    """
    rcode = answer[3] & 15
    if rcode:
        return bytes([rcode])
    return answer[3:4] + answer[12 : _end_of_question(answer)].lower()


def _end_of_question(answer: bytes) -> int:
    """Where it ends, in one of our own answers."""
    return 12 if answer[4:6] == b"\0\0" else end_of_question(answer)
