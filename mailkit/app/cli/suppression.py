"""``mailkit suppression``: addresses that bulk mail leaves out."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import WholeGroup
from mailkit.app.cli.printed import Row, say_time
from mailkit.model.address import Address
from mailkit.model.suppression import Suppressed

_PAGE = 1000


@click.group(cls=WholeGroup)
def suppression() -> None:
    """Addresses that failed for good, or complained: bulk mail leaves them out."""


@suppression.command("list")
@click.argument("domain", default="", metavar="[DOMAIN]")
@pass_desk
def list_suppressed(desk: Desk, domain: str) -> None:
    """List all suppressed addresses, or those at DOMAIN."""
    rows: list[Row] = []
    after: Address | None = None
    with desk.open() as at:
        while True:
            page = at.do(
                at.administration.suppressions.list(at.actor, domain, after, _PAGE)
            )
            rows += map(_row, page)
            if len(page) < _PAGE:
                break
            after = page[-1].address
    desk.rows(["address", "cause", "since", "reason"], rows)


@suppression.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option("--reason", default="", help="Why, in words.")
@pass_desk
def add(desk: Desk, addresses: tuple[str, ...], reason: str) -> None:
    """Leave each ADDRESS out of bulk mail from now on."""
    with desk.open() as at:
        made = at.do(at.administration.suppressions.add(at.actor, addresses, reason))
    names = [str(one.address) for one in made]
    are = "is" if len(names) == 1 else "are"
    desk.done(f"{', '.join(names)} {are} suppressed", {"suppressed": names})


@suppression.command()
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@pass_desk
def drop(desk: Desk, addresses: tuple[str, ...]) -> None:
    """Take each ADDRESS off the list: bulk mail may go there again."""
    with desk.open() as at:
        gone = at.do(at.administration.suppressions.drop(at.actor, addresses))
    names = [str(one) for one in gone]
    are = "is" if len(names) == 1 else "are"
    desk.done(f"{', '.join(names)} {are} not suppressed any more", {"dropped": names})


def _row(entry: Suppressed) -> Row:
    return {
        "address": str(entry.address),
        "cause": entry.cause.value,
        "since": say_time(entry.since),
        "reason": entry.reason,
    }
