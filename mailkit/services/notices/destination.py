"""
Mail that comes back to reverse-paths of ours, taken before mailboxes are asked.

What comes to the address of a bulk message is read and kept no longer. What comes to a
sender that we rewrote goes on to the true sender, who may be elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import LocalMisuse, MailLoop, NoSuchAddress
from mailkit.formats import received
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.event import MailEvent, Step
from mailkit.model.outcome import Kept, Outcome
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.services.delivery.content import read_header
from mailkit.services.notices.incoming import LIMITS, LONGEST_REPORT, Reports
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.routing import Routing


@define(eq=False)
class ReturnHouse:
    """What all transactions with returning mail share."""

    hostname: str
    addresses: ReturnAddresses
    reports: Reports
    directory: IDirectory
    routing: Routing
    queue: IQueueStore
    spool: ISpool
    events: IEvents
    clock: IReactorTime
    new_id: Callable[[], str]


@implementer(IDestination)
@define(eq=False)
class Returning:
    """A destination in front of another, to which goes all that does not come back."""

    _house: ReturnHouse
    _behind: IDestination

    async def begin(self, envelope: Envelope, origin: Origin) -> ITransaction:
        behind = await self._behind.begin(envelope, origin)
        return ReturningTransaction(self._house, behind, envelope, origin)


@implementer(ITransaction)
@define(eq=False)
class ReturningTransaction:
    """Divides recipients: addresses that we made up, and all others."""

    log = Logger()

    _house: ReturnHouse
    _behind: ITransaction
    _envelope: Envelope
    _origin: Origin
    _named: dict[Path, list[Path]] = field(init=False, factory=dict)
    """What RCPT said, by what is asked behind: true senders of ours, and others."""
    _bulk: dict[Path, str] = field(init=False, factory=dict)
    """Addresses of bulk messages, and which message each is."""
    _onward: dict[Path, tuple[Recipient, NextHop]] = field(init=False, factory=dict)
    """What RCPT said, and the true sender elsewhere with the way there."""
    _file: ISpoolFile | None = field(init=False, default=None)
    _content: IContent | None = field(init=False, default=None)
    _header: bytes = field(init=False, default=b"")

    async def add_recipient(self, recipient: Recipient) -> None:
        addresses, path = self._house.addresses, recipient.path
        id = addresses.bulk_id(path)
        if id is not None:
            self._bulk[path] = id
            self._begin_file()
            return
        sender = addresses.original(path)
        if sender is None:
            await self._behind.add_recipient(recipient)
            self._named.setdefault(path, []).append(path)
            return
        if not self._envelope.reverse_path.is_null:
            # Nothing but reports comes back there; so nobody is sent mail through us.
            raise NoSuchAddress(str(path))
        true = Recipient(sender, recipient.parameters)
        if await self._house.directory.domain(sender.address.domain) is not None:
            await self._behind.add_recipient(true)
            self._named.setdefault(sender, []).append(path)
            return
        routed = await self._house.routing.route(sender, may_send=True)
        self._onward[path] = true, routed.foreign[0].hop
        self._begin_file()

    async def write(self, octets: bytes) -> None:
        if self._named:
            await self._behind.write(octets)
        if self._file is not None:
            await self._file.write(octets)

    async def prepare(self) -> Mapping[Path, Outcome]:
        outcomes: dict[Path, Outcome] = {}
        if self._named:
            prepared = await self._behind.prepare()
            outcomes = {
                said: outcome
                for path, outcome in prepared.items()
                for said in self._named[path]
            }
        if self._file is not None:
            self._content = await self._file.finish()
            self._header = await read_header(self._content, LIMITS.header_size)
            if self._onward and received.count(self._header) >= received.HOPS:
                raise MailLoop("hops")
        for path in self._bulk:
            outcomes[path] = Kept(("reports",))
        for path, (_, hop) in self._onward.items():
            outcomes[path] = Kept((f"queue for {hop}",))
        return outcomes

    async def commit(self) -> str:
        try:
            id = ""
            if self._content is not None:
                id = self._house.new_id()
                await self._read_reports(id, self._content)
                await self._send_on(id, self._content)
            if self._named:
                return await self._behind.commit()
            if not id:
                raise LocalMisuse("commit without prepare")
            await self._behind.abort()
            return id
        finally:
            self._discard()

    async def abort(self) -> None:
        self._discard()
        await self._behind.abort()

    def _begin_file(self) -> None:
        if self._file is None:
            self._file = self._house.spool.begin()

    def _discard(self) -> None:
        if self._file is not None:
            self._file.discard()

    async def _read_reports(self, id: str, content: IContent) -> None:
        if not self._bulk:
            return
        octets = await content.read(0, LONGEST_REPORT)
        for path, bulk_id in self._bulk.items():
            await self._house.reports.returned(bulk_id, octets)
            self._record(id, Step.DISCARDED, path, f"read, about {bulk_id}")

    async def _send_on(self, id: str, content: IContent) -> None:
        """Put what comes back to others into the queue, an item a true sender."""
        house = self._house
        items: list[QueueItem] = []
        for number, (path, (true, hop)) in enumerate(self._onward.items(), 1):
            items.append(self._item(id, number, true, hop, content.size))
            self._record(id, Step.QUEUED, path, f"{id}.{number} for {hop}")
        if items:
            await house.queue.put(content, items, self._received(id))

    def _item(
        self, id: str, number: int, true: Recipient, hop: NextHop, size: int
    ) -> QueueItem:
        now = self._house.clock.seconds()
        return QueueItem(
            id=QueueId(f"{id}.{number}"),
            message=id,
            hop=hop,
            envelope=self._envelope,
            recipients=(QueuedRecipient(true),),
            arrived=now,
            next_try=now,
            size=size,
            is_sealed=True,
        )

    def _received(self, id: str) -> bytes:
        origin, house = self._origin, self._house
        version, _, cipher = origin.tls.partition(" ")
        return received.write_received(
            received.Arrival(
                by=house.hostname,
                protocol=origin.protocol,
                at=datetime.fromtimestamp(house.clock.seconds(), UTC),
                helo=origin.hello,
                peer_address=None if origin.peer == "unix" else origin.peer,
                tls_version=version or None,
                tls_cipher=cipher or None,
                id=id,
            )
        )

    def _record(self, id: str, step: Step, path: Path, detail: str) -> None:
        assert self._content is not None
        self._house.events.record(
            MailEvent(
                when=self._house.clock.seconds(),
                step=step,
                transaction=id,
                message_id="",
                sender=str(self._envelope.reverse_path),
                recipient=str(path),
                peer=self._origin.peer,
                detail=detail,
                size=self._content.size,
            )
        )
