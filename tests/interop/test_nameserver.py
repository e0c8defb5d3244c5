"""Our name server, judged by dig, kdig, delv and a validating Unbound."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.server import (
    ENVIRONMENT,
    STARTING,
    Server,
    free_ports,
    need,
    run,
    wait_until,
)

ZONE = """
$TTL 600
@          MX    10 mail
www        CNAME mail
*.wild     TXT   "any"
child      NS    ns.child
ns.child   A     127.0.0.99
big        TXT   ( {text} )
caa        CAA   0 issue "ca.example.net"
odd        TYPE65400 \\# 2 abcd
""".format(text=" ".join(f'"{"x" * 200}"' for _ in range(12)))

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
    module-config: "validator iterator"
    do-not-query-localhost: no
    do-ip6: no
    qname-minimisation: no
    local-zone: "test." nodefault
    local-zone: "others.test." static
    local-data: "others.test. A 192.0.2.44"
    trust-anchor: "{anchor}"
    trust-anchor: "{second}"
stub-zone:
    name: "example.test"
    stub-addr: 127.0.0.1@{server}
stub-zone:
    name: "files.test"
    stub-addr: 127.0.0.1@{server}
remote-control:
    control-enable: no
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["alone", "workers"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a domain, and a zone file beside it."""
    folder = tmp_path_factory.mktemp("nameserver")
    (folder / "zones").mkdir()
    (folder / "zones" / "files.test.zone").write_text(ZONE)
    upstream = free_udp_port()
    server = Server(folder, workers=request.param)
    server.ports = {"dns": free_udp_port(), "smtp": server.ports["smtp"]}
    server.settings = (
        '[nameserver]\nzones = "zones"\naddresses = ["127.0.0.1", "2001:db8::1"]\n'
        'names = ["ns1.example.test"]\ntransfer = ["127.0.0.1"]\n'
        f'forward = ["127.0.0.1:{upstream}"]\n'
    )
    server.write_config()
    text = server.config.read_text().replace('"localhost"', '"mail.example.test"')
    server.config.write_text(text)
    server.command("domain", "add", "example.test")
    server.start()
    try:
        # Workers bind later than their parent; a datagram waits for them until then.
        wait_until("questions are answered", lambda: _is_served(server))
        yield server
    finally:
        server.stop()


def _is_served(server: Server) -> bool:
    need("dig")
    port = str(server.ports["dns"])
    words = ("@127.0.0.1", "-p", port, "example.test", "SOA", "+time=1", "+tries=1")
    return "status: NOERROR" in run("dig", *words, codes=(0, 9))


def free_udp_port() -> int:
    """A number that is free by UDP and TCP."""
    while True:
        [port] = free_ports(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


PATIENT = ("+time=20", "+tries=3")
"""Of dig; it takes whatever comes meanwhile, and seldom waits for so long."""


def dig(server: Server, *words: str) -> str:
    need("dig")
    port = str(server.ports["dns"])
    return run("dig", "@127.0.0.1", "-p", port, *PATIENT, *words)


def kdig(server: Server, *words: str) -> str:
    need("kdig")
    port = str(server.ports["dns"])
    return run("kdig", "@127.0.0.1", "-p", port, "+time=20", "+retry=2", *words)


def anchor(server: Server, domain: str) -> str:
    """``example.test. IN DS 1 13 2 aabb``"""
    return server.command("domain", "ds", domain).strip()


# -- dig


def test_a_domain_of_the_directory(server: Server) -> None:
    assert dig(server, "example.test", "MX", "+short") == "10 mail.example.test.\n"
    assert dig(server, "+short", "mail.example.test", "AAAA") == "2001:db8::1\n"
    assert dig(server, "+short", "example.test", "NS") == "ns1.example.test.\n"
    text = dig(server, "+short", "_dmarc.example.test", "TXT")
    assert text.startswith('"v=DMARC1; p=')
    tlsa = dig(server, "+short", "_25._tcp.mail.example.test", "TLSA")
    assert tlsa.startswith("3 1 1 ")
    soa = dig(server, "+short", "example.test", "SOA")
    assert soa.startswith("ns1.example.test. hostmaster.example.test. ")


def test_dkim_keys_stand_there(server: Server) -> None:
    """RFC 6376 §3.6.1; made with the domain, or when somebody first asks."""
    zone = server.command("domain", "dns", "example.test")
    for line in zone.splitlines():
        if "._domainkey." not in line:
            continue
        name = line.split()[0]
        assert "v=DKIM1" in dig(server, "+short", name, "TXT")


def test_what_is_not_there(server: Server) -> None:
    said = dig(server, "nobody.example.test", "A")
    assert "status: NXDOMAIN" in said
    assert "\tSOA\t" in said
    said = dig(server, "mail.example.test", "SRV")
    assert "status: NOERROR" in said
    assert "ANSWER: 0, AUTHORITY: 1" in said
    assert "flags: qr aa rd;" in said


def test_a_new_domain_is_served_at_once(server: Server) -> None:
    server.command("domain", "add", "new.test")
    try:
        wait_until(
            "new.test is served",
            lambda: "10 mail" in dig(server, "+short", "new.test", "MX"),
        )
    finally:
        server.command("domain", "remove", "new.test")
    wait_until(
        "new.test is served no more",
        lambda: "REFUSED" in dig(server, "new.test", "MX", "+norecurse"),
    )


def test_zone_files(server: Server) -> None:
    assert dig(server, "+short", "www.files.test") == "mail.files.test.\n"
    assert dig(server, "+short", "a.b.wild.files.test", "TXT") == '"any"\n'
    assert dig(server, "+short", "odd.files.test", "TYPE65400") == "\\# 2 ABCD\n"
    assert 'issue "ca.example.net"' in dig(server, "+short", "caa.files.test", "CAA")
    said = dig(server, "x.child.files.test", "A", "+norecurse")
    assert "flags: qr; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2" in said
    assert "127.0.0.99" in said


def test_a_zone_file_is_read_again(server: Server) -> None:
    before = dig(server, "+short", "files.test", "SOA").split()[2]
    path = server.folder / "zones" / "files.test.zone"
    new = path.with_suffix(".new")
    new.write_text(ZONE + "later A 192.0.2.200\n")
    new.replace(path)  # a worker that reads half of it would serve that for a while
    wait_until(
        "the change is served",
        lambda: dig(server, "+short", "later.files.test", "A") == "192.0.2.200\n",
    )

    def has_risen() -> bool:  # in each worker, once it has looked
        after = dig(server, "+short", "files.test", "SOA").split()[2]
        return int(after) > int(before)

    wait_until("the serial rises", has_risen)


def test_edns_and_size(server: Server) -> None:
    """By UDP no more than asked for, the whole by TCP, which dig tries by itself."""
    said = dig(server, "big.files.test", "TXT", "+ignore", "+bufsize=4096")
    assert "flags: qr aa tc rd;" in said
    said = dig(server, "big.files.test", "TXT")
    assert "(TCP)" in said
    assert said.count("x" * 200) == 12
    said = dig(server, "example.test", "MX", "+edns=1", "+noednsnegotiation")
    assert "status: BADVERS" in said
    assert "EDNS: version: 0" in said
    assert "EDNS" not in dig(server, "example.test", "MX", "+noedns")


def test_any_is_one_hinfo(server: Server) -> None:
    """RFC 8482 §4.2."""
    assert dig(server, "+short", "+notcp", "example.test", "ANY") == f'"RFC{8482}" ""\n'


def test_refusals(server: Server) -> None:
    assert "REFUSED" in dig(server, "version.bind", "TXT", "CH")
    assert "NOTIMP" in dig(server, "+opcode=STATUS", "example.test")
    assert "REFUSED" in dig(server, "elsewhere.example", "A", "+norecurse")


def test_whole_zones(server: Server) -> None:
    """RFC 5936; the same zone as by questions."""
    said = dig(server, "files.test", "AXFR")
    assert "XFR size:" in said
    assert said.count("\tSOA\t") == 2
    assert "ns.child.files.test." in said
    assert "Transfer failed" in dig(server, "elsewhere.example", "AXFR")


# -- kdig


def test_by_kdig(server: Server) -> None:
    said = kdig(server, "example.test", "MX", "+dnssec", "+tcp")
    assert "status: NOERROR" in said
    assert "Flags: qr aa rd" in said
    assert "RRSIG" in said
    assert "(TCP)" in said
    said = kdig(server, "example.test", "AXFR")
    assert said.count("\tSOA\t") == 2
    said = kdig(server, "example.test", "MX", "+edns=9")
    assert "BADVERS" in said
    both = kdig(server, "+keepopen", "+tcp", "example.test", "MX", "example.test", "NS")
    assert both.count("status: NOERROR") == 2


# -- validators


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        ("example.test", "MX", "; fully validated"),
        ("_25._tcp.mail.example.test", "TLSA", "; fully validated"),
        ("nobody.example.test", "A", "; negative response, fully validated"),
        ("mail.example.test", "SRV", "; negative response, fully validated"),
        ("_tcp.example.test", "A", "; negative response, fully validated"),
    ],
)
def test_by_delv(server: Server, name: str, kind: str, word: str) -> None:
    need("delv")
    *_, tag, algorithm, kind_of_digest, digest = anchor(server, "example.test").split()
    keys = server.folder / "anchors"
    keys.write_text(
        "trust-anchors { example.test. static-ds "
        f'{tag} {algorithm} {kind_of_digest} "{digest}"; }};\n'
    )
    words = ["-a", str(keys), "+root=example.test", "@127.0.0.1"]
    said = run("delv", *words, "-p", str(server.ports["dns"]), name, kind)
    assert word in said


@pytest.fixture(scope="module")
def unbound(server: Server) -> Iterator[int]:
    """The port of a resolver that validates against our zones."""
    need("unbound")
    port = _upstream(server)
    folder: Path = server.folder / "unbound"
    folder.mkdir()
    config = folder / "unbound.conf"
    text = UNBOUND.format(
        port=port,
        folder=folder,
        anchor=anchor(server, "example.test"),
        second=anchor(server, "files.test"),
        server=server.ports["dns"],
    )
    config.write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["unbound", "-d", "-c", str(config)], stdout=log, stderr=log
        )
    try:
        wait_until("unbound answers", lambda: _answers(port, process, folder))
        yield port
    finally:
        process.terminate()
        process.wait()


def _upstream(server: Server) -> int:
    """Whom our server passes questions of this machine on to."""
    match = re.search(r'forward = \["127\.0\.0\.1:(\d+)"', server.settings)
    assert match is not None
    return int(match[1])


def _answers(port: int, process: subprocess.Popen[bytes], folder: Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("example.test", "MX", "NOERROR"),
        ("_25._tcp.mail.example.test", "TLSA", "NOERROR"),
        ("nobody.example.test", "A", "NXDOMAIN"),
        ("mail.example.test", "SRV", "NOERROR"),
        ("_tcp.example.test", "A", "NOERROR"),
        ("example.test", "DNSKEY", "NOERROR"),
        ("www.files.test", "CNAME", "NOERROR"),
        ("a.b.wild.files.test", "TXT", "NOERROR"),
        ("a.b.wild.files.test", "A", "NOERROR"),
        ("nobody.files.test", "A", "NXDOMAIN"),
        ("child.files.test", "DS", "NOERROR"),
        ("big.files.test", "TXT", "NOERROR"),
        ("example.test", "ANY", "NOERROR"),
    ],
)
def test_unbound_believes_us(unbound: int, name: str, kind: str, status: str) -> None:
    """RFC 4035: each is answered with AD, what is there and what is not."""
    place = ("@127.0.0.1", "-p", str(unbound))
    said = run("dig", *place, *PATIENT, "+dnssec", name, kind)
    assert f"status: {status}" in said
    flags = next(line for line in said.splitlines() if line.startswith(";; flags:"))
    assert " ad" in flags.split(";")[2], said


@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
def test_names_of_others_are_resolved_for_this_machine(
    server: Server, unbound: int, way: str
) -> None:
    said = ""

    def is_resolved() -> bool:  # a resolver that says nothing for 3 s is a failed one
        nonlocal said
        said = dig(server, "others.test", "A", way)
        return "status: SERVFAIL" not in said

    wait_until("the resolver is heard", is_resolved)
    assert "192.0.2.44" in said
    assert "flags: qr aa rd ra;" in said
    assert "REFUSED" in dig(server, "others.test", "A", way, "+norecurse")


ASK = """
import sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from mailkit.net.resolver.resolver import Resolver
from mailkit.net.resolver.settings import DNSSettings

async def ask():
    resolver = Resolver(reactor, DNSSettings(servers=(sys.argv[1],), timeout=20.0))
    for name in ("_25._tcp.mail.example.test", "_25._tcp.nobody.example.test"):
        answer = await resolver.tlsa(name)
        print(len(answer.records), answer.authentic, answer.exists)
    await resolver.close()
    reactor.stop()

Deferred.fromCoroutine(ask()).addErrback(lambda failure: print(failure))
reactor.run()
"""


def test_our_resolver_believes_unbound(server: Server, unbound: int) -> None:
    """RFC 6840 §5.8: AD of a resolver on this machine, for DANE (RFC 6698 §4.1)."""
    words = [sys.executable, "-c", ASK, f"127.0.0.1:{unbound}"]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=STARTING,
        check=True,
        env=ENVIRONMENT,
    )
    assert done.stdout.splitlines() == ["1 True True", "0 True False"]
