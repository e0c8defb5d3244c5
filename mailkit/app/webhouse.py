"""What the web pages get of a server's house, which is opened after the ports."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.app.assemble import House
from mailkit.app.foundation import make_administration
from mailkit.app.origins import https_origin
from mailkit.app.settings import Settings
from mailkit.app.webmail import make_webmail_house
from mailkit.errors import LocalMisuse
from mailkit.factories import Services
from mailkit.formats.unsubscribe import Unsubscription
from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Cause, Suppressed
from mailkit.web.brand import Brand
from mailkit.web.cookies import Cookies
from mailkit.web.origin import Addresses, Network
from mailkit.web.rendering import Rendering
from mailkit.web.site import WebHouse, Webmail, WebSite, make_site, make_webmail
from mailkit.web.statics import Statics
from mailkit.web.webmail.pages import all_routes
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

    log = Logger()

    _house: Callable[[], House]
    _settings: Callable[[], Settings]
    _trouble: Callable[[], str | None]
    _reactor: Any
    _statics: Statics = field(init=False)
    _languages: Languages = field(factory=Languages.load, init=False)
    _rendering: Rendering = field(init=False)
    _webmail: Webmail | None = field(default=None, init=False)
    _made_of: Services | None = field(default=None, init=False)
    """What the webmail was put together from: a reload makes another one."""

    def __attrs_post_init__(self) -> None:
        web = self._settings().web
        self._statics = Statics.load(_brand(self._settings()).style)
        self._rendering = Rendering(self._statics)
        if web.insecure_cookie:
            self.log.warn(
                "[web] insecure_cookie: whoever is on the way can read people's mail"
            )

    def site(self) -> WebSite:
        """What listens on ``http`` and ``https``."""
        policy = PolicyPage(self._is_ours, self._settings().hostname, self._mode)
        return make_site(
            WebHouse(
                policy,
                self._trouble,
                self._keys,
                self,
                self._reactor.seconds,
                self._statics,
                self._rendering,
                self._languages,
                self.webmail,
                tuple(all_routes()),
            ),
            self._reactor,
        )

    def warm(self) -> None:
        """Compile the templates, so that the first who comes does not wait for it."""
        warm = partial(self._rendering.warm, self._languages.choose("", ""))
        warming = Deferred.fromCoroutine(self._house().lanes.run("templates", warm))
        warming.addErrback(self._not_warmed)

    def _not_warmed(self, failure: Failure) -> None:
        self.log.failure("the templates of pages do not compile", failure)

    def webmail(self) -> Webmail:
        """The webmail, put together anew where settings were reloaded."""
        house = self._house()
        if self._webmail is None or self._made_of is not house.services:
            self._made_of = house.services
            self._webmail = self._make(house)
        return self._webmail

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

    def _make(self, house: House) -> Webmail:
        settings = self._settings()
        if house.services is None:
            raise LocalMisuse("pages are asked for before there are services")
        addresses = Addresses(
            lambda: self._settings().web.origin,
            lambda: self._settings().hostname,
            self._is_ours,
            self._trusted,
        )
        return make_webmail(
            make_webmail_house(
                house,
                house.services,
                settings,
                make_administration(house.foundation, settings),
                _brand(settings),
                [(one.tag, one.name) for one in self._languages.all],
                self._statics.version,
            ),
            self._rendering,
            self._languages,
            addresses,
            Cookies(settings.web.insecure_cookie),
            self._https,
            secrets.token_bytes,
        )

    def _trusted(self) -> tuple[Network, ...]:
        return self._settings().proxy.trusted

    def _https(self, host: str) -> str:
        return https_origin(self._settings(), host)

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


def _brand(settings: Settings) -> Brand:
    web = settings.web
    return Brand(web.name, web.accent, web.accent_dark, web.login_text)
