"""Links by which somebody chooses a password, once."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define

from mailkit.errors import NoSuchAccount
from mailkit.formats.tickets import Ticket, read_ticket, write_ticket
from mailkit.interfaces.directory import IDirectory
from mailkit.model.account import Account
from mailkit.model.address import AccountName

_PASSWORD = "password"  # a purpose, not a secret


@define(eq=False)
class PasswordLinks:
    """
    Makes and reads what stands behind ``/password/``.

    A link is worth nothing as soon as the account's password was changed in any way.

    :param key: what links are signed with.
    """

    _directory: IDirectory
    _key: Callable[[], bytes]
    _now: Callable[[], float]

    async def make(self, name: AccountName, lasts: float) -> str:
        """
        For an account's owner.

        :param lasts: seconds.
        :raises NoSuchAccount:
        """
        account = await self._directory.account(name)
        if account is None:
            raise NoSuchAccount(f"there is no account {name}")
        facts = (account.name, str(account.generation))
        ticket = Ticket(_PASSWORD, facts, int(self._now() + lasts))
        return write_ticket(ticket, [self._key()])

    async def find(self, text: str) -> Account | None:
        """Whose link that is; ``None``: nobody's any more."""
        ticket = read_ticket(text, _PASSWORD, [self._key()], self._now())
        if ticket is None:
            return None
        name, generation = ticket.facts
        account = await self._directory.account(AccountName(name))
        if account is None or account.is_suspended:
            return None
        return account if account.generation == int(generation) else None
