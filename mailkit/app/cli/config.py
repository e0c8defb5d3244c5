"""``mailkit config``: is the file good, and what could be in it."""

from __future__ import annotations

import click
from twisted.internet import reactor

from mailkit.app.check import check_config
from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import WholeGroup
from mailkit.app.settings import Settings
from mailkit.config.reference import commented_toml, describe


@click.group(cls=WholeGroup)
def config() -> None:
    """Is the config file good, and what could be in it."""


@config.command()
@pass_desk
def check(desk: Desk) -> None:
    """Say whether the server would start with this config file."""
    found = desk.config()
    check_config(found, reactor)
    name = str(found.source.path or "try-it mode")
    strays = list(found.strays)
    for stray in strays:
        click.echo(f"mailkit: warning: {stray} names no setting", err=True)
    desk.done(f"{name}: good", {"config": name, "good": True, "strays": strays})


@config.command()
def reference() -> None:
    """Print every setting with its meaning and default, as a config file."""
    click.echo(commented_toml(describe(Settings)), nl=False)
