"""Settings: one's own addresses."""

from __future__ import annotations

from mailkit.errors import AlreadyExists, Busy, CannotName, NoSuchDomain, TooMany
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()

PAGE = "/settings/addresses"


@room.get("/settings/addresses")
async def addresses(asked: Asked) -> Answer:
    """All that lead here, and a form for one more where people may."""
    return await _page(asked)


@room.post("/settings/addresses", action="settings")
async def add(asked: Asked) -> Answer:
    """One more."""
    name, domain = asked.form.text("name"), asked.form.text("domain")
    text = f"{name}@{domain}"
    try:
        await asked.house.own.add_address(asked.account, text)
    except AlreadyExists:
        error = asked.say("%(address)s cannot be had. Try another one.")
        return await _page(asked, error % {"address": text}, 409)
    except (CannotName, NoSuchDomain):
        error = asked.say("%(address)s cannot be had. Try another one.")
        return await _page(asked, error % {"address": text}, 422)
    except Busy:
        error = asked.say("Too many questions. Wait a day.")
        return await _page(asked, error, 429)
    except TooMany:
        return await _page(asked, asked.say("You have as many as you may."), 403)
    return asked.redirect(PAGE)


@room.post("/settings/addresses/drop", action="settings")
async def drop(asked: Asked) -> Answer:
    """Give one back: somebody else may take it then."""
    await asked.house.own.drop_address(asked.account, asked.form.text("address"))
    return asked.redirect(PAGE)


async def _page(asked: Asked, error: str = "", status: int = 200) -> Answer:
    own = asked.house.own
    others = await own.addresses(asked.account)
    facts = {
        CURRENT: "settings",
        "others": [str(one) for one in others],
        "may_have": own.may_have,
        "may_add": len(others) < own.may_have,
        "domains": [one.name for one in await asked.house.directory.domains()],
        "domain": asked.account.domain,
        "name": asked.form.text("name"),
        "error": error,
    }
    return asked.page("addresses.html", facts, status=status)
