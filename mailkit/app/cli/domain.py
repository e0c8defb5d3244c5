"""``mailkit domain``: the domains whose mail is ours."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import Late, LateGroup
from mailkit.app.cli.printed import say_time


@click.group(cls=LateGroup)
def domain() -> None:
    """The domains whose mail is ours."""


domain.late["dns"] = Late(
    "mailkit.app.cli.domaindns",
    "Print the records of DOMAIN: MX, SPF, DKIM, DMARC, TLS-RPT, SRV and so on.",
)
domain.late["ds"] = Late(
    "mailkit.app.cli.domaindns",
    "Print the DS record of DOMAIN, to be put into its parent zone by the registrar.",
)
domain.late["keys"] = Late(
    "mailkit.app.cli.domainkeys", "List the DKIM keys of DOMAIN, or rotate them."
)


@domain.command()
@click.argument("name", metavar="DOMAIN")
@pass_desk
def add(desk: Desk, name: str) -> None:
    """Take in mail for DOMAIN."""
    with desk.open() as at:
        made = at.do(at.administration.domains.add(at.actor, name))
    words = f"{made.name} is a domain of this server"
    step = f"Put into DNS what this prints: mailkit domain dns {made.name}"
    desk.done(f"{words}\n{step}", {"domain": made.name})


@domain.command("list")
@pass_desk
def list_domains(desk: Desk) -> None:
    """List all domains."""
    with desk.open() as at:
        domains = at.do(at.administration.domains.list(at.actor))
        accounts = at.do(at.administration.accounts.list(at.actor))
        aliases = at.do(at.administration.aliases.list(at.actor))
    desk.rows(
        ["domain", "accounts", "aliases", "made"],
        [
            {
                "domain": one.name,
                "accounts": sum(who.domain == one.name for who in accounts),
                "aliases": sum(a.address.domain == one.name for a in aliases),
                "made": say_time(one.made),
            }
            for one in domains
        ],
    )


@domain.command()
@click.argument("name", metavar="DOMAIN")
@pass_desk
def remove(desk: Desk, name: str) -> None:
    """Take in no more mail for DOMAIN; refused while it has accounts."""
    with desk.open() as at:
        at.do(at.administration.domains.remove(at.actor, name))
    desk.done(f"{name} is no domain of this server any more", {"removed": name})
