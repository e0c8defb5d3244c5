"""What a store does when nobody asks: flags into names, checkpoints, closing."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mailkit.errors import MailkitError
from mailkit.interfaces.lanes import ILanes
from mailkit.model.address import AccountName
from mailkit.storage.index import joining
from mailkit.storage.maildir import (
    behind,
    founding,
    naming,
    reads,
    removal,
    tidying,
)
from mailkit.storage.maildir.home import Home
from mailkit.storage.maildir.house import House
from mailkit.storage.safefile import told_as_ours

Work = Coroutine[Any, Any, None]
"""What a chore is; it sends and receives nothing that matters."""

TICK = 2.0
"""Seconds between looks at which accounts are idle."""

DAY = 86400.0
"""Seconds between looks at what should have gone, of an account in use too."""

QUIET = 4.0
"""Seconds of quiet after which a WAL is moved into its database."""

MUCH = 16 << 20
"""Octets of WAL that are moved although the account is busy."""


@define(eq=False)
class Chores:
    """Write-behind and upkeep, each in the lane of its account."""

    _house: House
    _lanes: ILanes
    _clock: IReactorTime
    _behind: dict[AccountName, IDelayedCall] = field(init=False, factory=dict)
    _open: dict[Home, float] = field(init=False, factory=dict)
    """Homes in use, and when each was last used, as far as it matters here."""
    _tidied: dict[Home, float] = field(init=False, factory=dict)
    """Homes in use, and when each was last tidied or opened."""
    _unmoved: set[Home] = field(init=False, factory=set)
    _rendering: set[Home] = field(init=False, factory=set)
    _tick: IDelayedCall | None = field(init=False, default=None)
    _clear_at: float = field(init=False, default=0.0)
    _is_ended: bool = field(init=False, default=False)
    log: Logger = field(init=False, factory=Logger)

    def used(self, home: Home) -> None:
        """An account is used, and perhaps changed."""
        if self._is_ended:
            return
        if self._clock.seconds() >= self._clear_at:
            self._clear_at = self._clock.seconds() + DAY
            self._own(home, self._clear())
        self._open[home] = self._clock.seconds()
        self._tidied.setdefault(home, self._clock.seconds())
        self._unmoved.add(home)
        if self._tick is None:
            self._tick = self._clock.callLater(TICK, self._look)

    def write_behind(self, home: Home) -> None:
        """Flags were changed: names follow within `MaildirSettings.write_behind`."""
        if home.account not in self._behind and not self._is_ended:
            self._behind[home.account] = self._clock.callLater(
                self._house.settings.write_behind, self._begin, home
            )

    async def finish(self, homes: Sequence[Home]) -> None:
        """Do all that waits, and let go of all files."""
        self._is_ended = True
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        for waiting in self._behind.values():
            waiting.cancel()
        for home in homes:
            await self._guarded(home, self._end(home))
        self._behind.clear()

    def _begin(self, home: Home) -> None:
        del self._behind[home.account]
        self._own(home, self._write(home))

    def _own(self, home: Home, work: Work) -> None:
        task = Deferred.fromCoroutine(self._guarded(home, work))
        task.addErrback(
            lambda failure: self.log.failure("upkeep of a mail folder failed", failure)
        )

    async def _guarded(self, home: Home, work: Work) -> None:
        try:
            await work
        except MailkitError as error:
            self.log.warn(
                "{account}: upkeep is put off: {error}",
                account=home.account,
                error=str(error),
            )

    async def _write(self, home: Home) -> None:
        def piece() -> bool:
            if not home.is_there:
                return False
            with home.changed() as index:
                return behind.write_behind(home, index)

        while await self._lanes.run(home.account, piece):
            pass

    def _look(self) -> None:
        self._tick = None
        now = self._clock.seconds()
        idle = now - self._house.settings.close_after
        for home, used in list(self._open.items()):
            if used <= idle and home.account not in self._behind:
                del self._open[home]
                self._unmoved.discard(home)
                del self._tidied[home]
                self._own(home, self._close(home))
                continue
            if now - self._tidied[home] >= DAY:
                self._tidied[home] = now
                self._own(home, self._tidy(home))
            if home.may_be_unrendered and home not in self._rendering:
                self._rendering.add(home)
                self._own(home, self._render(home))
            is_quiet = used <= now - QUIET
            if home in self._unmoved and (is_quiet or _wal(home) > MUCH):
                self._unmoved.discard(home)
                if is_quiet:
                    self._own(home, self._join(home))
                self._own(home, self._move(home))
        if self._open:
            self._tick = self._clock.callLater(TICK, self._look)

    async def _clear(self) -> None:
        """What is not any account's: the spool, and accounts that were removed."""

        def clear() -> None:
            with told_as_ours():
                founding.clear_old(
                    self._house.files, self._house.spool, self._house.now()
                )
                removal.clear_removed(self._house)
                founding.clear_unfounded(self._house)

        await self._lanes.run("upkeep", clear)

    async def _tidy(self, home: Home) -> None:
        """For accounts that are never idle, so that nobody closes them."""

        def tidy() -> None:
            if home.is_open and home.is_there:
                with home.changed() as index:
                    tidying.tidy(home, index)

        await self._lanes.run(home.account, tidy)

    async def _render(self, home: Home) -> None:
        """Render what a rebuild or a long listing left for later."""

        def piece(above: int) -> int | None:
            if self._is_ended or not (home.is_open and home.is_there):
                return None
            with home.used() as index:
                return reads.render_some(home, index, above)

        above: int | None = 0
        try:
            home.may_be_unrendered = False
            while above is not None:
                above = await self._lanes.run(home.account, partial(piece, above))
                if above is not None:
                    self.used(home)
        finally:
            self._rendering.discard(home)

    async def _join(self, home: Home) -> None:
        """Have messages join their conversations before anybody asks."""

        def piece() -> bool:
            if self._is_ended or not (home.is_open and home.is_there):
                return False
            with home.used() as index:
                return joining.join_some(index, naming.thread_id, reads.A_WHILE)

        while await self._lanes.run(home.account, piece):
            pass

    async def _move(self, home: Home) -> None:
        def move() -> bool:
            if not (home.is_open and home.is_there):
                return False
            with home.used() as index:
                home.checkpoint()
                return index.is_behind()

        if await self._lanes.run(home.account, move):
            # Left by a process that ended before it could.
            self.write_behind(home)

    async def _close(self, home: Home) -> None:
        def close() -> None:
            if home.is_open and home.is_there:
                with home.changed() as index:
                    while behind.write_behind(home, index):
                        pass
                    tidying.tidy(home, index)
            self._house.pool.forget(home)
            home.close()

        await self._lanes.run(home.account, close)

    async def _end(self, home: Home) -> None:
        def end() -> None:
            is_used = home.is_open or home.account in self._behind
            if is_used and home.is_there:
                with home.changed() as index:
                    while behind.write_behind(home, index):
                        pass
                    tidying.settle(home, index)
            self._house.pool.forget(home)
            home.close()

        await self._lanes.run(home.account, end)


def _wal(home: Home) -> int:
    try:
        return os.stat(f"{home.index_path}-wal").st_size
    except FileNotFoundError:
        return 0
