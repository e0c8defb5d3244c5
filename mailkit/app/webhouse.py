"""What the web pages get of a server's house, which is opened after the ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define

from mailkit.app.assemble import House
from mailkit.app.settings import Settings
from mailkit.formats.unsubscribe import Unsubscription
from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Cause, Suppressed
from mailkit.web.rendering import Rendering
from mailkit.web.site import WebHouse, WebSite, make_site
from mailkit.web.statics import Statics
from mailkit.web.wellknown import Mode, PolicyPage
from mailkit.web.words import Languages


@define(eq=False)
class Web:
    """
    Connects the pages with the services.

    :param house: the house, once it is open: no page is asked for before.
    :param settings: those that hold now.
    :param reactor: Twisted's, which has no type of its own.
    """

    _house: Callable[[], House]
    _settings: Callable[[], Settings]
    _trouble: Callable[[], str | None]
    _reactor: Any

    def site(self) -> WebSite:
        """What listens on ``http`` and ``https``."""
        policy = PolicyPage(self._is_ours, self._settings().hostname, self._mode)
        statics = Statics.load()
        return make_site(
            WebHouse(
                policy,
                self._trouble,
                self._keys,
                self,
                self._reactor.seconds,
                statics,
                Rendering(statics),
                Languages.load(),
            )
        )

    async def unsubscribe(self, what: Unsubscription) -> None:
        """Whoever unsubscribed is left out of bulk mail from now on."""
        address = Address.parse(what.address)
        if address is None:
            return
        entry = Suppressed(
            address,
            Cause.UNSUBSCRIBED,
            self._reactor.seconds(),
            f"wants no more of {what.sending}",
        )
        await self._house().suppression.add([entry])

    async def _is_ours(self, domain: DomainName) -> bool:
        return await self._house().directory.domain(domain) is not None

    def _keys(self) -> list[bytes]:
        return [self._house().secret]

    def _mode(self) -> Mode:
        settings = self._settings()
        mode = settings.web.mta_sts
        # Others cannot check a certificate that we made ourselves.
        is_own = settings.tls.certificate is None
        return "testing" if mode == "enforce" and is_own else mode
