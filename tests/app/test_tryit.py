"""A server to try: made once, kept, and told about on one screen."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from twisted.internet import reactor

from mailkit.app.find import read_config
from mailkit.app.foundation import make_administration, open_foundation
from mailkit.app.settings import Settings
from mailkit.app.tryit import ACTOR, PASSWORDS, prepare
from mailkit.errors import Refused
from mailkit.model.account import Role
from mailkit.net.startlanes import finish


def settings_in(folder: Path, **variables: str) -> Settings:
    return read_config(None, variables, folder).settings


def passwords_in(folder: Path) -> dict[str, str]:
    lines = (folder / "mailkit-data" / PASSWORDS).read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def test_the_screen_tells_all_that_one_needs(tmp_path: Path) -> None:
    screen = prepare(settings_in(tmp_path), tmp_path, reactor)
    passwords = passwords_in(tmp_path)
    assert list(passwords) == ["alice@example.test", "bob@example.test"]
    for word in (
        *passwords.values(),
        "serves example.test from mailkit-data",
        "submission 2587 (STARTTLS), 2465 (TLS)",
        "imap 2143 (STARTTLS), 2993 (TLS), pop3 2110, 2995",
        "smtp 2525, lmtp 2424",
        "http://127.0.0.1:9108/metrics",
        "mailkit-data/tls/certificate.pem",
        "mailkit init",
    ):
        assert word in screen
    assert max(map(len, screen.splitlines())) <= 80
    assert len(screen.splitlines()) <= 24


def test_the_ports_are_those_of_the_config(tmp_path: Path) -> None:
    settings = settings_in(
        tmp_path, MAILKIT_LISTEN__SMTP='["tcp:99"]', MAILKIT_LISTEN__LMTP="[]"
    )
    assert "smtp 99, lmtp -" in prepare(settings, tmp_path, reactor)


def test_passwords_are_for_the_owner_alone_and_stay(tmp_path: Path) -> None:
    first = prepare(settings_in(tmp_path), tmp_path, reactor)
    path = tmp_path / "mailkit-data" / PASSWORDS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert prepare(settings_in(tmp_path), tmp_path, reactor) == first


def test_there_are_an_admin_and_somebody_to_write_to(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare(settings, tmp_path, reactor)
    foundation = open_foundation(settings, reactor)
    try:
        accounts = make_administration(foundation, settings).accounts
        roles = {str(one.name): one.role for one in finish(accounts.list(ACTOR))}
    finally:
        finish(foundation.close())
    assert roles["alice@example.test"] is Role.ADMIN
    assert roles["bob@example.test"] is Role.USER


def test_a_lost_list_of_passwords_is_made_anew(tmp_path: Path) -> None:
    prepare(settings_in(tmp_path), tmp_path, reactor)
    before = passwords_in(tmp_path)
    path = tmp_path / "mailkit-data" / PASSWORDS
    path.write_text(f"alice@example.test {before['alice@example.test']}\n\nbad\n")
    prepare(settings_in(tmp_path), tmp_path, reactor)
    after = passwords_in(tmp_path)
    assert after["alice@example.test"] == before["alice@example.test"]
    assert after["bob@example.test"] != before["bob@example.test"]


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "mailkit-data" / PASSWORDS).mkdir(parents=True)
    with pytest.raises(Refused, match=r"cannot read .*try-it\.txt"):
        prepare(settings_in(tmp_path), tmp_path, reactor)
