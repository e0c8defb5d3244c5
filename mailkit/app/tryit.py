"""Try-it mode: a domain, two people and some mail, made the first time it is wanted."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from mailkit.app.foundation import Foundation, make_administration, open_foundation
from mailkit.app.newpassword import make_password
from mailkit.app.privileges import check_writable, make_folder
from mailkit.app.settings import Settings
from mailkit.errors import Refused
from mailkit.formats import date
from mailkit.interfaces.storage import Placement
from mailkit.model.account import Role
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX
from mailkit.net.startlanes import finish
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.storage.content import OctetsContent

DOMAIN = "example.test"
PEOPLE = {f"alice@{DOMAIN}": Role.ADMIN, f"bob@{DOMAIN}": Role.USER}
PASSWORDS = "try-it.txt"
ACTOR = Actor.command("try-it")

WELCOME = """\
From: mailkit <postmaster@{domain}>
To: {name}
Subject: Welcome to mailkit
Date: {date}
Message-ID: <welcome.{local_part}@{domain}>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Hello {local_part},

this is your first message on this server. It is a file below
{folder}, and this is how you read it from a shell:

  curl --user {name} "imap://127.0.0.1:{imap}/INBOX;MAILINDEX=1"

Write one to {other} with any mail client: submission is port
{submission} (STARTTLS) or {submissions} (TLS) of 127.0.0.1, the user name is your
address.

Nothing that you do here leaves this machine.
"""

SCREEN = """\

mailkit serves {domain} from {folder} (Ctrl-C ends it)

  alice@{domain}  password {alice}  (administrator)
  bob@{domain}    password {bob}

  web      http://localhost:{http}/ (or https://localhost:{https}/)
  send     127.0.0.1, submission {submission} (STARTTLS), {submissions} (TLS)
  read     127.0.0.1, imap {imap} (STARTTLS), {imaps} (TLS), pop3 {pop3}, {pop3s}
  hand in  127.0.0.1, smtp {smtp}, lmtp {lmtp}: as other servers do
  numbers  http://127.0.0.1:{metrics}/metrics
  trust    {certificate} (curl --cacert)

Next, for a domain of your own:
  mailkit init DIR --hostname mail.example.org --domain example.org \\
    --admin postmaster@example.org
"""


def prepare(settings: Settings, folder: Path, reactor: Any) -> str:
    """
    Make what is missing below the data folder; the screen that tells about it.

    :param folder: what the screen's paths are relative to.
    :param reactor: Twisted's, which has no type of its own.
    :raises MailkitError: if it cannot be made.
    """
    make_folder(settings.data, None)
    check_writable(settings.data)
    path = settings.data / PASSWORDS
    known = _read_passwords(path)
    passwords = {name: known.get(name) or make_password() for name in PEOPLE}
    if passwords != known:
        _write_passwords(path, passwords)
    foundation = open_foundation(settings, reactor)
    try:
        administration = make_administration(foundation, settings)
        finish(_make_people(foundation, administration, settings, passwords, known))
    finally:
        finish(foundation.close())
    certificate = settings.data / "tls" / "certificate.pem"
    return SCREEN.format(
        domain=DOMAIN,
        folder=_short(settings.data, folder),
        certificate=_short(certificate, folder),
        alice=passwords[f"alice@{DOMAIN}"],
        bob=passwords[f"bob@{DOMAIN}"],
        **_ports(settings),
    )


async def _make_people(
    foundation: Foundation,
    administration: Administration,
    settings: Settings,
    passwords: dict[str, str],
    known: dict[str, str],
) -> None:
    if not await administration.domains.list(ACTOR):
        await administration.domains.add(ACTOR, DOMAIN)
    there = {one.name for one in await administration.accounts.list(ACTOR, DOMAIN)}
    for text, role in PEOPLE.items():
        name, password = AccountName(text), passwords[text]
        if name not in there:
            await administration.accounts.add(ACTOR, name, password, role)
            now = foundation.reactor.seconds()
            content = OctetsContent(_welcome(name, settings, now))
            await foundation.store.deliver(content, [Placement(name, INBOX)])
        elif text not in known:
            await administration.accounts.passwd(ACTOR, name, password)


def _welcome(name: AccountName, settings: Settings, now: float) -> bytes:
    text = WELCOME.format(
        name=name,
        local_part=name.partition("@")[0],
        other=next(one for one in PEOPLE if one != name),
        domain=DOMAIN,
        date=date.format(datetime.fromtimestamp(now, UTC)).decode("ascii"),
        folder=settings.data,
        **_ports(settings),
    )
    return text.replace("\n", "\r\n").encode()


def _ports(settings: Settings) -> dict[str, str]:
    """The port of each service; a dash for one that is off."""
    listen: dict[str, tuple[str, ...]] = attrs.asdict(settings.listen)
    ports: dict[str, str] = {}
    for service, descriptions in listen.items():
        match = re.match(r"tcp:(\d+)", descriptions[0]) if descriptions else None
        ports[service] = match[1] if match else "-"
    return ports


def _short(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _read_passwords(path: Path) -> dict[str, str]:
    """A line an account: address, a space, password."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"cannot read {path}: {error}") from error
    pairs = (line.split(" ") for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1]}


def _write_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Whole or not at all, and for its owner alone."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    lines = [f"{name} {password}\n" for name, password in passwords.items()]
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)
    new.replace(path)
