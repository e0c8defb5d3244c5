"""``mailkit mailbox``: the mailboxes of an account, as numbers."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.config.units import say_about


@click.group()
def mailbox() -> None:
    """The mailboxes of an account."""


@mailbox.command("list")
@click.argument("address")
@pass_desk
def list_mailboxes(desk: Desk, address: str) -> None:
    """List the mailboxes of an account, INBOX first."""
    with desk.open() as at:
        listed = at.do(at.administration.mailboxes.list(at.actor, address))
    desk.rows(
        ["mailbox", "messages", "unseen", "size"],
        [
            {
                "mailbox": one.entry.name,
                "messages": one.status.exists if one.status else None,
                "unseen": one.status.unseen if one.status else None,
                "size": say_about(one.status.size) if one.status else None,
            }
            for one in listed
        ],
    )
