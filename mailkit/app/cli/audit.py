"""``mailkit audit``: who changed what, and when."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.printed import say_time


@click.command()
@click.argument("subject", default="", metavar="[ADDRESS|DOMAIN]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Newest lines shown.",
)
@pass_desk
def audit(desk: Desk, subject: str, limit: int) -> None:
    """Tell who changed what, oldest first."""
    with desk.open() as at:
        lines = at.do(at.administration.audit(at.actor, subject, limit))
    desk.rows(
        ["when", "who", "action", "subject", "before", "after"],
        [
            {
                "when": say_time(line.when),
                "who": line.who,
                "action": line.action,
                "subject": line.subject,
                "before": line.before,
                "after": line.after,
            }
            for line in lines
        ],
    )
