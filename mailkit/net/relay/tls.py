"""
TLS as a client of mail has it: a handshake first, a judgement of it next.

The handshake itself refuses no certificate. What it showed is looked at as soon as the
first reply has come through it, before anything but our name was said: what a policy
demands, what is forgiven and what is reported is then one function over values.
"""

from __future__ import annotations

import ipaddress

from attrs import define, field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.net.relay.dane import problem_by_dane, usable
from mailkit.net.relay.names import is_for, names_of
from mailkit.net.tls import trust_also

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    crypto.Error,
)
"""What is raised by certificates that are none, or of kinds that nobody knows."""

_LONGEST_NAME = 255  # of SNI, which OpenSSL insists on

NOT_OFFERED = "starttls-not-supported"
FAILED = "validation-failure"


@frozen
class Judgement:
    """What a policy makes of a certificate."""

    problem: str = ""
    """A result type of RFC 8460 §4.3; empty: none."""
    words: str = ""
    is_checked: bool = False
    """The certificate was looked at, and is good."""


def make_client_context(
    roots: bytes | None = None, also: bytes | None = None
) -> SSL.Context:
    """
    TLS 1.2 and up, with the authorities that the system trusts.

    :param roots: a PEM file to trust instead.
    :param also: a PEM file to trust besides.
    :raises BadCertificate: if that cannot be read.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    if roots is None:
        context.set_default_verify_paths()
    else:
        context.load_verify_locations(roots)
    if also is not None:
        trust_also(context, also)
    return context


@implementer(IOpenSSLClientConnectionCreator)
@define(eq=False)
class Handshake:
    """One connection's TLS, from the first octet to `judge`."""

    context: SSL.Context
    name: str
    """Asked for by SNI, unless DANE has another one; an address is not (RFC 6066
    §3)."""
    policy: TLSPolicy
    _connection: SSL.Connection | None = field(default=None, init=False)
    _errors: list[int] = field(factory=list, init=False)
    _is_looked_at: bool = field(default=False, init=False)

    def clientConnectionForTLS(
        self, tlsProtocol: TLSMemoryBIOProtocol
    ) -> SSL.Connection:
        connection = self._connection = SSL.Connection(self.context, None)
        name = self.name
        if self.policy.level is TLSLevel.DANE and self.policy.names:
            name = self.policy.names[0]  # which has the records (RFC 7672 §8.1)
        if not is_address(name) and len(name) <= _LONGEST_NAME:
            connection.set_tlsext_host_name(name.rstrip(".").encode("ascii"))
        if self.policy.level is TLSLevel.PKIX:
            connection.set_verify(SSL.VERIFY_PEER, self._note)
        return connection

    def _note(
        self, connection: SSL.Connection, cert: crypto.X509, error: int, depth: int,
        is_good: int,
    ) -> bool:  # fmt: skip
        self._is_looked_at = True
        if not is_good:
            self._errors.append(error)
        return True

    def judge(self) -> Judgement:
        """What the policy makes of it; to be asked when the handshake is over."""
        try:
            return self._judge()
        except UNREADABLE:
            return Judgement(FAILED, "its certificate cannot be read")

    def _judge(self) -> Judgement:
        assert self._connection is not None
        chain = self._connection.get_peer_cert_chain() or []
        if self.policy.level is TLSLevel.DANE and usable(self.policy.tlsa):
            problem = problem_by_dane(self.policy, chain)
            if problem is None:
                return Judgement(is_checked=True)
            return Judgement(*problem)
        if self.policy.level is not TLSLevel.PKIX:
            return Judgement()
        if not chain or not self._is_looked_at:
            return Judgement(FAILED, "it showed no certificate")
        for error in self._errors:
            return Judgement(*_ERRORS.get(error, (FAILED, _other(error))))
        theirs = names_of(chain[0].to_cryptography())
        if not is_for(self.policy.names, theirs):
            names = ", ".join(theirs[:5]) or "nobody"
            return Judgement(
                "certificate-host-mismatch", f"its certificate is for {names}"
            )
        return Judgement(is_checked=True)


def _other(error: int) -> str:
    return f"its certificate is not good (error {error} of OpenSSL)"


_UNTRUSTED = (
    "certificate-not-trusted",
    "its certificate is of no authority that we know",
)
_EXPIRED = ("certificate-expired", "its certificate has expired")

_ERRORS: dict[int, tuple[str, str]] = {
    9: ("certificate-expired", "its certificate is not good yet"),
    10: _EXPIRED,
    18: ("certificate-not-trusted", "its certificate is signed by itself"),
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: _UNTRUSTED,
}
"""Errors of OpenSSL's verification, as RFC 8460 §4.3 and people call them."""


def is_address(name: str) -> bool:
    """Whether a host is called by its IP address."""
    try:
        ipaddress.ip_address(name.strip("[]").removeprefix("IPv6:"))
    except ValueError:
        return not name or "/" in name
    return True


def words_of_failure(lost: BaseException | None) -> str:
    """Why a handshake failed, as OpenSSL says it."""
    if isinstance(lost, SSL.Error) and lost.args and lost.args[0]:
        reasons = [each[-1] for each in lost.args[0] if each[-1]]
        if reasons:
            return f"TLS failed: {reasons[0]}"
    return "TLS failed"
