"""Settings: the password, and the browsers that are signed in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from mailkit.errors import Busy, NotAuthenticated
from mailkit.model.websession import WebSession
from mailkit.services.passwords.passwords import UnfitPassword
from mailkit.services.signin.accounts import SHORTEST, TooShort
from mailkit.services.signin.signin import SignedIn
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.rooms import Room

room = Room()

PAGE = "/settings/security"
_OTHERS = "others"
_NO_ERRORS = {"current": "", "password": "", "again": ""}
_KNOWN = (  # what a browser calls itself, by what is in it; the first that fits
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@frozen
class Browser:
    """One line of the list."""

    key: str
    agent: str
    peer: str
    made: str
    seen: str
    is_this: bool
    is_public: bool


@room.get("/settings/security")
async def security(asked: Asked) -> Answer:
    """The page."""
    notice = ""
    if "changed" in asked.query:
        notice = asked.say("Your password is changed. All others were signed out.")
    elif "out" in asked.query:
        notice = asked.say("Signed out.")
    return await _page(asked, _NO_ERRORS, notice=notice)


@room.post("/settings/security/password", action="session")
async def change(asked: Asked) -> Answer:
    """Another password; this browser stays signed in, with a new cookie."""
    form, session = asked.form, asked.session
    assert session is not None
    new = form.exact("password")
    if new != form.exact("again"):
        error = asked.say("The two new passwords differ.")
        return await _page(asked, {**_NO_ERRORS, "again": error}, 422)
    try:
        begun = await asked.house.own.change_password(
            SignedIn(session, asked.account),
            form.exact("current"),
            new,
            asked.peer,
            asked.headers.get("user-agent", ""),
        )
    except NotAuthenticated:
        error = asked.say("That is not your password.")
        return await _page(asked, {**_NO_ERRORS, "current": error}, 403)
    except Busy:
        error = asked.say("Too many wrong passwords. Wait a few minutes.")
        return await _page(asked, {**_NO_ERRORS, "current": error}, 429)
    except (TooShort, UnfitPassword):
        error = unfit_words(asked)
        return await _page(asked, {**_NO_ERRORS, "password": error}, 422)
    cookie = asked.cookies.set_session(begun.cookie, is_public=session.is_public)
    return asked.redirect(f"{PAGE}?changed=1", cookies=(cookie,))


@room.post("/settings/security/sign-out", action="session")
async def sign_out(asked: Asked) -> Answer:
    """One other browser, or all others."""
    key = asked.form.text("key")
    sign_in = asked.house.sign_in
    if key == _OTHERS:
        await sign_in.end_all(asked.name, but=asked.session)
    for one in await sign_in.browsers(asked.name):
        if _public_key(one) == key:
            await sign_in.end(one)
    return asked.redirect(f"{PAGE}?out=1")


def unfit_words(asked: Asked) -> str:
    """What is wrong with a password that nobody may have."""
    words = asked.say("Take at least %(count)s characters, and not your own name.")
    return words % {"count": SHORTEST}


def said_of(agent: str) -> str:
    """``Firefox, Linux``, of what a browser says of itself; else its first word."""
    browser = next((name for mark, name in _KNOWN if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser or system:
        return ", ".join(part for part in (browser, system) if part)
    return re.split(r"[/ ]", agent, maxsplit=1)[0][:40] or "?"


async def _page(
    asked: Asked, errors: Mapping[str, str], status: int = 200, *, notice: str = ""
) -> Answer:
    dates = asked.dates
    browsers = [
        Browser(
            _public_key(one),
            said_of(one.agent),
            one.peer,
            dates.medium(one.made),
            dates.medium(one.seen),
            asked.session is not None and one.key == asked.session.key,
            one.is_public,
        )
        for one in await asked.house.sign_in.browsers(asked.name)
    ]
    facts = {
        "current": "settings",
        "browsers": browsers,
        "errors": errors,
        "notice": notice,
        "shortest": SHORTEST,
    }
    return asked.page("security.html", facts, status=status)


def _public_key(session: WebSession) -> str:
    """Names a session in a form; nothing can be made of it."""
    return session.key[:16]
