"""The webmail's services, put together over one house."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial

from mailkit.app.assemble import House
from mailkit.app.invitations import make_links, make_registration
from mailkit.app.settings import Settings
from mailkit.errors import LocalMisuse
from mailkit.factories import Services
from mailkit.interfaces.websessions import IWebState
from mailkit.model.address import AccountName
from mailkit.model.queueitem import Selection
from mailkit.net.pictures import StrangersWeb
from mailkit.net.resolver.resolver import Resolver
from mailkit.net.routes.redisclient import RedisClient, RedisConnection
from mailkit.net.websessions import RedisWebSessions
from mailkit.services.admin.administration import Administration
from mailkit.services.finding.finding import Finding
from mailkit.services.live.news import tell_sessions
from mailkit.services.reading.acquaintances import Acquaintances
from mailkit.services.reading.marking import Marking
from mailkit.services.reading.message import Reading
from mailkit.services.reading.pictures import ProxiedPictures
from mailkit.services.routes.settings import read_redis
from mailkit.services.signin.accounts import OwnAccount
from mailkit.services.signin.settings import SessionSettings
from mailkit.services.signin.signin import SignIn
from mailkit.services.sorting.room import SortingRoom
from mailkit.web.brand import Brand
from mailkit.web.webmail.acting import say_undone
from mailkit.web.webmail.house import WebmailHouse


def make_webmail_house(
    house: House,
    services: Services,
    settings: Settings,
    administration: Administration,
    brand: Brand,
    languages: Sequence[tuple[str, str]] = (),
    version: str = "",
) -> WebmailHouse:
    """
    Every service that pages use.

    :param languages: tags of those that there are, each with its own name.
    :param version: of scripts and style.
    """
    now, secret = house.reactor.seconds, house.secret
    sessions = open_sessions(house, settings)
    sign_in = SignIn(
        services.authentication.password_check,
        house.directory,
        sessions,
        session_settings(settings),
        now,
        secrets.token_bytes,
        partial(tell_sessions, house.board),
    )
    resolver = Resolver(house.reactor, settings.dns, house.metrics)
    strangers = StrangersWeb(house.reactor, resolver, allow=settings.relay.allow)

    sorting = SortingRoom.over(
        house.store, house.personal, house.conversations, house.board, house.reactor
    )

    composing = house.composing
    if composing is None:
        raise LocalMisuse("pages are asked for before there are services")

    async def scheduled(name: AccountName) -> int:
        # Nearly always nothing waits, which is quickly asked.
        if not await house.queue.count(Selection(account=name)):
            return 0
        return len(await composing.waiting(name))

    return WebmailHouse(
        now=now,
        time_zone=settings.web.time_zone,
        brand=brand,
        main_domain=_main_domain(settings),
        secret=secret,
        directory=house.directory,
        store=house.store,
        spool=house.spool,
        conversations=house.conversations,
        live=house.live,
        version=version,
        personal=house.personal,
        search=house.search,
        finding=Finding(
            house.search, house.conversations, house.store, house.personal, now
        ),
        quota_of=house.allowance.of,
        message_size=settings.limits.message_size,
        scheduled=scheduled,
        composing=composing,
        reading=Reading(
            house.store,
            house.conversations,
            house.lanes,
            ProxiedPictures(strangers, lambda: [secret], house.reactor),
        ),
        one_click=strangers,
        acquaintances=Acquaintances(house.personal, now),
        marking=Marking(house.store),
        sorting=sorting,
        undone=partial(say_undone, sorting),
        languages=languages,
        sign_in=sign_in,
        own=OwnAccount(
            lambda: administration,
            house.directory,
            sign_in,
            make_links(house.foundation),
            lambda: settings.accounts.aliases,
            sessions,
            now,
        ),
        registration=make_registration(
            house.foundation, settings, administration, sessions
        ),
    )


def session_settings(settings: Settings) -> SessionSettings:
    """How long browsers stay signed in."""
    web = settings.web
    return SessionSettings(web.session_idle, web.session_longest, web.session_public)


def open_sessions(house: House, settings: Settings) -> IWebState:
    """Who is signed in, which tickets were used, and what was done how often."""
    if not settings.web.sessions:
        return house.web_sessions
    target = read_redis(settings.web.sessions)
    client = RedisClient(house.reactor)

    async def connect() -> RedisConnection:
        return await client.connect(target)

    lasts = settings.web.session_longest
    return RedisWebSessions(connect, lasts, house.reactor.seconds)


def _main_domain(settings: Settings) -> str:
    """``example.org`` of ``mail.example.org``; of a short name itself."""
    _, _, above = settings.hostname.partition(".")
    return above if "." in above else settings.hostname
