"""The ``mailkit`` command itself: its options, its nouns, its exit status."""

from __future__ import annotations

from typing import IO, Any

import click

from mailkit.app.cli.account import account
from mailkit.app.cli.alias import alias
from mailkit.app.cli.audit import audit
from mailkit.app.cli.config import config
from mailkit.app.cli.demo import demo
from mailkit.app.cli.desk import Desk
from mailkit.app.cli.doctor import doctor
from mailkit.app.cli.domain import domain
from mailkit.app.cli.init import init
from mailkit.app.cli.mailbox import mailbox
from mailkit.app.cli.queue import queue
from mailkit.app.cli.route import route
from mailkit.app.cli.send import send
from mailkit.app.cli.suppression import suppression
from mailkit.app.cli.trace import trace
from mailkit.errors import MailkitError


class RefusedError(click.ClickException):
    """Something was refused: one line on standard error, status 1."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"mailkit: {self.message}", file=file, err=file is None)


class Command(click.Group):
    """A group that turns our errors into words and a status."""

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's own word
        try:
            return super().invoke(ctx)
        except MailkitError as error:
            words = str(error) or type(error).__name__
            raise RefusedError(words) from error


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "named",
    metavar="FILE",
    help="The config file; without it $MAILKIT_CONFIG, ./mailkit.toml, "
    "/etc/mailkit/mailkit.toml, else the server to try in ./mailkit-data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.version_option(package_name="twisted-mailkit", prog_name="mailkit")
@click.pass_context
def mailkit(context: click.Context, named: str | None, as_json: bool) -> None:
    """Looks after a mailkit server: its domains, accounts, aliases and mail.

    It works while the server runs and while it does not. Status 0: done; 1: refused,
    with the reason on standard error; 2: wrong usage.
    """
    context.obj = Desk(named, as_json)


for noun in (
    init,
    demo,
    doctor,
    domain,
    account,
    alias,
    route,
    mailbox,
    queue,
    send,
    trace,
    suppression,
    audit,
    config,
):
    mailkit.add_command(noun)


def main() -> None:
    """What the console script calls."""
    mailkit(prog_name="mailkit")
