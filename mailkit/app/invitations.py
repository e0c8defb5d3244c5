"""Links that the command gives to people, and that pages take from them."""

from __future__ import annotations

import secrets

from mailkit.app.foundation import Foundation
from mailkit.app.settings import Settings
from mailkit.interfaces.websessions import IWebState
from mailkit.services.admin.administration import Administration
from mailkit.services.signin.links import PasswordLinks
from mailkit.services.signin.registration import Registration


def make_links(foundation: Foundation) -> PasswordLinks:
    """Links by which people choose passwords; the command makes them."""
    return PasswordLinks(
        foundation.directory, lambda: foundation.secret, foundation.reactor.seconds
    )


def make_registration(
    foundation: Foundation,
    settings: Settings,
    administration: Administration,
    state: IWebState,
) -> Registration:
    """How people make accounts; the command makes invitations by it."""
    return Registration(
        lambda: settings.accounts.registration,
        lambda: administration,
        foundation.directory,
        state,
        state,
        lambda: foundation.secret,
        foundation.reactor.seconds,
        secrets.token_bytes,
    )
