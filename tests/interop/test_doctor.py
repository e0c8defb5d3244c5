"""`mailkit doctor` over two servers that know of each other: ports, DNS, policies."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailkit.app.demo.authority import Authority
from mailkit.app.demo.places import ADDRESSES, SERVICES, Place
from mailkit.app.demo.servers import Pair, make_pair
from mailkit.app.doctor import outside
from mailkit.app.doctor.outside import free_on, greet, time_of
from mailkit.app.doctor.ports import UPGRADES, look
from mailkit.errors import Unavailable
from tests.interop.server import MAILKIT, free_ports, run

DOCTOR = """
[doctor]
blocklists = ["list.test"]
reach = ["west.test"]
clock = "https://127.0.0.1:{https}/"
"""


def no_command(words: Sequence[str]) -> str:
    raise AssertionError(words)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers, as the demo has them; the first is to be examined."""
    folder = tmp_path_factory.mktemp("pair")
    authority = Authority.make(folder, datetime.now(UTC))
    # Not those of the demo: until it binds them, the system may give them to others.
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    east, west = (Place(address, ports) for address in ADDRESSES)
    pair = make_pair(folder, (east, west), authority, no_command)
    with pair.east.config.open("a") as file:
        file.write(DOCTOR.format(https=pair.east.place.ports["https"]))
    pair.start()
    try:
        yield pair
    finally:
        pair.stop()


def words_for(pair: Pair, *words: str) -> tuple[str, ...]:
    return (*MAILKIT, "--config", str(pair.east.config), *words)


def test_what_is_found(pair: Pair) -> None:
    said = json.loads(run(*words_for(pair, "--json", "doctor"), codes=(1,)))
    of_domain = {one["subject"]: one for one in said if one["of"] == "east.test"}
    assert {one["state"] for one in of_domain.values()} == {"ok"}, of_domain
    assert {"MX", "SPF", "DMARC", "MTA-STS", "TLS-RPT", "SRV"} < set(of_domain)
    assert len([subject for subject in of_domain if subject.startswith("DKIM ")]) == 2
    here = {one["subject"]: one for one in said if one["of"] == "this server"}
    ports = pair.east.place.ports
    for service in ("smtp", "submission", "imap", "https"):
        found = here[f"TLS {service} {ports[service]}"]
        assert found["state"] == "ok", found
        assert "good for mail.east.test until" in found["words"]
    out = here[f"port {ports['smtp']} outward"]
    assert out["words"].startswith("mail.west.test answers: 220 mail.west.test")
    assert here["clock"]["state"] == "ok"
    assert here["disk"]["words"].endswith("data")
    # Nobody reaches a loopback address from outside, and it has no name in DNS.
    assert here["address"]["state"] == "wrong"
    assert here["PTR"]["state"] == "unknown"


def test_for_people(pair: Pair) -> None:
    said = run(*words_for(pair, "doctor", "East.Test"), codes=(1,))
    lines = said.splitlines()
    assert lines[0] == "east.test"
    assert "  ok      MX: mail goes to mail.east.test" in lines
    assert "this server" in lines
    assert "          → publish the public address of mail.east.test" in lines
    assert lines[-1].endswith(" 1 wrong")


def test_a_domain_that_is_not_ours(pair: Pair) -> None:
    said = run(*words_for(pair, "doctor", "west.test"), codes=(1,))
    assert said == "mailkit: west.test is not a domain of this server\n"
    said = run(*words_for(pair, "doctor", "a..b"), codes=(1,))
    assert said == "mailkit: a..b is no name of a domain\n"


# -- ports that are otherwise


@pytest.fixture
def says() -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """A port that says whatever the test wants to hear, then hangs up."""
    words: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"".join(words))

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname(), words
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


Says = tuple[tuple[str, int], list[bytes]]


@pytest.mark.parametrize(
    ("service", "octets", "words"),
    [
        ("smtp", b"554 go away\r\n", 'it says "554 go away"'),
        ("imap", b"* BYE\r\n", 'it says "\\* BYE"'),
        ("pop3", b"", "it hangs up"),
        ("smtp", b"220-x\r\n" * 5000, 'it says "220-x"'),
    ],
)
def test_ports_without_tls(says: Says, service: str, octets: bytes, words: str) -> None:
    place, said = says
    said.append(octets)
    with pytest.raises(OSError, match=words):
        look(place, "x", "mail.a.test", UPGRADES[service], None)


def test_a_certificate_that_nobody_believes(pair: Pair) -> None:
    place = pair.east.place.at("smtp")
    served = look(place, "smtp 25", pair.east.host, UPGRADES["smtp"], None)
    assert "unable to get local issuer certificate" in served.trouble
    served = look(place, "smtp 25", pair.east.host, UPGRADES["smtp"], pair.east.trust)
    assert served.trouble == ""
    assert served.names == ("mail.east.test", "mta-sts.east.test")


def test_mail_servers_that_do_not_greet(
    says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outside.PATIENCE > 6.0  # which Postfix's postscreen waits before it greets
    (host, port), said = says
    assert greet(host, port) == ("it hangs up", False)
    said.append(b"554 5.7.1 no\r\nmore\r\n")
    assert greet(host, port) == ("554 5.7.1 no", False)
    words, is_reached = greet("127.0.0.1", 1)
    assert (words, is_reached) == (
        "no connection to 127.0.0.1: Connection refused",
        False,
    )
    with socket.create_server((host, 0)) as deaf:
        monkeypatch.setattr(outside, "PATIENCE", 0.05)
        words, is_reached = greet(*deaf.getsockname())
    assert (words, is_reached) == ("no connection to 127.0.0.1 within 0 s", False)


def test_nobody_tells_the_time(pair: Pair, says: Says, tmp_path: Path) -> None:
    (host, port), said = says
    said.append(b"rubbish")
    with pytest.raises(Unavailable, match=f"^https://127.0.0.1:{port}: "):
        time_of(f"https://{host}:{port}")
    free, share = free_on(tmp_path)
    assert free > 0
    assert 0 < share <= 1
