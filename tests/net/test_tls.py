"""Certificates: chosen by name, taken over when renewed, refused by name of file."""

from __future__ import annotations

import datetime
import os
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from mailkit.net.selfsigned import make_self_signed
from mailkit.net.tls import (
    BadCertificate,
    KeyPair,
    ServerTLS,
    describe_tls,
    names_in,
    trust_also,
)

NOW = datetime.datetime.now(datetime.UTC)


def pair_for(folder: Path, *names: str) -> KeyPair:
    return make_self_signed(folder / names[0].replace("*", "_"), names, NOW)


@define
class Client:
    """A client in memory, of the standard library, that trusts everybody."""

    context: ssl.SSLContext
    inward: ssl.MemoryBIO
    outward: ssl.MemoryBIO
    tls: ssl.SSLObject

    @property
    def certificate(self) -> x509.Certificate:
        octets = self.tls.getpeercert(binary_form=True)
        assert octets is not None
        return x509.load_der_x509_certificate(octets)

    @property
    def common_name(self) -> str:
        (name,) = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(name.value)


def shake_hands(
    tls: ServerTLS,
    name: str | None = None,
    again: Client | None = None,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> tuple[Client, SSL.Connection]:
    """Two ends that have shaken hands; ``again`` resumes what another began."""
    context = again.context if again else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = again.tls.session if again else None
    side = context.wrap_bio(inward, outward, server_hostname=name, session=session)
    client = Client(context, inward, outward, side)
    around = TLSMemoryBIOFactory(tls, False, Factory(), Clock())
    server = tls.serverConnectionForTLS(TLSMemoryBIOProtocol(around, Protocol(), False))
    server.set_accept_state()
    for _ in range(6):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
        if outward.pending:
            server.bio_write(outward.read())
        with suppress(SSL.WantReadError):
            server.do_handshake()
        with suppress(SSL.WantReadError):
            inward.write(server.bio_read(65536))
    return client, server


def test_names(tmp_path: Path) -> None:
    pair = pair_for(tmp_path, "mail.example.org", "bücher.example", "127.0.0.1")
    assert names_in(pair.certificate) == ("mail.example.org", "xn--bcher-kva.example")
    assert pair.key.stat().st_mode & 0o777 == 0o600


def test_chosen_by_name(tmp_path: Path) -> None:
    """The name a client asks for decides; a star covers one label; else the first."""
    tls = ServerTLS(
        (
            pair_for(tmp_path, "mail.example.org"),
            pair_for(tmp_path, "mail.example.net"),
            pair_for(tmp_path, "*.example.com"),
        )
    )
    for asked, got in [
        (None, "mail.example.org"),
        ("elsewhere.test", "mail.example.org"),
        ("mail.example.net", "mail.example.net"),
        ("MAIL.example.net", "mail.example.net"),
        ("imap.example.com", "*.example.com"),
        ("a.b.example.com", "mail.example.org"),
    ]:
        assert shake_hands(tls, asked)[0].common_name == got


def test_sessions_are_resumed(tmp_path: Path) -> None:
    """A client that comes again spares both the dear part of the handshake."""
    tls = ServerTLS((pair_for(tmp_path, "mail.example.org"),))
    first, _ = shake_hands(tls, version=ssl.TLSVersion.TLSv1_2)
    assert not first.tls.session_reused
    second, _ = shake_hands(tls, again=first, version=ssl.TLSVersion.TLSv1_2)
    assert second.tls.session_reused


def test_old_versions_are_refused(tmp_path: Path) -> None:
    tls = ServerTLS((pair_for(tmp_path, "mail.example.org"),))
    with pytest.raises(SSL.Error, match="unsupported protocol"):
        shake_hands(tls, version=ssl.TLSVersion.TLSv1_1)


def test_renewal(tmp_path: Path) -> None:
    """New files are taken over; a half-written pair is not, and nothing breaks."""
    pair = pair_for(tmp_path, "mail.example.org")
    tls = ServerTLS((pair,))
    first = shake_hands(tls)[0].certificate
    tls.take_over()
    fresh = pair_for(tmp_path / "fresh", "mail.example.org")
    os.replace(fresh.certificate, pair.certificate)
    tls.take_over()
    assert shake_hands(tls)[0].certificate == first
    os.replace(fresh.key, pair.key)
    tls.take_over()
    renewed = shake_hands(tls)[0].certificate
    assert renewed != first
    pair.key.unlink()
    tls.take_over()
    assert shake_hands(tls)[0].certificate == renewed


def test_errors_name_the_file(tmp_path: Path) -> None:
    pair = pair_for(tmp_path, "mail.example.org")
    other = pair_for(tmp_path, "other.example.org")
    text = tmp_path / "text.pem"
    text.write_text("nothing")
    for bad, named in [
        (KeyPair(text, pair.key), "text.pem"),
        (KeyPair(tmp_path / "missing.pem", pair.key), "missing.pem"),
        (KeyPair(pair.certificate, text), "text.pem"),
        (KeyPair(pair.certificate, other.key), "key.pem"),
    ]:
        with pytest.raises(BadCertificate, match=named):
            ServerTLS((bad,))
    with pytest.raises(BadCertificate):
        names_in(text)
    with pytest.raises(BadCertificate):
        ServerTLS(())


def test_description(tmp_path: Path) -> None:
    """What Received says of the connection."""
    tls = ServerTLS((pair_for(tmp_path, "mail.example.org"),))
    _, server = shake_hands(tls)

    class Transport:
        def getHandle(self) -> SSL.Connection:
            return server

    assert describe_tls(Transport()).startswith("TLSv1.3 TLS_")  # type: ignore[arg-type]  # as much of a transport as it takes
    assert describe_tls(None) == ""


def test_authorities_besides(tmp_path: Path) -> None:
    pair = pair_for(tmp_path, "a.test")
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    trust_also(context, bytes(pair.certificate))
    store = context.get_cert_store()
    assert store is not None
    leaf = crypto.X509.from_cryptography(
        x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    )
    crypto.X509StoreContext(store, leaf).verify_certificate()
    with pytest.raises(BadCertificate, match=r"key\.pem: no PEM certificates"):
        trust_also(context, bytes(pair.key))


@implementer(IProtocolNegotiationFactory)
class Web(Factory):
    """What speaks two protocols."""

    def acceptableProtocols(self) -> list[bytes]:
        return [b"h2", b"http/1.1"]


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        (["http/1.1", "h2"], "h2"),
        (["http/1.1"], "http/1.1"),
        (["imap"], None),
        ([], None),
    ],
)
def test_the_web_says_what_it_speaks(
    tmp_path: Path, offered: list[str], spoken: str | None
) -> None:
    """RFC 7301 §3.2; whatever name is asked for. Nothing but the web speaks HTTP."""
    tls = ServerTLS(
        (pair_for(tmp_path, "mail.example.org"), pair_for(tmp_path, "other.test"))
    )
    for name in ("mail.example.org", "other.test"):
        for factory, wanted in ((Web(), spoken), (Factory(), None)):
            assert speak(tls, name, factory, offered) == wanted


def speak(
    tls: ServerTLS, name: str, factory: Factory[Any], offered: list[str]
) -> str | None:
    """What a client that offers protocols gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if offered:
        context.set_alpn_protocols(offered)
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = context.wrap_bio(inward, outward, server_hostname=name)
    around = TLSMemoryBIOFactory(tls, False, factory, Clock())
    server = tls.serverConnectionForTLS(TLSMemoryBIOProtocol(around, Protocol(), False))
    server.set_accept_state()
    for _ in range(6):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
        if outward.pending:
            server.bio_write(outward.read())
        with suppress(SSL.WantReadError):
            server.do_handshake()
        with suppress(SSL.WantReadError):
            inward.write(server.bio_read(65536))
    return side.selected_alpn_protocol()
