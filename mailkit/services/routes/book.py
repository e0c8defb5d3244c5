"""All routes of this server: those of ``mailkit.toml``, and those of the directory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field
from twisted.logger import Logger

from mailkit.config.reader import Misconfigured, read_table
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.storage import IWatch
from mailkit.model.routeentry import RouteEntry
from mailkit.services.routes.matcher import Matcher
from mailkit.services.routes.route import Route
from mailkit.services.routes.settings import RouteSettings, route_of

FILE = "mailkit.toml"
DIRECTORY = "directory"


@define(eq=False)
class RouteBook:
    """
    Knows routes by name and by whom they mean.

    A name that stands in the file and in the directory is the file's. What is wrong in
    the directory, because an older mailkit wrote it, is logged and left out.

    :param folder: what relative paths of the directory's routes are relative to.
    """

    log = Logger()

    _directory: IDirectory
    _settings: Sequence[RouteSettings] = ()
    _folder: Path = Path("/")
    _entries: Sequence[RouteEntry] = field(init=False, default=())
    _matcher: Matcher = field(init=False)
    _by_name: dict[str, Route] = field(init=False, factory=dict)
    _is_stale: bool = field(init=False, default=True)
    _watch: IWatch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._matcher = Matcher(())
        self._watch = self._directory.watch(self._changed)

    def configure(self, settings: Sequence[RouteSettings]) -> None:
        """What the file says from now on."""
        self._settings = settings
        self._entries = ()
        self._is_stale = True
        self._by_name.clear()

    @property
    def configured(self) -> Sequence[RouteSettings]:
        """What the file says."""
        return self._settings

    async def matcher(self) -> Matcher:
        """All of them, to be asked; false where there are none."""
        if self._is_stale:
            await self._look()
        return self._matcher

    async def route(self, name: str) -> Route | None:
        """The one of a name."""
        if self._is_stale:
            await self._look()
        return self._by_name.get(name)

    async def all(self) -> Sequence[Route]:
        """All of them: the file's in its order, then the directory's by name."""
        if self._is_stale:
            await self._look()
        return list(self._by_name.values())

    def close(self) -> None:
        """Hear of no more changes."""
        self._watch.stop()

    def _changed(self) -> None:
        self._is_stale = True

    async def _look(self) -> None:
        self._is_stale = False
        entries = await self._directory.routes()
        if entries == self._entries and self._by_name:
            return  # something else has changed in the directory
        self._entries = entries
        found = {one.name: route_of(one, FILE) for one in self._settings}
        for entry in entries:
            try:
                settings = settings_of(entry, self._folder)
            except Misconfigured as error:
                self.log.error(
                    "route {route} is left out: {reason}",
                    route=entry.name,
                    reason=str(error),
                )
                continue
            found.setdefault(entry.name, route_of(settings, DIRECTORY))
        self._by_name = found
        self._matcher = Matcher(tuple(found.values()))


def settings_of(entry: RouteEntry, folder: Path) -> RouteSettings:
    """:raises Misconfigured: if that is no route."""
    return read_table(RouteSettings, json.loads(entry.keys), folder)
