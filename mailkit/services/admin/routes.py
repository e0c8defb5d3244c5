"""Routes of the directory: made and taken away, and all routes explained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

import attrs
from attrs import frozen

from mailkit.config.reader import Misconfigured, read_table
from mailkit.errors import AlreadyExists, CannotName, Refused
from mailkit.model.address import AccountName, Address
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.routeentry import RouteEntry
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import account_name
from mailkit.services.admin.office import Office
from mailkit.services.routes.matcher import Mailing
from mailkit.services.routes.pattern import NULL
from mailkit.services.routes.route import Route, say_url
from mailkit.services.routes.settings import SECRET, RouteSettings, route_of
from mailkit.services.routing import Explanation, Routing

HIDDEN = "…"


@frozen(eq=False)
class Routes:
    """``mailkit route``; for administrators of the server alone."""

    _office: Office
    _routing: Routing

    async def add(
        self, actor: Actor, keys: Mapping[str, object], folder: FilePath
    ) -> Route:
        """
        Make a route.

        :param keys: as they stand below ``[[route]]``.
        :param folder: what relative paths are relative to.
        :raises NotAllowed:
        :raises Misconfigured: if a key is wrong.
        :raises AlreadyExists: if there is a route of that name.
        :raises Refused: if mail does not leave this server at all.
        """
        actor.check_server()
        if not self._routing.sends:
            raise Refused("a route needs relay.enabled = true")
        try:
            settings = read_table(RouteSettings, dict(keys), folder)
        except Misconfigured as error:
            name = f"route {keys.get('name', '')}".strip()
            raise Misconfigured(name, None, error.key, error.problem) from error
        if await self._routing.book.route(settings.name) is not None:
            raise AlreadyExists(f"there is a route {settings.name} already")
        given = given_keys(settings)
        line = self._office.line(
            actor, "route add", settings.name, "", say_keys(settings)
        )
        entry = RouteEntry(settings.name, json.dumps(given))
        await self._office.changes.set_route(entry, line)
        return route_of(settings, "")

    async def remove(self, actor: Actor, name: str) -> None:
        """
        Take a route of the directory away; mail that waits for it goes on waiting.

        :raises NotAllowed:
        :raises Refused: if there is none, or it stands in the config file.
        """
        actor.check_server()
        book = self._routing.book
        if any(one.name == name for one in book.configured):
            raise Refused(f"route {name} stands in the config file")
        entries = await self._office.directory.routes()
        known = next((one for one in entries if one.name == name), None)
        if known is None:
            raise Refused(f"there is no route {name}")
        try:
            settings = read_table(RouteSettings, json.loads(known.keys), FilePath("/"))
            before = say_keys(settings)
        except Misconfigured:  # an older mailkit knew keys that this one does not
            before = HIDDEN
        line = self._office.line(actor, "route remove", name, before, "")
        await self._office.changes.remove_route(name, line)

    async def list(self, actor: Actor) -> Sequence[Route]:
        """All routes, those of the config file first. :raises NotAllowed:"""
        actor.check_server()
        return await self._routing.book.all()

    async def explain(
        self, actor: Actor, text: str, sender: str | None, account: str | None
    ) -> Explanation:
        """
        What becomes of mail for an address.

        :param sender: whom it is from; ``<>`` for a notice; ``None``: the account, or
            somebody about whom no route asks.
        :param account: who submits it; ``None``: a stranger brings it.
        :raises NotAllowed: :raises CannotName: :raises NoSuchAccount:
        """
        actor.check_server()
        name: AccountName | None = None
        if account is not None:
            name = (await self._office.account(actor, account_name(account))).name
            sender = name if sender is None else sender
        address = None if sender is None else _path(sender, may_be_null=True).address
        mailing = Mailing(address, name)
        path = _path(text)
        return await self._routing.explain(path, name is not None, mailing)


def given_keys(settings: RouteSettings) -> dict[str, object]:
    """What was written, with whole paths; what is as it would be anyway is left out."""
    found: dict[str, object] = {}
    for one in attrs.fields(RouteSettings):
        value = getattr(settings, one.name)
        if value == one.default:
            continue
        found[one.name] = str(value) if isinstance(value, FilePath) else value
    return found


def say_keys(settings: RouteSettings) -> str:
    """A route in the words of the audit; secrets are left out."""
    words: list[str] = []
    for key, value in given_keys(settings).items():
        if key == "name":
            continue
        if key in SECRET:
            value = say_url(str(value)) if key == "url" else HIDDEN
        text = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        words.append(f"{key}={text}")
    return ", ".join(words)


def _path(text: str, *, may_be_null: bool = False) -> Path:
    text = text.strip()
    if may_be_null and text in (NULL, ""):
        return NULL_PATH
    text = text.removeprefix("<").removesuffix(">")
    if Address.parse(text) is None:
        raise CannotName(f"{text!r} is not an address such as bob@example.net")
    local_part, _, domain = text.rpartition("@")
    return Path(local_part, domain)
