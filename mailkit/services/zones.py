"""The zones of our domains, made from the directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define
from zope.interface import implementer

from mailkit.errors import NoSuchDomain
from mailkit.formats.dnsrecords import MailHost, mail_records
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.keys import IDomainKeys
from mailkit.interfaces.storage import IWatch
from mailkit.interfaces.zones import IZones
from mailkit.model.address import a_labels, fold_domain
from mailkit.model.dnsrecord import DNSRecord


@implementer(IZones)
@define(eq=False)
class DirectoryZones:
    """
    A zone for each domain.

    :param host: what they have in common, as it is now.
    :param keys: whose records are published; ``None``: nobody signs.
    """

    _directory: IDirectory
    _host: Callable[[], MailHost]
    _keys: IDomainKeys | None = None

    async def origins(self) -> Sequence[str]:
        domains = await self._directory.domains()
        names = [a_labels(domain.name) for domain in domains]
        return [name for name in names if name is not None]

    async def records(self, origin: str) -> Sequence[DNSRecord]:
        domain = fold_domain(origin)
        if await self._directory.domain(domain) is None:
            raise NoSuchDomain(origin)
        keys = () if self._keys is None else await self._keys.keys(domain)
        published = [(key.selector, key.record) for key in keys if key.record]
        return mail_records(origin, self._host(), published)

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return self._directory.watch(hear)
