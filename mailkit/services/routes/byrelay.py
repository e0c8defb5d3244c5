"""Routes to servers that speak SMTP or LMTP: smarthosts, mail stores, inner hosts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from attrs import define, evolve
from zope.interface import implementer

from mailkit.errors import Refused, Unreachable
from mailkit.interfaces.queue import Carried, IRelay, IRouteEnd, NextHost
from mailkit.interfaces.resolver import Answer, IResolver
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import QueueItem
from mailkit.model.target import ToLMTP, ToSmarthost
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.services.queue.outcome import place

Find = Callable[[QueueItem], Awaitable[Sequence[NextHost]]]
"""The hosts that may take an item, in the order in which they are tried."""

IsOwn = Callable[[str, int], bool]
"""Whether an address and a port are where we listen ourselves."""

Secret = Callable[[str], Awaitable[str]]
"""Reads the first line of a file. :raises Unavailable:"""

_MOST = 4  # addresses of one host
_NEAR = ("127.0.0.1", "::1")


@implementer(IRouteEnd)
@define(eq=False)
class ByRelay:
    """Hands items to the first of some hosts that can be reached."""

    _relay: IRelay
    _find: Find
    is_final: bool = False

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        missed: Unreachable | None = None
        refused: Refused | None = None
        for host in await self._find(item):
            if item.tls_optional:
                host = evolve(host, policy=host.policy.of_ours())
            try:
                done: Carried = await self._relay.carry(host, item, content)
            except Unreachable as error:
                missed = error
            except Refused as error:  # the next one may do what this one does not
                refused = error
            else:
                return evolve(done, host=host.name, address=place(host))
        raise refused or missed or Unreachable("there is no host to be asked")

    async def close(self) -> None:
        """The relay is everybody's."""


@define(eq=False)
class SmarthostHosts:
    """
    The addresses of a smarthost.

    :param secret: reads the file of the password.
    """

    _target: ToSmarthost
    _resolver: IResolver
    _is_own: IsOwn
    _secret: Secret

    async def __call__(self, item: QueueItem) -> Sequence[NextHost]:
        target = self._target
        addresses = await addresses_of(target.host, self._resolver)
        name = f"{target.host}:{target.port}"
        check_not_own(name, target.port, addresses, self._is_own)
        password = target.password
        if target.password_file:
            password = await self._secret(target.password_file)
        policy = policy_of(target.host, target.level)
        return [
            NextHost(
                name=target.host,
                address=address,
                port=target.port,
                policy=policy,
                tls_first=target.is_tls_first,
                username=target.username,
                password=password,
            )
            for address in addresses
        ]


@define(eq=False)
class LMTPHosts:
    """Where a mail store listens (RFC 2033)."""

    _target: ToLMTP
    _resolver: IResolver
    _is_own: IsOwn

    async def __call__(self, item: QueueItem) -> Sequence[NextHost]:
        target = self._target
        if target.socket:
            addresses: Sequence[str] = [target.socket]
        else:
            addresses = await addresses_of(target.host, self._resolver)
        name = f"{target.host}:{target.port}" if target.host else target.socket
        check_not_own(name, target.port, addresses, self._is_own)
        policy = policy_of(target.host, target.level)
        return [
            NextHost(
                name=target.host or target.socket,
                address=address,
                port=target.port,
                policy=policy,
                is_lmtp=True,
            )
            for address in addresses
        ]


def policy_of(host: str, level: TLSLevel) -> TLSPolicy:
    """What a host that the administrator named has to show."""
    names = (host,) if level is TLSLevel.PKIX else ()
    return TLSPolicy(level=level, names=names, origin="route")


async def addresses_of(host: str, resolver: IResolver) -> Sequence[str]:
    """
    The addresses of a host that an administrator named, private ones included.

    :raises Unreachable: if it has none. :raises DNSTrouble:
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        if host == "localhost":  # which DNS need not know (RFC 6761 §6.3)
            return _NEAR
    answer: Answer[str] = await resolver.addresses(host)
    if not answer.records:
        raise Unreachable(f"{host} has no address", "4.4.4")
    return answer.records[:_MOST]


def check_not_own(
    name: str, port: int, addresses: Sequence[str], is_own: IsOwn
) -> None:
    """
    Whether mail would come back to us (RFC 5321 §5.1); it waits until it would not.

    :raises Unreachable:
    """
    if any(is_own(address, port) for address in addresses):
        raise Unreachable(f"{name} is this very server", "4.4.6")
