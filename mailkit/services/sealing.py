"""
What is written here is signed before it leaves, once (RFC 6376 §5).

Everything that our people submit and that we write ourselves is signed in the name of
the domain in From, by an RSA and an Ed25519 key. Mail of others that passes through
stays as it is.

What is not 7-bit text is encoded before it is signed: a host on the way that takes
nothing else would have to do so later, and break the signature (RFC 6376 §5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field

from mailkit.errors import NeedsSMTPUTF8
from mailkit.formats.downgrade import CannotDowngrade, downgrade
from mailkit.formats.header import find_end
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.validation import authors
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent
from mailkit.model.address import DomainName, fold_domain
from mailkit.model.queueitem import QueueItem, Sealed
from mailkit.services.delivery.content import Rewritten, read_header, read_whole
from mailkit.services.queue.remembered import Remembered
from mailkit.trust.dkim.canonical import BodyHash
from mailkit.trust.dkim.keys import PublicKey, SigningKey
from mailkit.trust.dkim.signing import sign
from mailkit.trust.dkim.verifying import BrokenSignature, verify_ours

MOST_ENCODED = 8 * 1024 * 1024
"""Octets of a message up to which it is encoded; larger ones are signed as they are."""

_PIECE = 64 * 1024
_REMEMBERED = 1000
_NEVER_OVER = 0.0  # a moment at which all signatures still count


class SigningKeys(Protocol):
    """Whoever keeps the keys of our domains."""

    async def signing(self, domain: DomainName) -> Sequence[SigningKey]:
        """Those that sign now."""

    async def known(self, domain: DomainName) -> Sequence[SigningKey]:
        """Those that signed lately, too."""


@define(eq=False)
class Sealing:
    """
    Signs items, and looks whether what leaves still is what was signed.

    :param lasts: seconds for which a signature counts: longer than mail is tried.
    """

    _directory: IDirectory
    _keys: SigningKeys
    _lanes: ILanes
    _now: Callable[[], float]
    _lasts: float
    _limits: Limits = DEFAULT_LIMITS
    _signers: Remembered[str, DomainName] = field(
        init=False, factory=lambda: Remembered[str, DomainName](_REMEMBERED)
    )
    """In whose name messages were signed that are about to leave."""

    async def seal(self, item: QueueItem, content: IContent) -> Sealed | None:
        """
        What an item's message gets before its first attempt; ``None``: nothing.

        :raises StorageBroken: if keys cannot be read.
        """
        domain, header = await self._signer(item, content)
        if domain is None:
            return None
        keys = await self._keys.signing(domain)
        octets = await self._seven_bit(item, content)
        if octets is not None:
            content, header = Rewritten(octets), octets[: find_end(octets)]
        body_hash = await self._hash(item, content, len(header))
        signatures = sign(
            header, body_hash, keys, self._now(), self._lasts, self._limits
        )
        self._signers.put(item.message, domain)
        return Sealed(head=signatures, octets=octets)

    async def check(self, item: QueueItem, content: IContent) -> str:
        """
        Look at the octets that are about to leave.

        A signature whose time is over, or whose key was given up since, is no reason
        to keep a message back that was held for long: it counts for nothing, as none.

        :returns: what is wrong with our signatures; empty: nothing.
        """
        domain = self._signers.pop(item.message)
        if domain is not None:
            header = await read_header(content, self._limits.header_size)
        else:
            domain, header = await self._signer(item, content)
        if domain is None:
            return ""
        known = await self._keys.known(domain)

        def key_of(domain: str, selector: str, algorithm: str) -> PublicKey | None:
            for key in known:
                if key.selector == selector and key.domain == domain:
                    return key.public
            return None

        body_hash = await self._hash(item, content, len(header))
        try:
            held = verify_ours(header, body_hash, key_of, _NEVER_OVER, self._limits)
        except BrokenSignature as error:
            return str(error)
        is_known = held or item.attempts
        return "" if is_known else "there is no signature of ours"

    async def _seven_bit(self, item: QueueItem, content: IContent) -> bytes | None:
        """The message encoded anew; ``None`` where it stays as it is."""
        if content.size > MOST_ENCODED:
            return None
        octets = await read_whole(content)
        if octets.isascii():
            return None
        try:
            return await self._lanes.run(
                item.message, lambda: downgrade(octets, self._limits)
            )
        except (CannotDowngrade, NeedsSMTPUTF8):
            return None  # it needs hosts that take it as it is

    async def _signer(
        self, item: QueueItem, content: IContent
    ) -> tuple[DomainName | None, bytes]:
        """In whose name an item is signed, if at all, and its header."""
        if not item.is_ours:
            return None, b""
        header = await read_header(content, self._limits.header_size)
        for author in authors(header, self._limits)[:1]:
            domain = fold_domain(author.domain.decode("utf-8", "replace"))
            if await self._directory.domain(domain) is not None:
                return domain, header
        return None, header

    async def _hash(self, item: QueueItem, content: IContent, start: int) -> bytes:
        """The hash of a body that begins at ``start``; a large one holds up nobody."""
        whole = content.octets
        if whole is not None:
            if len(whole) <= 2 * _PIECE:
                return _hash_of(whole, start)
            return await self._lanes.run(item.message, lambda: _hash_of(whole, start))
        hashed = BodyHash()
        while piece := await content.read(start, _PIECE):
            hashed.update(piece)
            start += len(piece)
        return hashed.digest()


def _hash_of(octets: bytes, start: int) -> bytes:
    hashed = BodyHash()
    hashed.update(octets[start:])
    return hashed.digest()
