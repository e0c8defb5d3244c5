"""The name server as the settings want it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dns.message
import pytest
from dns.rcode import Rcode
from twisted.internet import reactor
from twisted.logger import capturedLogs, formatEvent

from mailkit.app.check import check_config, check_datagrams
from mailkit.app.nameserver import (
    LOOK,
    LOOK_AT_ALL,
    TOGETHER,
    NameService,
    mail_host,
    tlsa_of,
)
from mailkit.app.selfsigned import keep_self_signed
from mailkit.app.settings import Settings
from mailkit.config.reader import Config, Misconfigured, read
from mailkit.metrics import Metrics
from mailkit.model.address import DomainName
from mailkit.net.nameserver.server import Way
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

LISTEN = """
hostname = "Mail.example.org"
data = "data"
[listen]
smtp = ["tcp:25"]
submission = ["unix:/x", "tcp:port=5870:interface=192.0.2.1", "tcp:587"]
imaps = ["tcp6:993"]
https = ["tcp:443"]
dns = ["tcp:5353:interface=127.0.0.1"]
"""


def config_of(text: str, folder: Path) -> Config[Settings]:
    return read(Settings, text, folder / "mailkit.toml", {}, folder)


class House:
    """A directory with one domain, a clock, and the service over both."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.directory = MemoryDirectory()
        at_once(self.directory.add_domain(DomainName("example.org")))
        self.clock = TestClock()
        settings = config_of(LISTEN + more, folder).settings
        self.names = NameService(
            settings, self.directory, DirectLanes(), self.clock, Metrics()
        )
        at_once(self.names.look())
        self.names.start()

    def ask(self, name: str, kind: str, host: str = "192.0.2.9") -> dns.message.Message:
        query = dns.message.make_query(name, kind)
        [answer] = at_once(self.names.server.answer(query.to_wire(), host, Way.TCP))
        return dns.message.from_wire(answer)

    def text(self, name: str, kind: str) -> str:
        return "\n".join(one.to_text() for one in self.ask(name, kind).answer)


def test_what_the_settings_say_of_the_host(tmp_path: Path) -> None:
    addresses = '[nameserver]\naddresses = ["192.0.2.1"]\n'
    settings = config_of(LISTEN + addresses, tmp_path).settings
    host = mail_host(settings, ())
    assert host.hostname == "mail.example.org"
    assert host.addresses == ("192.0.2.1",)
    assert host.ports == {"submission": 5870, "imaps": 993}
    assert host.has_web
    first = host.sts
    assert first.isalnum()
    assert len(first) <= 32  # RFC 8461 §3.1
    changed = config_of(LISTEN + '[web]\nmta_sts = "testing"\n', tmp_path).settings
    assert mail_host(changed, ()).sts not in ("", first)
    off = config_of(LISTEN + '[web]\nmta_sts = "none"\n', tmp_path).settings
    assert mail_host(off, ()).sts == ""


def test_what_a_certificate_is_known_by(tmp_path: Path) -> None:
    """RFC 7671 §5.1."""
    pair = keep_self_signed(tmp_path, "mail.example.org", datetime.now(UTC))
    [record] = tlsa_of(pair.certificate)
    assert (record.usage, record.selector, record.matching_type) == (3, 1, 1)
    assert len(record.association) == 32
    assert tlsa_of(tmp_path / "nothing") == ()
    assert tlsa_of(pair.key) == ()


def test_domains_are_served_and_signed(tmp_path: Path) -> None:
    keep_self_signed(tmp_path / "data" / "tls", "mail.example.org", datetime.now(UTC))
    house = House(tmp_path)
    assert "10 mail.example.org." in house.text("example.org", "MX")
    assert house.text("example.org", "DNSKEY")
    assert "3 1 1" in house.text("_25._tcp.mail.example.org", "TLSA")
    assert (tmp_path / "data" / "keys" / "dns" / "example.org.pem").exists()
    assert (tmp_path / "data" / "dns" / "example.org.json").exists()


def test_nothing_is_signed_unless_wanted(tmp_path: Path) -> None:
    house = House(tmp_path, "[nameserver]\nsign = false\n")
    assert house.ask("example.org", "DNSKEY").answer == []
    assert not (tmp_path / "data" / "keys").exists()


def test_changes_of_the_directory_are_seen_within_a_second(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.ask("example.net", "MX").rcode() == Rcode.REFUSED
    for number in range(10):
        at_once(house.directory.add_domain(DomainName(f"e{number}.test")))
    before = house.names.book.changes
    house.clock.advance(TOGETHER)
    assert house.names.book.changes == before + 1
    assert house.text("e9.test", "MX")
    house.clock.advance(2)
    at_once(house.directory.add_domain(DomainName("example.net")))
    house.clock.advance(0)
    assert house.text("example.net", "MX")
    at_once(house.directory.add_domain(DomainName("later.test")))
    house.names.stop()
    at_once(house.directory.add_domain(DomainName("example.com")))
    assert house.ask("example.com", "MX").rcode() == Rcode.REFUSED
    house.names.stop()


def test_changes_of_files_are_seen_soon(tmp_path: Path) -> None:
    (tmp_path / "zones").mkdir()
    path = tmp_path / "zones" / "files.test.zone"
    path.write_text("a A 192.0.2.1\n")
    house = House(tmp_path, '[nameserver]\nzones = "zones"\n')
    assert house.text("a.files.test", "A")
    path.write_text("a A 192.0.2.1\nb A 192.0.2.2\n")
    assert not house.text("b.files.test", "A")
    house.clock.advance(LOOK)
    assert house.text("b.files.test", "A")
    path.unlink()
    house.clock.advance(LOOK)
    assert house.ask("b.files.test", "A").rcode() == Rcode.REFUSED


def test_whoever_changes_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Not only when somebody asks for something in it."""
    (tmp_path / "zones").mkdir()
    house = House(tmp_path, '[nameserver]\nzones = "zones"\n')
    path = tmp_path / "zones" / "files.test.zone"
    with capturedLogs() as events:
        path.write_text("a A 192.0.2.1\n")
        house.clock.advance(LOOK)
        path.write_text("a A 192.0.2.1\na A none\n")
        house.clock.advance(LOOK)
    said = [formatEvent(event) for event in events]
    assert said[0].startswith("zone files.test is served, serial ")
    assert said[1].startswith("zone files.test: line 2: ")
    assert len(said) == 2


def test_certificates_and_keys_are_looked_at_now_and_then(tmp_path: Path) -> None:
    house = House(tmp_path)
    name = "_25._tcp.mail.example.org"
    assert not house.text(name, "TLSA")
    keep_self_signed(tmp_path / "data" / "tls", "mail.example.org", datetime.now(UTC))
    house.clock.pump([LOOK] * int(LOOK_AT_ALL / LOOK))
    assert house.text(name, "TLSA")


def test_who_serves_and_forwards(tmp_path: Path) -> None:
    more = '[nameserver]\nnames = ["ns.other.test"]\nforward = ["192.0.2.53"]\n'
    house = House(tmp_path, more)
    assert house.text("example.org", "NS").endswith("IN NS ns.other.test.")
    assert house.names.server.forward is not None


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('dns = ["unix:/x"]', "has no UDP beside it"),
        (
            'dns = ["tcp:5353:interface=127.0.0.1"]\n'
            '[nameserver]\nforward = ["127.0.0.1:5353"]',
            "is this server itself",
        ),
    ],
)
def test_what_cannot_be(tmp_path: Path, more: str, complaint: str) -> None:
    config = config_of(f'hostname = "a.test"\n[listen]\n{more}\n', tmp_path)
    with pytest.raises(Misconfigured, match=complaint):
        check_datagrams(config)
    real: Any = reactor
    with pytest.raises(Misconfigured, match=complaint):
        check_config(config, real)
