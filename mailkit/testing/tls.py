"""TLS that is only said: for dialogues over transports in memory."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Protocol


@define(eq=False)
class PretendedTLS:
    """Stands in for `mailkit.net.tls.Upgrade`; what is sent stays readable."""

    started: list[ITransport] = field(factory=list)

    def start(self, transport: ITransport, protocol: Protocol) -> None:
        """Note it."""
        self.started.append(transport)
