"""Who may hand in a message, and in whose name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from attrs import define

from mailkit.errors import LoginNeeded, NotAllowed, SenderNeedsTLS
from mailkit.model.account import Account
from mailkit.model.address import is_among
from mailkit.model.path import Path
from mailkit.services.authentication import Authentication
from mailkit.services.routing import Routing


class SenderDoor(Protocol):
    """Who may come in by one service."""

    authentication: Authentication | None
    """What AUTH asks; ``None``: no AUTH."""
    is_submission: bool

    async def check(
        self, account: Account | None, reverse_path: Path, is_secure: bool
    ) -> None:
        """
        May this peer say MAIL with that path?

        :param is_secure: whether nobody can listen to the connection.
        :raises LoginNeeded: :raises NotAllowed: :raises SenderNeedsTLS:
        :raises SendingStopped:
        """

    async def check_recipient(self, account: Account | None, path: Path) -> None:
        """
        May this peer say RCPT with that path, whoever it leads to?

        :raises SendingStopped: :raises SentTooMuch:
        """


class Limit(Protocol):
    """How much an account may send."""

    async def check_sender(self, account: Account) -> None:
        """May it send at all? :raises SendingStopped:"""

    async def check_recipient(self, account: Account, path: Path) -> None:
        """May it write to one more? :raises SendingStopped: :raises SentTooMuch:"""


@define(eq=False)
class Anybody:
    """Port 25 and LMTP: everybody, in every name; who it is for is what counts."""

    authentication: Authentication | None = None
    is_submission: bool = False
    required_from: Collection[str] = ()
    """Domains that are believed under TLS alone, as `is_among` has them."""

    async def check(
        self, account: Account | None, reverse_path: Path, is_secure: bool
    ) -> None:
        if not is_secure and is_among(reverse_path.address.domain, self.required_from):
            raise SenderNeedsTLS(reverse_path.domain)

    async def check_recipient(self, account: Account | None, path: Path) -> None:
        """As many as a message may have."""


@define(eq=False)
class OwnPeople:
    """Submission: who has logged in, in a name that is theirs (RFC 6409 §6.1)."""

    authentication: Authentication | None
    routing: Routing
    is_submission: bool = True
    limit: Limit | None = None
    """``None``: as much as they like."""

    async def check(
        self, account: Account | None, reverse_path: Path, is_secure: bool
    ) -> None:
        if account is None:
            raise LoginNeeded
        if not reverse_path.is_null and not await self.routing.may_send_as(
            account, reverse_path.address
        ):
            raise NotAllowed(str(reverse_path))
        if self.limit is not None:
            await self.limit.check_sender(account)

    async def check_recipient(self, account: Account | None, path: Path) -> None:
        if self.limit is not None and account is not None:
            await self.limit.check_recipient(account, path)
