"""Certificates that DNS stands for (RFC 6698, RFC 7671, RFC 7672)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256, sha512

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import crypto

from mailkit.model.tlspolicy import TLSARecord, TLSPolicy
from mailkit.net.relay.names import is_for, names_of

TRUST_ANCHOR, END_ENTITY = 2, 3
"""The usages that SMTP knows (RFC 7672 §3.1)."""

_SIZES = {1: 32, 2: 64}
"""Octets of an association, by matching type (RFC 6698 §2.1.3)."""


def usable(records: Sequence[TLSARecord]) -> list[TLSARecord]:
    """
    Those that can be used with SMTP (RFC 7672 §3.1.3).

    Where none can, TLS is still demanded, with any certificate (RFC 7672 §2.2).
    """
    return [
        each
        for each in records
        if each.usage in (TRUST_ANCHOR, END_ENTITY)
        and each.selector in (0, 1)
        and (
            (each.matching_type == 0 and each.association)
            or _SIZES.get(each.matching_type) == len(each.association)
        )
    ]


def matches(record: TLSARecord, certificate: x509.Certificate) -> bool:
    """Whether a record stands for a certificate (RFC 6698 §2.1)."""
    if record.selector == 0:
        octets = certificate.public_bytes(Encoding.DER)
    else:
        octets = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    if record.matching_type == 1:
        octets = sha256(octets).digest()
    elif record.matching_type == 2:
        octets = sha512(octets).digest()
    return hmac.compare_digest(octets, record.association)


def problem_by_dane(
    policy: TLSPolicy,
    chain: Sequence[crypto.X509],
) -> tuple[str, str] | None:
    """
    What is wrong with a chain, as a result type of RFC 8460 §4.3 and in words.

    :param chain: as the server showed it, its own certificate first.
    """
    if not chain:
        return "validation-failure", "it showed no certificate"
    certificates = [each.to_cryptography() for each in chain]
    records = usable(policy.tlsa)
    if any(
        record.usage == END_ENTITY and matches(record, certificates[0])
        for record in records
    ):
        return None  # names and dates do not count (RFC 7672 §3.1.1)
    problem = ("validation-failure", "its certificate is none that DNS stands for")
    for anchor in _anchors(records, certificates):
        words = _problem_of_chain(anchor, chain)
        if words:
            problem = ("validation-failure", words)
        elif not is_for(policy.names, names_of(certificates[0])):
            problem = (
                "certificate-host-mismatch",
                "its certificate is for another host",
            )
        else:
            return None
    return problem


def _anchors(
    records: Sequence[TLSARecord], certificates: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    found = []
    for record in records:
        if record.usage != TRUST_ANCHOR:
            continue
        found += [each for each in certificates if matches(record, each)]
        if (record.selector, record.matching_type) == (0, 0):
            # All of it is in DNS: the server need not show it (RFC 7671 §5.2.2).
            try:
                found.append(x509.load_der_x509_certificate(record.association))
            except ValueError:
                continue
    return found


def _problem_of_chain(anchor: x509.Certificate, chain: Sequence[crypto.X509]) -> str:
    """What OpenSSL has against the way from the server's certificate to an anchor."""
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(anchor))
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    try:
        crypto.X509StoreContext(store, chain[0], list(chain[1:])).verify_certificate()
    except crypto.X509StoreContextError as error:
        return f"its certificate does not hold: {error}"
    return ""
