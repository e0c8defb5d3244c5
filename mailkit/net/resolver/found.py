"""What an answer says about a question, aliases followed."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.name
from attrs import frozen
from dns.flags import Flag
from dns.rcode import Rcode
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.SOA import SOA
from dns.rrset import RRset

from mailkit.errors import Malformed
from mailkit.net.resolver.question import HEADER, Question

MOST_RECORDS = 500
"""Of an answer; to read the thousands that fit into one holds up everybody else."""
MOST_ALIASES = 10
"""CNAMEs in a row; a longer chain is taken for a loop."""


class Unhelpful(Malformed):
    """The server answered, and it is no answer: a failure, a referral, a riddle."""


@frozen(kw_only=True)
class Found:
    """What is known about a question."""

    name: dns.name.Name
    """Where aliases led to."""
    records: tuple[Rdata, ...] = ()
    exists: bool = True
    ttl: float = 0.0
    aliases: int = 0
    is_open: bool = False
    """An alias led to a name about which the answer says nothing: ask for that."""
    authentic: bool = False
    octets: int = 0
    """Size of the answers it came from."""


def parse(octets: bytes) -> dns.message.Message:
    """
    A message; records in it that are malformed are left out, and noted.

    :raises Unhelpful: if it is no message, or has more than `MOST_RECORDS`.
    """
    if (
        len(octets) >= HEADER.size
        and sum(HEADER.unpack_from(octets)[3:]) > MOST_RECORDS
    ):
        raise Unhelpful("too many records")
    try:
        return dns.message.from_wire(octets, ignore_trailing=True)
    except dns.exception.DNSException:
        pass  # The common way is the faster one; once more with patience.
    try:
        return dns.message.from_wire(
            octets, ignore_trailing=True, continue_on_error=True
        )
    except dns.exception.DNSException as error:
        raise Unhelpful(f"no DNS message: {error}") from error


def find(
    message: dns.message.Message, question: Question, aliases: int, size: int
) -> Found:
    """
    Read an answer, which is one to this question.

    :param aliases: how many were followed before.
    :raises Unhelpful: if the server does not know, or aliases go in circles.
    """
    rcode = message.rcode()
    if rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        raise Unhelpful(Rcode.to_text(rcode))
    name = question.name
    ttls: list[int] = []
    while True:
        records = _rrset(message.answer, name, question.kind)
        if records is not None:
            return Found(
                name=name,
                records=tuple(records),
                ttl=min([*ttls, records.ttl]),
                aliases=aliases,
                octets=size,
            )
        alias = None
        if question.kind != RdataType.CNAME:
            alias = _rrset(message.answer, name, RdataType.CNAME)
        if alias is None:
            break
        aliases += 1
        if aliases > MOST_ALIASES:
            raise Unhelpful("too many aliases")
        ttls.append(alias.ttl)
        name = alias[0].target.canonicalize()
    if message.errors:
        # What could not be read may have been what was asked for.
        raise Unhelpful(f"malformed records: {message.errors[0].exception}")
    return _nothing(message, name, ttls, aliases, size)


def _nothing(
    message: dns.message.Message,
    name: dns.name.Name,
    ttls: list[int],
    aliases: int,
    size: int,
) -> Found:
    exists = message.rcode() != Rcode.NXDOMAIN
    ttl = _negative_ttl(message)
    if ttl is None and exists:
        is_referral = any(
            rrset.rdtype == RdataType.NS for rrset in message.authority
        ) and not (message.flags & Flag.AA)
        if is_referral and not ttls:
            # It does not resolve for us (RFC 2308 §2.2.1 tells the two apart).
            raise Unhelpful("a referral")
        if ttls:
            return Found(
                name=name, ttl=min(ttls), aliases=aliases, is_open=True, octets=size
            )
    # Without SOA it may not be remembered (RFC 2308 §5).
    ttl = 0 if ttl is None else ttl
    return Found(
        name=name, exists=exists, ttl=min([*ttls, ttl]), aliases=aliases, octets=size
    )


def _negative_ttl(message: dns.message.Message) -> int | None:
    """How long nothing is nothing (RFC 2308 §5); ``None`` without a word on it."""
    for rrset in message.authority:
        if rrset.rdtype == RdataType.SOA and isinstance(soa := rrset[0], SOA):
            return min(rrset.ttl, soa.minimum)
    return None


def _rrset(section: list[RRset], name: dns.name.Name, kind: RdataType) -> RRset | None:
    for rrset in section:
        is_of_kind = rrset.rdtype == kind and rrset.rdclass == RdataClass.IN
        if is_of_kind and rrset.name == name:
            return rrset
    return None
