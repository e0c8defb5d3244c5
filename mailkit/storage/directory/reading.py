"""What is in the file, as values: all of it, or what changed since.

Everything here blocks and runs in the directory's lane.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.routeentry import RouteEntry
from mailkit.storage.directory.known import News

Row = tuple[Any, ...]  # Any: what SQLite gives has the types of the schema

_ACCOUNT = "SELECT name, role, quota, is_suspended, made, generation FROM account"
_CREDENTIAL = (
    "SELECT id, account, kind, label, scopes, secret, salt, iterations, stored_key,"
    " server_key, made, last_used, last_peer FROM credential"
)
_ALIAS = "SELECT address, targets FROM alias"
_ROUTE = "SELECT name, keys FROM route"
_GRANTED = "SELECT account, address FROM granted"


def read_news(connection: sqlite3.Connection, since: int) -> News | None:
    """
    What changed after ``since``, or everything where that is not known any more.

    :returns: ``None`` if nothing did.
    """
    connection.execute("BEGIN")  # one state of the file for all that follows
    try:
        low, high = connection.execute(
            "SELECT min(seq), max(seq) FROM change"
        ).fetchone()
        if since < 0 or (low or 0) > since + 1:
            return _read_all(connection, high or 0)
        if high is None or high <= since:
            return None
        changed = connection.execute(
            "SELECT DISTINCT kind, key FROM change WHERE seq > ?", (since,)
        ).fetchall()
        return _read_some(connection, high, changed)
    finally:
        connection.execute("COMMIT")


def read_secret(connection: sqlite3.Connection) -> bytes:
    """`IDirectory.server_secret`."""
    [secret] = connection.execute("SELECT secret FROM server").fetchone()
    return bytes(secret)


def address_of(text: str) -> Address:
    """An address as the tables have it; that of a catch-all begins with ``@``."""
    local_part, _, domain = text.rpartition("@")
    return Address(local_part, DomainName(domain))


def account_of(row: Row) -> Account:
    """A row of `account`, in the order of its columns here."""
    name, role, quota, is_suspended, made, generation = row
    return Account(
        AccountName(name), Role(role), quota, bool(is_suspended), made, generation
    )


def find_account(connection: sqlite3.Connection, name: AccountName) -> Account | None:
    """As the file has it now."""
    row = connection.execute(f"{_ACCOUNT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else account_of(row)


def _read_all(connection: sqlite3.Connection, seq: int) -> News:
    news = News(seq, is_whole=True)
    for name, made in connection.execute("SELECT name, made FROM domain"):
        news.domains[name] = Domain(name, made)
    for row in connection.execute(_ACCOUNT):
        account = account_of(row)
        news.accounts[account.name] = account
    _take_credentials(news, connection.execute(f"{_CREDENTIAL} ORDER BY id"))
    _take_grants(news, connection.execute(_GRANTED))
    for row in connection.execute(_ALIAS):
        alias = _alias_of(row)
        news.aliases[alias.address] = alias
    for name, keys in connection.execute(_ROUTE):
        news.routes[name] = RouteEntry(name, keys)
    return news


def _read_some(
    connection: sqlite3.Connection, seq: int, changed: Iterable[tuple[str, str]]
) -> News:
    news = News(seq, is_whole=False)
    for kind, key in changed:
        if kind == "domain":
            row = connection.execute(
                "SELECT name, made FROM domain WHERE name = ?", (key,)
            ).fetchone()
            news.domains[DomainName(key)] = None if row is None else Domain(*row)
        elif kind == "account":
            name = AccountName(key)
            news.accounts[name] = find_account(connection, name)
            news.credentials[name] = ()
            news.grants[name] = frozenset()
            rows = connection.execute(
                f"{_CREDENTIAL} WHERE account = ? ORDER BY id", (key,)
            )
            _take_credentials(news, rows)
            rows = connection.execute(f"{_GRANTED} WHERE account = ?", (key,))
            _take_grants(news, rows)
        elif kind == "route":
            row = connection.execute(f"{_ROUTE} WHERE name = ?", (key,)).fetchone()
            news.routes[key] = None if row is None else RouteEntry(*row)
        else:
            row = connection.execute(f"{_ALIAS} WHERE address = ?", (key,)).fetchone()
            news.aliases[address_of(key)] = None if row is None else _alias_of(row)
    return news


def _take_credentials(news: News, rows: Iterable[Row]) -> None:
    found: dict[AccountName, list[Credential]] = {}
    for row in rows:
        credential = _credential_of(row)
        found.setdefault(credential.account, []).append(credential)
    news.credentials.update((name, tuple(many)) for name, many in found.items())


def _take_grants(news: News, rows: Iterable[Row]) -> None:
    found: dict[AccountName, set[Address]] = {}
    for account, address in rows:
        found.setdefault(account, set()).add(address_of(address))
    news.grants.update((name, frozenset(many)) for name, many in found.items())


def _credential_of(row: Row) -> Credential:
    id, account, kind, label, scopes, secret, salt, iterations, *rest = row
    stored_key, server_key, made, last_used, last_peer = rest
    scram = (
        None if salt is None else ScramKeys(salt, iterations, stored_key, server_key)
    )
    return Credential(
        id,
        AccountName(account),
        kind,
        label,
        frozenset(scopes.split()),
        secret,
        scram,
        made,
        last_used,
        last_peer,
    )


def _alias_of(row: Row) -> Alias:
    address, targets = row
    return Alias(
        address_of(address), tuple(address_of(target) for target in json.loads(targets))
    )
