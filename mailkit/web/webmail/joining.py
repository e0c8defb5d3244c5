"""Accounts that people make for themselves, and passwords chosen by a link."""

from __future__ import annotations

from collections.abc import Mapping

from mailkit.errors import AlreadyExists, CannotName, NotAllowed, TooMany
from mailkit.model.address import AccountName
from mailkit.services.passwords.passwords import UnfitPassword
from mailkit.services.signin.accounts import SHORTEST, TooShort
from mailkit.services.signin.registration import Free
from mailkit.services.signin.signin import Begun
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.rooms import Needs, Room
from mailkit.web.webmail.security import unfit_words
from mailkit.web.webmail.signing import keep_zone

room = Room()

_TRAP = "website"
"""A field that people do not see; robots fill it in."""

_NONE: Mapping[str, str] = {"name": "", "password": "", "again": ""}


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


_FREE = {
    Free.YES: _("%(address)s is free."),
    Free.TAKEN: _("%(address)s cannot be had. Try another one."),
    Free.BAD: _("Letters, digits, full stops and hyphens make a name."),
    Free.TOO_OFTEN: _("Too many questions. Wait a minute."),
}


@room.get("/register", needs=Needs.NOBODY)
async def register(asked: Asked) -> Answer:
    """The form; with an invitation where one is needed."""
    if asked.is_signed_in:
        return asked.redirect("/mail/inbox")
    return await _form(asked, asked.query.text("invitation"), _NONE)


@room.get("/register/free", needs=Needs.NOBODY, dests="empty", links=False)
async def free(asked: Asked) -> Answer:
    """Whether a name can be had, while it is typed."""
    registration = asked.house.registration
    is_invited = registration.invitation(asked.query.text("invitation")) is not None
    if not registration.is_open and not is_invited:
        raise NotAllowed("nobody is asked to come")
    name, domain = asked.query.text("name"), asked.query.text("domain")
    found = await registration.look(name, domain, asked.peer)
    words = asked.say(_FREE[found]) % {"address": f"{name}@{domain}"}
    return asked.json({"isFree": found is Free.YES, "text": words})


@room.post("/register", needs=Needs.NOBODY, action="session")
async def make(asked: Asked) -> Answer:
    """Make the account, and sign in."""
    form = asked.form
    ticket = form.text("invitation")
    registration = asked.house.registration
    invitation = registration.invitation(ticket)
    if form.text(_TRAP):
        raise NotAllowed("a robot")
    name, domain = form.text("name"), form.text("domain")
    if invitation is not None and invitation.address:
        name, _at, domain = invitation.address.partition("@")
    if form.exact("password") != form.exact("again"):
        error = asked.say("The two passwords differ.")
        return await _form(asked, ticket, {**_NONE, "again": error}, 422)
    try:
        account = await registration.register(
            name, domain, form.exact("password"), asked.peer, invitation
        )
    except (TooShort, UnfitPassword):
        error = unfit_words(asked)
        return await _form(asked, ticket, {**_NONE, "password": error}, 422)
    except AlreadyExists:
        error = asked.say(_FREE[Free.TAKEN]) % {"address": f"{name}@{domain}"}
        return await _form(asked, ticket, {**_NONE, "name": error}, 409)
    except CannotName:
        error = asked.say(_FREE[Free.BAD])
        return await _form(asked, ticket, {**_NONE, "name": error}, 422)
    except TooMany:
        error = asked.say("Too many accounts were made from where you are. Wait a day.")
        return await _form(asked, ticket, {**_NONE, "name": error}, 429)
    begun = await asked.house.sign_in.begin_as(
        account, asked.peer, _agent(asked), is_public=False
    )
    return await _in(asked, begun)


@room.get("/password/<ticket>", needs=Needs.NOBODY)
async def ask_password(asked: Asked, ticket: str) -> Answer:
    """The form to choose a password, for whoever has the link."""
    account = await asked.house.own.of_link(ticket)
    return _password(asked, account.name if account else None, _NONE)


@room.post("/password/<ticket>", needs=Needs.NOBODY, action="session")
async def set_password(asked: Asked, ticket: str) -> Answer:
    """Choose it, and be signed in; the link is worth nothing afterwards."""
    account = await asked.house.own.of_link(ticket)
    name = account.name if account else None
    new = asked.form.exact("password")
    if new != asked.form.exact("again"):
        error = asked.say("The two passwords differ.")
        return _password(asked, name, {**_NONE, "again": error}, 422)
    try:
        begun = await asked.house.own.set_password(
            ticket, new, asked.peer, _agent(asked)
        )
    except (TooShort, UnfitPassword):
        return _password(asked, name, {**_NONE, "password": unfit_words(asked)}, 422)
    if begun is None:
        return _password(asked, None, _NONE)
    return await _in(asked, begun)


async def _in(asked: Asked, begun: Begun) -> Answer:
    if asked.session is not None:
        await asked.house.sign_in.end(asked.session)
    await keep_zone(asked, begun.signed_in.session.account)
    cookie = asked.cookies.set_session(begun.cookie, is_public=False)
    return asked.redirect("/mail/inbox", cookies=(cookie,))


async def _form(
    asked: Asked, ticket: str, errors: Mapping[str, str], status: int = 200
) -> Answer:
    registration = asked.house.registration
    invitation = registration.invitation(ticket)
    if invitation is None and not registration.is_open:
        return _nobody(asked, ticket)
    facts = {
        "errors": errors,
        "invitation": ticket if invitation else "",
        "fixed": invitation.address if invitation else "",
        "domains": await registration.domains(invitation),
        "name": asked.form.text("name") or asked.query.text("name"),
        "domain": asked.form.text("domain"),
        "shortest": SHORTEST,
        "trap": _TRAP,
    }
    return asked.page("register.html", facts, status=status)


def _nobody(asked: Asked, ticket: str) -> Answer:
    text = asked.say("Accounts here are made by invitation. Ask the postmaster.")
    if ticket:
        text = asked.say("This invitation was used, or it is too old. Ask for another.")
    facts = {
        "headline": asked.say("Nobody can register here"),
        "text": text,
        "reference": "",
        "href": "/login",
        "link": asked.say("Sign in"),
    }
    return asked.page("wrong.html", facts, status=403)


def _password(
    asked: Asked,
    name: AccountName | None,
    errors: Mapping[str, str],
    status: int = 200,
) -> Answer:
    if name is None:
        facts: dict[str, object] = {
            "headline": asked.say("This link is not good any more"),
            "text": asked.say("It was used, or it is too old. Ask for another one."),
            "reference": "",
            "href": "/login",
            "link": asked.say("Sign in"),
        }
        return asked.page("wrong.html", facts, status=404)
    facts = {"address": name, "errors": errors, "shortest": SHORTEST}
    return asked.page("password.html", facts, status=status)


def _agent(asked: Asked) -> str:
    return asked.headers.get("user-agent", "")
