"""Every dialogue in ``transcripts/pop3`` goes as written, however the octets arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.interfaces.storage import NewMessage
from mailkit.model.mailbox import INBOX
from mailkit.model.uidset import UIDSet
from mailkit.net.pump import Pump, Surroundings
from mailkit.services.pop3.build import pop3
from mailkit.services.pop3.house import POP3House
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from mailkit.testing.tls import PretendedTLS
from tests.services.smtp.world import ALICE, HOSTNAME, World
from tests.transcript import Feed, cases, name_of, replay

MESSAGES = (
    b"Subject: one\r\n\r\nfirst line\r\n.second line\r\n..\r\nlast line\r\n",
    b"Subject: two\r\nFrom: x@example.net\r\n\r\nbody\r\n",
    b"Subject: \xc3\xbcber\r\n\r\nnative\r\n",
)


class POP3World(World):
    """The small server, with three messages for alice and a POP3 service."""

    def __init__(self) -> None:
        super().__init__()
        at_once(self._letters())

    async def _letters(self) -> None:
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.append([NewMessage(OctetsContent(octets)) for octets in MESSAGES])

    def pop3(self) -> Pump:
        house = POP3House(
            HOSTNAME,
            self.store,
            self.authentication,
            self.sessions,
            self.clock,
            self.metrics,
        )
        around = Surroundings("pop3", self.clock, upgrade=PretendedTLS())
        return Pump(pop3(house), around)

    def suspend_alice(self, rest: str) -> None:
        at_once(self.suspend(ALICE))

    def expunge(self, uids: str) -> None:
        at_once(self._expunge(uids))

    async def _expunge(self, uids: str) -> None:
        from mailkit.model.flags import DELETED, FlagAction, FlagChange

        inbox = await self.store.open(ALICE, INBOX)
        wanted = UIDSet.of(int(uid) for uid in uids.split())
        await inbox.store(wanted, FlagChange(FlagAction.ADD, frozenset({DELETED})))
        await inbox.expunge(wanted)

    def allow(self, most: str) -> None:
        self.sessions.most = int(most)

    def count(self, wanted: str) -> None:
        status = at_once(self.store.status(ALICE, INBOX))
        assert status.exists == int(wanted), status

    def advance(self, seconds: str) -> None:
        self.clock.advance(float(seconds))


SCRIPTS = Path(__file__).parents[2] / "transcripts" / "pop3"


@pytest.mark.parametrize(("script", "feed"), cases(SCRIPTS), ids=name_of)
def test_dialogue(script: Path, feed: Feed) -> None:
    world = POP3World()
    replay(
        script,
        world.pop3,
        feed,
        {
            "suspend": world.suspend_alice,
            "expunge": world.expunge,
            "count": world.count,
            "most": world.allow,
            "advance": world.advance,
        },
    )
