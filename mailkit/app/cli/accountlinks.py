"""``mailkit account link`` and ``mailkit account invite``: what people are sent."""

from __future__ import annotations

import click

from mailkit.app.cli.desk import Desk, SecondsType, pass_desk
from mailkit.app.invitations import make_links, make_registration
from mailkit.app.origins import page_origin
from mailkit.app.settings import Settings
from mailkit.errors import NoSuchDomain, Refused
from mailkit.model.address import AccountName, DomainName
from mailkit.services.admin.accounts import NewAccount
from mailkit.services.admin.names import account_name, domain_name


def _check(
    context: click.Context, option: click.Parameter, seconds: float | None
) -> float | None:
    if seconds == 0:
        raise click.BadParameter("nobody could use it")
    return seconds


lasting = click.option(
    "--lasts", type=SecondsType(), callback=_check, help="Such as '2 d'."
)


@click.command()
@click.argument("address")
@lasting
@pass_desk
def link(desk: Desk, address: str, lasts: float | None) -> None:
    """Print a link by which the account's owner chooses a password, once.

    It is worth nothing as soon as the password was changed in any way.
    """
    with desk.open() as at:
        name = account_name(address)
        seconds = lasts or at.settings.accounts.link_lasts
        ticket = at.do(make_links(at.foundation).make(name, seconds))
        url = f"{_origin(at.settings)}/password/{ticket}"
    desk.done(url, {"account": name, "link": url, "lasts": seconds})


@click.command()
@click.option("--domain", default="", help="An address at this domain alone.")
@click.option("--address", default="", help="This address and no other.")
@lasting
@pass_desk
def invite(desk: Desk, domain: str, address: str, lasts: float | None) -> None:
    """Print a link by which somebody makes one account.

    They choose an address among our domains, unless one is given here. Nobody can
    use it while [accounts] registration is "closed".
    """
    if domain and address:
        raise click.UsageError("--domain and --address exclude each other")
    with desk.open() as at:
        settings = at.settings
        if settings.accounts.registration == "closed":
            raise Refused('[accounts] registration is "closed": nobody could use it')
        where = domain_name(domain) if domain else ""
        meant = account_name(address) if address else ""
        if where and at.do(at.foundation.directory.domain(DomainName(where))) is None:
            raise NoSuchDomain(f"{where} is not a domain of this server")
        if meant:
            new = NewAccount(AccountName(meant), "")
            at.do(at.administration.accounts.check_new(at.actor, new))
        registration = make_registration(
            at.foundation, settings, at.administration, at.foundation.web_sessions
        )
        seconds = lasts or settings.accounts.link_lasts
        ticket = registration.invite(where, meant, seconds)
        url = f"{_origin(settings)}/register?invitation={ticket}"
    desk.done(url, {"link": url, "lasts": seconds})


def _origin(settings: Settings) -> str:
    """What links begin with; where nobody could open them, that is told."""
    origin = page_origin(settings)
    listen = settings.listen
    if not (settings.web.origin or listen.http or listen.https):
        words = f"nobody can open it: nothing listens at {origin}"
        click.echo(f"mailkit: {words}; see [listen] https, or [web] origin", err=True)
    return origin
