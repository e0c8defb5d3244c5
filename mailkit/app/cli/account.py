"""``mailkit account``: who has mailboxes here, and what they may do."""

from __future__ import annotations

import sys
from typing import TextIO

import click

from mailkit.app.cli.desk import Desk, OctetsType, pass_desk
from mailkit.app.cli.late import Late, LateGroup
from mailkit.app.cli.printed import Row, say_quota, say_time
from mailkit.app.newpassword import make_password
from mailkit.config.units import say_about
from mailkit.errors import Refused
from mailkit.model.account import Account, Role
from mailkit.model.sendinglimit import Freeze
from mailkit.services.admin.accounts import Key, Sheet
from mailkit.services.admin.importing import BadImport, import_accounts
from mailkit.services.sendingsettings import SendingSettings

LINKS = "mailkit.app.cli.accountlinks"

from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group(cls=LateGroup)
def account() -> None:
    """Who has mailboxes here, and what they may do."""


account.late["link"] = Late(
    LINKS, "Print a link by which the account's owner chooses a password, once."
)
account.late["invite"] = Late(
    LINKS, "Print a link by which somebody makes one account."
)


@account.command()
@click.argument("address")
@from_stdin
@click.option("--admin", is_flag=True, help="May change everything on this server.")
@click.option("--domain-admin", is_flag=True, help="May change what is in its domain.")
@click.option("--quota", type=OctetsType(), help="Such as '2 GB'; 0: without limit.")
@pass_desk
def add(
    desk: Desk,
    address: str,
    password_stdin: bool,
    admin: bool,
    domain_admin: bool,
    quota: int | None,
) -> None:
    """Make an account.

    Without --password-stdin the password is asked for twice on a terminal; where
    there is none, one is made and printed once.
    """
    if admin and domain_admin:
        raise click.UsageError("--admin and --domain-admin exclude each other")
    role = Role.ADMIN if admin else Role.DOMAIN_ADMIN if domain_admin else Role.USER
    password, is_made = ask_password(password_stdin)
    with desk.open() as at:
        accounts = at.administration.accounts
        made = at.do(accounts.add(at.actor, address, password, role, quota))
    _tell_password(desk, f"{made.name} is an account", made.name, password, is_made)


@account.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"), metavar="FILE.csv")
@pass_desk
def import_file(desk: Desk, file: TextIO) -> None:
    """Make the accounts in FILE.csv: address,password[,quota].

    A password may be a {SCHEME}hash of another server. Accounts that are there
    already are passed over.
    """
    with desk.open() as at:
        accounts = at.administration.accounts
        try:
            imported = at.do(import_accounts(accounts, at.actor, file))
        except BadImport as error:
            said = "\n  ".join(str(error).splitlines())
            raise Refused(f"nothing is made:\n  {said}") from error
        except UnicodeDecodeError as error:
            words = "that is not UTF-8; save the file in that encoding"
            raise Refused(f"{file.name}: {words}") from error
    desk.done(
        f"{len(imported.made)} made, {len(imported.passed_over)} there already",
        {"made": imported.made, "passed_over": imported.passed_over},
    )


@account.command("list")
@click.argument("domain", default="", metavar="[DOMAIN]")
@pass_desk
def list_accounts(desk: Desk, domain: str) -> None:
    """List all accounts, or those of DOMAIN.

    The state is active, frozen (it had sent more than it may: see thaw), or suspended.
    """
    with desk.open() as at:
        accounts = at.do(at.administration.accounts.list(at.actor, domain))
        frozen = at.do(at.administration.accounts.frozen(at.actor))
        default = at.settings.accounts.quota
    freezes = {one.account: one for one in frozen}
    rows: list[Row] = []
    for one in accounts:
        freeze = freezes.get(one.name)
        why = None if freeze is None else freeze.reason
        rows.append({**_row(one, default, freeze), "frozen": why})
    desk.rows(["account", "role", "quota", "state", "made"], rows)


@account.command()
@click.argument("address")
@pass_desk
def show(desk: Desk, address: str) -> None:
    """Tell all about one account."""
    with desk.open() as at:
        sheet = at.do(at.administration.accounts.show(at.actor, address))
        default = at.settings.accounts.quota
        limits = at.settings.sending
    desk.facts(
        {
            **_row(sheet.account, default, sheet.freeze),
            "used": say_about(sheet.used),
            "aliases": [str(alias) for alias in sheet.aliases],
            "may_send_as": [str(grant) for grant in sheet.grants],
            "sending": _sending(sheet, limits),
            "credentials": [_key(key) for key in sheet.keys],
        }
    )


@account.command()
@click.argument("address")
@from_stdin
@pass_desk
def passwd(desk: Desk, address: str, password_stdin: bool) -> None:
    """Give an account a new password; its sessions end."""
    password, is_made = ask_password(password_stdin)
    with desk.open() as at:
        at.do(at.administration.accounts.passwd(at.actor, address, password))
    _tell_password(desk, f"{address} has a new password", address, password, is_made)


@account.command()
@click.argument("address")
@pass_desk
def suspend(desk: Desk, address: str) -> None:
    """Let nobody in and no mail either, until it is resumed; its sessions end."""
    with desk.open() as at:
        changed = at.do(at.administration.accounts.suspend(at.actor, address))
    desk.done(f"{changed.name} is suspended", {"suspended": changed.name})


@account.command()
@click.argument("address")
@pass_desk
def resume(desk: Desk, address: str) -> None:
    """Undo suspend."""
    with desk.open() as at:
        changed = at.do(at.administration.accounts.resume(at.actor, address))
    desk.done(f"{changed.name} is active", {"active": changed.name})


@account.command()
@click.argument("address")
@pass_desk
def thaw(desk: Desk, address: str) -> None:
    """Let an account send again that had sent more than it may."""
    with desk.open() as at:
        thawed = at.do(at.administration.accounts.thaw(at.actor, address))
    words = f"{thawed.account} may send again; it could not because {thawed.reason}"
    facts = {"thawed": thawed.account, "since": say_time(thawed.since)}
    desk.done(words, {**facts, "reason": thawed.reason})


@account.command()
@click.argument("address")
@click.option("--purge", is_flag=True, help="Delete its mail now, for good.")
@pass_desk
def remove(desk: Desk, address: str, purge: bool) -> None:
    """Take an account away; its mail is kept aside for 30 days."""
    with desk.open() as at:
        at.do(at.administration.accounts.remove(at.actor, address, purge))
    kept = "its mail is deleted" if purge else "its mail is kept aside for 30 days"
    desk.done(f"{address} is removed, {kept}", {"removed": address, "purged": purge})


@account.command()
@click.argument("address")
@click.argument("other", metavar="AS")
@pass_desk
def grant(desk: Desk, address: str, other: str) -> None:
    """Let an account send as the address AS, or as all of @domain."""
    with desk.open() as at:
        at.do(at.administration.accounts.grant(at.actor, address, other))
    desk.done(f"{address} may send as {other}", {"account": address, "as": other})


@account.command()
@click.argument("address")
@click.argument("other", metavar="AS")
@pass_desk
def ungrant(desk: Desk, address: str, other: str) -> None:
    """Undo grant."""
    with desk.open() as at:
        at.do(at.administration.accounts.ungrant(at.actor, address, other))
    words = f"{address} may not send as {other} any more"
    desk.done(words, {"account": address, "not_as": other})


def ask_password(from_input: bool) -> tuple[str, bool]:
    """The password, and whether it was made here. :raises Refused:"""
    if from_input:
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise Refused("no password on standard input")
        return line, False
    if is_terminal():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return asked, False
    return make_password(), True


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def _tell_password(
    desk: Desk, words: str, name: str, password: str, is_made: bool
) -> None:
    if is_made:
        words = f"{words}, password {password}"
        desk.done(words, {"account": name, "password": password})
    else:
        desk.done(words, {"account": name})


def _row(
    one: Account, default: int, freeze: Freeze | None
) -> dict[str, str | int | None]:
    return {
        "account": one.name,
        "role": one.role.value,
        "quota": say_quota(one.quota, default),
        "state": _state(one, freeze),
        "made": say_time(one.made),
    }


def _state(one: Account, freeze: Freeze | None) -> str:
    if one.is_suspended:
        return "suspended"
    return "active" if freeze is None else "frozen"


def _sending(sheet: Sheet, limits: SendingSettings) -> str:
    if sheet.freeze is not None:
        since = say_time(sheet.freeze.since)
        return f"frozen since {since}: {sheet.freeze.reason}"
    if sheet.account.name in limits.without_limit:
        return "without limit"
    used = (
        (sheet.sent.hour, limits.hour, "in this hour"),
        (sheet.sent.day, limits.day, "today"),
        (sheet.sent.new, limits.new, "new ones"),
    )
    return ", ".join(
        f"{count} of {most} {what}" if most else f"{count} {what}"
        for count, most, what in used
    )


def _key(key: Key) -> str:
    kind = f"{key.kind} {key.label}".strip()
    scheme = key.scheme or "nobody can use it"
    if key.has_scram:
        scheme += " and SCRAM-SHA-256"
    used = "never used"
    if key.last_used is not None:
        used = f"last used {say_time(key.last_used)} from {key.last_peer}"
    return f"{kind} ({scheme}), made {say_time(key.made)}, {used}"
