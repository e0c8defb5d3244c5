"""Every service and interface that pages of the webmail use."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from gettext import NullTranslations
from typing import Any

from attrs import define, field

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.pictures import IOneClick
from mailkit.interfaces.search import ISearch
from mailkit.interfaces.storage import IMailStore, ISpool
from mailkit.model.address import AccountName
from mailkit.services.composing.composing import Composing
from mailkit.services.finding.finding import Finding
from mailkit.services.live.rooms import Live
from mailkit.services.reading.acquaintances import Acquaintances
from mailkit.services.reading.marking import Marking
from mailkit.services.reading.message import Reading
from mailkit.services.signin.accounts import OwnAccount
from mailkit.services.signin.registration import Registration
from mailkit.services.signin.signin import SignIn
from mailkit.services.sorting.room import SortingRoom
from mailkit.web.brand import Brand

Undone = Callable[[AccountName, str, NullTranslations], Awaitable[str]]
"""
What was done under a token, in the words of a language ("2 archived"); empty: there is
no way back any more.
"""


@define(eq=False, kw_only=True)
class WebmailHouse:
    """Filled in ``mailkit/app/webhouse.py``; tests fill it with memory stores."""

    now: Callable[[], float]
    """Seconds since 1970."""
    time_zone: str = ""
    """Of people who chose none: a name of the tz database; empty: UTC."""
    main_domain: str = ""
    """Whose postmaster is asked where somebody cannot get in."""
    brand: Brand = field(factory=Brand)
    secret: bytes = field(repr=False)
    """What tokens are signed with."""
    directory: IDirectory
    store: IMailStore
    spool: ISpool
    """Where files of forms go until their page has read them."""
    conversations: IConversations
    live: Live
    """Tells open pages what happens."""
    version: str = ""
    """Changes with our scripts and style."""
    personal: IPersonal
    search: ISearch
    """Its `begin` is called for whoever opens the webmail."""
    finding: Finding
    """What people look for."""
    quota_of: Callable[[AccountName], Awaitable[int]]
    """Octets that an account may keep; 0: without limit."""
    message_size: int = 50 * 1024 * 1024
    """Octets of the largest message."""
    scheduled: Callable[[AccountName], Coroutine[Any, Any, int]]
    """How many messages of an account wait for their time to leave (a coroutine)."""
    composing: Composing
    """Drafts, what is on its way out, and people to write to."""
    reading: Reading
    """Messages, opened and made safe to show."""
    acquaintances: Acquaintances
    """Whom people know."""
    marking: Marking
    """Marks what was opened as read."""
    one_click: IOneClick
    """Tells senders that somebody wants no more of something."""
    sorting: SortingRoom
    """What is done with mail, and its way back; folders and labels."""
    languages: Sequence[tuple[str, str]] = ()
    """Tags of the languages that pages may be in, each with its own name."""
    undone: Undone | None = None
    """``None``: nothing can be undone."""
    sign_in: SignIn
    """Sessions of browsers."""
    own: OwnAccount
    """What people change about their own account."""
    registration: Registration
    """How accounts are made by those who will use them."""

    def secret_of(self, before: str) -> bytes:
        """What tokens are made of for a browser that is not signed in."""
        octets = b"before" + before.encode("utf-8", "replace")
        return hmac.digest(self.secret, octets, "sha256")
