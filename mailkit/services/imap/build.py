"""
The way in for whoever opens ports.

It gives what `mailkit.net.pump.Pump` is made with.
"""

from __future__ import annotations

from mailkit.interfaces.session import Build, IPeer, ISession
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.machine import Machine
from mailkit.services.imap.dialogue import IMAPHouse
from mailkit.services.imap.session import IMAPSession


def imap(house: IMAPHouse) -> Build:
    """Mail for people to read (RFC 9051, RFC 3501)."""

    def build(peer: IPeer) -> tuple[Machine, ISession]:
        machine = IMAPServer(house.limits)
        return machine, IMAPSession(machine, peer, house)

    return build
