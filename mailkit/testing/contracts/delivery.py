"""What every `IDestination` and every `IFiling` has to do."""

from __future__ import annotations

from collections.abc import Mapping

from zope.interface.verify import verifyObject

from mailkit.errors import Refused, Unavailable
from mailkit.interfaces.delivery import (
    Arriving,
    Filed,
    IDestination,
    IFiling,
    ITransaction,
    Origin,
)
from mailkit.model.account import Account
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.flags import Flags
from mailkit.model.mailbox import MailboxName
from mailkit.model.outcome import Failed, Outcome
from mailkit.model.path import NULL_PATH, Path
from mailkit.testing.contracts.messages import ALICE, coroutine

ORIGIN = Origin("192.0.2.1", "client.example.net", "ESMTP")
SENDER = Path("dave", "example.net")
OCTETS = (
    b"From: dave@example.net\r\nDate: Thu, 1 Jan 2026 12:00:00 +0000\r\n"
    b"Message-ID: <1@example.net>\r\nSubject: hello\r\n\r\nThe very words\r\n"
)


class DestinationContract:
    """One message, two phases; kept for all that were prepared, or for none."""

    destination: IDestination
    known: tuple[Path, Path]
    """Two recipients that it takes; set by `make_destination`."""
    unknown: Path | None = None
    """One that it refuses at once, if it refuses any."""

    def make_destination(self) -> IDestination:
        """A destination that has kept nothing yet."""
        raise NotImplementedError

    async def kept(self, recipient: Path) -> list[bytes]:
        """Every message that it has kept for a recipient, oldest first."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.destination = self.make_destination()

    async def begin(self, *recipients: Path, sender: Path = SENDER) -> ITransaction:
        """A transaction with recipients."""
        transaction = await self.destination.begin(Envelope(sender), ORIGIN)
        for path in recipients:
            await transaction.add_recipient(Recipient(path))
        return transaction

    async def prepared(self, *recipients: Path) -> ITransaction:
        """A transaction of which only the commit is missing."""
        transaction = await self.begin(*recipients)
        await transaction.write(OCTETS)
        outcomes = await transaction.prepare()
        assert outcomes.keys() == set(recipients)
        assert not _failed(outcomes)
        return transaction

    @coroutine
    async def test_it_provides_the_interfaces(self) -> None:
        verifyObject(IDestination, self.destination)
        transaction = await self.begin()
        verifyObject(ITransaction, transaction)
        await transaction.abort()

    @coroutine
    async def test_nothing_is_kept_before_the_commit(self) -> None:
        one, two = self.known
        transaction = await self.prepared(one, two)
        assert await self.kept(one) == []
        assert await self.kept(two) == []
        assert await transaction.commit()
        for path in (one, two):
            [octets] = await self.kept(path)
            assert octets.endswith(b"\r\n\r\nThe very words\r\n")

    @coroutine
    async def test_every_octet_is_kept_in_whatever_pieces_it_came(self) -> None:
        one, _ = self.known
        transaction = await self.begin(one)
        body = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") * 2000
        lines = [body[n : n + 70] + b"\r\n" for n in range(0, len(body), 70)]
        await transaction.write(OCTETS)
        for line in lines:
            await transaction.write(line)
        assert not _failed(await transaction.prepare())
        await transaction.commit()
        [octets] = await self.kept(one)
        assert octets.endswith(b"The very words\r\n" + b"".join(lines))

    @coroutine
    async def test_an_aborted_message_leaves_nothing(self) -> None:
        one, two = self.known
        before = await self.begin(one)
        await before.write(OCTETS)
        await before.abort()
        await before.abort()
        after = await self.prepared(one, two)
        await after.abort()
        assert await self.kept(one) == []
        assert await self.kept(two) == []

    @coroutine
    async def test_a_recipient_that_is_refused_does_not_hurt_the_others(self) -> None:
        if self.unknown is None:
            return
        one, _ = self.known
        transaction = await self.begin(one)
        try:
            await transaction.add_recipient(Recipient(self.unknown))
        except (Refused, Unavailable):
            pass
        else:
            raise AssertionError(f"{self.unknown} was taken")
        await transaction.write(OCTETS)
        outcomes = await transaction.prepare()
        assert outcomes.keys() == {one}
        await transaction.commit()
        assert len(await self.kept(one)) == 1

    @coroutine
    async def test_transactions_do_not_mix(self) -> None:
        one, two = self.known
        first, second = await self.begin(one), await self.begin(two)
        await first.write(OCTETS + b"1\r\n")
        await second.write(OCTETS + b"2\r\n")
        for transaction in (second, first):
            assert not _failed(await transaction.prepare())
        ids = {await transaction.commit() for transaction in (first, second)}
        assert len(ids) == 2
        assert [octets[-3:] for octets in await self.kept(one)] == [b"1\r\n"]
        assert [octets[-3:] for octets in await self.kept(two)] == [b"2\r\n"]

    @coroutine
    async def test_a_bounce_has_no_sender(self) -> None:
        one, _ = self.known
        transaction = await self.begin(one, sender=NULL_PATH)
        await transaction.write(OCTETS)
        assert not _failed(await transaction.prepare())
        await transaction.commit()
        assert len(await self.kept(one)) == 1


class FilingContract:
    """A place for whatever comes."""

    filing: IFiling

    def make_filing(self) -> IFiling:
        """The filing of an account without rules of its own."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.filing = self.make_filing()

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IFiling, self.filing)

    @coroutine
    async def test_whatever_comes_is_filed_or_turned_down(self) -> None:
        for header in (OCTETS.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", b"\r\n", b""):
            for detail in ("", "lists", "../..", "a/b"):
                arriving = Arriving(
                    Account(ALICE),
                    Envelope(SENDER),
                    (Recipient(Path("alice", "example.test")),),
                    detail,
                    header,
                    size=len(header),
                )
                try:
                    filed = await self.filing.file(arriving)
                except (Refused, Unavailable):
                    continue
                _check_filed(filed.mailboxes, filed.flags)
                assert isinstance(filed, Filed)


def _failed(outcomes: Mapping[Path, Outcome]) -> list[Path]:
    return [path for path, one in outcomes.items() if isinstance(one, Failed)]


def _check_filed(mailboxes: tuple[MailboxName, ...], flags: Flags) -> None:
    assert len(set(mailboxes)) == len(mailboxes)
    assert all(name and all(name.split("/")) for name in mailboxes)
    assert "\\Recent" not in flags
