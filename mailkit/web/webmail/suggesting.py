"""
People to write to, while somebody types.

``GET /people?q=<letters>``
    ``[{name, email, sent, received, last, words}]``, the likeliest first, at most
    eight; ``words`` says how much mail there was. Asked by scripts of ours alone.

``POST /people/hide`` (``email=``, token of the class ``compose``)
    Suggest somebody never again; ``204``.

``POST /people/read`` (``text=``, the same)
    What was typed or pasted as recipients, one by one: ``[{name, email, valid}]``.
"""

from __future__ import annotations

from mailkit.formats.recipients import parse
from mailkit.model.correspondent import Correspondent
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.people import colour_of, initials
from mailkit.web.webmail.rooms import Body, Room

room = Room()

_LONGEST = 256 * 1024


@room.get("/people", dests="empty", links=False)
async def people(asked: Asked) -> Answer:
    """Whom a few letters may mean."""
    found = await asked.house.composing.suggest(asked.name, asked.query.text("q"))
    return asked.json([_facts(asked, one) for one in found])


@room.post("/people/hide", action="compose")
async def hide(asked: Asked) -> Answer:
    """Suggest somebody never again."""
    await asked.house.composing.hide(asked.name, asked.form.text("email"))
    return asked.empty()


@room.post("/people/read", action="compose", body=Body(most=_LONGEST))
async def read(asked: Asked) -> Answer:
    """What was pasted, as one recipient after the other."""
    found = parse(asked.form.text("text"))
    return asked.json(
        [
            {"name": one.name, "email": one.address, "valid": one.is_good}
            for one in found
        ]
    )


def _facts(asked: Asked, one: Correspondent) -> dict[str, object]:
    number = one.sent + one.received
    words = asked.language.words.ngettext("%(n)s message", "%(n)s messages", number)
    return {
        "name": one.name,
        "email": one.address,
        "sent": one.sent,
        "received": one.received,
        "last": one.last,
        "words": words % {"n": number},
        "initials": initials(one.name, one.address),
        "colour": colour_of(one.address),
    }
