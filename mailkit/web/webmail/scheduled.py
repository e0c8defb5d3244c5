"""What leaves later: a view of what the queue holds for an account."""

from __future__ import annotations

from mailkit.errors import HasLeft
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()


@room.get("/mail/scheduled")
async def scheduled(asked: Asked) -> Answer:
    """All of it, the next first."""
    waiting = await asked.house.composing.waiting(asked.name)
    return asked.page("scheduled.html", {"waiting": waiting, CURRENT: "scheduled"})


@room.post("/mail/scheduled/cancel", action="compose")
async def cancel(asked: Asked) -> Answer:
    """Have a message of another program never leave."""
    try:
        await asked.house.composing.cancel(asked.name, asked.form.text("id"))
    except HasLeft:
        return asked.page("left.html", {CURRENT: "scheduled"}, status=409)
    return asked.redirect("/mail/scheduled")
