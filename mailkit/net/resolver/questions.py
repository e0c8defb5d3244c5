"""What may be asked of a resolver, each in terms of one question of a kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.tlspolicy import TLSARecord
from mailkit.net.resolver import typed
from mailkit.net.resolver.typed import Typed


class Questions(ABC):
    """The questions of `IResolver` but ``addresses``, for those who know `_answer`."""

    __slots__ = ()

    @abstractmethod
    async def _answer(self, text: str, kind: Typed) -> Answer[Any]:
        """
        Records of one kind, as that kind has them: only it says what they are.

        :param text: a name; it may be none.
        """

    async def mx(self, domain: str) -> Answer[MXRecord]:
        """As `IResolver.mx`."""
        return await self._answer(domain, typed.MX)

    async def ipv4(self, host: str) -> Answer[str]:
        """As `IResolver.ipv4`."""
        return await self._answer(host, typed.A)

    async def ipv6(self, host: str) -> Answer[str]:
        """As `IResolver.ipv6`."""
        return await self._answer(host, typed.AAAA)

    async def txt(self, name: str) -> Answer[bytes]:
        """As `IResolver.txt`."""
        return await self._answer(name, typed.TXT)

    async def tlsa(self, name: str) -> Answer[TLSARecord]:
        """As `IResolver.tlsa`."""
        return await self._answer(name, typed.TLSA)

    async def names_of(self, address: str) -> Answer[str]:
        """As `IResolver.names_of`."""
        name = typed.reverse_name(address)
        if name is None:
            return typed.nothing(address)
        return await self._answer(name.to_text(), typed.PTR)

    async def records(self, name: str, kind: str) -> Answer[str]:
        """As `IResolver.records`."""
        return await self._answer(name, typed.typed_of(kind))
