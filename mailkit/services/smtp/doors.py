"""Who may hand in a message, and in whose name."""

from __future__ import annotations

from typing import Protocol

from attrs import define

from mailkit.errors import LoginNeeded, NoSuchMechanism, NotAllowed
from mailkit.interfaces.session import IPeer
from mailkit.model.account import Account
from mailkit.model.path import Path
from mailkit.services.authentication import Authentication, Exchange
from mailkit.services.routing import Routing


class SenderDoor(Protocol):
    """Who may come in by one service."""

    offers_login: bool
    is_submission: bool

    def mechanisms(self, peer: IPeer) -> tuple[str, ...]:
        """What AUTH offers this peer; nothing: no AUTH."""

    def begin(self, mechanism: str, peer: IPeer) -> Exchange:
        """
        Start an AUTH dialogue.

        :raises NoSuchMechanism: :raises NeedsEncryption:
        """

    async def check(self, account: Account | None, reverse_path: Path) -> None:
        """
        May this peer say MAIL with that path?

        :raises LoginNeeded: :raises NotAllowed:
        """


@define(eq=False)
class Anybody:
    """Port 25 and LMTP: everybody, in every name; who it is for is what counts."""

    offers_login: bool = False
    is_submission: bool = False

    def mechanisms(self, peer: IPeer) -> tuple[str, ...]:
        return ()

    def begin(self, mechanism: str, peer: IPeer) -> Exchange:
        raise NoSuchMechanism(mechanism)

    async def check(self, account: Account | None, reverse_path: Path) -> None:
        """Nothing to say against it."""


@define(eq=False)
class OwnPeople:
    """Submission: who has logged in, in a name that is theirs (RFC 6409 §6.1)."""

    authentication: Authentication
    routing: Routing
    offers_login: bool = True
    is_submission: bool = True

    def mechanisms(self, peer: IPeer) -> tuple[str, ...]:
        return self.authentication.mechanisms(peer)

    def begin(self, mechanism: str, peer: IPeer) -> Exchange:
        return self.authentication.begin(mechanism, "smtp", peer)

    async def check(self, account: Account | None, reverse_path: Path) -> None:
        if account is None:
            raise LoginNeeded
        if not reverse_path.is_null and not await self.routing.may_send_as(
            account, reverse_path.address
        ):
            raise NotAllowed(str(reverse_path))
