"""All of ``mailkit.toml`` as one class (INTERFACE: the contract with its readers)."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import attrs
from attrs import field, frozen
from attrs.validators import ge, gt, le, max_len

from mailkit.config.reader import Network, WrongKeyError
from mailkit.config.units import (
    DAY,
    HOUR,
    KIB,
    MB,
    MIB,
    MINUTE,
    Octets,
    Seconds,
)
from mailkit.formats.received import HOPS
from mailkit.net.nameserver.settings import NameServerSettings
from mailkit.net.relay.settings import RelaySettings as Patience
from mailkit.net.resolver.settings import DNSSettings
from mailkit.services.alarms.settings import AlarmSettings
from mailkit.services.authsettings import AuthSettings
from mailkit.services.doctor.settings import DoctorSettings
from mailkit.services.notices.settings import NoticeSettings
from mailkit.services.queue.settings import QueueSettings, RetrySettings
from mailkit.services.routes.settings import RouteSettings, check_names, read_redis
from mailkit.services.sendingsettings import SendingSettings
from mailkit.services.smtp.settings import SMTPSettings
from mailkit.web.brand import (
    DARK_ON,
    DARK_PAPER,
    LIGHT_ON,
    LIGHT_PAPER,
    check_accent,
)

_SAFE = Patience()

_HOSTNAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)


def _is_hostname(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if not _HOSTNAME.fullmatch(value):
        raise ValueError(
            f'expects a host name such as "mail.example.org", not "{value}"'
        )


def _is_origin(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if value and not re.fullmatch(r"https?://[^/\s]+", value):
        raise ValueError(
            f'expects an origin such as "https://mail.example.org", not "{value}"'
        )


def _is_redis(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if value:
        read_redis(value)


def _is_accent(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    check_accent(value, LIGHT_PAPER, LIGHT_ON)


def _is_accent_dark(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    check_accent(value, DARK_PAPER, DARK_ON)


@frozen
class ListenSettings:
    """Who listens where: Twisted endpoint strings. A service that is absent is off."""

    smtp: tuple[str, ...] = ()
    """Mail from other servers (RFC 5321), STARTTLS offered. Usually `tcp:25`."""

    submission: tuple[str, ...] = ()
    """Mail from our own people (RFC 6409), STARTTLS offered. Usually `tcp:587`."""

    submissions: tuple[str, ...] = ()
    """The same, with TLS from the first octet (RFC 8314 §3.3). Usually `tcp:465`."""

    lmtp: tuple[str, ...] = ()
    """Mail from a server in front of this one (RFC 2033), without a login."""

    imap: tuple[str, ...] = ()
    """Mail clients (RFC 9051), STARTTLS offered. Usually `tcp:143`."""

    imaps: tuple[str, ...] = ()
    """The same, with TLS from the first octet (RFC 8314 §3.2). Usually `tcp:993`."""

    pop3: tuple[str, ...] = ()
    """Mail clients of the older kind (RFC 1939), STLS offered. Usually `tcp:110`."""

    pop3s: tuple[str, ...] = ()
    """The same, with TLS from the first octet (RFC 8314 §3.1). Usually `tcp:995`."""

    managesieve: tuple[str, ...] = ()
    """Filter scripts. Not in this version: skipped with one warning line."""

    http: tuple[str, ...] = ()
    """Web pages in the clear. Usually `tcp:80`."""

    https: tuple[str, ...] = ()
    """Web pages. Usually `tcp:443`."""

    dns: tuple[str, ...] = ()
    """Our own name server, by TCP as it says and by UDP on the same address and port.
    Usually `tcp:53`."""

    metrics: tuple[str, ...] = ()
    """`/metrics` and `/healthz`, without a login: on a loopback address."""


@frozen
class KeyPairSettings:
    """One more certificate, chosen when a client asks for a name that is in it."""

    certificate: Path
    """PEM file: the certificate and those that lead to its root."""

    key: Path
    """PEM file: its private key, readable by the server alone."""


@frozen
class TLSSettings:
    """Certificates. The files are watched, and taken over when they are renewed."""

    certificate: Path | None = None
    """PEM file: the certificate and those that lead to its root. Absent: self-signed,
    made once below `data`."""

    key: Path | None = None
    """PEM file: its private key, readable by the server alone."""

    also: tuple[KeyPairSettings, ...] = ()

    trust: Path | None = None
    """PEM file of authorities that other servers' certificates may be of, besides
    those of the system: for companies and test beds. Looked at where a policy demands
    a certificate that is good, and where policies are fetched."""

    required_to: tuple[str, ...] = ()
    """Domains that get no mail in the clear: `"example.org"`, or `".example.org"` for
    all below it. Their own policies (DANE, MTA-STS) may ask for more."""

    required_from: tuple[str, ...] = ()
    """Sender domains from which no mail is taken in the clear, written alike."""

    def __attrs_post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key are given together or not at all")


@frozen
class LimitSettings:
    """What a peer, an account or a message may take."""

    message_size: Octets = field(default=50 * MIB, validator=ge(64 * KIB))
    """The largest message that is taken in, by any way (RFC 1870)."""

    text_line: Octets = field(default=64 * KIB, validator=ge(1000))
    """The longest line of a message that is taken as it came; 1000 is what the
    standard asks for (RFC 5321 §4.5.3.1.6), newsletters have longer ones."""

    recipients: int = field(default=1000, validator=ge(100))
    """Recipients of one message (RFC 5321 §4.5.3.1.8)."""

    hops: int = field(default=HOPS, validator=ge(100))
    """Received fields from which on a message goes round in circles (RFC 5321 §6.3)."""

    connections: int = field(default=10_000, validator=ge(1))
    """Connections of all peers to all services of all workers together."""

    connections_per_peer: int = field(default=50, validator=ge(1))
    """Connections of one IPv4 address, or one IPv6 /64, to all services."""

    connections_per_account: int = field(default=50, validator=ge(1))
    """Connections that are logged in to one account."""


@frozen
class TimeoutSettings:
    """
    How long another host may take for each of its replies; most are the least
    that the standard allows (RFC 5321 §4.5.3.2).
    """

    connect: Seconds = field(default=_SAFE.connect, validator=gt(0))
    """Until a connection stands. Short: a domain may have more hosts to try."""

    greeting: Seconds = field(default=_SAFE.greeting, validator=gt(0))
    """Until it greets (RFC 5321 §4.5.3.2.1)."""

    hello: Seconds = field(default=_SAFE.hello, validator=gt(0))
    """For EHLO, HELO, LHLO and STARTTLS."""

    handshake: Seconds = field(default=_SAFE.handshake, validator=gt(0))
    """For TLS, and the first reply under it."""

    auth: Seconds = field(default=_SAFE.auth, validator=gt(0))
    """For each step of AUTH."""

    mail: Seconds = field(default=_SAFE.mail, validator=gt(0))
    """For MAIL (RFC 5321 §4.5.3.2.2)."""

    rcpt: Seconds = field(default=_SAFE.rcpt, validator=gt(0))
    """For RCPT (RFC 5321 §4.5.3.2.3)."""

    data: Seconds = field(default=_SAFE.data, validator=gt(0))
    """For DATA (RFC 5321 §4.5.3.2.4)."""

    block: Seconds = field(default=_SAFE.block, validator=gt(0))
    """Until it has taken what was written to it (RFC 5321 §4.5.3.2.5)."""

    end: Seconds = field(default=_SAFE.end, validator=gt(0))
    """For the whole message. A host that is given up on too soon may keep it, and gets
    it twice (RFC 5321 §4.5.3.2.6)."""

    quit: Seconds = field(default=_SAFE.quit, validator=gt(0))
    """For QUIT; then we hang up without."""

    idle: Seconds = field(default=_SAFE.idle, validator=gt(0))
    """How long a connection that nobody needs is kept for the next message."""


@frozen
class RelaySettings:
    """How mail goes out."""

    enabled: bool = True
    """Whether mail leaves at all. Without it there is no queue, and addresses elsewhere
    are refused."""

    allow: tuple[Network, ...] = ()
    """Networks that DNS may send us to although they are loopback or private: for
    test beds."""

    port: int = field(default=25, validator=[ge(1), le(65535)])
    """The port of other mail servers."""

    https_port: int = field(default=443, validator=[ge(1), le(65535)])
    """The port of other web servers, where policies of MTA-STS are."""

    messages: int = field(default=_SAFE.messages, validator=ge(1))
    """How many messages go over one connection."""

    recipients: int = field(default=_SAFE.recipients, validator=ge(1))
    """How many recipients of one message a host is named at a time; all take 100
    (RFC 5321 §4.5.3.1.8). Fewer, where it says so (RFC 9422)."""

    idle_connections: int = field(default=_SAFE.idle_connections, validator=ge(0))
    """How many connections that nobody needs are kept, to all hosts together."""

    timeouts: TimeoutSettings = TimeoutSettings()


@frozen
class WebSettings:
    """Web pages."""

    origin: str = field(default="", validator=_is_origin)
    """Where people find them, such as `https://mail.example.org`; empty: the Host
    header, if it is ours."""

    sessions: str = field(default="", validator=_is_redis)
    """Where it is kept who is signed in: `"redis://[[user]:password@]host[:port]/0"`
    for several machines that serve one site; empty: in `web.sqlite` below `data`."""

    session_idle: Seconds = field(default=12 * HOUR, validator=gt(0))
    """How long a browser stays signed in that is not used."""

    session_longest: Seconds = field(default=30 * DAY, validator=gt(0))
    """How long a browser stays signed in at all."""

    session_public: Seconds = field(default=30 * MINUTE, validator=gt(0))
    """How long a browser stays signed in that is not used, on a public computer."""

    insecure_cookie: bool = False
    """For developers whose browser takes no `Secure` cookie from a loopback address:
    leaves that word out. Whoever is on the way can then read people's mail."""

    time_zone: str = ""
    """
    Of people who have chosen none, and whose browser has not told its own: a name such
    as `Europe/Oslo`; empty: UTC.
    """

    name: str = field(default="mailkit", validator=max_len(40))
    """What the pages call themselves."""

    accent: str = field(default="", validator=_is_accent)
    """The colour of links and buttons on light paper, `"#rrggbb"`; empty: ours.
    Refused if people with weak eyes could not read it (contrast 4.5)."""

    accent_dark: str = field(default="", validator=_is_accent_dark)
    """The same on dark paper."""

    login_text: str = field(default="", validator=max_len(500))
    """What stands below the form to sign in; empty: whom to ask."""

    mta_sts: Literal["enforce", "testing", "none"] = "enforce"
    """What `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` asks of other servers
    (RFC 8461). While our certificate is one that we made ourselves, which others cannot
    check, it says `testing` instead of `enforce`."""


@frozen
class LogSettings:
    """What is told on standard output (or in twistd's log file)."""

    format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for programs."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    """The least that is told; `"debug"` tells the dialogues, secrets hidden."""


@frozen
class ProcessSettings:
    """Who the server is on this machine."""

    user: str | None = None
    """Who to be once the ports are bound, when started as root. Absent: stays root,
    with one warning line. The parent of several workers stays root in any case."""


@frozen
class AccountSettings:
    """What holds for accounts that say nothing else."""

    quota: Octets = 500 * MB
    """Octets of mail an account may have; 0: without limit."""

    registration: Literal["closed", "invite", "open"] = "closed"
    """Whether people may make accounts in the webmail: anybody, whoever has a link of
    `mailkit account invite`, or nobody."""

    aliases: int = field(default=0, validator=[ge(0), le(100)])
    """Other addresses that people may give themselves in the webmail."""

    link_lasts: Seconds = field(default=7 * DAY, validator=gt(0))
    """How long links of `mailkit account link` and `mailkit account invite` are
    good."""


@frozen
class ProxySettings:
    """Who stands in front of this server."""

    trusted: tuple[Network, ...] = ()
    """Networks that have to speak the PROXY protocol to us, or send `Forwarded`."""

    never_limit: tuple[Network, ...] = (
        ip_network("127.0.0.0/8"),
        ip_network("::1"),
    )
    """Networks that no ban, delay or limit a peer touches."""


@frozen
class Settings:
    """
    Static facts of this machine.

    Domains, accounts and aliases live in the directory, where the command changes
    them.
    """

    hostname: str = field(validator=_is_hostname)
    """What EHLO and the greeting say (RFC 5321 §4.1.1.1), and what a self-signed
    certificate is made for."""

    data: Path = Path("/var/lib/mailkit")
    """Everything the server writes; relative: beside this file."""

    workers: int = field(default=1, validator=[ge(0), le(256)])
    """Processes that serve; 0: one per core. With more than one a parent binds the
    ports, replaces workers that die, and serves nobody itself."""

    listen: ListenSettings = ListenSettings()
    tls: TLSSettings = TLSSettings()
    auth: AuthSettings = field(factory=AuthSettings)
    limits: LimitSettings = LimitSettings()
    smtp: SMTPSettings = field(factory=SMTPSettings)
    dns: DNSSettings = field(factory=DNSSettings)
    nameserver: NameServerSettings = field(factory=NameServerSettings)
    relay: RelaySettings = RelaySettings()
    retry: RetrySettings = field(factory=RetrySettings)
    queue: QueueSettings = field(factory=QueueSettings)
    notices: NoticeSettings = field(factory=NoticeSettings)
    sending: SendingSettings = field(factory=SendingSettings)
    alarm: AlarmSettings = field(factory=AlarmSettings)
    web: WebSettings = WebSettings()
    doctor: DoctorSettings = field(factory=DoctorSettings)
    log: LogSettings = LogSettings()
    process: ProcessSettings = ProcessSettings()
    accounts: AccountSettings = AccountSettings()
    proxy: ProxySettings = ProxySettings()
    route: tuple[RouteSettings, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_names(self.route)
        if self.route and not self.relay.enabled:
            raise WrongKeyError("route", "needs relay.enabled = true")
