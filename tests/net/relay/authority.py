"""A certificate authority for tests, and what it signs."""

from __future__ import annotations

import datetime
from hashlib import sha256
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from mailkit.model.tlspolicy import TLSARecord
from mailkit.net.tls import KeyPair

DAY = datetime.timedelta(days=1)


@frozen(eq=False)
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def record(self, usage: int, selector: int, matching_type: int) -> TLSARecord:
        """The TLSA record that stands for it."""
        if selector == 0:
            octets = self.certificate.public_bytes(Encoding.DER)
        else:
            octets = self.certificate.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            )
        if matching_type == 1:
            octets = sha256(octets).digest()
        elif matching_type == 2:
            digest = hashes.Hash(hashes.SHA512())
            digest.update(octets)
            octets = digest.finalize()
        return TLSARecord(usage, selector, matching_type, octets)

    def write(self, folder: Path, *above: Certified) -> KeyPair:
        """Files for a server: the chain and the key."""
        folder.mkdir(parents=True, exist_ok=True)
        pair = KeyPair(folder / "certificate.pem", folder / "key.pem")
        chain = [self, *above]
        pair.certificate.write_bytes(
            b"".join(each.certificate.public_bytes(Encoding.PEM) for each in chain)
        )
        pair.key.write_bytes(
            self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return pair


def certify(
    name: str,
    *names: str,
    by: Certified | None = None,
    is_authority: bool = False,
    is_old: bool = False,
    is_early: bool = False,
) -> Certified:
    """A new certificate; signed by itself if by nobody else."""
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = now - (9 * DAY if is_old else DAY) + (5 * DAY if is_early else 0 * DAY)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + (5 * DAY if is_old else 50 * DAY))
        .add_extension(
            x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
        )
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]),
            critical=False,
        )
    signer = key if by is None else by.key
    return Certified(builder.sign(signer, hashes.SHA256()), key)
