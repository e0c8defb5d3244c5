"""At which address we were asked, by whom, and whether that is one of ours."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Network, IPv6Network, ip_address

from attrs import define, frozen
from twisted.internet.interfaces import IAddress
from twisted.web.server import Request

from mailkit.formats.forwarded import believed, read_forwarded
from mailkit.model.address import DomainName, fold_domain

Network = IPv4Network | IPv6Network

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]\\]+)(?::([0-9]{1,5}))?")
_LOCAL = frozenset({"localhost", "localhost."})


@frozen
class Asking:
    """Who asks, and at which address."""

    peer: str
    """IP address, or ``unix``."""
    is_secure: bool
    is_loopback: bool
    """It never left this machine."""
    host: str
    """Of the Host header, with its port; empty if it is malformed or missing."""

    @property
    def origin(self) -> str:
        """Scheme and host, as browsers compare them."""
        return f"{'https' if self.is_secure else 'http'}://{self.host}"


@define(eq=False)
class Addresses:
    """
    Which addresses are ours.

    :param origin: the one that is set; empty: any that is ours.
    :param is_ours: whether a domain is one of this server.
    :param trusted: proxies whose ``Forwarded`` is believed.
    """

    origin: Callable[[], str]
    hostname: Callable[[], str]
    is_ours: Callable[[DomainName], Awaitable[bool]]
    trusted: Callable[[], tuple[Network, ...]]

    def asking(self, request: Request) -> Asking:
        """Read what a request says of itself, and what proxies of ours say of it."""
        peer = _address(request.getClientAddress())
        is_secure = bool(request.isSecure())
        host = request.getHeader("host") or ""
        local = peer
        header = request.getHeader("forwarded")
        if header is not None and self._is_trusted(peer):
            hops = read_forwarded(header)
            hop = believed(hops, self._is_trusted) if hops else None
            if hop is not None:
                peer = local = hop.host or "unknown"
                is_secure = hop.proto == "https" if hop.proto else is_secure
                host = hop.asked or host
        match = _HOST.fullmatch(host.strip())
        return Asking(
            peer, is_secure, _is_loopback(local), match[0].lower() if match else ""
        )

    async def is_right(self, asking: Asking) -> bool:
        """Whether that address is one of ours; if not, the answer is 421."""
        wanted = self.origin()
        if wanted:
            return asking.host == wanted.partition("://")[2].lower()
        match = _HOST.fullmatch(asking.host)
        if match is None:
            return False
        name = match[1]
        if name in _LOCAL:
            return asking.is_loopback
        try:
            ip_address(name.strip("[]"))
        except ValueError:
            return await self._is_name(name)
        # Nobody's DNS leads a browser to an address in figures.
        return True

    async def _is_name(self, name: str) -> bool:
        if name.rstrip(".") == self.hostname().lower():
            return True
        domain = fold_domain(name)
        labels = domain.split(".")
        # A name of the domain itself, or one right below it: webmail.example.org.
        for depth in (0, 1):
            if await self.is_ours(DomainName(".".join(labels[depth:]))):
                return True
        return False

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return host == "unix"
        return any(address in network for network in self.trusted())


def _address(address: IAddress) -> str:
    # Addresses of Unix sockets have no host.
    return str(getattr(address, "host", "unix"))


def _is_loopback(host: str) -> bool:
    if host == "unix":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback
