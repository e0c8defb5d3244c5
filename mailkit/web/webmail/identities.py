"""Settings: as whom somebody writes, and what stands below."""

from __future__ import annotations

import secrets

from attrs import evolve

from mailkit.formats.recipients import is_address
from mailkit.model.address import Address
from mailkit.model.identity import Identity
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()

_LONGEST_NAME = 200
_LONGEST_SIGNATURE = 10_000


@room.get("/settings/identities")
async def identities(asked: Asked) -> Answer:
    """All of them, and room for another."""
    return await _page(asked, {})


@room.post("/settings/identities", action="settings")
async def put(asked: Asked) -> Answer:
    """Make one, or change it."""
    form, prefix = asked.form, asked.form.text("prefix")
    name = " ".join(form.text(f"{prefix}name").split())[:_LONGEST_NAME]
    address = form.text(f"{prefix}address")
    error = await _wrong(asked, address)
    if error:
        return await _page(asked, {prefix: error}, status=422)
    signature = form.exact(f"{prefix}signature").replace("\r\n", "\n").strip("\n")
    identity = Identity(
        form.text("id")[:64],
        name,
        address,
        signature[:_LONGEST_SIGNATURE],
        is_default=form.is_on(f"{prefix}default"),
    )
    if not identity.id:
        # The same form sent twice makes one.
        known = await asked.house.personal.identities(asked.name)
        same = [one.id for one in known if evolve(one, id="") == identity]
        identity = evolve(identity, id=same[0] if same else secrets.token_hex(8))
    await asked.house.personal.put_identity(asked.name, identity)
    return asked.redirect("/settings/identities")


@room.post("/settings/identities/delete", action="settings")
async def drop(asked: Asked) -> Answer:
    """Write as that no more."""
    await asked.house.personal.drop_identity(asked.name, asked.form.text("id"))
    return asked.redirect("/settings/identities")


async def _wrong(asked: Asked, address: str) -> str:
    """Why somebody may not write from an address; empty: they may."""
    local_part, _, domain = address.rpartition("@")
    parsed = Address.parse(address)
    own = asked.account.address
    if parsed is None or not is_address(local_part, domain, {own.domain}):
        return asked.say("Not an address.")
    if not await asked.house.composing.may_write_as(asked.account, parsed):
        return asked.say("That address is not yours. Ask your postmaster for it.")
    return ""


async def _page(asked: Asked, errors: dict[str, str], status: int = 200) -> Answer:
    found = await asked.house.composing.house.identities(asked.name)
    facts = {
        "identities": found,
        "new": Identity("", "", ""),
        "errors": errors,
        CURRENT: "settings",
    }
    return asked.page("identities.html", facts, status=status)
