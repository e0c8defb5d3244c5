"""``mailkit init``: the first config file, the first domain, the first account."""

from __future__ import annotations

from pathlib import Path

import click

from mailkit.app.cli.account import ask_password, from_stdin
from mailkit.app.cli.desk import Desk, open_with, pass_desk
from mailkit.app.find import NAME, read_text
from mailkit.config.reader import Misconfigured
from mailkit.errors import Refused
from mailkit.model.account import Role
from mailkit.services.admin.names import address, domain_name

TEMPLATE = """\
# Every setting and what it means: mailkit config reference
hostname = "{hostname}"
data = "data"

[listen]
smtp = ["tcp:25"]
submission = ["tcp:587"]
submissions = ["tcp:465"]
imap = ["tcp:143"]
imaps = ["tcp:993"]
pop3 = ["tcp:110"]
pop3s = ["tcp:995"]
metrics = ["tcp:9108:interface=127.0.0.1"]

# Without a certificate of your own the server makes a self-signed one below data.
#[tls]
#certificate = "/etc/mailkit/fullchain.pem"
#key = "/etc/mailkit/privkey.pem"

# Who to be once the ports are bound, when started as root.
#[process]
#user = "mailkit"
"""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--hostname", required=True, help="What the server is called.")
@click.option("--domain", required=True, help="The first domain whose mail is ours.")
@click.option("--admin", required=True, help="The address of its first account.")
@from_stdin
@pass_desk
def init(
    desk: Desk,
    folder: Path,
    hostname: str,
    domain: str,
    admin: str,
    password_stdin: bool,
) -> None:
    """Make DIR/mailkit.toml, a domain, and an account that may change everything."""
    path = folder.absolute() / NAME
    if path.exists():
        raise Refused(f"{path} is there already")
    text = TEMPLATE.format(hostname=hostname)
    try:
        settings = read_text(text, path).settings
    except Misconfigured as error:  # there is no such file yet that one could look into
        raise Refused(f"--hostname: {error.problem}") from error
    name, who = domain_name(domain), address(admin)
    if who.domain != name:
        raise Refused(f"{who} is not in {name}")
    password, is_made = ask_password(password_stdin)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot make {path.parent}: {error.strerror}") from error
    with open_with(settings) as at:
        at.do(at.administration.domains.add(at.actor, name))
        accounts = at.administration.accounts
        made = at.do(accounts.add(at.actor, str(who), password, Role.ADMIN))
    path.write_text(text, encoding="utf-8")
    words = f"{path} is written; {made.name} is an administrator"
    words += f", password {password}" if is_made else ""
    facts = {"config": str(path), "domain": name, "account": made.name}
    desk.done(
        f"{words}\nLook at the file, then: twistd -n mailkit --config {path}",
        {**facts, "password": password} if is_made else facts,
    )
