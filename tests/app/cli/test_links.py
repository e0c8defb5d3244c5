"""Links for people who are to make an account, or to choose a password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailkit.app.cli.desk import open_with
from mailkit.app.find import read_config
from mailkit.app.invitations import make_links, make_registration
from mailkit.app.origins import https_origin, page_origin
from mailkit.app.settings import Settings
from tests.app.cli.conftest import Shell


def opened(shell: Shell) -> Settings:
    return read_config(shell.folder / "mailkit.toml", {}, shell.folder).settings


def allow(shell: Shell, mode: str) -> None:
    with (shell.folder / "mailkit.toml").open("a") as file:
        file.write(f'\n[accounts]\nregistration = "{mode}"\n')


@pytest.fixture
def house(house: Shell) -> Shell:
    """With pages, which links lead to."""
    with (house.folder / "mailkit.toml").open("a") as file:
        file.write('\n[listen]\nhttps = ["tcp:443"]\n')
    return house


def test_where_there_are_no_pages_that_is_told(house: Shell) -> None:
    file = house.folder / "mailkit.toml"
    file.write_text(file.read_text().replace("https = ", "imaps = "))
    said = house.run("account", "link", "alice@example.org")
    assert (said.status, len(said.out.splitlines())) == (0, 1)
    assert said.error == (
        "mailkit: nobody can open it: nothing listens at http://mail.example.org;"
        " see [listen] https, or [web] origin\n"
    )


def test_a_link_to_choose_a_password(house: Shell) -> None:
    said = house.ok("account", "link", "Alice@example.org")
    match = re.fullmatch(r"https?://[^/]+/password/([\w.-]+)\n", said)
    assert match is not None
    with open_with(opened(house)) as at:
        found = at.do(make_links(at.foundation).find(match[1]))
        assert found is not None
        assert found.name == "alice@example.org"
    facts = house.run("--json", "account", "link", "alice@example.org").json
    assert facts["lasts"] == 7 * 86400
    assert "there is no account" in house.refused("account", "link", "x@example.org")


def test_a_link_that_lasts_no_time(house: Shell) -> None:
    """It once lasted for as long as one without that option."""
    for lasts, why in (("0", "nobody could use it"), ("soon", "expects a time")):
        said = house.run("account", "link", "alice@example.org", "--lasts", lasts)
        assert said.status == 2
        assert why in said.error


def test_an_invitation(house: Shell) -> None:
    assert 'is "closed"' in house.refused("account", "invite")
    allow(house, "invite")
    said = house.ok("account", "invite", "--domain", "Example.ORG", "--lasts", "2 d")
    match = re.fullmatch(r"https?://[^/]+/register\?invitation=([\w.-]+)\n", said)
    assert match is not None
    settings = opened(house)
    with open_with(settings) as at:
        registration = make_registration(
            at.foundation, settings, at.administration, at.foundation.web_sessions
        )
        found = registration.invitation(match[1])
        assert found is not None
        assert (found.domain, found.address) == ("example.org", "")


def test_what_nobody_is_invited_to(house: Shell) -> None:
    allow(house, "open")
    refused = house.refused("account", "invite", "--domain", "strange.example")
    assert "is not a domain" in refused
    refused = house.refused("account", "invite", "--address", "alice@example.org")
    assert "there is an account" in refused
    both = ("--domain", "example.org", "--address", "x@example.org")
    assert house.run("account", "invite", *both).status == 2


def test_where_pages_are(tmp_path: Path) -> None:
    def settings(text: str) -> Settings:
        path = tmp_path / "mailkit.toml"
        path.write_text(f'hostname = "mail.example.org"\n{text}')
        return read_config(path, {}, tmp_path).settings

    none = settings("")
    assert https_origin(none, "mail.example.org") == ""
    assert page_origin(none) == "http://mail.example.org"
    https = settings('[listen]\nhttps = ["tcp:443"]\nhttp = ["tcp:80"]\n')
    assert https_origin(https, "mail.example.org:80") == "https://mail.example.org"
    assert page_origin(https) == "https://mail.example.org"
    near = settings(
        '[listen]\nhttps = ["tcp:8443"]\nhttp = ["tcp:8080:interface=127.0.0.1"]\n'
    )
    assert https_origin(near, "x:8080") == "https://x:8443"
    assert page_origin(near) == "http://localhost:8080"
    set_one = settings('[web]\norigin = "https://post.example.org"\n')
    assert https_origin(set_one, "x") == page_origin(set_one)
    assert page_origin(set_one) == "https://post.example.org"
