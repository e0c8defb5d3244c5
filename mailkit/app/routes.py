"""Ends of routes: the one place that knows the classes of all of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, assert_never

from attrs import define, field

from mailkit.app.ownports import own_ports
from mailkit.app.settings import Settings
from mailkit.errors import Unavailable
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.queue import IRelay, IRouteEnd
from mailkit.interfaces.resolver import IResolver
from mailkit.interfaces.storage import IMailStore
from mailkit.model.target import (
    Target,
    ToError,
    ToHook,
    ToLMTP,
    ToMailbox,
    ToMaildir,
    ToMX,
    ToPipe,
    ToRedis,
    ToSmarthost,
)
from mailkit.net.routes.hook import IntoHook
from mailkit.net.routes.pipe import IntoPipe
from mailkit.net.routes.redis import IntoRedis
from mailkit.net.routes.redisclient import RedisClient
from mailkit.services.delivery.quota import Quotas
from mailkit.services.queue.hosts import Hosts, PolicyOf
from mailkit.services.routes.byrelay import ByRelay, LMTPHosts, SmarthostHosts
from mailkit.services.routes.ends import IntoMailbox, IntoNothing
from mailkit.storage.outfolder import IntoMaildir

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@define(eq=False)
class EndMaker:
    """
    Makes the end of a route.

    :param reactor: Twisted's, which has no type of its own.
    :param store: mailboxes of ours, which are there when the first end is made.
    """

    settings: Settings
    reactor: Any  # as above
    lanes: ILanes
    directory: IDirectory
    relay: IRelay
    resolver: IResolver
    policy_of: PolicyOf
    store: Callable[[], IMailStore]
    _is_own: Callable[[str, int], bool] = field(init=False)
    _quotas: Quotas | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        listen = self.settings.listen
        self._is_own = own_ports(
            [*listen.smtp, *listen.lmtp, *listen.submission, *listen.submissions]
        )

    def make(self, target: Target) -> IRouteEnd:
        """The end of a route that leads to ``target``."""
        match target:
            case ToMX():
                hosts = self._hosts()
                return ByRelay(self.relay, lambda item: hosts.of(item.hop.domain))
            case ToSmarthost():
                found = SmarthostHosts(
                    target, self.resolver, self._is_own, self.first_line
                )
                return ByRelay(self.relay, found)
            case ToLMTP():
                lmtp = LMTPHosts(target, self.resolver, self._is_own)
                return ByRelay(self.relay, lmtp, is_final=True)
            case ToMailbox():
                quotas = self._quotas_of(self.store())
                return IntoMailbox(target, self.store(), self.directory, quotas)
            case ToMaildir():
                return IntoMaildir(target, self.settings.hostname, self.lanes)
            case ToRedis():
                return IntoRedis(target, RedisClient(self.reactor).connect)
            case ToHook():
                return IntoHook(target, self.reactor, self.first_line)
            case ToPipe():
                return IntoPipe(target, self.reactor)
            case ToError():
                return IntoNothing(target)
            case _:
                assert_never(target)

    async def first_line(self, path: str) -> str:
        """
        What stands in a file of a secret.

        :raises Unavailable: if it cannot be read.
        """
        try:
            text = await self.lanes.run(("secret", path), Path(path).read_text)
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"{path} cannot be read: {error}") from error
        return text.partition("\n")[0].rstrip("\r")

    def _hosts(self) -> Hosts:
        """Those that DNS names, wherever they are."""
        settings = self.settings
        return Hosts(
            self.resolver,
            settings.hostname,
            random.SystemRandom().shuffle,
            self.policy_of,
            EVERYWHERE,
            settings.relay.port,
            self._is_own,
        )

    def _quotas_of(self, store: IMailStore) -> Quotas:
        if self._quotas is None:
            quota = self.settings.accounts.quota
            self._quotas = Quotas(store, self.reactor, quota)
        return self._quotas
