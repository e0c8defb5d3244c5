"""Makes a zone of records: what is missing is added, then it is signed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import sha256

import dns.exception
import dns.name
import dns.rdata
import dns.rrset
import dns.tokenizer
import dns.zone
import dns.zonefile
from attrs import frozen
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

from mailkit.errors import BadZone
from mailkit.model.dnsrecord import DNSRecord
from mailkit.net.nameserver.signing import ZoneKey, nsec, sign_again
from mailkit.net.nameserver.zone import Name, Node, Zone

TTL = 3600
NEGATIVE_TTL = 300
REFRESH, RETRY, EXPIRE = 3600, 900, 14 * 86400
MOST_GENERATED = 65536
"""Records for which one line of ``$GENERATE`` may stand: it could say any number."""

_LONGEST_SHOWN = 80
_PLACE = re.compile(r"\Aline:\d+: ")
_BESIDE_CNAME = frozenset({RdataType.CNAME, RdataType.NSEC, RdataType.RRSIG})
_OF_NSEC3 = frozenset({RdataType.NSEC3, RdataType.NSEC3PARAM})


@frozen(kw_only=True)
class Recipe:
    """What every zone has."""

    names: tuple[Name, ...]
    """Its servers, the primary first; unless it names others itself."""
    contact: str = "hostmaster"
    """Whom to write to: a local part of the zone."""


class _Words(dns.tokenizer.Tokenizer):
    """Knows where the record began that is being read."""

    begun = 1
    """The line."""
    records = 0
    """How many records it stood for up to now."""

    def get(
        self, want_leading: bool = False, want_comment: bool = False
    ) -> dns.tokenizer.Token:
        if want_leading:  # asked for at the beginning of each
            self.begun, self.records = self.line_number, 0
        return super().get(want_leading, want_comment)


class _Reader(dns.zonefile.Reader):
    """Minds records that are outside of the zone: dnspython passes them over."""

    @property
    def last_name(self) -> Name | None:
        """Whose record was begun last."""
        return self._last_name

    @last_name.setter
    def last_name(self, name: Name | None) -> None:
        origin = self.zone_origin
        if name and origin and not name.is_subdomain(origin):
            raise dns.exception.SyntaxError(f"{name} is outside of the zone")
        self._last_name = name


def read_zone_file(text: str, origin: Name) -> list[RRset]:
    """
    The records of a zone file (RFC 1035 §5).

    :raises BadZone: with the line that is wrong.
    """
    zone = dns.zone.Zone(origin, relativize=False)
    words = _Words(text, "line")

    def count(*_: object) -> None:
        words.records += 1
        if words.records > MOST_GENERATED:
            raise ValueError(f"that stands for more than {MOST_GENERATED} records")

    try:
        with zone.writer(True) as change:
            change.check_put_rdataset(count)
            reader = _Reader(words, RdataClass.IN, change)
            reader.default_ttl, reader.default_ttl_known = TTL, True
            reader.read()
    except (dns.exception.DNSException, ValueError) as error:
        shown = text.split("\n")[words.begun - 1].strip()[:_LONGEST_SHOWN]
        why = _PLACE.sub("", str(error)).rstrip(".")
        raise BadZone(f"line {words.begun}: {why}: {shown}") from error
    return [
        dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
        for name, node in zone.items()
        for rdataset in node.rdatasets
        if len(rdataset)
    ]


def read_records(records: Iterable[DNSRecord]) -> list[RRset]:
    """
    Records of `IZones`.

    :raises BadZone: with the one that is wrong.
    """
    sets: dict[tuple[Name, RdataType], RRset] = {}
    for record in records:
        try:
            name = dns.name.from_text(record.name)
            one = dns.rrset.from_text(name, record.ttl, "IN", record.kind, record.value)
        except (dns.exception.DNSException, ValueError) as error:
            raise BadZone(f"{record.name} {record.kind}: {error}") from error
        there = sets.setdefault((name, one.rdtype), one)
        if there is not one:
            there.update(one)
    return list(sets.values())


def merge(first: Sequence[RRset], then: Sequence[RRset]) -> list[RRset]:
    """Both; of a name and kind, and where there is an alias, ``first`` alone."""
    kinds: dict[Name, set[RdataType]] = {}
    for rrset in first:
        kinds.setdefault(rrset.name, set()).add(rrset.rdtype)
    merged = list(first)
    for rrset in then:
        there = kinds.get(rrset.name, set())
        is_alias = RdataType.CNAME in there or (
            there and rrset.rdtype == RdataType.CNAME
        )
        if rrset.rdtype not in there and not is_alias:
            merged.append(rrset)
    return merged


def is_signed(rrsets: Iterable[RRset], origin: Name) -> bool:
    """Whether somebody else has signed them already."""
    return any(
        rrset.rdtype == RdataType.RRSIG and rrset.name == origin for rrset in rrsets
    )


def digest_of(rrsets: Iterable[RRset]) -> str:
    """What is the same as long as the records are, in any order."""
    lines = sorted(line for rrset in rrsets for line in rrset.to_text().split("\n"))
    return sha256("\n".join(lines).encode()).hexdigest()


def serial_in(rrsets: Iterable[RRset], origin: Name) -> int | None:
    """That of the SOA among them, if there is one."""
    for rrset in rrsets:
        if rrset.rdtype == RdataType.SOA and rrset.name == origin:
            serial: int = rrset[0].serial
            return serial
    return None


def complete(
    rrsets: Sequence[RRset], origin: Name, recipe: Recipe, serial: int
) -> list[RRset]:
    """With SOA and NS, and the serial in SOA."""
    done = [one for one in rrsets if (one.name, one.rdtype) != (origin, RdataType.SOA)]
    given = [one for one in rrsets if (one.name, one.rdtype) == (origin, RdataType.SOA)]
    if given:
        soa = given[0][0].replace(serial=serial)
        ttl = given[0].ttl
    else:
        text = (
            f"{recipe.names[0]} {recipe.contact}.{origin} "
            f"{serial} {REFRESH} {RETRY} {EXPIRE} {NEGATIVE_TTL}"
        )
        soa = dns.rdata.from_text(RdataClass.IN, RdataType.SOA, text)
        ttl = TTL
    done.insert(0, dns.rrset.from_rdata(origin, ttl, soa))
    if not any(one.rdtype == RdataType.NS and one.name == origin for one in done):
        names = [name.to_text() for name in recipe.names]
        done.insert(1, dns.rrset.from_text_list(origin, TTL, "IN", "NS", names))
    return done


def make_zone(
    rrsets: Sequence[RRset], origin: Name, key: ZoneKey | None, now: float
) -> Zone:
    """
    A zone of records that are complete.

    :param key: ``None``: it is not signed, or was by somebody else.
    :raises BadZone: if records contradict each other.
    """
    nodes: dict[Name, Node] = {}
    for rrset in rrsets:
        name = rrset.name.canonicalize()
        if not name.is_subdomain(origin):
            raise BadZone(f"{rrset.name} is not in {origin}")
        if rrset.rdtype in _OF_NSEC3:
            raise BadZone("zones with NSEC3 cannot be served: sign with NSEC")
        node = nodes.setdefault(name, Node())
        if rrset.rdtype == RdataType.RRSIG:
            _add_signatures(node, rrset)
        else:
            node.rrsets[rrset.rdtype] = rrset
    _check(nodes, origin)
    soa = nodes[origin].rrsets[RdataType.SOA][0]
    was_signed = bool(nodes[origin].signatures)
    if key is not None:
        nodes[origin].rrsets[RdataType.DNSKEY] = key.record(TTL)
        _sign(nodes, origin, key, now)
    secure = sorted(
        name for name, node in nodes.items() if RdataType.NSEC in node.rrsets
    )
    _add_empty(nodes, origin)
    return Zone(
        origin=origin,
        nodes=nodes,
        serial=soa.serial,
        is_signed=was_signed or key is not None,
        sign_again=float("inf") if key is None else sign_again(now),
        signer=None if key is None else partial(key.sign, now=now),
        secure=secure,
    )


def _check(nodes: dict[Name, Node], origin: Name) -> None:
    if RdataType.SOA not in nodes[origin].rrsets:
        raise BadZone("no SOA")
    for name, node in nodes.items():
        if RdataType.CNAME not in node.rrsets:
            continue
        if set(node.rrsets) - _BESIDE_CNAME or len(node.rrsets[RdataType.CNAME]) > 1:
            raise BadZone(f"{name} is an alias and has other records (RFC 1034 §3.6.2)")


def _add_signatures(node: Node, rrset: RRset) -> None:
    for record in rrset:
        there = node.signatures.get(record.type_covered)
        if there is None:
            node.signatures[record.type_covered] = dns.rrset.from_rdata(
                rrset.name, rrset.ttl, record
            )
        else:
            there.add(record)


def _sign(nodes: dict[Name, Node], origin: Name, key: ZoneKey, now: float) -> None:
    """Add NSEC and RRSIG where they belong (RFC 4035 §2)."""
    soa = nodes[origin].rrsets[RdataType.SOA]
    ttl = min(soa.ttl, soa[0].minimum)  # RFC 9077 §3
    cut: Name | None = None
    secure: list[tuple[Name, bool]] = []
    for name in sorted(nodes):
        if cut is not None and name.is_subdomain(cut):
            continue  # glue
        is_cut = name != origin and RdataType.NS in nodes[name].rrsets
        cut = name if is_cut else None
        secure.append((name, is_cut))
    for place, (name, is_cut) in enumerate(secure):
        node = nodes[name]
        following = secure[(place + 1) % len(secure)][0]
        kinds = [
            kind
            for kind in node.rrsets
            if not is_cut or kind in (RdataType.NS, RdataType.DS)
        ]
        node.rrsets[RdataType.NSEC] = nsec(name, following, kinds, ttl)
        for kind, rrset in node.rrsets.items():
            if not is_cut or kind in (RdataType.DS, RdataType.NSEC):
                node.signatures[kind] = key.sign(rrset, now)


def _add_empty(nodes: dict[Name, Node], origin: Name) -> None:
    """Names that are there because there are names below them (RFC 4592 §2.2.2)."""
    for name in list(nodes):
        while name != origin:
            name = name.parent()
            if name in nodes:
                break
            nodes[name] = Node()
