"""``mailkit alias``: other addresses of accounts."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import WholeGroup


@click.group(cls=WholeGroup)
def alias() -> None:
    """Other addresses of accounts; @domain is all that nobody else has."""


@alias.command()
@click.argument("address")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@pass_desk
def add(desk: Desk, address: str, targets: tuple[str, ...]) -> None:
    """Let mail for ADDRESS (or all of @domain) go to each TARGET too."""
    with desk.open() as at:
        made = at.do(at.administration.aliases.add(at.actor, address, targets))
    leads = [str(target) for target in made.targets]
    desk.done(
        f"{made.address} leads to {', '.join(leads)}",
        {"alias": str(made.address), "targets": leads},
    )


@alias.command("list")
@click.argument("domain", default="", metavar="[DOMAIN]")
@pass_desk
def list_aliases(desk: Desk, domain: str) -> None:
    """List all aliases, or those of DOMAIN."""
    with desk.open() as at:
        aliases = at.do(at.administration.aliases.list(at.actor, domain))
    desk.rows(
        ["alias", "targets"],
        [
            {
                "alias": str(one.address),
                "targets": [str(target) for target in one.targets],
            }
            for one in aliases
        ],
    )


@alias.command()
@click.argument("address")
@click.argument("targets", nargs=-1, metavar="[TARGET...]")
@pass_desk
def remove(desk: Desk, address: str, targets: tuple[str, ...]) -> None:
    """Take an alias away, or only some of its targets."""
    with desk.open() as at:
        left = at.do(at.administration.aliases.remove(at.actor, address, targets))
    if left is None:
        desk.done(f"{address} is no alias any more", {"removed": address})
        return
    leads = [str(target) for target in left.targets]
    desk.done(
        f"{left.address} leads to {', '.join(leads)}",
        {"alias": str(left.address), "targets": leads},
    )
