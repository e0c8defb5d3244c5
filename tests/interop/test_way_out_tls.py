"""Policies of TLS against a real Postfix, and our certificate judged by its client."""

from __future__ import annotations

import asyncio
import json
import re
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import define, field

from tests.interop.outside import Names, Outside, outside
from tests.interop.postfix import Postfix, postfix_at, program
from tests.interop.server import PASSWORD, Server, free_ports, wait_until
from tests.interop.test_way_out import need_root, with_own_names
from tests.net.relay.authority import Certified, certify

ALICE = "alice@example.test"
POSTFIX, WEB = "127.6.0.1", "127.6.0.2"
CLEAR = "127.6.0.3"
"""A host that knows nothing of TLS, and takes mail for these; we demand it of one."""
IN_THE_CLEAR = ("open.test", "demanded.test")
ANCHOR = "anchor.test"
"""Its host shows a certificate for the domain alone, by an authority in DNS."""
DOMAINS = ("plain.test", "dane.test", "liar.test", "sts.test", "strict.test")

POLICIES = {
    "mta-sts.sts.test": "mx.sts.test",
    "mta-sts.strict.test": "other.strict.test",
}
"""The host that each policy allows."""


@define(eq=False)
class Town:
    server: Server
    names: Names
    world: Outside
    port: int
    _at_53: str = ""

    @property
    def at_53(self) -> str:
        """Where Postfix finds the same names."""
        if not self._at_53:
            self._at_53 = self.world.names_at_53(self.names.server)
        return self._at_53

    def submit(self, domain: str) -> str:
        """Alice writes to Bob there; the id that she is told."""
        port = self.server.ports["submission"]
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.login(ALICE, PASSWORD)
            assert client.mail(ALICE)[0] == 250
            assert client.rcpt(f"bob@{domain}")[0] == 250
            code, said = client.data(
                f"From: {ALICE}\r\nSubject: to {domain}\r\n\r\nHello\r\n"
            )
            assert code == 250, said
        found = re.search(rb"as (\S+)", said)
        assert found, said
        return found[1].decode()

    def told(self, id: str, step: str) -> str:
        """What is known of a message, once it came so far."""
        known = [""]

        def is_there() -> bool:
            # Steps are written later: at first nothing is known of it.
            said = self.server.command("--json", "trace", id, ok=False)
            events = json.loads(said or "[]")
            known[:] = [each["detail"] for each in events if each["step"] == step]
            return bool(known)

        wait_until(f"{id} is {step}", is_there)
        return known[0]


@define(eq=False)
class Web:
    """Serves a policy by the name that TLS asked for."""

    asked: list[str] = field(factory=list)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        match = re.search(r"^Host: ([^:\r]+)", head, re.M | re.I)
        assert match
        self.asked.append(match[1])
        body = (
            f"version: STSv1\r\nmode: enforce\r\nmx: {POLICIES[match[1]]}\r\n"
            "max_age: 86400\r\n"
        )
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body.encode())
        )
        await writer.drain()
        writer.close()


def serve_policies(world: Outside, port: int, folder: Path, by: Certified) -> Web:
    shown = certify("web", *POLICIES, by=by).write(folder, by)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    web = Web()
    world.do(asyncio_server(web, port, context))
    return web


async def asyncio_server(web: Web, port: int, context: ssl.SSLContext) -> None:
    await asyncio.start_server(web.serve, WEB, port, ssl=context)


@pytest.fixture(scope="module")
def authority() -> Certified:
    return certify("the authority", is_authority=True)


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, authority: Certified
) -> Iterator[Town]:
    port, web_port = free_ports(2)
    folder = tmp_path_factory.mktemp("tls")
    hosts = [f"mx.{each}" for each in DOMAINS]
    shown = certify("mx", *hosts, ANCHOR, by=authority)
    good, bad = (each.record(3, 1, 1).association.hex() for each in (shown, authority))
    domains = (*DOMAINS, ANCHOR)
    records = [f"{each}. MX 10 mx.{each}." for each in domains]
    records += [f"mx.{each}. A {POSTFIX}" for each in domains]
    for each in IN_THE_CLEAR:
        records += [f"{each}. MX 10 mx.{each}.", f"mx.{each}. A {CLEAR}"]
    anchored = authority.record(2, 0, 0).association.hex()
    records += [
        f"_{port}._tcp.mx.dane.test. TLSA 3 1 1 {good}",
        f"_{port}._tcp.mx.liar.test. TLSA 3 1 1 {bad}",
        f"_{port}._tcp.mx.{ANCHOR}. TLSA 2 0 0 {anchored}",
    ]
    for each in ("sts.test", "strict.test"):
        records += [
            f'_mta-sts.{each}. TXT "v=STSv1; id=1;"',
            f"mta-sts.{each}. A {WEB}",
        ]
    authority.write(folder / "authority")
    with outside() as world:
        names = world.names("\n".join(records), vouches=True)
        serve_policies(world, web_port, folder / "web", authority)
        world.hosts(port, [CLEAR])
        server = Server(folder / "server")
        trusted = folder / "authority" / "certificate.pem"
        server.settings = (
            f'[tls]\ntrust = "{trusted}"\nrequired_to = ["demanded.test"]\n'
            'required_from = ["strict.test"]\n'
            f'[dns]\nservers = ["{names.place}"]\n'
            f'[relay]\nallow = ["127.0.0.0/8"]\nport = {port}\n'
            f"https_port = {web_port}\n"
        )
        server.write_config()
        text = server.config.read_text()
        server.config.write_text(text.replace('"localhost"', '"mail.example.test"'))
        server.add(ALICE)
        with postfix_at(
            port,
            f"virtual_mailbox_domains = {' '.join(domains)}",
            "virtual_mailbox_maps = static:bob/",
            address=POSTFIX,
            certified=shown,
        ) as postfix:
            assert isinstance(postfix, Postfix)
            server.start()
            try:
                yield Town(server, names, world, port)
            finally:
                server.stop()


@pytest.mark.parametrize(
    ("domain", "step", "words"),
    [
        ("plain.test", "sent", "TLSv1.3"),
        ("dane.test", "sent", "checked by dane"),
        (ANCHOR, "sent", "checked by dane"),
        ("sts.test", "sent", "checked by mta-sts"),
        ("liar.test", "deferred", "TLSA"),
        ("strict.test", "deferred", "mta-sts"),
        ("open.test", "sent", "250 2.0.0 Taken"),
        ("demanded.test", "deferred", "no STARTTLS (our config demands TLS)"),
    ],
)
def test_a_policy(town: Town, domain: str, step: str, words: str) -> None:
    """DANE (RFC 7672) and MTA-STS (RFC 8461): what they demand, or nothing leaves."""
    said = town.told(town.submit(domain), step)
    assert words.lower() in said.lower()
    if domain in ("plain.test", "open.test"):
        assert "checked" not in said
    if domain == "open.test":
        assert "TLS" not in said


def test_whom_we_believe_under_tls_alone(town: Town) -> None:
    """``[tls] required_from``: the same words, before and after STARTTLS."""
    port = town.server.ports["smtp"]
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        code, said = client.mail("x@strict.test")
        assert (code, said) == (530, b"5.7.0 That domain sends after STARTTLS only")
        assert client.mail("x@plain.test")[0] == 250
        client.rset()
        client.starttls()
        client.ehlo()
        assert client.mail("x@strict.test")[0] == 250


@pytest.mark.parametrize(
    ("domain", "is_good"), [("dane.test", True), (ANCHOR, True), ("liar.test", False)]
)
def test_posttls_finger_judges_as_we_do(
    town: Town, tmp_path: Path, domain: str, is_good: bool
) -> None:
    """Postfix's client looks at the same hosts by the same records."""
    need_root()
    finger = program("posttls-finger")
    words = ("-c", "-l", "dane-only", "-L", "summary", f"{domain}:{town.port}")
    said = with_own_names(town.at_53, tmp_path, finger, *words, codes=(0, 1))
    assert ("Verified TLS connection established" in said) is is_good, said


def test_our_certificate_by_posttls_finger(town: Town, tmp_path: Path) -> None:
    """Postfix's client believes our TLSA record, and no other."""
    need_root()
    finger = program("posttls-finger")
    zone = town.server.command("domain", "dns", "example.test")
    found = re.search(r"TLSA\s+(3 1 1 [0-9A-Fa-f ]+)", zone)
    assert found, zone
    smtp = town.server.ports["smtp"]
    records = town.names.server.records
    records.add({"mail.example.test": {"A": "127.0.0.1"}})
    name = f"_{smtp}._tcp.mail.example.test"
    records.add({name: {"TLSA": found[1]}})
    words = ("-c", "-l", "dane-only", "-L", "summary", f"[mail.example.test]:{smtp}")
    said = with_own_names(town.at_53, tmp_path, finger, *words)
    assert "Verified TLS connection established" in said
    records.drop(name)
    records.add({name: {"TLSA": "3 1 1 " + "00" * 32}})
    said = with_own_names(town.at_53, tmp_path, finger, *words, codes=(0, 1))
    assert "Verified" not in said
