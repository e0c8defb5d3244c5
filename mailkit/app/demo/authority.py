"""An authority of the demo's own, so that certificates can be checked for real."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailkit.net.tls import KeyPair

LASTS = timedelta(days=30)
NAME = "mailkit demo authority"


@frozen
class Authority:
    """Signs certificates; ``path`` is what others trust."""

    path: Path
    _key: ec.EllipticCurvePrivateKey
    _certificate: x509.Certificate
    _now: datetime

    @classmethod
    def make(cls, folder: Path, now: datetime) -> Authority:
        """A new one; its key is nowhere but in memory."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _called(NAME)
        certificate = (
            _begun(name, name, key, now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        path = folder / "authority.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(path, key, certificate, now)

    def sign(self, folder: Path, names: Sequence[str]) -> KeyPair:
        """A certificate for host names and IP addresses, with its key, in a folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _begun(_called(names[0]), self._certificate.subject, key, self._now)
        certificate = (
            builder.add_extension(
                x509.SubjectAlternativeName([_name(name) for name in names]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._key.public_key()
                ),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        pair = KeyPair(folder / "certificate.pem", folder / "key.pem")
        octets = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        descriptor = os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
        pair.certificate.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )
        return pair


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.CertificateBuilder:  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LASTS)
    )
