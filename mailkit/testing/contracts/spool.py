"""What every `ISpool` has to do."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.testing.contracts.messages import coroutine


class SpoolContract:
    """Octets go in and come out, few or many."""

    spool: ISpool

    def make_spool(self) -> ISpool:
        """A spool with room."""
        raise NotImplementedError

    async def close_spool(self) -> None:
        """Let go of what `make_spool` took."""

    def setUp(self) -> None:
        self.spool = self.make_spool()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.close_spool())

    async def through(self, pieces: list[bytes]) -> None:
        """What was written is what is read, whole and in parts."""
        file = self.spool.begin()
        for piece in pieces:
            await file.write(piece)
        octets = b"".join(pieces)
        assert file.size == len(octets)
        content = await file.finish()
        verifyObject(IContent, content)
        assert content.size == len(octets)
        assert content.octets in (None, octets)
        assert await content.read(0, content.size) == octets
        middle = len(octets) // 2
        assert await content.read(middle, 7) == octets[middle : middle + 7]
        assert await content.read(middle, len(octets)) == octets[middle:]
        assert await content.read(len(octets), 5) == b""
        file.discard()
        file.discard()

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(ISpool, self.spool)
        verifyObject(ISpoolFile, self.spool.begin())

    @coroutine
    async def test_nothing(self) -> None:
        await self.through([])

    @coroutine
    async def test_a_small_message(self) -> None:
        await self.through([b"Subject: x\r\n", b"\r\n", b"\x00\xff"])

    @coroutine
    async def test_a_large_message_in_small_pieces(self) -> None:
        await self.through([b"%08d" % n * 1000 for n in range(100)])

    @coroutine
    async def test_a_large_message_in_one_piece(self) -> None:
        await self.through([b"0123456789" * 100_000])

    @coroutine
    async def test_small_messages_are_at_hand(self) -> None:
        file = self.spool.begin()
        await file.write(b"x" * 4096)
        assert (await file.finish()).octets == b"x" * 4096

    @coroutine
    async def test_many_at_once_do_not_mix(self) -> None:
        files = [self.spool.begin() for _ in range(5)]
        for n in range(20):
            for number, file in enumerate(files):
                await file.write(b"%d %d\r\n" % (number, n) * 5000)
        for number, file in enumerate(files):
            content = await file.finish()
            octets = await content.read(0, content.size)
            lines = [b"%d %d\r\n" % (number, n) * 5000 for n in range(20)]
            assert octets == b"".join(lines)
            file.discard()

    @coroutine
    async def test_discarded_in_the_middle(self) -> None:
        file = self.spool.begin()
        await file.write(b"x" * 1_000_000)
        file.discard()
        file.discard()
