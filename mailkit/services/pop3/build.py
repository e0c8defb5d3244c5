"""The way in for whoever opens ports."""

from __future__ import annotations

from mailkit.interfaces.session import Build, IPeer, ISession
from mailkit.protocols.machine import Machine
from mailkit.protocols.pop3.server import POP3Server
from mailkit.services.pop3.house import POP3House
from mailkit.services.pop3.session import POP3Session


def pop3(house: POP3House) -> Build:
    """What `mailkit.net.pump.Pump` is made with."""

    def build(peer: IPeer) -> tuple[Machine, ISession]:
        machine = POP3Server()
        return machine, POP3Session(machine, peer, house)

    return build
