"""Where all parts meet: opened, served from, closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mailkit.app.assemble import House, make_builds, open_house, service_settings
from mailkit.app.find import read_config
from mailkit.app.settings import Settings
from mailkit.errors import Refused, StorageFull
from mailkit.metrics import Metrics
from mailkit.net.pump import Pump, Surroundings
from mailkit.net.startlanes import finish


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    variables = {
        "MAILKIT_LIMITS__MESSAGE_SIZE": "1 MiB",
        "MAILKIT_LIMITS__TEXT_LINE": "2000",
        "MAILKIT_LIMITS__CONNECTIONS_PER_ACCOUNT": "3",
        "MAILKIT_LIMITS__HOPS": "200",
        "MAILKIT_ACCOUNTS__QUOTA": "7 MB",
    }
    settings = read_config(None, variables, tmp_path).settings
    settings.data.mkdir()
    return settings


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    house = open_house(settings, reactor, Metrics())
    yield house
    finish(house.close())


def greeting(house: House, settings: Settings, service: str) -> bytes:
    """What a service says first."""
    transport = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 5))
    build = make_builds(house, settings)[service]
    pump = Pump(build, Surroundings(service, Clock()))
    pump.makeConnection(transport)
    said: bytes = transport.value()
    pump.cut("enough")
    return said


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("smtp", b"220 mail.example.test ESMTP"),
        ("submission", b"220 mail.example.test ESMTP"),
        ("lmtp", b"220 mail.example.test LMTP"),
        ("imap", b"* OK ["),
        ("pop3", b"+OK mail.example.test POP3"),
    ],
)
def test_every_service_is_there(
    house: House, settings: Settings, service: str, said: bytes
) -> None:
    assert greeting(house, settings, service).startswith(said)


def test_what_the_file_says_reaches_those_who_keep_it(
    house: House, settings: Settings
) -> None:
    make_builds(house, settings)
    assert house.sessions.most == 3
    assert house.allowance.default == 7_000_000
    told = service_settings(settings)
    assert (told.smtp.message_size, told.smtp.text_line) == (1 << 20, 2000)
    assert told.imap.message_size == 1 << 20
    assert (told.delivery.hops, told.delivery.quota) == (200, 7_000_000)
    assert told.auth == settings.auth
    changed = attrs.evolve(settings, accounts=attrs.evolve(settings.accounts, quota=9))
    make_builds(house, changed)
    assert house.allowance.default == 9


def test_a_full_disk_is_trouble(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert house.trouble is None

    def full() -> None:
        raise StorageFull("the spool")

    monkeypatch.setattr(type(house.spool), "check", lambda self: full())
    assert house.trouble == "no room for mail: the spool"


def test_data_that_cannot_be_written(settings: Settings) -> None:
    (settings.data / "run").write_text("a file")
    with pytest.raises(Refused, match=r"cannot write to .*mailkit-data: File exists"):
        open_house(settings, reactor, Metrics())
