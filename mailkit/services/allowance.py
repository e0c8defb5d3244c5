"""How much mail each account may keep."""

from __future__ import annotations

from attrs import define

from mailkit.interfaces.directory import IDirectory
from mailkit.model.address import AccountName


@define(eq=False)
class Allowance:
    """What the directory says of an account, and what holds for all others."""

    _directory: IDirectory
    default: int
    """Octets of an account that says nothing else; 0 is without limit."""

    async def of(self, account: AccountName) -> int:
        """Octets that an account may keep; 0 is without limit."""
        known = await self._directory.account(account)
        if known is None or known.quota is None:
            return self.default
        return known.quota
