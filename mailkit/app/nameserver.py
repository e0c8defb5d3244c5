"""The name server of one process: what it says, and how it is kept current."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import dns.name
from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.app.settings import Settings
from mailkit.formats.dnsrecords import SRV, MailHost
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.keys import IDomainKeys
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IWatch
from mailkit.metrics import Metrics
from mailkit.model.tlspolicy import TLSARecord
from mailkit.net.nameserver.book import Book
from mailkit.net.nameserver.making import Recipe
from mailkit.net.nameserver.rate import RateLimit
from mailkit.net.nameserver.serials import Serials
from mailkit.net.nameserver.server import NameServer
from mailkit.net.nameserver.signing import ZoneKey
from mailkit.net.nameserver.sources import LANE, Files, Made, Source
from mailkit.net.resolver.forwarding import Forwarder
from mailkit.net.resolver.servers import parse_server
from mailkit.services.zones import DirectoryZones

LOOK = 5.0
"""Seconds between two looks at the folder of zone files."""
TOGETHER = 1.0
"""Seconds between two looks because the directory changed."""
LOOK_AT_ALL = 60.0
"""Seconds after which all that zones are made of is looked at again: keys rotate,
certificates are renewed."""

_PORT = re.compile(r"tcp[46]?:(?:port=)?(\d+)")


@define(eq=False)
class NameService:
    """
    Builds the server from the settings, and has zones made again when they changed.

    :param reactor: Twisted's, which has no type of its own.
    :param keys: those that mail is signed with.
    """

    log = Logger()

    _settings: Settings
    _directory: IDirectory
    _lanes: ILanes
    _reactor: Any
    _metrics: Metrics
    _keys: IDomainKeys | None = None
    server: NameServer = field(init=False)
    book: Book = field(init=False)
    _files: Files | None = field(init=False)
    _tlsa: tuple[TLSARecord, ...] = field(default=(), init=False)
    _looked: float = field(default=float("-inf"), init=False)
    _loop: LoopingCall = field(init=False)
    _watch: IWatch | None = field(default=None, init=False)
    _soon: IDelayedCall | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        settings = self._settings.nameserver
        data = self._settings.data
        names = settings.names or (self._settings.hostname,)
        zones = DirectoryZones(self._directory, self._mail_host, self._keys)
        sources: list[Source] = [Made(zones)]
        self._files = None
        if settings.zones is not None:
            self._files = Files(settings.zones, self._lanes)
            sources.insert(0, self._files)
        self.book = Book(
            sources,
            Recipe(names=tuple(dns.name.from_text(name) for name in names)),
            Serials(data / "dns"),
            self._lanes,
            self._reactor,
            key_folder(data) if settings.sign else None,
        )
        limit = RateLimit(
            settings.rate, self._settings.proxy.never_limit, self._reactor.seconds
        )
        forward = None
        if settings.forward:
            servers = tuple(parse_server(text) for text in settings.forward)
            forward = Forwarder(self._reactor, servers)
        self.server = NameServer(self.book, limit, settings, forward, self._metrics)
        self._loop = LoopingCall(self._look_again)
        self._loop.clock = self._reactor

    async def look(self) -> None:
        """See which zones there are; ports may be opened after that."""
        self._looked = self._reactor.seconds()
        if self._settings.listen.smtp:
            path = self._certificate
            self._tlsa = await self._lanes.run(LANE, lambda: tlsa_of(path))
        await self.book.look()

    def start(self) -> None:
        """The reactor runs."""
        self._watch = self._directory.watch(self._heard)
        self._loop.start(LOOK, now=False)

    def stop(self) -> None:
        """No more looks."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._loop.running:
            self._loop.stop()

    def _heard(self) -> None:
        """Something changed: looked at now, or with what else changes in a second."""
        if self._soon is not None:
            return
        left = self._looked + TOGETHER - self._reactor.seconds()
        self._soon = self._reactor.callLater(max(left, 0.0), self._look_now)

    def _look_now(self) -> None:
        self._soon = None
        Deferred.fromCoroutine(self.look()).addErrback(self._failed)

    def _look_again(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look_for_changes()).addErrback(self._failed)

    async def _look_for_changes(self) -> None:
        is_due = self._reactor.seconds() - self._looked >= LOOK_AT_ALL
        changed = () if self._files is None else await self._files.look()
        if is_due or changed:
            await self.look()
        for origin in changed:
            await self.book.zone(origin)  # made now: who changed it reads the log

    def _failed(self, failure: Failure) -> None:
        self.log.failure("zones could not be looked at", failure)

    @property
    def _certificate(self) -> Path:
        given = self._settings.tls.certificate
        return given or self._settings.data / "tls" / "certificate.pem"

    def _mail_host(self) -> MailHost:
        return mail_host(self._settings, self._tlsa)


def key_folder(data: Path) -> Path:
    """Where the keys of zones are."""
    return data / "keys" / "dns"


def mail_host(settings: Settings, tlsa: tuple[TLSARecord, ...]) -> MailHost:
    """What the settings say about this server that stands in DNS."""
    listen = settings.listen
    ports: dict[str, int] = {}
    for service, _, _ in SRV:
        for description in getattr(listen, service):
            match = _PORT.match(description)
            if match and int(match[1]):
                ports.setdefault(service, int(match[1]))
    sts = ""
    if listen.https and settings.web.mta_sts != "none":
        said = f"{settings.web.mta_sts} {settings.hostname} {settings.tls.certificate}"
        sts = sha256(said.encode()).hexdigest()[:20]
    return MailHost(
        hostname=settings.hostname.lower(),
        addresses=settings.nameserver.addresses,
        ports=ports,
        tlsa=tlsa,
        sts=sts,
        has_web=bool(listen.https),
    )


def tlsa_of(certificate: Path) -> tuple[TLSARecord, ...]:
    """
    DANE-EE, public key, SHA-256 (RFC 7671 §5.1); nothing if there is no certificate.

    Blocks.
    """
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return ()  # the ports say what is wrong with it
    key = parsed.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return (TLSARecord(3, 1, 1, sha256(key).digest()),)


def ds_line(key: ZoneKey) -> str:
    """What the administrator hands to the registrar."""
    return f"{key.origin} IN DS {key.ds}"
