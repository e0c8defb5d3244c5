"""All that pages need to have mail written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import define, field

from mailkit.errors import NotAllowed, Refused
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address
from mailkit.model.correspondent import Correspondent
from mailkit.model.path import Path
from mailkit.services.composing.drafts import Drafts
from mailkit.services.composing.fates import Delivery, fates
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.placing import Placing
from mailkit.services.composing.scheduled import Waiting, cancel, waiting
from mailkit.services.composing.sending import Outbox

_MOST = 8
"""People that are suggested at a time."""


@define(eq=False)
class Composing:
    """Drafts, what is on its way out, and people to write to."""

    house: ComposingHouse
    placing: Placing = field(init=False)
    drafts: Drafts = field(init=False)
    outbox: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.placing = Placing(self.house)
        self.drafts = Drafts(self.house, self.placing)
        self.outbox = Outbox(self.house, self.drafts, self.placing)

    async def suggest(
        self, account: AccountName, typed: str, most: int = _MOST
    ) -> Sequence[Correspondent]:
        """Whom a few letters may mean, the likeliest first."""
        suggest = partial(self.house.personal.suggest, account, typed[:200])
        return await suggest(most, self.house.now())

    async def hide(self, account: AccountName, address: str) -> None:
        """Suggest somebody never again."""
        await self.house.personal.hide(account, address)

    async def may_write_as(self, account: Account, address: Address) -> bool:
        """Whether mail from that address is taken from somebody."""
        path = Path(address.local_part, address.domain)
        try:
            await self.house.door.check(account, path, True)
        except NotAllowed:
            return False
        except Refused:  # they may not send at present, from whatever address
            return True
        return True

    async def fates(
        self, account: AccountName, message_id: str
    ) -> tuple[Delivery, ...]:
        """What became of a message that this account sent, by recipient."""
        return await fates(self.house.events, account, message_id)

    async def waiting(self, account: AccountName) -> Sequence[Waiting]:
        """What of an account leaves later, the next first."""
        return await waiting(self.house, account)

    async def cancel(self, account: AccountName, transaction: str) -> None:
        """
        Have a message of another program never leave.

        :raises HasLeft:
        """
        await cancel(self.house, account, transaction)
