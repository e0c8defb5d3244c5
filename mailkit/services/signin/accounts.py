"""What people change about their own account: its password, its other addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.defer import DeferredLock

from mailkit.errors import (
    AlreadyExists,
    CannotName,
    NoSuchAddress,
    NotAllowed,
    Refused,
    TooMany,
)
from mailkit.interfaces.directory import IDirectory
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.names import address as read_address
from mailkit.services.signin.links import PasswordLinks
from mailkit.services.signin.reserved import is_reserved
from mailkit.services.signin.signin import Begun, SignedIn, SignIn

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
    _choosing: set[AccountName] = field(factory=set, init=False)
    """Whose password is being set by a ticket: none is good for two at once."""
    _adding: DeferredLock = field(factory=DeferredLock, init=False)

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
            who.account.name,
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
        if account is None or account.name in self._choosing:
            return None
        check_password(new, account.name)
        actor = Actor("a set-password link", account.role, None, account.name)
        self._choosing.add(account.name)
        try:
            return await self._set(
                actor, account.name, new, peer, agent, is_public=False
            )
        finally:
            self._choosing.discard(account.name)

    async def _set(
        self,
        actor: Actor,
        name: AccountName,
        new: str,
        peer: str,
        agent: str,
        *,
        is_public: bool,
    ) -> Begun:
        await self._administration().accounts.passwd(actor, name, new)
        await self._sign_in.end_all(name)
        account = await self._directory.account(name)
        if account is None:
            raise NoSuchAddress(f"{name} was removed meanwhile")
        return await self._sign_in.begin_as(account, peer, agent, is_public=is_public)

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
        """
        if not self.may_have:
            raise NotAllowed("people do not make addresses here")
        address = read_address(text)
        if is_reserved(address.local_part) or "+" in address.local_part:
            raise CannotName(f"{address} is not given away")
        # One after the other: whoever asks for several at once gets no more.
        await self._adding.acquire()
        try:
            await self._add(account, address)
        finally:
            self._adding.release()
        return address

    async def _add(self, account: Account, address: Address) -> None:
        if len(await self.addresses(account)) >= self.may_have:
            raise TooMany(f"{self.may_have} other addresses are all one may have")
        if await self._directory.domain(address.domain) is None:
            raise CannotName(f"{address.domain} is no domain of this server")
        is_taken = await self._directory.account(AccountName(str(address)))
        if is_taken is not None or await self._directory.alias(address) is not None:
            raise AlreadyExists(f"{address} belongs to somebody")
        actor = Actor.command(f"{account.name} in the webmail")
        administration = self._administration()
        await administration.aliases.add(actor, str(address), [str(account.address)])
        await administration.accounts.grant(actor, account.name, str(address))

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
