"""Answers of an authoritative server: one message for one question."""

from __future__ import annotations

from collections.abc import Iterable

import dns.flags
import dns.message
import dns.rdataclass
import dns.rrset
from attrs import define
from dns.flags import Flag
from dns.message import Message
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from mailkit.net.nameserver.book import Book
from mailkit.net.nameserver.zone import Hit, Kind, Name, Zone

MOST_ALIASES = 8
"""Aliases that are followed from zone to zone of ours in one answer."""

_PROOFS = frozenset({RdataType.RRSIG, RdataType.NSEC, RdataType.DS})
_TARGETS = {
    RdataType.MX: "exchange",
    RdataType.NS: "target",
    RdataType.SRV: "target",
}
"""Kinds whose hosts' addresses are worth sending along."""
_HINFO = ("HINFO", f'"RFC{8482}" ""')
_HINFO_TTL = 3600


class NotOurs(Exception):
    """The question is about a name in none of our zones."""


@define(eq=False)
class Authority:
    """Says what the zones of a book say."""

    _book: Book

    async def respond(self, query: Message, response: Message) -> None:
        """
        Fill in the answer to a query for records of class IN.

        :raises NotOurs:
        """
        has_proofs = bool(query.ednsflags & dns.flags.DO)
        await self._follow(query.question[0], response, has_proofs)
        self._strip(response, query.question[0].rdtype, has_proofs)

    async def _follow(
        self, question: RRset, response: Message, has_proofs: bool
    ) -> None:
        """Answer from zone to zone, as aliases lead; each is followed once."""
        name, kind = question.name, question.rdtype
        seen: set[Name] = set()
        for number in range(MOST_ALIASES):
            above = kind == RdataType.DS
            origin = self._book.origin_of(name.canonicalize(), above=above)
            if origin is None:
                if number:
                    return  # an alias led out of our zones: the asker goes on
                raise NotOurs(str(name))
            zone = await self._book.zone(origin)
            if zone is None:
                response.set_rcode(Rcode.SERVFAIL)
                return
            hit = zone.find(name, kind)
            if kind == RdataType.ANY and hit.kind is Kind.ANSWER:
                hit = self._minimal(zone, name, has_proofs=has_proofs)
            self._write(response, zone, hit, question, is_first=not number)
            seen.add(name.canonicalize())
            if hit.kind is not Kind.ALIAS or hit.target is None:
                return
            name = hit.target
            if name.canonicalize() in seen:
                return  # they lead in a circle: the asker sees that

    def _write(
        self,
        response: Message,
        zone: Zone,
        hit: Hit,
        question: RRset,
        *,
        is_first: bool,
    ) -> None:
        if is_first and hit.kind is not Kind.DELEGATION:
            response.flags |= Flag.AA
        if hit.kind is Kind.NO_NAME:
            response.set_rcode(Rcode.NXDOMAIN)  # of the last alias: RFC 6604 §2.1
        if hit.kind is Kind.TOO_LONG:
            response.set_rcode(Rcode.YXDOMAIN)
        response.answer.extend(hit.answer)
        there = {(one.name, one.rdtype, one.covers) for one in response.authority}
        for rrset in hit.authority:
            if (rrset.name, rrset.rdtype, rrset.covers) not in there:
                response.authority.append(rrset)
        shown = hit.authority if hit.kind is Kind.DELEGATION else hit.answer
        self._add_addresses(response, zone, shown)

    def _add_addresses(
        self, response: Message, zone: Zone, shown: Iterable[RRset]
    ) -> None:
        for rrset in shown:
            field = _TARGETS.get(rrset.rdtype)
            if field is None:
                continue
            for record in rrset:
                for found in zone.addresses(getattr(record, field)):
                    if found not in response.additional:
                        response.additional.append(found)

    def _minimal(self, zone: Zone, name: Name, *, has_proofs: bool) -> Hit:
        """
        One made-up HINFO for ANY (RFC 8482 §4.2).

        Where it would have to be signed and cannot, the records of one kind (§4.1).
        """
        hinfo = dns.rrset.from_text(name, _HINFO_TTL, "IN", *_HINFO)
        if not (zone.is_signed and has_proofs):
            return Hit(kind=Kind.ANSWER, answer=(hinfo,))
        if zone.signer is not None:
            return Hit(kind=Kind.ANSWER, answer=(hinfo, zone.signer(hinfo)))
        return zone.find(name, zone.first_kind(name))

    def _strip(self, response: Message, kind: RdataType, has_proofs: bool) -> None:
        """Without DO there is nothing of DNSSEC but what was asked for."""
        if has_proofs:
            return
        for section in (response.answer, response.authority, response.additional):
            section[:] = [
                one
                for one in section
                if one.rdtype not in _PROOFS or one.rdtype == kind
            ]


def is_for_us(query: Message) -> bool:
    """Whether it asks for records of the internet."""
    return query.question[0].rdclass == RdataClass.IN
