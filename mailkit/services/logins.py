"""What happens around each login, whatever proved it: delays, notes, log, metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailkit.errors import Busy, Unavailable
from mailkit.interfaces.directory import IDirectoryChanges
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.services.attempts import Attempts
from mailkit.services.slowdown import Slowdown


@define(eq=False)
class Logins:
    """Keeps the books of logins for every way of proving them."""

    _changes: IDirectoryChanges
    _clock: IReactorTime
    _slowdown: Slowdown
    _metrics: Metrics
    _attempts: Attempts = field(init=False)
    log = Logger()

    def __attrs_post_init__(self) -> None:
        self._attempts = Attempts(self._clock)

    @asynccontextmanager
    async def turn(
        self, host: str, name: str, service: str, mechanism: str
    ) -> AsyncIterator[None]:
        """
        The attempt is looked at within; nothing is waited for there that a peer does.

        :param name: folded.
        :raises Busy: if it would have to wait too long.
        """
        # Who guesses many passwords at once would otherwise have all of them looked at
        # before the first is found to be wrong.
        counted = self._slowdown.counted(host, name)
        async with self._attempts.turn(counted, self._slowdown.at_once):
            wait = self._reserve(host, name, service, mechanism)
            if not wait:
                yield
                return
        # From now on one is looked at after the other anyway.
        await deferLater(self._clock, wait, _nothing)
        yield

    async def admit(self, host: str, name: str, service: str, mechanism: str) -> None:
        """
        Return when the attempt may be looked at.

        :param name: folded.
        :raises Busy: if that would take too long.
        """
        wait = self._reserve(host, name, service, mechanism)
        if wait:
            await deferLater(self._clock, wait, _nothing)

    def _reserve(self, host: str, name: str, service: str, mechanism: str) -> float:
        try:
            return self._slowdown.reserve(host, name)
        except Busy:
            self._metrics.logged_in(service, mechanism, "busy")
            self.log.info(
                "{service} login of {account!r} from {peer}: too many failures",
                service=service,
                account=name,
                peer=host,
            )
            raise

    def failed(
        self, host: str, name: str, service: str, mechanism: str, tried: bytes
    ) -> None:
        """It was wrong."""
        self._slowdown.failed(host, name, tried)
        self._metrics.logged_in(service, mechanism, "refused")
        self.log.info(
            "{service} login of {account!r} from {peer} failed",
            service=service,
            account=name,
            peer=host,
        )

    async def succeeded(
        self,
        host: str,
        account: Account,
        credential: int,
        service: str,
        mechanism: str,
        outcome: str = "ok",
    ) -> None:
        """
        It was right.

        :param outcome: ``remembered`` if nothing had to be computed.
        """
        self._slowdown.succeeded(host, account.name)
        self._metrics.logged_in(service, mechanism, outcome)
        try:
            await self._changes.used_credential(credential, self._clock.seconds(), host)
        except Unavailable as error:
            # Nobody is locked out because the disk is full.
            self.log.warn(
                "last login of {account} not noted: {error}",
                account=account.name,
                error=error,
            )


def _nothing() -> None:
    """What `deferLater` calls."""
