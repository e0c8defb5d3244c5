"""The ``mailkit`` command itself: its options, its nouns, its exit status."""

from __future__ import annotations

from typing import IO, Any

import click

from mailkit.app.cli.late import Late, LateGroup
from mailkit.app.cli.options import Options
from mailkit.app.garbage import begin_seldom
from mailkit.errors import MailkitError

NOUNS = {
    "init": "Make DIR/mailkit.toml, a domain, and an account that may change "
    "everything.",
    "demo": "Start two whole servers on this machine, and have them mail each other.",
    "doctor": "Look at DOMAIN, or at all of ours, as other servers see it.",
    "domain": "The domains whose mail is ours.",
    "account": "Who has mailboxes here, and what they may do.",
    "alias": "Other addresses of accounts; @domain is all that nobody else has.",
    "route": "Mail that takes another way than DNS and the directory say.",
    "mailbox": "The mailboxes of an account.",
    "queue": "Mail that waits to leave: see it, hold it, try it now, take it out.",
    "send": "Send a message to everybody in a table, each their own.",
    "trace": "Tell what happened to a message, one line a step, oldest first.",
    "suppression": "Addresses that failed for good, or complained: bulk mail leaves "
    "them out.",
    "audit": "Tell who changed what, oldest first.",
    "config": "Is the config file good, and what could be in it.",
}
"""Each is a module beside this one, in which it has the same name."""

JSON = "--json"


class RefusedError(click.ClickException):
    """Something was refused: one line on standard error, status 1."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"mailkit: {self.message}", file=file, err=file is None)


class Command(LateGroup):
    """The nouns, and how our errors become words and a status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """``--json`` is of every noun, and may stand behind it."""
        end = args.index("--") if "--" in args else len(args)
        if JSON in args[:end]:
            rest = [one for one in args[:end] if one != JSON]
            args = [JSON, *rest, *args[end:]]
        return super().parse_args(ctx, args)

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
@click.option(JSON, "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.version_option(package_name="twisted-mailkit", prog_name="mailkit")
@click.pass_context
def mailkit(context: click.Context, named: str | None, as_json: bool) -> None:
    """Looks after a mailkit server: its domains, accounts, aliases and mail.

    It works while the server runs and while it does not. Status 0: done; 1: refused,
    with the reason on standard error; 2: wrong usage.
    """
    context.obj = Options(named, as_json)


for noun, summary in NOUNS.items():
    mailkit.late[noun] = Late(f"mailkit.app.cli.{noun}", summary)


def main() -> None:
    """What the console script calls."""
    begin_seldom()
    mailkit(prog_name="mailkit")
