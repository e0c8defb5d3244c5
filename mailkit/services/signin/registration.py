"""Accounts that people make for themselves: open, by invitation, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Literal

from attrs import define, field, frozen

from mailkit.errors import AlreadyExists, CannotName, NotAllowed, TooMany
from mailkit.formats.tickets import Ticket, read_ticket, write_ticket
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.rates import IRates, Rate
from mailkit.interfaces.spent import ISpent
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.names import address as read_address
from mailkit.services.signin.accounts import check_password
from mailkit.services.signin.rate import Limited
from mailkit.services.signin.reserved import is_reserved

Mode = Literal["closed", "invite", "open"]

# A household or an office behind one address gets its accounts; a robot not.
MADE = Rate("accounts made", 5, 100, 3600.0)
ASKED = Rate("addresses asked for", 60, 3000, 60.0)

_INVITATION = "invitation"
_ACTOR = "registration in the webmail"


class Free(Enum):
    """Whether an address can be had."""

    YES = "yes"
    TAKEN = "taken"
    """Or reserved: strangers are not told which."""
    BAD = "bad"
    """It cannot be an address of ours."""
    TOO_OFTEN = "too often"
    """Too many questions."""


@frozen
class Invitation:
    """What somebody was invited to."""

    id: str
    domain: str
    """The domain to choose an address at; empty: any of ours."""
    address: str
    """The address that is meant for them; empty: they choose."""
    expires: float
    """Seconds since 1970."""


@define(eq=False)
class Registration:
    """
    Makes accounts.

    :param key: what invitations are signed with.
    :param random: that many octets nobody can guess.
    """

    _mode: Callable[[], Mode]
    _administration: Callable[[], Administration]
    _directory: IDirectory
    _spent: ISpent
    _rates: IRates
    _key: Callable[[], bytes]
    _now: Callable[[], float]
    _random: Callable[[int], bytes]
    _made: Limited = field(init=False)
    _asked: Limited = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._made = Limited(self._rates, MADE, self._now)
        self._asked = Limited(self._rates, ASKED, self._now)

    @property
    def is_open(self) -> bool:
        """Whether anybody may come without an invitation."""
        return self._mode() == "open"

    def invite(self, domain: str, address: str, lasts: float) -> str:
        """A ticket for ``/register``; good for one account."""
        facts = (self._random(12).hex(), domain, address)
        ticket = Ticket(_INVITATION, facts, int(self._now() + lasts))
        return write_ticket(ticket, [self._key()])

    def invitation(self, text: str) -> Invitation | None:
        """What a ticket says; ``None``: nothing, or nobody is invited any more."""
        if self._mode() == "closed":
            return None
        ticket = read_ticket(text, _INVITATION, [self._key()], self._now())
        if ticket is None:
            return None
        id, domain, address = ticket.facts
        return Invitation(id, domain, address, ticket.expires)

    async def domains(self, invitation: Invitation | None) -> Sequence[DomainName]:
        """Domains that one may choose an address at."""
        names = [one.name for one in await self._directory.domains()]
        if invitation is not None and invitation.domain:
            return [name for name in names if name == invitation.domain]
        return names

    async def look(self, local_part: str, domain: str, peer: str) -> Free:
        """Whether an address can be had, while it is being typed."""
        if not await self._asked.takes(peer):
            return Free.TOO_OFTEN
        try:
            address = self._read(local_part, domain)
        except CannotName:
            return Free.BAD
        return await self._is_free(address)

    async def register(
        self,
        local_part: str,
        domain: str,
        password: str,
        peer: str,
        invitation: Invitation | None,
    ) -> Account:
        """
        Make an account.

        :raises NotAllowed: where one has to be invited, or was not to this.
        :raises CannotName: :raises AlreadyExists: :raises TooMany: :raises TooShort:
        :raises UnfitPassword:
        """
        if invitation is None and not self.is_open:
            raise NotAllowed("accounts are made by invitation")
        address = self._read(local_part, domain)
        is_meant = invitation is not None and invitation.address == str(address)
        if invitation is not None and invitation.address and not is_meant:
            raise NotAllowed("the invitation is for another address")
        if address.domain not in await self.domains(invitation):
            raise CannotName(f"{address.domain} is no domain to choose")
        found = await self._is_free(address)
        if found is not Free.YES and not (
            is_meant and not await self._is_used(address)
        ):
            raise AlreadyExists(f"{address} belongs to somebody")
        check_password(password, AccountName(str(address)))
        if invitation is None and not await self._made.takes(peer):
            raise TooMany("too many accounts were made from there")
        if invitation is not None and not await self._spent.spend(
            invitation.id, invitation.expires
        ):
            raise NotAllowed("the invitation was used already")
        return await self._make(address, password, invitation)

    async def _make(
        self, address: Address, password: str, invitation: Invitation | None
    ) -> Account:
        actor = Actor.command(_ACTOR)
        is_made = False
        try:
            accounts = self._administration().accounts
            account = await accounts.add(actor, str(address), password)
            is_made = True
            return account
        finally:
            if not is_made and invitation is not None:
                await self._spent.give_back(invitation.id)

    def _read(self, local_part: str, domain: str) -> Address:
        if "@" in local_part or "+" in local_part:
            raise CannotName(f"{local_part!r} cannot be had")
        return read_address(f"{local_part.strip()}@{domain}")

    async def _is_free(self, address: Address) -> Free:
        if is_reserved(address.local_part) or await self._is_used(address):
            return Free.TAKEN
        return Free.YES

    async def _is_used(self, address: Address) -> bool:
        name = AccountName(str(address))
        if await self._directory.account(name) is not None:
            return True
        return await self._directory.alias(address) is not None
