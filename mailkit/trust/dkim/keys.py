"""Keys that sign, and the records that publish them (RFC 6376 §3.6, RFC 8463 §4)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from enum import Enum

from attrs import field, frozen
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from mailkit.errors import Malformed, StorageBroken

RSA_BITS = 2048
"""What everybody can verify, and nobody can break (RFC 8301 §3.2)."""

_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
_SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


class Algorithm(Enum):
    """The ``a=`` of a signature."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@frozen(eq=False)
class SigningKey:
    """A private key, and where its public half is found."""

    domain: str
    """An A-label."""
    selector: str
    private: PrivateKey = field(repr=False)
    public: PublicKey = field(init=False, repr=False)
    algorithm: Algorithm = field(init=False)

    @public.default
    def _public(self) -> PublicKey:
        return self.private.public_key()

    @algorithm.default
    def _algorithm(self) -> Algorithm:
        is_rsa = isinstance(self.private, rsa.RSAPrivateKey)
        return Algorithm.RSA if is_rsa else Algorithm.ED25519

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The text of the record (RFC 6376 §3.6.1)."""
        public = self.public
        if isinstance(public, rsa.RSAPublicKey):
            octets = public.public_bytes(*_SPKI)
            return f"v=DKIM1; k=rsa; p={b64encode(octets).decode()}"
        octets = public.public_bytes(*_RAW)
        return f"v=DKIM1; k=ed25519; p={b64encode(octets).decode()}"


def read_record(text: str) -> PublicKey | None:
    """
    The key that a record publishes; ``None`` for one that was withdrawn.

    :raises Malformed: if it is no record of a key (RFC 6376 §3.6.1, RFC 8463 §4).
    """
    pairs = (tag.partition("=") for tag in "".join(text.split()).split(";"))
    tags = {name: said for name, equals, said in pairs if equals}
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags:
        raise Malformed("not a record of a DKIM key")
    if not tags["p"]:
        return None
    kind = tags.get("k", "rsa")
    try:
        octets = b64decode(tags["p"], validate=True)
        if kind == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(octets)
        key = serialization.load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("the key of DKIM in it cannot be read") from error
    if kind != "rsa" or not isinstance(key, rsa.RSAPublicKey):
        raise Malformed(f"a key of an unknown kind: {kind}")
    return key


def make_key(algorithm: Algorithm) -> PrivateKey:
    """A new key; that of RSA takes some hundred milliseconds."""
    if algorithm is Algorithm.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


def write_key(key: PrivateKey) -> bytes:
    """A key as PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def read_key(pem: bytes) -> PrivateKey:
    """:raises StorageBroken: if it is no key that signs mail."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise StorageBroken(f"not a private key: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise StorageBroken("neither an RSA nor an Ed25519 key")
    return key
