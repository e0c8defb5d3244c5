"""What others find in DNS, printed."""

from __future__ import annotations

import pytest

from mailkit.app.cli import domaindns
from tests.app.cli.conftest import Shell


def test_the_records_of_a_domain(house: Shell) -> None:
    text = house.ok("domain", "dns", "Example.ORG")
    assert "; where mail goes\nexample.org. " in text
    assert " 3600 IN MX    10 mail.example.org.\n" in text
    rows = house.run("--json", "domain", "dns", "example.org").json
    assert {"MX", "TXT", "SRV"} <= {row["kind"] for row in rows}
    header, first, *_ = house.ok("domain", "dns", "example.org", "--table").splitlines()
    assert header.split() == ["name", "ttl", "kind", "value", "purpose"]
    assert first.endswith("where mail goes")


def test_domains_that_are_not_ours(house: Shell) -> None:
    house.refused("domain", "dns", "example.net")
    house.refused("domain", "dns", "a..b")
    assert "no name" in house.refused("domain", "ds", "x" * 64)
    assert "neither" in house.refused("domain", "ds", "example.net")
    assert not (house.folder / "data" / "keys" / "dns").exists()


def test_a_zone_file_has_a_record_for_its_parent_too(house: Shell) -> None:
    (house.folder / "zones").mkdir()
    (house.folder / "zones" / "files.test.zone").write_text("@ A 192.0.2.1")
    config = house.folder / "mailkit.toml"
    config.write_text(config.read_text() + '\n[nameserver]\nzones = "zones"\n')
    assert house.ok("domain", "ds", "files.test").startswith("files.test. IN DS ")


def test_the_record_for_the_parent(house: Shell) -> None:
    """RFC 4034 §5.1.4; always the same."""
    line = house.ok("domain", "ds", "example.org")
    owner, cls, kind, _tag, algorithm, digest_type, digest = line.split()
    assert (owner, cls, kind) == ("example.org.", "IN", "DS")
    assert (algorithm, digest_type, len(digest)) == ("13", "2", 64)
    assert house.ok("domain", "ds", "example.org") == line


def test_on_a_terminal_a_table_follows_the_zone_file(
    house: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = house.ok("domain", "dns", "example.org")
    monkeypatch.setattr(domaindns, "is_terminal", lambda: True)
    both = house.ok("domain", "dns", "example.org")
    assert both.startswith(alone)
    table = both.removeprefix(alone)
    assert "MX" in table
    assert "purpose" in table.lower()
