"""DNSSEC: the key of a zone, signatures, NSEC and DS (RFC 4033, 4034, 6605)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rrset
from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from dns.dnssectypes import Algorithm, DSDigest
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.DNSKEY import DNSKEY
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.util import Bitmap
from dns.rrset import RRset

from mailkit.config.units import DAY
from mailkit.errors import StorageBroken

LASTS = 14 * DAY
"""Seconds from making a signature to its end."""
RENEWED = 7 * DAY
"""Seconds before that end at which it should be made anew."""
EARLIER = DAY
"""Seconds that the clocks of others may be late."""

SIGNED_ALREADY = frozenset({RdataType.RRSIG, RdataType.NSEC})
_SEP = 257  # a key that signs keys and all the rest (RFC 4034 §2.1.1)


@frozen(eq=False)
class ZoneKey:
    """The one key of a zone: ECDSA P-256 (RFC 6605)."""

    origin: dns.name.Name
    private: ec.EllipticCurvePrivateKey = field(repr=False)
    public: DNSKEY

    @property
    def ds(self) -> Rdata:
        """What the parent zone publishes (RFC 4034 §5)."""
        return dns.dnssec.make_ds(self.origin, self.public, DSDigest.SHA256)

    def record(self, ttl: int) -> RRset:
        """DNSKEY (RFC 4034 §2)."""
        return dns.rrset.from_rdata(self.origin, ttl, self.public)

    def sign(self, rrset: RRset, now: float) -> RRset:
        """
        The RRSIG of a set.

        All processes that sign within a day make the same one.
        """
        day = now - now % DAY
        rrsig = dns.dnssec.sign(
            rrset,
            self.private,
            self.origin,
            self.public,
            inception=int(day - EARLIER),
            expiration=int(day + LASTS),
        )
        return dns.rrset.from_rdata(rrset.name, rrset.ttl, rrsig)


def sign_again(now: float) -> float:
    """When what is signed now should be signed again, in seconds since 1970."""
    return now - now % DAY + LASTS - RENEWED


def nsec(
    owner: dns.name.Name, following: dns.name.Name, kinds: Sequence[RdataType], ttl: int
) -> RRset:
    """Which kinds a name has, and which name comes next (RFC 4034 §4)."""
    windows = Bitmap.from_rdtypes([*kinds, *SIGNED_ALREADY]).windows
    record = NSEC(RdataClass.IN, RdataType.NSEC, following, windows)
    return dns.rrset.from_rdata(owner, ttl, record)


def keep_key(folder: Path, origin: dns.name.Name) -> ZoneKey:
    """
    The key of a zone, made at the first time. Blocks.

    Processes that come at the same time agree on one.

    :raises StorageBroken: if it cannot be read or written.
    """
    path = folder / f"{origin.to_text(omit_final_dot=True).lower()}.pem"
    try:
        if not path.exists():
            _make(path)
        pem = path.read_bytes()
    except OSError as error:
        raise StorageBroken(f"{path}: {error.strerror}") from error
    return read_key(origin, pem, str(path))


def origin_of(name: str) -> dns.name.Name:
    """The zone of a domain, from its A-labels."""
    return dns.name.from_text(name)


def read_key(origin: dns.name.Name, pem: bytes, source: str) -> ZoneKey:
    """:raises StorageBroken: if it is no such key."""
    try:
        private = load_pem_private_key(pem, None)
    except ValueError as error:
        raise StorageBroken(f"{source}: no key: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(
        private.curve, ec.SECP256R1
    ):
        raise StorageBroken(f"{source}: not a key of ECDSA P-256")
    public = dns.dnssec.make_dnskey(
        private.public_key(), Algorithm.ECDSAP256SHA256, _SEP
    )
    return ZoneKey(origin, private, public)


def _make(path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(mine, path)  # whoever is first wins
    mine.unlink()
