"""
The keys that our domains sign with, in ``<data>/keys/dkim/<domain>``.

Each key is a PEM file named after its selector; ``keys.json`` beside them says which
sign, from when until when. That file is replaced wholly, so a key that it names is
there, and one that it does not name is nobody's.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from attrs import define, evolve, field, frozen
from zope.interface import implementer

from mailkit.errors import CannotName, Refused, StorageBroken
from mailkit.interfaces.keys import DomainKey, IDomainKeys
from mailkit.interfaces.lanes import ILanes
from mailkit.model.address import DomainName, a_labels
from mailkit.storage.safefile import Files, told_as_ours
from mailkit.trust.dkim.keys import (
    Algorithm,
    SigningKey,
    make_key,
    read_key,
    write_key,
)

LOOKED_AFTER = 5.0
"""Seconds for which what was read is believed."""

_LETTERS = {Algorithm.RSA: "r", Algorithm.ED25519: "e"}


@frozen(eq=False)
class _Known:
    """What stands in the folder of one domain."""

    read: float
    stamp: tuple[int, int]
    keys: tuple[DomainKey, ...]
    signing: dict[str, SigningKey]


@implementer(IDomainKeys)
@define(eq=False)
class KeyFolder:
    """
    Keys of all domains of one data folder.

    :param outlives: seconds for which a signature counts: how long a record has to
        stay after its key signed for the last time.
    """

    _folder: Path
    _lanes: ILanes
    _now: Callable[[], float]
    outlives: float
    _files: Files = field(factory=Files)
    _known: dict[DomainName, _Known] = field(factory=dict, init=False)

    async def make(self, domain: DomainName) -> Sequence[DomainKey]:
        known = await self._look(domain)
        if known.keys:
            return known.keys
        return await self._lanes.run(self, partial(self._make, domain))

    async def rotate(self, domain: DomainName, wait: float) -> Sequence[DomainKey]:
        await self.make(domain)
        return await self._lanes.run(self, partial(self._rotate, domain, wait))

    async def keys(self, domain: DomainName) -> Sequence[DomainKey]:
        now = self._now()
        return [
            key
            for key in (await self._look(domain)).keys
            if key.published_until is None or now < key.published_until
        ]

    async def remove(self, domain: DomainName) -> None:
        await self._lanes.run(self, partial(self._remove, domain))

    async def signing(self, domain: DomainName) -> Sequence[SigningKey]:
        """Those that sign now; made where the domain has none."""
        known = await self._look(domain)
        if not known.keys:
            await self.make(domain)
            known = await self._look(domain)
        now = self._now()
        return [
            known.signing[key.selector]
            for key in known.keys
            if key.signs_from <= now
            and (key.signs_until is None or now < key.signs_until)
        ]

    async def known(self, domain: DomainName) -> Sequence[SigningKey]:
        """All that have ever signed, as far as they were not forgotten since."""
        return list((await self._look(domain)).signing.values())

    # -- in a thread

    async def _look(self, domain: DomainName) -> _Known:
        known = self._known.get(domain)
        if known is not None and 0 <= self._now() - known.read < LOOKED_AFTER:
            return known
        return await self._lanes.run(self, partial(self._read, domain))

    def _read(self, domain: DomainName) -> _Known:
        with told_as_ours():
            known = self._known.get(domain)
            stamp = self._stamp_of(domain)
            while known is None or known.stamp != stamp:
                try:
                    known = self._load(domain, stamp)
                except FileNotFoundError:
                    # Another process may have thrown away what that list named.
                    before, stamp = stamp, self._stamp_of(domain)
                    if stamp == before:
                        raise
            known = evolve(known, read=self._now())
        self._known[domain] = known
        return known

    def _stamp_of(self, domain: DomainName) -> tuple[int, int]:
        """Changes whenever the list does; zeros while there is none."""
        try:
            found = os.stat(self._list_of(domain))
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def _load(self, domain: DomainName, stamp: tuple[int, int]) -> _Known:
        keys: list[DomainKey] = []
        signing: dict[str, SigningKey] = {}
        if stamp == (0, 0):
            return _Known(self._now(), stamp, (), signing)
        path = self._list_of(domain)
        try:
            for entry in json.loads(path.read_bytes())["keys"]:
                pem = (path.parent / f"{entry['selector']}.pem").read_bytes()
                private = SigningKey(
                    _dns_name(domain), entry["selector"], read_key(pem)
                )
                signing[private.selector] = private
                keys.append(
                    DomainKey(
                        domain=domain,
                        algorithm=private.algorithm.value,
                        record=private.record,
                        **entry,
                    )
                )
        except (ValueError, KeyError, TypeError) as error:
            raise StorageBroken(f"{path}: {error}") from error
        return _Known(self._now(), stamp, tuple(keys), signing)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the one process that writes keys: another's would be signed with, too."""
        with told_as_ours():
            self._files.make_folders(str(self._folder))
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            lock = os.open(self._folder / "lock", flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _make(self, domain: DomainName) -> Sequence[DomainKey]:
        with self._alone():
            known = self._read(domain)
            if known.keys:
                return known.keys  # somebody was faster
            now = self._now()
            self._write(domain, [], self._new(domain, now, now, set()))
            return self._read(domain).keys

    def _rotate(self, domain: DomainName, wait: float) -> Sequence[DomainKey]:
        with self._alone():
            return self._rotate_alone(domain, wait)

    def _rotate_alone(self, domain: DomainName, wait: float) -> Sequence[DomainKey]:
        now = self._now()
        keys = self._read(domain).keys
        if any(key.signs_from > now for key in keys):
            raise Refused(f"keys of {domain} are being rotated already")
        begins = now + wait
        kept = [
            key if key.signs_until is not None else self._ending(key, begins)
            for key in keys
            if key.published_until is None or now < key.published_until
        ]
        taken = {key.selector for key in keys}
        self._write(domain, kept, self._new(domain, now, begins, taken))
        for key in keys:
            if key.selector not in {one.selector for one in kept}:
                self._files.unlink(str(self._pem_of(domain, key.selector)))
        return self._read(domain).keys

    def _ending(self, key: DomainKey, at: float) -> DomainKey:
        return evolve(key, signs_until=at, published_until=at + self.outlives)

    def _new(
        self, domain: DomainName, now: float, begins: float, taken: set[str]
    ) -> list[tuple[DomainKey, bytes]]:
        """A key of each kind, with its PEM."""
        day = f"{datetime.fromtimestamp(now, UTC):%Y%m%d}"
        suffix = ""
        while any(f"{letter}{day}{suffix}" in taken for letter in _LETTERS.values()):
            suffix = chr(ord(suffix or "a") + 1)
        return [
            (
                DomainKey(
                    domain=domain,
                    selector=f"{letter}{day}{suffix}",
                    algorithm=algorithm.value,
                    made=now,
                    signs_from=begins,
                    signs_until=None,
                    published_until=None,
                ),
                write_key(make_key(algorithm)),
            )
            for algorithm, letter in _LETTERS.items()
        ]

    def _write(
        self,
        domain: DomainName,
        kept: list[DomainKey],
        new: list[tuple[DomainKey, bytes]],
    ) -> None:
        with told_as_ours():
            path = self._list_of(domain)
            self._files.make_folders(str(path.parent))
            for key, pem in new:
                self._files.replace(str(self._pem_of(domain, key.selector)), pem)
            entries = [
                {
                    "selector": key.selector,
                    "made": key.made,
                    "signs_from": key.signs_from,
                    "signs_until": key.signs_until,
                    "published_until": key.published_until,
                }
                for key in [*kept, *(key for key, _ in new)]
            ]
            octets = json.dumps({"keys": entries}, indent=1).encode() + b"\n"
            self._files.replace(str(path), octets)

    def _remove(self, domain: DomainName) -> None:
        with told_as_ours():
            path = self._list_of(domain)
            self._files.unlink(str(path))  # first: what it names is there
            self._files.remove_tree(str(path.parent))
        self._known.pop(domain, None)

    def _list_of(self, domain: DomainName) -> Path:
        return self._folder / _dns_name(domain) / "keys.json"

    def _pem_of(self, domain: DomainName, selector: str) -> Path:
        return self._list_of(domain).with_name(f"{selector}.pem")


def _dns_name(domain: DomainName) -> str:
    name = a_labels(domain)
    # What is in DNS has no slash; a name that nobody checked might.
    if name is None or "/" in name:
        raise CannotName(f"{domain} cannot be in DNS")
    return name
