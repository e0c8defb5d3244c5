"""``mailkit trace``: what happened to a message."""

from __future__ import annotations

import re

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.printed import say_time
from mailkit.errors import Refused

_ITEM = re.compile(r"([0-9a-f]+)\.[0-9]+")
"""An item of the queue, which is of the transaction before the full stop."""


@click.command()
@click.argument("what", metavar="MESSAGE-ID|ADDRESS|ID")
@pass_desk
def trace(desk: Desk, what: str) -> None:
    """Tell what happened to a message, one line a step, oldest first.

    ID is what the sender was told: "250 2.0.0 Accepted as 9f0220451d22d197", or an item
    as mailkit queue list has it.
    """
    item = _ITEM.fullmatch(what)
    with desk.open() as at:
        events = at.do(at.foundation.events.find(item[1] if item else what))
    if not events:
        raise Refused(f"nothing is known about {what} (steps are kept for a month)")
    desk.rows(
        ["when", "step", "id", "sender", "recipient", "peer", "detail"],
        [
            {
                "when": say_time(event.when),
                "step": event.step.value,
                "id": event.transaction,
                "message_id": event.message_id,
                "sender": f"<{event.sender}>",
                "recipient": event.recipient,
                "account": event.account,
                "peer": event.peer,
                "detail": event.detail,
                "size": event.size,
            }
            for event in events
        ],
    )
