"""What people change about their own account: its password, its other addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define

from mailkit.errors import (
    AlreadyExists,
    Busy,
    CannotName,
    ChangedMeanwhile,
    NoSuchAddress,
    NotAllowed,
    Refused,
    TooMany,
)
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.rates import IRates, Rate
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.names import address as read_address
from mailkit.services.signin.links import PasswordLinks
from mailkit.services.signin.reserved import is_reserved
from mailkit.services.signin.signin import Begun, SignedIn, SignIn

ASKED = Rate("own addresses asked for", 50, 10_000, 86400.0)
"""
How often somebody may ask for another address: who asks for very many is looking for
those of others.
"""

SHORTEST = 8
"""Characters of a password that people choose (NIST SP 800-63B §5.1.1.1)."""


class TooShort(Refused):
    """A password of fewer than `SHORTEST` characters, or one that is the address."""


@define(eq=False)
class OwnAccount:
    """
    The person's own account.

    :param aliases: how many other addresses people may give themselves.
    """

    _administration: Callable[[], Administration]
    _directory: IDirectory
    _sign_in: SignIn
    _links: PasswordLinks
    _aliases: Callable[[], int]
    _rates: IRates
    _now: Callable[[], float]

    # -- the password

    async def change_password(
        self, who: SignedIn, current: str, new: str, peer: str, agent: str
    ) -> Begun:
        """
        Take another password. All sessions end, and this browser gets a new one.

        :raises NotAuthenticated: :raises Busy: :raises TooShort:
        :raises UnfitPassword:
        """
        check_password(new, who.account.name)
        await self._sign_in.confirm(who.account, current, peer)
        return await self._set(
            Actor.of(who.account),
            who.account,
            new,
            peer,
            agent,
            is_public=who.session.is_public,
        )

    async def of_link(self, text: str) -> Account | None:
        """Whose link that is; ``None``: nobody's any more."""
        return await self._links.find(text)

    async def set_password(
        self, text: str, new: str, peer: str, agent: str
    ) -> Begun | None:
        """
        Choose a password by a ticket, and be signed in; ``None``: it is worth nothing.

        :raises TooShort: :raises UnfitPassword:
        """
        account = await self.of_link(text)
        if account is None:
            return None
        check_password(new, account.name)
        actor = Actor("a set-password link", account.role, None, account.name)
        try:
            return await self._set(
                actor, account, new, peer, agent, is_public=False, is_first=True
            )
        except ChangedMeanwhile:
            return None  # somebody else had the same link

    async def _set(
        self,
        actor: Actor,
        account: Account,
        new: str,
        peer: str,
        agent: str,
        *,
        is_public: bool,
        is_first: bool = False,
    ) -> Begun:
        """
        Take another password, and begin a session.

        :param is_first: only while the account is what it was: its generation says for
            all processes who comes first.
        """
        name = account.name
        generation = account.generation if is_first else None
        await self._administration().accounts.passwd(actor, name, new, generation)
        await self._sign_in.end_all(name)
        now = await self._directory.account(name)
        if now is None:
            raise NoSuchAddress(f"{name} was removed meanwhile")
        return await self._sign_in.begin_as(now, peer, agent, is_public=is_public)

    # -- other addresses

    async def addresses(self, account: Account) -> Sequence[Address]:
        """Other addresses whose mail comes here and nowhere else."""
        return [
            alias.address
            for alias in await self._directory.aliases()
            if alias.targets == (account.address,)
        ]

    @property
    def may_have(self) -> int:
        """How many people may give themselves."""
        return self._aliases()

    async def add_address(self, account: Account, text: str) -> Address:
        """
        Give oneself another address, at any of our domains.

        :raises CannotName: :raises NoSuchDomain: :raises AlreadyExists:
        :raises TooMany: :raises NotAllowed:
        :raises Busy: who asks too often.
        """
        if not self.may_have:
            raise NotAllowed("people do not make addresses here")
        address = read_address(text)
        if is_reserved(address.local_part) or "+" in address.local_part:
            raise CannotName(f"{address} is not given away")
        if len(await self.addresses(account)) >= self.may_have:
            raise TooMany(f"{self.may_have} other addresses are all one may have")
        if not await self._rates.takes(ASKED, account.name, self._now()):
            raise Busy(f"{account.name} has asked for too many addresses today")
        if await self._directory.domain(address.domain) is None:
            raise CannotName(f"{address.domain} is no domain of this server")
        is_taken = await self._directory.account(AccountName(str(address)))
        if is_taken is not None or await self._directory.alias(address) is not None:
            raise AlreadyExists(f"{address} belongs to somebody")
        actor = Actor.command(f"{account.name} in the webmail")
        administration = self._administration()
        # Who asks for several at once, or for one that another asks for, gets no more:
        # the directory counts again.
        await administration.aliases.add(
            actor, str(address), [str(account.address)], self.may_have
        )
        await administration.accounts.grant(actor, account.name, str(address))
        return address

    async def drop_address(self, account: Account, text: str) -> None:
        """
        Give an address back.

        :raises NoSuchAddress: if it is not one's own.
        """
        address = Address.parse(text)
        if address is None or address not in await self.addresses(account):
            raise NoSuchAddress(f"{text} is no address of {account.name}")
        if not self.may_have:
            raise NotAllowed("people do not change addresses here")
        actor = Actor.command(f"{account.name} in the webmail")
        administration = self._administration()
        await administration.aliases.remove(actor, str(address))
        if address in await self._directory.grants(account.name):
            await administration.accounts.ungrant(actor, account.name, str(address))


def check_password(password: str, name: AccountName) -> None:
    """:raises TooShort:"""
    plain = password.strip().lower()
    if len(password) < SHORTEST or plain in (name, name.partition("@")[0]):
        raise TooShort(f"a password has at least {SHORTEST} characters")
