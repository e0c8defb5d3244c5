"""Changes of the directory, each inside a transaction of its caller.

Everything here blocks and runs in the directory's lane.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from attrs import evolve

from mailkit.errors import (
    AlreadyExists,
    ChangedMeanwhile,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    Refused,
    TooMany,
)
from mailkit.model.account import Account, Alias, Credential, Domain, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.model.routeentry import RouteEntry
from mailkit.storage.directory.reading import find_account

PASSWORD = "password"  # a kind of credential, not a secret

_KEPT = 10_000  # changes that are remembered for other processes to catch up
_TRIM_EVERY = 1000


def add_domain(connection: sqlite3.Connection, name: DomainName, made: float) -> Domain:
    """`IDirectoryChanges.add_domain`."""
    if _has_domain(connection, name):
        raise AlreadyExists(name)
    connection.execute("INSERT INTO domain VALUES (?, ?)", (name, made))
    _changed(connection, "domain", name)
    return Domain(name, made)


def remove_domain(connection: sqlite3.Connection, name: DomainName) -> None:
    """`IDirectoryChanges.remove_domain`."""
    _check_domain(connection, name)
    found = connection.execute("SELECT 1 FROM account WHERE domain = ?", (name,))
    if found.fetchone():
        raise Refused("the domain has accounts")
    aliases = connection.execute("SELECT address FROM alias WHERE domain = ?", (name,))
    for (address,) in aliases.fetchall():
        _changed(connection, "alias", address)
    connection.execute("DELETE FROM domain WHERE name = ?", (name,))
    _changed(connection, "domain", name)


def add_account(connection: sqlite3.Connection, account: Account) -> Account:
    """`IDirectoryChanges.add_account`."""
    _check_domain(connection, account.domain)
    alias = connection.execute("SELECT 1 FROM alias WHERE address = ?", (account.name,))
    if find_account(connection, account.name) or alias.fetchone():
        raise AlreadyExists(account.name)
    generation = _changed(connection, "account", account.name)
    account = evolve(account, generation=generation)
    connection.execute(
        "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            account.name,
            account.domain,
            account.role.value,
            account.quota,
            account.is_suspended,
            account.made,
            account.generation,
        ),
    )
    return account


def change_account(connection: sqlite3.Connection, account: Account) -> Account:
    """`IDirectoryChanges.change_account`."""
    known = _find_account(connection, account.name)
    generation = _changed(connection, "account", account.name)
    connection.execute(
        "UPDATE account SET role = ?, quota = ?, is_suspended = ?, generation = ?"
        " WHERE name = ?",
        (
            account.role.value,
            account.quota,
            account.is_suspended,
            generation,
            account.name,
        ),
    )
    return evolve(account, made=known.made, generation=generation)


def remove_account(connection: sqlite3.Connection, name: AccountName) -> None:
    """`IDirectoryChanges.remove_account`."""
    _find_account(connection, name)
    connection.execute("DELETE FROM account WHERE name = ?", (name,))
    _changed(connection, "account", name)


def set_password(
    connection: sqlite3.Connection,
    name: AccountName,
    secret: str,
    scram: ScramKeys | None,
    ends_sessions: bool,
    made: float,
    generation: int | None = None,
) -> None:
    """`IDirectoryChanges.set_password`."""
    known = _find_account(connection, name)
    if generation is not None and known.generation != generation:
        raise ChangedMeanwhile(name)
    change = _changed(connection, "account", name)
    if ends_sessions:
        connection.execute(
            "UPDATE account SET generation = ? WHERE name = ?", (change, name)
        )
    connection.execute(
        "DELETE FROM credential WHERE account = ? AND kind = ?", (name, PASSWORD)
    )
    if secret:
        connection.execute(
            "INSERT INTO credential (account, kind, label, scopes, secret, salt,"
            " iterations, stored_key, server_key, made)"
            " VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?)",
            (name, PASSWORD, PASSWORD, secret, *_columns(scram), made),
        )


def renew_credential(
    connection: sqlite3.Connection,
    credential: Credential,
    secret: str,
    scram: ScramKeys | None,
) -> bool:
    """`IDirectoryChanges.renew_credential`."""
    done = connection.execute(
        "UPDATE credential SET secret = ?, salt = ?, iterations = ?, stored_key = ?,"
        " server_key = ? WHERE id = ? AND secret = ?",
        (secret, *_columns(scram), credential.id, credential.secret),
    )
    if not done.rowcount:
        return False
    _changed(connection, "account", credential.account)
    return True


def note_uses(
    connection: sqlite3.Connection, uses: Mapping[int, tuple[float, str]]
) -> None:
    """`IDirectoryChanges.used_credential`, many at once."""
    for id, (when, peer) in uses.items():
        row = connection.execute(
            "UPDATE credential SET last_used = ?, last_peer = ? WHERE id = ?"
            " RETURNING account",
            (when, peer, id),
        ).fetchone()
        if row is not None:
            _changed(connection, "account", row[0])


def set_alias(
    connection: sqlite3.Connection, alias: Alias, most: int | None = None
) -> None:
    """`IDirectoryChanges.set_alias`."""
    address = str(alias.address)
    _check_domain(connection, alias.address.domain)
    taken = connection.execute(
        "SELECT 1 FROM credential WHERE account = ? AND secret != ''", (address,)
    )
    if taken.fetchone():
        raise AlreadyExists(address)
    targets = json.dumps([str(target) for target in alias.targets])
    if most is not None:
        _check_new(connection, address, targets, most)
    connection.execute(
        "INSERT OR REPLACE INTO alias VALUES (?, ?, ?)",
        (address, alias.address.domain, targets),
    )
    _changed(connection, "alias", address)


def _check_new(
    connection: sqlite3.Connection, address: str, targets: str, most: int
) -> None:
    for query in (
        "SELECT 1 FROM alias WHERE address = ?",
        "SELECT 1 FROM account WHERE name = ?",
    ):
        if connection.execute(query, (address,)).fetchone():
            raise AlreadyExists(address)
    [count] = connection.execute(
        "SELECT count(*) FROM alias WHERE targets = ?", (targets,)
    ).fetchone()
    if count >= most:
        raise TooMany(f"{most} addresses lead there already")


def remove_alias(connection: sqlite3.Connection, address: Address) -> None:
    """`IDirectoryChanges.remove_alias`."""
    key = str(address)
    done = connection.execute("DELETE FROM alias WHERE address = ?", (key,))
    if not done.rowcount:
        raise NoSuchAddress(key)
    _changed(connection, "alias", key)


def set_route(connection: sqlite3.Connection, entry: RouteEntry) -> None:
    """`IDirectoryChanges.set_route`."""
    connection.execute(
        "INSERT OR REPLACE INTO route VALUES (?, ?)", (entry.name, entry.keys)
    )
    _changed(connection, "route", entry.name)


def remove_route(connection: sqlite3.Connection, name: str) -> None:
    """`IDirectoryChanges.remove_route`."""
    done = connection.execute("DELETE FROM route WHERE name = ?", (name,))
    if not done.rowcount:
        raise Refused(f"there is no route {name} in the directory")
    _changed(connection, "route", name)


def grant(
    connection: sqlite3.Connection, account: AccountName, address: Address, wish: bool
) -> None:
    """`IDirectoryChanges.grant`."""
    _find_account(connection, account)
    statement = (
        "INSERT OR IGNORE INTO granted VALUES (?, ?)"
        if wish
        else "DELETE FROM granted WHERE account = ? AND address = ?"
    )
    connection.execute(statement, (account, str(address)))
    _changed(connection, "account", account)


def note(connection: sqlite3.Connection, line: AuditLine) -> None:
    """`IAudit.note`."""
    connection.execute(
        "INSERT INTO audit (at, who, action, subject, before, after)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (line.when, line.who, line.action, line.subject, line.before, line.after),
    )


def _changed(connection: sqlite3.Connection, kind: str, key: str) -> int:
    """Tell other processes, and give the number of this change."""
    done = connection.execute(
        "INSERT INTO change (kind, key) VALUES (?, ?)", (kind, key)
    )
    seq = done.lastrowid or 0
    if seq % _TRIM_EVERY == 0:
        connection.execute("DELETE FROM change WHERE seq <= ?", (seq - _KEPT,))
    return seq


def _find_account(connection: sqlite3.Connection, name: AccountName) -> Account:
    account = find_account(connection, name)
    if account is None:
        raise NoSuchAccount(name)
    return account


def _has_domain(connection: sqlite3.Connection, name: DomainName) -> bool:
    found = connection.execute("SELECT 1 FROM domain WHERE name = ?", (name,))
    return found.fetchone() is not None


def _check_domain(connection: sqlite3.Connection, name: DomainName) -> None:
    if not _has_domain(connection, name):
        raise NoSuchDomain(name)


def _columns(
    scram: ScramKeys | None,
) -> tuple[bytes | None, int | None, bytes | None, bytes | None]:
    if scram is None:
        return None, None, None, None
    return scram.salt, scram.iterations, scram.stored_key, scram.server_key
