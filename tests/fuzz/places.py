"""Small servers over memory stores, made anew for each dialogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve

from mailkit.metrics import Metrics
from mailkit.model.account import Credential
from mailkit.net.door import LOOPBACK
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS
from mailkit.services.authentication import Authentication
from mailkit.services.authsettings import AuthSettings
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.logins import Logins
from mailkit.services.passwordcheck import DirectoryPasswordCheck
from mailkit.services.passwords.passwords import Examined, Passwords
from mailkit.services.remembered import RememberedLogins
from mailkit.services.scramcheck import ScramCheck
from mailkit.services.slowdown import Slowdown
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from tests.fuzz.place import Place
from tests.fuzz.strangers import dns, relay, web
from tests.services.imap.world import World as IMAPWorld
from tests.services.pop3.test_transcripts import POP3World
from tests.services.smtp.world import World as SMTPWorld

MESSAGE_SIZE = 64 * 1024
"""Small, so that what waits for a whole message can be made to end."""
OVERRUN = 16 * MESSAGE_SIZE
"""Large beside the inputs: where exactly somebody is hung up on is no promise."""


class PlainPasswords(Passwords):
    """Compares: what hashing costs is not what is looked at here."""

    def examine(self, credentials: Sequence[Credential], password: str) -> Examined:
        for credential in credentials:
            if credential.secret == "{PLAIN}" + password:
                return Examined(credential)
        return Examined(None)


def _authentication(directory: MemoryDirectory, clock: TestClock) -> Authentication:
    settings = AuthSettings()
    logins = Logins(directory, clock, Slowdown(clock, settings, LOOPBACK), Metrics())
    check = DirectoryPasswordCheck(
        directory,
        directory,
        DirectLanes(),
        PlainPasswords(settings),
        RememberedLogins(directory, clock, settings.remember),
        logins,
    )
    return Authentication(check, ScramCheck(directory, settings, logins), settings)


def smtp(service: str) -> Place:
    """SMTP, submission or LMTP."""
    world = SMTPWorld(
        limits=evolve(DEFAULT_LIMITS, message_size=MESSAGE_SIZE, overrun=OVERRUN)
    )
    world.authentication = _authentication(world.directory, world.clock)
    return Place(
        service,
        world.clock,
        world.sessions,
        world.metrics,
        lambda: world.protocol(service),
        {"pass": lambda seconds: world.clock.advance(float(seconds))},
    )


def imap(service: str) -> Place:
    """IMAP, with whatever transcripts have happen meanwhile."""
    world = IMAPWorld(IMAPSettings(message_size=MESSAGE_SIZE))
    world.authentication = _authentication(world.directory, world.clock)
    for subject in ("one", "two", "three"):
        world.deliver(b"Subject: %b\r\n\r\nThis is it.\r\n" % subject.encode())
    return Place(
        service,
        world.clock,
        world.sessions,
        world.metrics,
        world.protocol,
        world.actions,
    )


def pop3(service: str) -> Place:
    """POP3, with three messages."""
    world = POP3World()
    world.authentication = _authentication(world.directory, world.clock)
    return Place(
        service,
        world.clock,
        world.sessions,
        world.metrics,
        world.pop3,
        {
            "suspend": world.suspend_alice,
            "expunge": world.expunge,
            "advance": world.advance,
        },
    )


PLACES: dict[str, Callable[[str], Place]] = {
    "smtp": smtp,
    "submission": smtp,
    "lmtp": smtp,
    "imap": imap,
    "pop3": pop3,
    "relay": relay,
    "lmtp-relay": relay,
    "dns": dns,
    "web": web,
}
