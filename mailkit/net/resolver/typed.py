"""Records as `IResolver` hands them out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import dns.exception
import dns.name
import dns.rdatatype
import dns.reversename
from attrs import frozen
from dns.rdata import Rdata
from dns.rdatatype import RdataType

from mailkit.errors import LocalMisuse
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.tlspolicy import TLSARecord
from mailkit.net.resolver.found import Found

T = TypeVar("T")
Reader = Callable[[Any], T]  # Any: dnspython's class for the kind


def host_text(name: dns.name.Name) -> str:
    """A name in lower case without its last full stop; the root is ``""``."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


def _mx(record: Any) -> MXRecord:
    return MXRecord(record.preference, host_text(record.exchange))


def _address(record: Any) -> str:
    return str(record.address)


def _txt(record: Any) -> bytes:
    return b"".join(record.strings)


def _tlsa(record: Any) -> TLSARecord:
    return TLSARecord(record.usage, record.selector, record.mtype, record.cert)


def _target(record: Any) -> str:
    return host_text(record.target)


def as_text(record: Rdata) -> str:
    """As zone files have it."""
    return record.to_text()


@frozen
class Typed:
    """A kind of record, and what is handed out for one."""

    kind: RdataType
    read: Reader[Any]


MX = Typed(RdataType.MX, _mx)
A = Typed(RdataType.A, _address)
AAAA = Typed(RdataType.AAAA, _address)
TXT = Typed(RdataType.TXT, _txt)
TLSA = Typed(RdataType.TLSA, _tlsa)
PTR = Typed(RdataType.PTR, _target)

LABELS: Mapping[RdataType, str] = {
    typed.kind: typed.kind.name.lower() for typed in (MX, A, AAAA, TXT, TLSA, PTR)
}
"""How metrics call the kinds; the rest is ``other``."""


FOREVER = 3600.0
"""Seconds for which one may believe what never changes."""
_LOOPBACK = {A: "127.0.0.1", AAAA: "::1"}


def typed_of(kind: str) -> Typed:
    """
    Any kind of record as text.

    :raises LocalMisuse: if there is no such kind, or it is no kind of record.
    """
    try:
        number = dns.rdatatype.from_text(kind)
    except (dns.exception.DNSException, ValueError) as error:
        raise LocalMisuse(f"no kind of record: {kind!r}") from error
    if dns.rdatatype.is_metatype(number):
        raise LocalMisuse(f"nobody has records of the kind {kind}")
    return Typed(number, as_text)


def parse_name(text: str) -> dns.name.Name | None:
    """The absolute name in lower case; ``None`` if it cannot be one in DNS."""
    if not text.isascii() or not text:
        return None
    try:
        return dns.name.from_text(text).canonicalize()
    except dns.exception.DNSException:
        return None


def reverse_name(address: str) -> dns.name.Name | None:
    """Where PTR records of an address are (RFC 1035 §3.5, RFC 3596 §2.5)."""
    try:
        plain = str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return None
    return dns.reversename.from_address(plain)


def answer_of(found: Found, typed: Typed, ttl: float) -> Answer[Any]:
    """:param ttl: seconds that are left."""
    return Answer(
        records=tuple([typed.read(record) for record in found.records]),
        name=host_text(found.name),
        authentic=found.authentic,
        exists=found.exists,
        ttl=ttl,
    )


def nothing(name: str) -> Answer[Any]:
    """There is no such name, and never will be."""
    return Answer(records=(), name=name.lower().rstrip("."), exists=False, ttl=FOREVER)


def special(name: dns.name.Name, typed: Typed) -> Answer[Any] | None:
    """What is known of a name without asking (RFC 6761 §6, RFC 7686 §2), if it is."""
    top = name[-2].lower() if len(name) > 1 else b""
    if top in (b"invalid", b"onion"):
        return nothing(host_text(name))
    if top == b"localhost":
        address = _LOOPBACK.get(typed)
        return Answer(
            records=() if address is None else (address,),
            name=host_text(name),
            authentic=True,
            ttl=FOREVER,
        )
    return None


def join(ipv6: Answer[str], ipv4: Answer[str]) -> Answer[str]:
    """Both families as one answer, IPv6 first."""
    return Answer(
        records=ipv6.records + ipv4.records,
        name=ipv6.name,
        authentic=ipv6.authentic and ipv4.authentic,
        exists=ipv6.exists or ipv4.exists,
        ttl=min(ipv6.ttl, ipv4.ttl),
    )
