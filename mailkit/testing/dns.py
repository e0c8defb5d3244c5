"""
DNS for tests: a resolver that knows what it was told, and a little name server.

::

    resolver = DictResolver('''
        example.net.    MX  10 mx.example.net.
        mx.example.net. A   192.0.2.1
    ''')
    resolver.fail("broken.test")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zonefile
from attrs import define, field
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import DatagramProtocol, Factory, connectionDone
from twisted.protocols.basic import Int16StringReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.errors import DNSTrouble
from mailkit.interfaces.resolver import Answer, IResolver
from mailkit.net.resolver import typed
from mailkit.net.resolver.found import Found
from mailkit.net.resolver.questions import Questions
from mailkit.net.resolver.typed import Typed

Known = Mapping[str, Mapping[str, str | Sequence[str]]]
"""``{"example.net": {"MX": ["10 mx.example.net."], "TXT": '"v=spf1 -all"'}}``"""

TTL = 300
NEGATIVE_TTL = 60
MOST_ALIASES = 10


@define(eq=False)
class Records:
    """Records by name; aliases are followed, wildcards stand in (RFC 4592)."""

    _by_name: dict[dns.name.Name, dict[RdataType, dns.rrset.RRset]] = field(
        factory=dict
    )

    def add(self, records: Known | str) -> None:
        """Add to what is there; text is read as a zone file without an origin."""
        for rrset in _read(records):
            kinds = self._by_name.setdefault(rrset.name.canonicalize(), {})
            empty = dns.rrset.RRset(rrset.name, RdataClass.IN, rrset.rdtype)
            kept = kinds.setdefault(rrset.rdtype, empty)
            for record in rrset:
                kept.add(record, rrset.ttl)

    def drop(self, name: str) -> None:
        """Forget all records of a name."""
        self._by_name.pop(_name(name), None)

    def find(self, name: dns.name.Name, kind: RdataType) -> list[dns.rrset.RRset]:
        """Aliases in their order, then what was asked for, if it is there."""
        chain: list[dns.rrset.RRset] = []
        for _ in range(MOST_ALIASES):
            kinds = self._kinds(name)
            rrset = kinds.get(kind) or kinds.get(RdataType.CNAME)
            if rrset is None:
                break
            chain.append(dns.rrset.from_rdata_list(name, rrset.ttl, list(rrset)))
            if rrset.rdtype == kind:
                break
            name = rrset[0].target.canonicalize()
        return chain

    def exists(self, name: dns.name.Name) -> bool:
        """Whether there is anything at the name, or below it."""
        return bool(self._kinds(name)) or any(
            other.is_subdomain(name) for other in self._by_name
        )

    def _kinds(self, name: dns.name.Name) -> dict[RdataType, dns.rrset.RRset]:
        found = self._by_name.get(name)
        while found is None and name != dns.name.root:
            name = name.parent()
            if name in self._by_name:
                break
            found = self._by_name.get(dns.name.Name((b"*", *name.labels)))
        return found or {}


def _read(records: Known | str) -> list[dns.rrset.RRset]:
    if isinstance(records, str):
        text = "\n".join(line.strip() for line in records.splitlines())
        return dns.zonefile.read_rrsets(text, rdclass=None, default_ttl=TTL)
    return [
        dns.rrset.from_text_list(
            _name(name), TTL, "IN", kind, [texts] if isinstance(texts, str) else texts
        )
        for name, kinds in records.items()
        for kind, texts in kinds.items()
    ]


def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(text).canonicalize()


@implementer(IResolver)
@define(eq=False)
class DictResolver(Questions):
    """
    Answers from what it was told, at once; all else does not exist.

    :param known: a mapping, or the text of a zone file with full names.
    :param authentic: what answers say of themselves; `distrust` makes exceptions.
    """

    known: Known | str = ""
    authentic: bool = False
    asked: list[tuple[str, str]] = field(factory=list, init=False)
    """Every question: name and kind, ``("example.net", "MX")``."""
    records_known: Records = field(factory=Records, init=False)
    _failing: set[tuple[str, str]] = field(factory=set, init=False)
    _distrusted: set[str] = field(factory=set, init=False)
    _held: dict[str, list[Deferred[None]]] = field(factory=dict, init=False)
    _is_closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.add(self.known)

    # -- what the test says

    def add(self, records: Known | str) -> None:
        """More records, besides those of the same name."""
        self.records_known.add(records)

    def drop(self, name: str) -> None:
        """A name has no records any more."""
        self.records_known.drop(name)

    def fail(self, name: str = "", kind: str = "") -> None:
        """`DNSTrouble` for a name, or one kind of it; without a name for all."""
        self._failing.add((name, kind))

    def mend(self, name: str = "", kind: str = "") -> None:
        """Take back what `fail` did."""
        self._failing.discard((name, kind))

    def distrust(self, name: str) -> None:
        """What is said of this name is not authentic."""
        self._distrusted.add(name)

    def hold(self, name: str) -> None:
        """Questions about a name wait until `release`."""
        self._held.setdefault(name, [])

    def release(self, name: str) -> None:
        """Answer those that waited."""
        for waiting in self._held.pop(name, []):
            waiting.callback(None)

    # -- IResolver

    async def addresses(self, host: str) -> Answer[str]:
        return typed.join(await self.ipv6(host), await self.ipv4(host))

    async def close(self) -> None:
        self._is_closed = True
        for name in list(self._held):
            self.release(name)

    async def _answer(self, text: str, kind: Typed) -> Answer[Any]:
        text = text.lower().rstrip(".")
        self.asked.append((text, kind.kind.name))
        if text in self._held and not self._is_closed:
            waiting: Deferred[None] = Deferred()
            self._held[text].append(waiting)
            await waiting
        failures = {(text, ""), (text, kind.kind.name), ("", ""), ("", kind.kind.name)}
        if self._is_closed or failures & self._failing:
            raise DNSTrouble(f"no answer about {text}")
        name = typed.parse_name(text)
        if name is None:
            return typed.nothing(text)
        special = typed.special(name, kind)
        if special is not None:
            return special
        found = self._find(name, kind.kind)
        return typed.answer_of(found, kind, found.ttl)

    def _find(self, name: dns.name.Name, kind: RdataType) -> Found:
        chain = self.records_known.find(name, kind)
        names = {typed.host_text(name)}
        for rrset in chain:
            if rrset.rdtype != kind:
                name = rrset[0].target.canonicalize()
                names.add(typed.host_text(name))
        is_there = bool(chain) and chain[-1].rdtype == kind
        return Found(
            name=name,
            records=tuple(chain[-1]) if is_there else (),
            exists=is_there or self.records_known.exists(name),
            ttl=min([rrset.ttl for rrset in chain] or [NEGATIVE_TTL]),
            authentic=self.authentic and not names & self._distrusted,
        )


@define(eq=False)
class LittleServer:
    """
    Answers on UDP and TCP as a recursive resolver would, with vices on demand.

    `listen` gives the place for ``[dns] servers``.
    """

    known: Known | str = ""
    vouches: bool = False
    """Set AD (RFC 4035 §3.2.3)."""
    is_silent: bool = False
    """Take questions and answer none."""
    is_deaf_to_streams: bool = False
    """Hang up on TCP at once."""
    truncates: bool = False
    """Send every answer by UDP without records and with TC."""
    keeps_case: bool = True
    knows_edns: bool = True
    rcodes: dict[str, dns.rcode.Rcode] = field(factory=dict)
    """Failures, by name or by kind (``"AAAA"``); ``""`` for all."""
    asked: list[dns.message.Message] = field(factory=list, init=False)
    by_stream: int = field(default=0, init=False)
    """How many of them came by TCP."""
    records: Records = field(factory=Records, init=False)
    _ports: list[IListeningPort] = field(factory=list, init=False)
    _streams: set[_Stream] = field(factory=set, init=False)
    """Those that are open."""

    def __attrs_post_init__(self) -> None:
        self.records.add(self.known)

    def listen(self, reactor: Any, host: str = "127.0.0.1") -> str:
        """Open both ports; the address as in the config."""
        while True:
            tcp = reactor.listenTCP(0, _Streams(self), interface=host)
            number = tcp.getHost().port
            try:
                udp = reactor.listenUDP(number, ServerDatagrams(self), host)
            except CannotListenError:
                tcp.stopListening()  # somebody's UDP has that number: another one
            else:
                self._ports = [udp, tcp]
                return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"

    async def close(self) -> None:
        """Close both ports, and end what is open by TCP."""
        ports, self._ports = self._ports, []
        for port in ports:
            closing = port.stopListening()
            if closing is not None:
                await closing
        # Whoever has hung up may not be heard yet: the network takes its time.
        for stream in list(self._streams):
            await stream.cut()

    def answer(self, octets: bytes, *, is_stream: bool = False) -> bytes | None:
        """What to say to a question; ``None``: nothing."""
        query = dns.message.from_wire(octets)
        self.asked.append(query)
        self.by_stream += is_stream
        if self.is_silent:
            return None
        response = dns.message.make_response(
            query, recursion_available=True, our_payload=1232
        )
        if query.edns >= 0 and not self.knows_edns:
            response = dns.message.make_response(query)
            response.use_edns(False)
            response.set_rcode(dns.rcode.FORMERR)
            return response.to_wire()
        self._fill(response, query.question[0])
        if self.truncates and not is_stream:
            response.answer.clear()
            response.flags |= dns.flags.TC
        if not self.keeps_case:
            question = response.question[0]
            question.name = question.name.canonicalize()
        return response.to_wire()

    def _fill(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        name = question.name.canonicalize()
        text = typed.host_text(name)
        kind = dns.rdatatype.to_text(question.rdtype)
        rcode = next(filter(None, map(self.rcodes.get, (text, kind, ""))), None)
        if rcode is not None:
            response.set_rcode(rcode)
            return
        if self.vouches:
            response.flags |= dns.flags.AD
        response.answer = self.records.find(name, question.rdtype)
        last = response.answer[-1] if response.answer else None
        if last is not None and last.rdtype == question.rdtype:
            return
        if last is not None:
            name = last[0].target.canonicalize()
        if not self.records.exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        soa = f"a.test. b.test. 1 3600 600 86400 {NEGATIVE_TTL}"
        response.authority = [dns.rrset.from_text(".", TTL, "IN", "SOA", soa)]


class ServerDatagrams(DatagramProtocol):
    """Its UDP side."""

    noisy = False

    def __init__(self, server: LittleServer) -> None:
        self._server = server

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        octets = self._server.answer(datagram)
        if octets is not None:
            assert self.transport is not None
            self.transport.write(octets, addr)


class _Stream(Int16StringReceiver):
    def __init__(self, server: LittleServer) -> None:
        self._server = server
        self._ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._server._streams.add(self)
        if self._server.is_deaf_to_streams:
            assert self.transport is not None
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server._streams.discard(self)
        self._ended.callback(None)

    def cut(self) -> Deferred[None]:
        """End it at once; fires when it has."""
        transport: Any = self.transport  # of TCP, which `ITransport` does not say
        transport.abortConnection()
        return self._ended

    def stringReceived(self, string: bytes) -> None:
        octets = self._server.answer(string, is_stream=True)
        if octets is not None:
            self.sendString(octets)


class _Streams(Factory):
    noisy = False

    def __init__(self, server: LittleServer) -> None:
        self._server = server

    def buildProtocol(self, addr: IAddress | None) -> _Stream:
        return _Stream(self._server)
