"""What happens around each login, whatever proved it: delays, notes, log, metrics."""

from __future__ import annotations

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailkit.errors import Busy, Unavailable
from mailkit.interfaces.directory import IDirectoryChanges
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.services.slowdown import Slowdown


@define(eq=False)
class Logins:
    """Keeps the books of logins for every way of proving them."""

    _changes: IDirectoryChanges
    _clock: IReactorTime
    _slowdown: Slowdown
    _metrics: Metrics
    log = Logger()

    async def admit(self, host: str, name: str, service: str, mechanism: str) -> None:
        """
        Return when the attempt may be looked at.

        :param name: folded.
        :raises Busy: if that would take too long.
        """
        try:
            wait = self._slowdown.reserve(host, name)
        except Busy:
            self._metrics.logged_in(service, mechanism, "busy")
            self.log.info(
                "{service} login of {account!r} from {peer}: too many failures",
                service=service,
                account=name,
                peer=host,
            )
            raise
        if wait:
            await deferLater(self._clock, wait, _nothing)

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
