"""Signing in and out."""

from __future__ import annotations

from attrs import evolve

from mailkit.errors import Busy, NotAuthenticated, Unavailable
from mailkit.model.address import AccountName
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.dates import ZONE_NAMES
from mailkit.web.webmail.rooms import Needs, Room

room = Room()

INBOX = "/mail/inbox"


@room.get("/", needs=Needs.SOMEBODY)
async def begin(asked: Asked) -> Answer:
    """Whoever comes to the front door wants the mail."""
    return asked.redirect(INBOX)


@room.get("/login", needs=Needs.NOBODY)
async def login(asked: Asked) -> Answer:
    """The form; whoever is signed in does not need it."""
    if asked.is_signed_in:
        return asked.redirect(_next(asked.query.text("next")))
    notice = ""
    if "over" in asked.query:
        notice = asked.say("Please sign in again. What you wrote is kept.")
    elif "out" in asked.query:
        notice = asked.say("You are signed out.")
    return _form(asked, asked.query.text("next"), notice=notice)


@room.post("/login", needs=Needs.NOBODY, action="session")
async def sign_in(asked: Asked) -> Answer:
    """A name and a password; both wrong sound the same."""
    form = asked.form
    name, is_public = form.text("username"), form.is_on("public")
    try:
        begun = await asked.house.sign_in.begin(
            name,
            form.exact("password"),
            asked.peer,
            asked.headers.get("user-agent", ""),
            is_public=is_public,
        )
    except NotAuthenticated:
        error = asked.say("The address or the password is wrong.")
        return _form(asked, form.text("next"), error, 403)
    except Busy:
        error = asked.say("Too many wrong passwords. Wait a few minutes.")
        return _form(asked, form.text("next"), error, 429)
    if asked.session is not None:
        # Whoever was signed in here is not any more: the cookie has room for one.
        await asked.house.sign_in.end(asked.session)
    asked.house.search.begin(begun.signed_in.session.account)
    await keep_zone(asked, begun.signed_in.session.account)
    cookie = asked.cookies.set_session(begun.cookie, is_public=is_public)
    return asked.redirect(_next(form.text("next")), cookies=(cookie,))


@room.post("/logout", action="session")
async def sign_out(asked: Asked) -> Answer:
    """This browser forgets everything of ours."""
    if asked.session is not None:
        await asked.house.sign_in.end(asked.session)
    answer = asked.redirect("/login?out=1", cookies=(asked.cookies.drop_session(),))
    return answer.with_headers({"Clear-Site-Data": '"cache", "cookies", "storage"'})


async def keep_zone(asked: Asked, account: AccountName) -> None:
    """
    Times are those of the browser's zone, which a script has written into the form.

    Whatever the person has chosen goes before it.
    """
    found = asked.form.text("zone")
    if found not in ZONE_NAMES:
        return
    try:
        before = await asked.house.personal.preferences(account)
        if before.browser_zone != found:
            changed = evolve(before, browser_zone=found)
            await asked.house.personal.change(account, changed)
    except Unavailable:  # a zone is no reason to turn somebody away
        return


def _form(
    asked: Asked, next: str, error: str = "", status: int = 200, *, notice: str = ""
) -> Answer:
    host = asked.origin.partition("://")[2]
    return asked.page(
        "login.html",
        {
            "next": next,
            "error": error,
            "notice": notice,
            "username": asked.form.text("username") or asked.query.text("username"),
            "is_public": asked.form.is_on("public"),
            "postmaster": f"postmaster@{asked.house.main_domain or host}",
            "may_register": asked.house.registration.is_open,
        },
        status=status,
    )


def _next(path: str) -> str:
    """Where to go on: to a page of ours, and nowhere else."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\"))
    is_plain = path.isascii() and path.isprintable()
    return path if is_ours and is_plain and path != "/" else INBOX
