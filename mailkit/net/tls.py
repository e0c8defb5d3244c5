"""TLS as servers need it: names, tickets, and certificates that are renewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocolNegotiationFactory,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailkit.errors import MailkitError


class BadCertificate(MailkitError):
    """A certificate or key cannot be read, or they do not belong together."""


@frozen
class KeyPair:
    """Where a certificate chain and its key are (PEM)."""

    certificate: Path
    key: Path

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever one of the files does; (0,) while one is missing."""
        try:
            one, two = self.certificate.stat(), self.key.stat()
        except OSError:
            return (0,)
        return one.st_mtime_ns, one.st_ino, two.st_mtime_ns, two.st_ino


def names_in(certificate: Path) -> tuple[str, ...]:
    """
    The names that a certificate is good for, lower case, as A-labels (RFC 6125 §6.4).

    :raises BadCertificate:
    """
    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{certificate}: {error}") from error
    try:
        extension = leaf.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(name.value).lower() for name in common)
    alternative = extension.value
    assert isinstance(alternative, x509.SubjectAlternativeName)
    return tuple(name.lower() for name in alternative.get_values_for_type(x509.DNSName))


def make_context(pair: KeyPair) -> SSL.Context:
    """
    A server context: TLS 1.2 and up, sessions resumed by tickets.

    :raises BadCertificate: naming the file that does not do.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(
        SSL.OP_NO_COMPRESSION
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        | SSL.OP_SINGLE_ECDH_USE
    )
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!MD5")
    # Without an id no session is resumed at all.
    context.set_session_id(b"mailkit")
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER)
    context.set_alpn_select_callback(_select)
    try:
        context.use_certificate_chain_file(str(pair.certificate).encode())
    except (SSL.Error, crypto.Error, OSError) as error:
        raise BadCertificate(f"{pair.certificate}: not a PEM certificate") from error
    try:
        context.use_privatekey_file(str(pair.key).encode())
        context.check_privatekey()
    except (SSL.Error, crypto.Error, OSError) as error:
        raise BadCertificate(
            f"{pair.key}: not the PEM key of {pair.certificate}"
        ) from error
    return context


def _select(connection: SSL.Connection, offered: list[bytes]) -> Any:
    """
    The protocol to speak within TLS (ALPN, RFC 7301 §3.2): the first of ours.

    Octets, or what says that there is none, whose type is pyOpenSSL's own.
    """
    protocol = connection.get_app_data()
    wrapped = getattr(getattr(protocol, "factory", None), "wrappedFactory", None)
    if IProtocolNegotiationFactory.providedBy(wrapped):
        # What speaks more than one: the web, by HTTP/2 and HTTP/1.1.
        for name in wrapped.acceptableProtocols():
            if name in offered:
                return name
    return SSL.NO_OVERLAPPING_PROTOCOLS


def trust_also(context: SSL.Context, path: bytes) -> None:
    """
    Trust the authorities in a PEM file besides those that are trusted already.

    :raises BadCertificate: if there is none in it.
    """
    try:
        context.load_verify_locations(path)
    except SSL.Error as error:
        name = path.decode(errors="replace")
        raise BadCertificate(f"{name}: no PEM certificates of authorities") from error


@implementer(IOpenSSLServerConnectionCreator)
@define
class ServerTLS:
    """
    The certificates of this server, chosen by the name a client asks for (SNI).

    The first pair answers for every name that no other has.
    """

    log = Logger()

    pairs: tuple[KeyPair, ...]
    _default: SSL.Context = field(init=False, repr=False)
    _by_name: dict[str, SSL.Context] = field(init=False, factory=dict, repr=False)
    _stamps: tuple[tuple[int, ...], ...] = field(init=False, default=(), repr=False)

    def __attrs_post_init__(self) -> None:
        self.load()

    def load(self, pairs: Sequence[KeyPair] | None = None) -> None:
        """
        Read all files again; on an error everything stays as it was.

        :raises BadCertificate: naming the file that does not do.
        """
        chosen = tuple(pairs) if pairs is not None else self.pairs
        stamps = tuple(pair.stamp() for pair in chosen)
        by_name: dict[str, SSL.Context] = {}
        default: SSL.Context | None = None
        for pair in chosen:
            context = make_context(pair)
            default = default or context
            for name in names_in(pair.certificate):
                by_name.setdefault(name, context)
        if default is None:
            raise BadCertificate("no certificate")
        default.set_tlsext_servername_callback(self._choose)
        self.pairs, self._default, self._by_name = chosen, default, by_name
        self._stamps = stamps

    def take_over(self) -> None:
        """Read the files again if one has changed; called every minute."""
        stamps = tuple(pair.stamp() for pair in self.pairs)
        if stamps == self._stamps or (0,) in stamps:
            return
        try:
            self.load()
        except BadCertificate as error:
            # A renewal writes two files: the key may come a moment later.
            self.log.warn("certificate not taken over: {reason}", reason=str(error))
        else:
            self.log.info(
                "certificate taken over: {path}", path=str(self.pairs[0].certificate)
            )

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._default, None)
        # Twisted does so too, but does not promise it; `_select` asks for it.
        connection.set_app_data(protocol)
        return connection

    def _choose(self, connection: SSL.Connection) -> None:
        wanted = (connection.get_servername() or b"").decode("ascii", "replace")
        context = self._by_name.get(wanted.lower()) or self._by_name.get(
            "*." + wanted.lower().partition(".")[2]
        )
        if context is not None and context is not self._default:
            connection.set_context(context)


class Upgrade:
    """
    Turns plain connections into TLS ones, on the reactor's clock that it was given.

    `ITLSTransport.startTLS` does nearly the same, but holds small writes back until
    the *global* reactor's next turn: a server in a thread has another one, and the
    pump writes once a response anyway.
    """

    def __init__(
        self,
        creator: IOpenSSLServerConnectionCreator | IOpenSSLClientConnectionCreator,
        clock: IReactorTime,
        is_client: bool = False,
    ) -> None:
        """:param creator: for a client, what `optionsForClientTLS` makes."""
        self._factory = TLSMemoryBIOFactory(creator, is_client, Factory(), clock)

    def start(self, transport: ITransport, protocol: Protocol) -> None:
        """Put TLS between the two; ``protocol.transport`` is the secure one then."""
        tls = TLSMemoryBIOProtocol(self._factory, protocol, False)
        setattr(transport, "protocol", tls)  # noqa: B010 - every socket's, no interface's
        tls.makeConnection(transport)
        protocol.transport = tls


def describe_tls(transport: ITransport | None) -> str:
    """``TLSv1.3 TLS_AES_256_GCM_SHA384``; empty where it cannot be told."""
    handle = getattr(transport, "getHandle", lambda: None)()
    if not isinstance(handle, SSL.Connection):
        return ""
    cipher = handle.get_cipher_name()
    return f"{handle.get_protocol_version_name()} {cipher}" if cipher else ""
