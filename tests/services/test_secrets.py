"""No password is ever in the log, however wrongly a client says it."""

from __future__ import annotations

from base64 import b64encode
from typing import cast

import pytest
from twisted.internet.address import IPv4Address
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher

from mailkit.interfaces.session import Build
from mailkit.net.pump import Pump, PumpSettings, Surroundings
from mailkit.services.pop3.build import pop3
from mailkit.services.pop3.house import POP3House
from mailkit.testing.tls import PretendedTLS
from tests.services.smtp.world import HOSTNAME, World
from tests.transcript import Wire

SECRET = b"s3cr3tPassw0rd"
PLAIN = b64encode(b"\0alice@example.org\0" + SECRET)
SHOWN = (SECRET, b64encode(SECRET), PLAIN[-16:])

AUTH: list[list[bytes]] = [
    [b"AUTH PLAIN " + PLAIN],
    [b"AUTH PLAIN", PLAIN],
    [b"AUTH LOGIN", b64encode(b"alice@example.org"), b64encode(SECRET)],
    [b"AUTH LOGIN " + b64encode(b"alice"), b64encode(SECRET)],
    [b"AUTH LOGIN", SECRET],
    [b"AUTH PLAIN " + PLAIN + b"="],
    [b"AUTH PLAIN " + PLAIN + b" more"],
    [b"AUTH PLAIN " + PLAIN + b"\0"],
    [b"AUTH UNKNOWN " + PLAIN],
    [b"AUTH PLAIN", b"*", PLAIN],
    [PLAIN],
]
POP3: list[list[bytes]] = [
    [b"USER alice@example.org", b"PASS " + SECRET],
    [b"PASS " + SECRET],
    [b"USER alice@example.org", b"PASS", SECRET],
    [b"USER alice@example.org", b"PASS " + SECRET + b"\xff"],
    [b"USER alice@example.org", b"PASS " + SECRET * 20],
]


def build(world: World, service: str) -> Build:
    if service == "submission":
        return world.build(service)
    return pop3(
        POP3House(
            HOSTNAME,
            world.store,
            world.authentication,
            world.sessions,
            world.clock,
            world.metrics,
        )
    )


@pytest.mark.parametrize("is_secured", [False, True])
@pytest.mark.parametrize(
    ("service", "lines"),
    [("submission", lines) for lines in AUTH]
    + [("pop3", lines) for lines in AUTH + POP3],
)
def test_no_secret_is_logged(
    service: str, lines: list[bytes], is_secured: bool
) -> None:
    world = World()
    settings = PumpSettings(dialogue=True)
    around = Surroundings(
        service, world.clock, settings=settings, upgrade=PretendedTLS()
    )
    events: list[LogEvent] = []
    observer = cast(ILogObserver, events.append)
    globalLogPublisher.addObserver(observer)
    try:
        pump = Pump(build(world, service), around)
        wire = Wire(pump, IPv4Address("TCP", "192.0.2.1", 54321))
        pump.makeConnection(wire)
        start = {"submission": b"EHLO me\r\nSTARTTLS\r\n", "pop3": b"STLS\r\n"}
        if is_secured:
            wire.arrive(start[service])
        if service == "submission":
            wire.arrive(b"EHLO me\r\n")
        for line in lines:
            wire.arrive(line + b"\r\n")
        wire.leave()
    finally:
        globalLogPublisher.removeObserver(observer)
    said = "\n".join(f"{formatEvent(event)} {event!r}" for event in events)
    assert " S: " in said
    for secret in SHOWN:
        assert secret.decode() not in said
