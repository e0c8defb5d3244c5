"""``mailkit mailbox``: the mailboxes of an account, as numbers."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import WholeGroup
from mailkit.config.units import say_about
from mailkit.errors import Refused


@click.group(cls=WholeGroup)
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


@mailbox.command()
@click.argument("address")
@pass_desk
def check(desk: Desk, address: str) -> None:
    """Compare the index of an account with its files; nothing is changed."""
    with desk.open() as at:
        found = at.do(at.administration.mailboxes.check(at.actor, address))
    desk.rows(
        ["mailbox", "messages", "problems"],
        [
            {
                "mailbox": one.name,
                "messages": one.messages,
                "problems": list(one.problems),
            }
            for one in found
        ],
    )
    if any(one.problems for one in found):
        raise Refused(f"there are problems: mailkit mailbox rebuild {address}")


@mailbox.command()
@click.argument("address")
@pass_desk
def rebuild(desk: Desk, address: str) -> None:
    """Make the index of an account anew from its files, with the same UIDs."""
    with desk.open() as at:
        at.do(at.administration.mailboxes.rebuild(at.actor, address))
    desk.done(f"the index of {address} is made anew", {"rebuilt": address})
