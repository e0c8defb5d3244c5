"""A relay, a clock, and one scripted host."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from mailkit.interfaces.queue import Carried, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.metrics import Metrics
from mailkit.model.address import DomainName
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.model.tlspolicy import OPPORTUNISTIC
from mailkit.model.tlsresult import TLSResult
from mailkit.net.relay.fitting import Octets
from mailkit.net.relay.relay import Relay
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import make_client_context
from tests.net.relay.sink import GOOD, HELLO, Answers, Net, ScriptedHost

TEXT = b"From: x@elsewhere.test\r\nSubject: a\r\n\r\nHello\r\n.dot\r\n"
MAIL = f"MAIL FROM:<x@elsewhere.test> SIZE={len(TEXT)}"
"""What begins a transaction of it."""
SINK = NextHost(name="mx.sink.test", address="192.0.2.1", port=25, policy=OPPORTUNISTIC)
X = Path("x", "elsewhere.test")


def item(
    *to: str,
    sender: Path = X,
    parameters: SenderParameters = SenderParameters(),  # noqa: B008 - frozen
    told: RecipientParameters = RecipientParameters(),  # noqa: B008 - frozen
    require_tls: bool = False,
    size: int = len(TEXT),
) -> QueueItem:
    """An item for ``to``, all of them waiting."""
    recipients = []
    for each in to or ("a@sink.test",):
        local_part, _, domain = each.rpartition("@")
        recipients.append(QueuedRecipient(Recipient(Path(local_part, domain), told)))
    return QueueItem(
        id=QueueId("5f3c.1"),
        message="5f3c",
        hop=NextHop(DomainName("sink.test")),
        envelope=Envelope(sender, parameters),
        recipients=tuple(recipients),
        arrived=0.0,
        next_try=0.0,
        size=size,
        require_tls=require_tls,
    )


EIGHT_BIT = SenderParameters(body=BodyType.EIGHT_BIT)
BINARY = SenderParameters(body=BodyType.BINARY)


@implementer(IContent)
@define(eq=False)
class OnDisk:
    """A message that is read a piece at a time, and notes how."""

    all: bytes
    reads: list[tuple[int, int]] = field(factory=list)
    octets: None = None
    lies: int = 0
    """Octets that are gone since the size was told."""

    @property
    def size(self) -> int:
        return len(self.all)

    async def read(self, start: int, count: int) -> bytes:
        self.reads.append((start, count))
        return self.all[: self.size - self.lies][start : start + count]


class World:
    """Carries messages to a `ScriptedHost`."""

    def __init__(
        self,
        answers: Answers | None = None,
        settings: RelaySettings | None = None,
        roots: bytes | None = None,
        **about: Any,  # of `ScriptedHost`
    ) -> None:
        self.clock = Clock()
        self.net = Net(self.clock)
        self.host = ScriptedHost(self.net, GOOD | (answers or {}), **about)
        self.asked: list[NextHost] = []
        self.tls: list[TLSResult] = []
        self.metrics = Metrics()
        self.relay = Relay(
            self.clock,
            "us.test",
            self.metrics,
            settings,
            context=make_client_context(roots),
            on_tls=self.tls.append,
            endpoint_for=self._endpoint,
            nonce=lambda: b"abc",
        )

    def _endpoint(self, host: NextHost) -> ScriptedHost:
        self.asked.append(host)
        return self.host

    def begin(
        self,
        item: QueueItem,
        content: IContent | bytes = TEXT,
        host: NextHost = SINK,
    ) -> list[Carried | Failure]:
        """Start; what comes of it is appended."""
        if isinstance(content, bytes):
            content = Octets(content)
        return self.start(self.relay.carry(host, item, content))

    def start(self, work: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run something; what comes of it is appended."""
        found: list[Any] = []
        Deferred.fromCoroutine(work).addBoth(found.append)
        self.net.flow()
        return found

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Let time pass, and octets move."""
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            self.net.flow()

    def carry(
        self,
        item: QueueItem,
        content: IContent | bytes = TEXT,
        host: NextHost = SINK,
        patience: float = 2000.0,
    ) -> Carried:
        """Carry to the end, however long it takes."""
        found = self.begin(item, content, host)
        waited = 0.0
        while not found and waited < patience:
            self.pass_time(5.0, 5.0)
            waited += 5.0
        assert found, "no end"
        (came,) = found
        if isinstance(came, Failure):
            came.raiseException()
        assert isinstance(came, Carried)
        return came


def told(carried: Carried) -> list[str]:
    """Local part, fate, status and words, a recipient a line."""
    return [
        f"{each.path.local_part} {each.fate.value} {each.status} {each.words}"
        for each in carried.reports
    ]


def lmtp(host: NextHost = SINK) -> NextHost:
    """The same by LMTP."""
    return evolve(host, is_lmtp=True)


def commands(world: World) -> Sequence[str]:
    """What the only connection heard."""
    return world.host.sink.heard


def offering(*keywords: str, but: str = "") -> str:
    """What most hosts offer, and more, or less."""
    words = [each[4:] for each in HELLO.split("\n")]
    words = [each for each in words if each != but] + list(keywords)
    return "\n".join([f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"])
