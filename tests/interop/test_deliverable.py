"""
The how-to "be deliverable in an hour": what `domain dns` prints is loaded by a name
server of somebody else (Unbound), and judged by the doctor, right and wrong.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.rfcs import ROOT
from tests.interop.server import (
    Server,
    can_connect,
    free_ports,
    need,
    run,
    wait_until,
)
from tests.net.relay.authority import certify

DOMAIN, HOST = "example.org", "mail.example.org"
PAGE = (ROOT / "docs" / "howto" / "be-deliverable.md").read_text(encoding="utf-8")

UNBOUND = """
server:
    interface: 127.0.0.1@{port}
    port: {port}
    do-daemonize: no
    use-syslog: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{folder}"
    module-config: "iterator"
    local-zone: "org." transparent
    local-data: "org. NS localhost."
auth-zone:
    name: "example.org"
    zonefile: "{folder}/example.org.zone"
remote-control:
    control-enable: no
"""
ABOVE = """\
example.org. 300 IN SOA mail.example.org. hostmaster.example.org. 1 3600 900 86400 300
example.org. 300 IN NS mail.example.org.
"""

SETTINGS = """
[dns]
servers = ["127.0.0.1:{dns}"]
[tls]
certificate = "{certificate}"
key = "{key}"
trust = "{trust}"
[nameserver]
addresses = ["127.0.0.1"]
[relay]
allow = ["127.0.0.0/8"]
https_port = {https}
[doctor]
reach = []
blocklists = []
clock = ""
"""

SPOILED = [
    ("MX", r"(?m)^(example\.org\. .* MX +).*", r"\g<1>10 other.example.org."),
    ("SPF", r'(?m)^(example\.org\. .*)"v=spf1.*', r'\g<1>"v=spf1 -all"'),
    ("DKIM", r"k=ed25519; p=....", "k=ed25519; p=AAAA"),
    ("DMARC", r"p=quarantine", "p=block"),
    ("MTA-STS", r"v=STSv1; id=", "v=STSv2; id="),
    ("TLS-RPT", r"(v=TLSRPTv1; rua=)mailto:", r"\g<1>ftp:"),
    ("SRV _submission", r"(_submission\._tcp.* SRV +)0 1 \d+", r"\g<1>0 1 26"),
    ("TLSA", r"( TLSA +3 1 1 )\w{8}", r"\g<1>00000000"),
]
"""What is looked at, and how its record becomes a wrong one."""


@contextmanager
def published(folder: Path, port: int, zone: str) -> Iterator[None]:
    """Unbound serves a zone while this lasts."""
    need("unbound")
    folder.mkdir()
    (folder / "example.org.zone").write_text(ABOVE + zone)
    config = folder / "unbound.conf"
    config.write_text(UNBOUND.format(port=port, folder=folder))
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["unbound", "-d", "-c", str(config)], stdout=file, stderr=file
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        return can_connect(port)

    try:
        wait_until("unbound answers", answers)
        yield
        assert "error" not in log.read_text()
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def dns() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, dns: int) -> Iterator[Server]:
    """A server with the ports that the page names, and a certificate."""
    folder = tmp_path_factory.mktemp("deliverable")
    root = certify("Root", is_authority=True)
    trust = root.write(folder / "root").certificate
    shown = certify("x", HOST, f"mta-sts.{DOMAIN}", by=root).write(folder / "own", root)
    [listen] = re.findall(r"^\[listen\]\n(.*?)\n\n", PAGE, re.M | re.S)
    services = re.findall(r"^(\w+)", listen, re.M)
    server = Server(folder / "server")
    server.ports = dict(zip(services, free_ports(len(services)), strict=True))
    server.settings = SETTINGS.format(
        dns=dns,
        certificate=shown.certificate,
        key=shown.key,
        trust=trust,
        https=server.ports["https"],
    )
    server.write_config()
    text = server.config.read_text().replace('"localhost"', f'"{HOST}"')
    server.config.write_text(text)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def zone(server: Server) -> str:
    """What the commands of the page print, in their order."""
    [commands] = re.findall(r"^## 4 .*?^```\n(.*?)^```$", PAGE, re.M | re.S)
    said = [
        server.command(*line.removeprefix("mailkit ").split())
        for line in commands.splitlines()
    ]
    server.await_known(f"postmaster@{DOMAIN}")  # and serves its policy from now on
    return said[-1]


def examined(server: Server) -> dict[str, tuple[str, str]]:
    """State and next step, by what was looked at."""
    said = run_doctor(server)
    return {one["subject"]: (one["state"], one["next_step"]) for one in said}


def run_doctor(server: Server) -> list[dict[str, str]]:
    said = server.command("--json", "doctor", DOMAIN, ok=False)
    found: list[dict[str, str]] = json.loads(said)
    return found


def test_every_kind_of_record_of_the_page_is_printed(zone: str) -> None:
    for kind in ("MX", "v=spf1", "._domainkey", "_dmarc", "_mta-sts", "CNAME",
                 "_smtp._tls", "SRV", "TLSA"):  # fmt: skip
        assert kind in zone


def test_another_name_server_serves_what_is_printed(
    server: Server, zone: str, dns: int, tmp_path: Path
) -> None:
    """Each record as it was printed, and the doctor finds nothing wrong with it."""
    need("dig")
    records = [
        re.fullmatch(r"(\S+) +\d+ IN (\w+) +(.*)", line)
        for line in zone.splitlines()
        if not line.startswith(";")
    ]
    with published(tmp_path / "unbound", dns, zone):
        for record in records:
            assert record is not None
            name, kind, value = record.groups()
            words = ("-p", str(dns), "+time=20", "+short", "+nosplit", name, kind)
            said = run("dig", "@127.0.0.1", *words).lower().splitlines()
            assert value.lower() in said
        states = examined(server)
    ports = [subject for subject in states if subject.startswith("TLS ")]
    assert len(ports) == len(server.ports)
    of_domain = ("MX", "SPF", "DMARC", "MTA-STS", "TLS-RPT", "SRV", *ports)
    assert {states[one][0] for one in of_domain} == {"ok"}, states
    keys = [one for one in states if one.startswith("DKIM ")]
    assert [states[one][0] for one in keys] == ["ok", "ok"]
    # Nothing vouches for it here, and nobody reaches a loopback address.
    assert states["TLSA"][0] == "note"
    assert states["address"][0] == "wrong"


def test_the_doctor_names_each_wrong_record(
    server: Server, zone: str, dns: int, tmp_path: Path
) -> None:
    """And says for each what to do next."""
    for what, right, wrong in SPOILED:
        zone, count = re.subn(right, wrong, zone)
        assert count, what
    with published(tmp_path / "unbound", dns, zone):
        states = examined(server)
    for what, _, _ in SPOILED:
        [found] = [one for one in states if one == what or one.startswith(f"{what} e")]
        state, step = states[found]
        assert state == ("note" if what == "TLS-RPT" else "wrong"), (found, states)
        assert step.startswith("publish: "), (found, step)


def test_the_doctor_names_each_missing_record(
    server: Server, dns: int, tmp_path: Path
) -> None:
    with published(tmp_path / "unbound", dns, f"{HOST}. 300 IN A 127.0.0.1\n"):
        states = examined(server)
    for what, state in (
        ("MX", "wrong"),
        ("SPF", "wrong"),
        ("DMARC", "wrong"),
        ("MTA-STS", "wrong"),
        ("TLS-RPT", "note"),
        ("TLSA", "note"),
    ):
        assert states[what][0] == state, what
        assert "publish: " in states[what][1]
