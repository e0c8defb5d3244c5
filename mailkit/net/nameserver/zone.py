"""A zone as it is looked into: names, delegations, wildcards, proofs of absence."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from enum import Enum

import dns.name
import dns.rrset
from attrs import define, field, frozen
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rrset import RRset

Name = dns.name.Name


@define(eq=False)
class Node:
    """All records of one name; none at all where there are only names below."""

    rrsets: dict[RdataType, RRset] = field(factory=dict)
    signatures: dict[RdataType, RRset] = field(factory=dict)
    """RRSIG records, by what they cover."""

    def get(self, kind: RdataType) -> list[RRset]:
        """The records of a kind and their signatures."""
        return [kept[kind] for kept in (self.rrsets, self.signatures) if kind in kept]


class Kind(Enum):
    """What became of a look-up."""

    ANSWER = "answer"
    ALIAS = "alias"
    """Ask again for `Hit.target`."""
    NO_DATA = "no data"
    NO_NAME = "no name"
    DELEGATION = "delegation"
    TOO_LONG = "too long"
    """What a DNAME makes of the name (RFC 6672 §2.2)."""


@frozen(kw_only=True)
class Hit:
    """What a zone says; records with their signatures and proofs, if it is signed."""

    kind: Kind
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    target: Name | None = None


@define(eq=False)
class Zone:
    """Built by `mailkit.net.nameserver.making`; nothing is changed afterwards."""

    origin: Name
    nodes: dict[Name, Node]
    serial: int
    is_signed: bool = False
    sign_again: float = float("inf")
    """Seconds since 1970: when signatures should be renewed."""
    signer: Callable[[RRset], RRset] | None = None
    """Makes the signature of a set; ``None``: nobody here can."""
    secure: list[Name] = field(factory=list)
    """Names that have NSEC, in canonical order (RFC 4034 §6.1)."""
    absence: tuple[RRset, ...] = field(init=False)
    """SOA, with the TTL of negative answers (RFC 2308 §3)."""

    def __attrs_post_init__(self) -> None:
        found = self.apex.get(RdataType.SOA)
        ttl = min(found[0].ttl, found[0][0].minimum)
        self.absence = tuple(
            dns.rrset.from_rdata_list(one.name, ttl, list(one)) for one in found
        )

    @property
    def apex(self) -> Node:
        """The node of the origin."""
        return self.nodes[self.origin]

    def find(self, name: Name, kind: RdataType) -> Hit:
        """
        What RFC 1034 §4.3.2 does in one zone; the name has to be in it.

        ``ANY`` finds the node without its records: the caller has a word for it.
        """
        node, encloser = self.apex, self.origin
        depth = len(name.labels) - len(self.origin.labels)
        for cut in range(depth - 1, -1, -1):
            if RdataType.DNAME in node.rrsets:
                return self._rename(node, encloser, name)
            below = Name(name.labels[cut:])
            found = self.nodes.get(below)
            if found is None:
                return self._beyond(name, kind, encloser)
            node, encloser = found, below
            if RdataType.NS in node.rrsets and not (cut == 0 and kind == RdataType.DS):
                return self._delegate(node, below)
        return self._at(node, name, kind, ())

    def first_kind(self, name: Name) -> RdataType:
        """Some kind of record that the name has, or its wildcard, if it has any."""
        while True:
            for owner in (name, Name((b"*", *name.parent().labels))):
                node = self.nodes.get(owner)
                if node is not None:
                    return next(iter(node.rrsets), RdataType.NSEC)
            name = name.parent()

    def everything(self) -> Iterator[RRset]:
        """All records, SOA first and last (RFC 5936 §2.2)."""
        soa = self.apex.get(RdataType.SOA)
        yield from soa
        for name, node in self.nodes.items():
            for kind in node.rrsets:
                if not (kind == RdataType.SOA and name == self.origin):
                    yield from node.get(kind)
        yield soa[0]

    def addresses(self, name: Name) -> Iterator[RRset]:
        """A and AAAA of a name in this zone, glue included, for the last section."""
        node = self.nodes.get(name)
        if node is not None:
            for kind in (RdataType.A, RdataType.AAAA):
                yield from node.get(kind)

    # -- the branches of the search

    def _at(
        self, node: Node, name: Name, kind: RdataType, proof: tuple[RRset, ...]
    ) -> Hit:
        """Records of a node, under the name that was asked for."""
        if kind == RdataType.ANY and node.rrsets:
            return Hit(kind=Kind.ANSWER, authority=proof)
        if kind == RdataType.RRSIG and node.signatures:
            found = [rename(one, name) for one in node.signatures.values()]
            return Hit(kind=Kind.ANSWER, answer=tuple(found), authority=proof)
        if kind in node.rrsets:
            found = [rename(one, name) for one in node.get(kind)]
            return Hit(kind=Kind.ANSWER, answer=tuple(found), authority=proof)
        if RdataType.CNAME in node.rrsets:
            found = [rename(one, name) for one in node.get(RdataType.CNAME)]
            return Hit(
                kind=Kind.ALIAS,
                answer=tuple(found),
                authority=proof,
                target=found[0][0].target,
            )
        authority = (*self.absence, *self._proofs(name))
        return Hit(kind=Kind.NO_DATA, authority=authority)

    def _beyond(self, name: Name, kind: RdataType, encloser: Name) -> Hit:
        """There is no such name: a wildcard, or nothing (RFC 4592 §3.3)."""
        wild = Name((b"*", *encloser.labels))
        node = self.nodes.get(wild)
        if node is None:
            proof = self._proofs(name, wild)
            return Hit(kind=Kind.NO_NAME, authority=(*self.absence, *proof))
        hit = self._at(node, name, kind, self._proofs(name))
        if hit.kind is Kind.NO_DATA:
            proof = self._proofs(name, wild)
            return Hit(kind=Kind.NO_DATA, authority=(*self.absence, *proof))
        return hit

    def _delegate(self, node: Node, cut: Name) -> Hit:
        security = node.get(RdataType.DS) or self._proofs(cut)
        authority = (node.rrsets[RdataType.NS], *security)
        return Hit(kind=Kind.DELEGATION, authority=authority)

    def _rename(self, node: Node, owner: Name, name: Name) -> Hit:
        """Everything below a name is somewhere else (RFC 6672 §3.2)."""
        dname = node.get(RdataType.DNAME)
        prefix = name.labels[: len(name.labels) - len(owner.labels)]
        try:
            target = Name((*prefix, *dname[0][0].target.labels))
        except dns.name.NameTooLong:
            return Hit(kind=Kind.TOO_LONG, answer=tuple(dname))
        alias = dns.rrset.from_text_list(
            name, dname[0].ttl, RdataClass.IN, RdataType.CNAME, [target.to_text()]
        )
        return Hit(kind=Kind.ALIAS, answer=(*dname, alias), target=target)

    def _proofs(self, *names: Name) -> tuple[RRset, ...]:
        """The NSEC records that match or cover names (RFC 4035 §3.1.3)."""
        if not self.secure:
            return ()
        owners = dict.fromkeys(
            self.secure[bisect_right(self.secure, name) - 1] for name in names
        )
        return tuple(
            one for owner in owners for one in self.nodes[owner].get(RdataType.NSEC)
        )


def rename(rrset: RRset, name: Name) -> RRset:
    """The same records under the name that was asked for (RFC 4592 §2.2)."""
    if rrset.name == name:
        return rrset
    return dns.rrset.from_rdata_list(name, rrset.ttl, list(rrset))
