"""All zones, each made when it is first asked for, and again when it changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dns.exception
import dns.rrset
from attrs import define, field
from dns.rdatatype import RdataType
from dns.rrset import RRset
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import BadZone, MailkitError, NoSuchDomain
from mailkit.interfaces.lanes import ILanes
from mailkit.net.nameserver.making import (
    Recipe,
    complete,
    digest_of,
    is_signed,
    make_zone,
    merge,
    serial_in,
)
from mailkit.net.nameserver.serials import Serials
from mailkit.net.nameserver.signing import ZoneKey, keep_key
from mailkit.net.nameserver.sources import LANE, Source
from mailkit.net.nameserver.zone import Name, Zone

PATIENCE = 0.25
"""Seconds that questions wait for a zone that is made anew, from its beginning on."""


@define(eq=False)
class _Entry:
    """One zone, as far as it was made."""

    zone: Zone | None = None
    made_of: str = ""
    is_stale: bool = True
    work: Deferred[None] | None = None
    begun: float = 0.0
    """When that was begun."""


@define(eq=False)
class Book:
    """
    Finds the zone of a name.

    While a zone is made anew, questions wait for it a moment, and are then answered
    from the one before: what is small is never out of date, what is large never slow.

    :param sources: what an earlier one says of a name and kind goes before others.
    :param keys: the folder of the zones' keys; ``None``: nothing is signed.
    :param clock: tells the time of the day.
    """

    log = Logger()

    _sources: Sequence[Source]
    _recipe: Recipe
    _serials: Serials
    _lanes: ILanes
    _clock: IReactorTime
    _keys: Path | None = None
    changes: int = field(default=0, init=False)
    """Rises when answers may have changed: none is good for longer than that."""
    _entries: dict[Name, _Entry] = field(factory=dict, init=False)

    async def look(self) -> None:
        """See which zones there are, and that those there are may have changed."""
        origins: dict[Name, None] = {}
        for source in self._sources:
            try:
                origins.update(dict.fromkeys(await source.origins()))
            except MailkitError as error:
                self.log.error("zones: {reason}", reason=str(error))
                return
        self.changes += 1
        entries = self._entries
        self._entries = {
            origin: entries.get(origin) or _Entry() for origin in sorted(origins)
        }
        for entry in self._entries.values():
            entry.is_stale = True

    @property
    def origins(self) -> Sequence[Name]:
        """Every zone there is."""
        return list(self._entries)

    def origin_of(self, name: Name, *, above: bool = False) -> Name | None:
        """
        The zone that a name is in, the innermost.

        :param above: not the one whose origin the name is, if there is another: what
            a parent has to say of its child.
        """
        own = name if above and name in self._entries else None
        if own is not None:
            name = name.parent()
        while name not in self._entries:
            if len(name.labels) <= 1:
                return own
            name = name.parent()
        return name

    async def zone(self, origin: Name) -> Zone | None:
        """One of `origins`; ``None`` if it cannot be made."""
        entry = self._entries.get(origin)
        if entry is None:
            return None
        zone = entry.zone
        if zone is not None and self._clock.seconds() >= zone.sign_again:
            entry.is_stale = True
        if entry.is_stale and entry.work is None:
            self._begin(origin, entry)
        if entry.work is not None:
            await self._wait(entry, entry.work)
        return entry.zone

    async def _wait(self, entry: _Entry, work: Deferred[None]) -> None:
        """Until it is made; if there is one from before, not for long."""
        waiting: Deferred[None] = Deferred()

        def end(_: object = None) -> None:
            if not waiting.called:
                waiting.callback(None)

        if entry.zone is None:
            work.addCallback(end)
            await waiting
            return
        left = entry.begun + PATIENCE - self._clock.seconds()
        if left <= 0:
            return
        work.addCallback(end)
        limit = self._clock.callLater(left, end)
        await waiting
        if limit.active():
            limit.cancel()

    async def key(self, origin: Name) -> ZoneKey | None:
        """The key that a zone is signed with, if we sign."""
        keys = self._keys
        if keys is None:
            return None
        return await self._lanes.run(LANE, lambda: keep_key(keys, origin))

    def _begin(self, origin: Name, entry: _Entry) -> None:
        def end(_: None) -> None:
            entry.work = None

        entry.is_stale = False
        entry.begun = self._clock.seconds()
        entry.work = Deferred.fromCoroutine(self._make(origin, entry))
        entry.work.addErrback(self._failed)
        entry.work.addCallback(end)

    async def _make(self, origin: Name, entry: _Entry) -> None:
        try:
            rrsets, is_ours = await self._gather(origin)
            key = await self.key(origin) if is_ours else None
            now = self._clock.seconds()
            digest = digest_of(rrsets)
            is_same = entry.zone is not None and digest == entry.made_of
            if is_same and entry.zone is not None and now < entry.zone.sign_again:
                return
            made = await self._lanes.run(
                LANE, lambda: self._compile(origin, rrsets, key, digest, now)
            )
        except NoSuchDomain:
            return  # `look` will find that out
        except MailkitError as error:
            self.log.error(
                "zone {domain}: {reason}",
                domain=str(origin).rstrip("."),
                reason=str(error),
            )
            return
        entry.zone, entry.made_of = made, digest
        self.changes += 1
        self.log.info(
            "zone {domain} is served, serial {serial}",
            domain=str(origin).rstrip("."),
            serial=made.serial,
        )

    def _failed(self, failure: Failure) -> None:
        self.log.failure("a zone could not be made", failure)

    async def _gather(self, origin: Name) -> tuple[list[RRset], bool]:
        """All that sources have, and whether it is for us to sign."""
        merged: list[RRset] = []
        is_known = False
        for source in self._sources:
            try:
                rrsets = await source.rrsets(origin)
            except NoSuchDomain:
                continue
            is_known = True
            if is_signed(rrsets, origin):
                return list(rrsets), False
            merged = merge(merged, rrsets)
        if not is_known:
            raise NoSuchDomain(str(origin))
        return merge(merged, await self._children(origin)), True

    async def _children(self, origin: Name) -> list[RRset]:
        """NS and DS of those of our zones that lie in this one (RFC 4035 §2.4)."""
        found: list[RRset] = []
        for child in self._entries:
            if child == origin or not child.is_subdomain(origin):
                continue
            if self.origin_of(child, above=True) != origin:
                continue
            names = [name.to_text() for name in self._recipe.names]
            found.append(rrset_of(child, RdataType.NS, names))
            key = await self.key(child)
            if key is not None:
                found.append(rrset_of(child, RdataType.DS, [key.ds.to_text()]))
        return found

    def _compile(
        self,
        origin: Name,
        rrsets: list[RRset],
        key: ZoneKey | None,
        digest: str,
        now: float,
    ) -> Zone:
        given = serial_in(rrsets, origin)
        if is_signed(rrsets, origin):
            return make_zone(rrsets, origin, None, now)
        if given is None or key is not None:
            # Signatures that are renewed have to be fetched by the other servers.
            period = "" if key is None else f" {now // 86400 // 7}"
            text = origin.to_text(omit_final_dot=True).lower()
            first = int(now) if given is None else 0
            given = self._serials.serial_of(text, digest + period, given or 0, first)
        return make_zone(
            complete(rrsets, origin, self._recipe, given), origin, key, now
        )


def rrset_of(name: Name, kind: RdataType, values: Sequence[str]) -> RRset:
    """A set of records of texts. :raises BadZone:"""
    try:
        return dns.rrset.from_text_list(name, 3600, "IN", kind, values)
    except dns.exception.DNSException as error:
        raise BadZone(f"{name}: {error}") from error
