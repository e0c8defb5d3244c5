"""``mailkit domain dns`` and ``mailkit domain ds``: what others find in DNS."""

from __future__ import annotations

import sys

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.nameserver import ds_line, key_folder, mail_host, tlsa_of
from mailkit.errors import NoSuchDomain
from mailkit.formats.dnsrecords import zone_file
from mailkit.model.address import a_labels, fold_domain
from mailkit.net.nameserver.signing import keep_key, origin_of
from mailkit.net.nameserver.sources import SUFFIX
from mailkit.services.zones import DirectoryZones


@click.command("dns")
@click.argument("name", metavar="DOMAIN")
@click.option("--table", is_flag=True, help="A table instead of a zone file.")
@pass_desk
def dns(desk: Desk, name: str, table: bool) -> None:
    """
    Print the records of DOMAIN: MX, SPF, DKIM, DMARC, TLS-RPT, SRV and so on.

    Our own name server ([listen] dns) makes them by itself; any other one takes them
    as they are printed. On a terminal a table to read follows the zone file.
    """
    with desk.open() as at:
        settings = at.settings
        certificate = settings.tls.certificate or (
            settings.data / "tls" / "certificate.pem"
        )
        host = mail_host(settings, tlsa_of(certificate) if settings.listen.smtp else ())
        at.do(at.administration.domains.keys(at.actor, name))  # made, if need be
        here = at.foundation
        zones = DirectoryZones(here.directory, lambda: host, here.keys)
        records = at.do(zones.records(_labels(name)))
    if not (table or desk.as_json):
        click.echo(zone_file(records), nl=False)
        if not is_terminal():
            return
        click.echo()
    desk.rows(
        ["name", "ttl", "kind", "value", "purpose"],
        [
            {
                "name": one.name,
                "ttl": one.ttl,
                "kind": one.kind,
                "value": one.value,
                "purpose": one.purpose,
            }
            for one in records
        ],
    )


def is_terminal() -> bool:
    """Whether a person reads what is printed, and no program or file."""
    return sys.stdout.isatty()


@click.command("ds")
@click.argument("name", metavar="DOMAIN")
@pass_desk
def ds(desk: Desk, name: str) -> None:
    """
    Print the DS record of DOMAIN, to be put into its parent zone by the registrar.

    Our own name server has to serve the domain by then.
    """
    with desk.open() as at:
        labels = _labels(name)
        zones = at.settings.nameserver.zones
        is_file = zones is not None and (zones / f"{labels}{SUFFIX}").exists()
        directory = at.foundation.directory
        if not is_file and at.do(directory.domain(fold_domain(name))) is None:
            raise NoSuchDomain(f"{name} is neither a domain nor a zone of this server")
        line = ds_line(keep_key(key_folder(at.settings.data), origin_of(labels)))
    desk.done(line, {"domain": labels, "ds": line})


def _labels(name: str) -> str:
    labels = a_labels(fold_domain(name))
    if not labels:
        raise NoSuchDomain(f"{name} is no name of a domain")
    return labels
