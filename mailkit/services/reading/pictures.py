"""Pictures of other servers, fetched by ours for readers who want to see them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.formats.picture import picture_path, read_picture_path
from mailkit.interfaces.pictures import IPictures, Picture
from mailkit.model.address import AccountName
from mailkit.services.attempts import Attempts


@frozen
class PictureSettings:
    """How pictures of other servers are kept."""

    keep: float = 86_400.0
    """Seconds for which a picture is shown without asking again."""
    keep_failure: float = 60.0
    """Seconds for which a picture that cannot be had is not asked for again."""
    most: int = 64 * 1024 * 1024
    """Octets of all pictures that are kept."""
    at_once: int = 24
    """Pictures that are fetched at the same time."""
    for_one: int = 8
    """Of them for one account: nobody's slow pictures keep all others waiting."""


@frozen(eq=False)
class _Kept:
    until: float
    picture: Picture | None
    """``None``: it cannot be had."""


@define(eq=False)
class ProxiedPictures:
    """
    Signs addresses of pictures, and shows what was signed.

    A picture is fetched once for all readers, so that its server cannot count them.
    """

    _pictures: IPictures
    _keys: Callable[[], list[bytes]]
    """Secrets that sign addresses, the newest first."""
    _clock: IReactorTime
    settings: PictureSettings = field(factory=PictureSettings)
    _kept: OrderedDict[str, _Kept] = field(factory=OrderedDict, init=False)
    _size: int = field(default=0, init=False)
    _waiting: dict[str, list[Deferred[None]]] = field(factory=dict, init=False)
    _room: Attempts = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._room = Attempts(self._clock)

    def path(self, account: AccountName, url: str) -> str:
        """Where this account sees a picture of another server."""
        return picture_path(account, url, self._keys()[:1])

    async def open(self, account: AccountName, signature: str, text: str) -> Picture:
        """
        What such a path shows.

        :raises Refused: if we did not sign that for this account, or it is no picture.
        :raises Unavailable: if it cannot be had at present.
        """
        url = read_picture_path(account, signature, text, self._keys())
        if url is None:
            raise Refused("no picture of this account")
        while True:
            kept = self._kept.get(url)
            if kept is not None and kept.until > self._clock.seconds():
                self._kept.move_to_end(url)
                if kept.picture is None:
                    raise Unavailable("the picture cannot be had at present")
                return kept.picture
            if url not in self._waiting:
                return await self._fetch(account, url)
            turn: Deferred[None] = Deferred()
            self._waiting[url].append(turn)
            await turn

    async def _fetch(self, account: AccountName, url: str) -> Picture:
        self._waiting[url] = []
        settings = self.settings
        try:
            async with (
                self._room.turn((f"account {account}",), settings.for_one),
                self._room.turn(("all",), settings.at_once),
            ):
                picture = await self._pictures.fetch(url)
        except MailkitError:
            self._keep(url, None, self.settings.keep_failure)
            raise
        else:
            self._keep(url, picture, self.settings.keep)
            return picture
        finally:
            for turn in self._waiting.pop(url):
                turn.callback(None)

    def _keep(self, url: str, picture: Picture | None, lasts: float) -> None:
        self._forget(url)
        self._kept[url] = _Kept(self._clock.seconds() + lasts, picture)
        self._size += _weight(url, picture)
        while self._size > self.settings.most and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _forget(self, url: str) -> None:
        kept = self._kept.pop(url, None)
        if kept is not None:
            self._size -= _weight(url, kept.picture)


def _weight(url: str, picture: Picture | None) -> int:
    return 500 + len(url) + (0 if picture is None else len(picture.octets))
