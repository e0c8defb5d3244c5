"""What every `IEvents` has to do."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.events import IEvents
from mailkit.model.event import MailEvent, Step
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import coroutine

ACCEPTED = MailEvent(
    NEW_YEAR,
    Step.ACCEPTED,
    "t1",
    "<one@example.net>",
    "carol@example.net",
    "",
    "192.0.2.1",
    size=1000,
)
TO_ALICE = evolve(
    ACCEPTED,
    step=Step.DELIVERED,
    recipient="Alice@example.test",
    account="alice@example.test",
    detail="INBOX",
)
TO_BOB = evolve(
    ACCEPTED,
    step=Step.DELIVERED,
    recipient="sales@example.test",
    account="bob@example.test",
    detail="Junk, größer",
)
REFUSED = evolve(
    ACCEPTED,
    step=Step.REFUSED,
    message_id="",
    recipient="nobody@example.test",
    detail="No such mailbox",
)
OTHER = MailEvent(
    NEW_YEAR + 1,
    Step.ACCEPTED,
    "t2",
    "<two@example.net>",
    "dave@example.net",
    "",
    "unix",
)


class EventsContract:
    """What was recorded is found."""

    events: IEvents

    def make_events(self) -> IEvents:
        """A new, empty record."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.events = self.make_events()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.events.close())

    async def finds(self, what: str, *steps: MailEvent) -> None:
        assert list(await self.events.find(what)) == list(steps)

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IEvents, self.events)

    @coroutine
    async def test_nothing_was_recorded(self) -> None:
        await self.finds("alice@example.test")

    @coroutine
    async def test_steps_are_found(self) -> None:
        every = (ACCEPTED, REFUSED, TO_ALICE, TO_BOB)
        for event in (ACCEPTED, OTHER, REFUSED, TO_ALICE, TO_BOB):
            self.events.record(event)
        await self.finds("t1", *every)
        await self.finds("t2", OTHER)
        await self.finds("<one@example.net>", *every)
        await self.finds("one@example.net", *every)
        await self.finds("carol@example.net", *every)
        await self.finds("dave@example.net", OTHER)
        await self.finds("<ONE@example.net>")
        await self.finds("INBOX")
        await self.finds("")

    @coroutine
    async def test_an_address_finds_its_own_steps_and_those_about_all(self) -> None:
        for event in (ACCEPTED, OTHER, TO_ALICE, TO_BOB):
            self.events.record(event)
        await self.finds("alice@example.test", ACCEPTED, TO_ALICE)
        await self.finds("ALICE@EXAMPLE.TEST", ACCEPTED, TO_ALICE)
        await self.finds("sales@example.test", ACCEPTED, TO_BOB)
        await self.finds("bob@example.test", ACCEPTED, TO_BOB)

    @coroutine
    async def test_recording_never_raises(self) -> None:
        odd = evolve(OTHER, detail="\udc80\x00", transaction="t\udcff")
        self.events.record(odd)
        [found] = await self.events.find("dave@example.net")
        assert found.message_id == OTHER.message_id
        await self.events.close()
        self.events.record(OTHER)
