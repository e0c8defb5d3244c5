"""The web pages behind nginx and Caddy, set up as the page about it says."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import smtplib
import socket
import ssl
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from attrs import define, field

from tests.docs.rfcs import ROOT
from tests.interop.server import (
    PASSWORD,
    PATIENCE,
    Server,
    can_connect,
    free_ports,
    need,
    wait_until,
)

HOST = "mail.example.org"
ORIGIN = f"https://{HOST}"
ALICE = "alice@example.test"
PERSON = "127.0.0.2"
"""Where the browser is; the proxy itself comes from 127.0.0.1."""

PAGE = (ROOT / "docs" / "howto" / "run-behind-a-proxy.md").read_text(encoding="utf-8")


def shown(language: str) -> list[str]:
    """Pieces of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, f"the page has no {old}"
        text = text.replace(old, new)
    return text


@define(eq=False)
class Person:
    """A browser that comes through a proxy."""

    port: int
    certificate: Path
    cookies: dict[str, str] = field(factory=dict)

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        place = ("127.0.0.1", self.port)
        plain = socket.create_connection(place, PATIENCE, (PERSON, 0))
        return context.wrap_socket(plain, server_hostname=HOST)

    def ask(
        self, verb: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, str, str]:
        """Status, page, and where it leads."""
        client = http.client.HTTPConnection(HOST)
        client.sock = self.connect()
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(verb, path, body or None, {**self.head, **lines})
        answer = client.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        client.close()
        return answer.status, text, answer.headers.get("Location", "")

    @property
    def head(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "Cookie": cookies,
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Dest": "empty",
        }

    def sign_in(self, **headers: str) -> None:
        self.cookies.clear()
        _, page, _ = self.ask("GET", "/login", b"", **headers)
        found = re.search('name="t" value="([^"]+)"', page)
        assert found is not None, page
        form = {"username": ALICE, "password": PASSWORD, "t": unescape(found[1])}
        status, page, location = self.ask(
            "POST",
            "/login",
            urlencode(form).encode(),
            Origin=ORIGIN,
            Content_Type="application/x-www-form-urlencoded",
            **headers,
        )
        assert (status, location) == (303, "/mail/inbox"), page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("behind"))
    server.ports["http"] = free_ports(1)[0]
    server.settings = (
        f'[web]\norigin = "{ORIGIN}"\n[proxy]\ntrusted = ["127.0.0.1/32"]\n'
    )
    server.write_config()
    server.add(ALICE)
    server.start()
    yield server
    server.stop()


def nginx(server: Server, folder: Path, port: int) -> list[str]:
    need("nginx")
    [block, addresses] = shown("nginx")
    block = replaced(
        block,
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("# ssl_certificate ...; ssl_certificate_key ...;", _nginx_keys(server)),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:{server.ports['http']}"),
        ('for=\\"$remote_addr\\"', "for=$forwarded_for"),
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/pid;\n"
        f"error_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{paths}{addresses}{block}}}\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(config)]


def _nginx_keys(server: Server) -> str:
    certificate, key = _keys(server)
    return f"ssl_certificate {certificate}; ssl_certificate_key {key};"


def _keys(server: Server) -> tuple[Path, Path]:
    key = next(iter((server.data / "tls").glob("*key*.pem")))
    return server.certificate, key


def caddy(server: Server, folder: Path, port: int) -> list[str]:
    need("caddy")
    certificate, key = _keys(server)
    [block] = shown("caddy")
    block = replaced(
        block,
        (
            f"{HOST} {{",
            f"https://{HOST}:{port} {{\nbind 127.0.0.1\ntls {certificate} {key}",
        ),
        ("127.0.0.1:8080", f"127.0.0.1:{server.ports['http']}"),
    )
    config = folder / "Caddyfile"
    config.write_text(f"{{\nadmin off\nauto_https off\n}}\n{block}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def person(
    request: pytest.FixtureRequest,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("proxy")
    [port] = free_ports(1)
    words = request.param(server, folder, port)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    try:
        wait_until("the proxy listens", lambda: can_connect(port))
        yield Person(port, server.certificate)
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_the_browser_is_known_by_its_own_address(person: Person) -> None:
    person.sign_in()
    status, page, _ = person.ask("GET", "/settings/security")
    assert status == 200
    assert f"{PERSON}, since" in page
    assert "127.0.0.1, since" not in page


def test_what_a_browser_says_of_itself_is_not_believed(person: Person) -> None:
    person.sign_in(Forwarded="for=198.51.100.9", X_Forwarded_For="198.51.100.9")
    _, page, _ = person.ask("GET", "/settings/security")
    assert "198.51.100.9" not in page


def test_events_come_as_they_happen(person: Person, server: Server) -> None:
    person.sign_in()
    stream = person.connect()
    stream.settimeout(PATIENCE)
    lines = "".join(f"{name}: {value}\r\n" for name, value in person.head.items())
    stream.sendall(f"GET /events HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n".encode())
    heard = b""
    while b"event: hello" not in heard:
        heard += stream.recv(4096) or pytest.fail(f"no stream: {heard!r}")
    # From the proxy's own address the PROXY protocol would be awaited.
    port = server.ports["smtp"]
    with smtplib.SMTP("127.0.0.1", port, source_address=("127.0.0.3", 0)) as smtp:
        letter = f"From: x@far.example\r\nTo: {ALICE}\r\nSubject: Now\r\n\r\nHello\r\n"
        smtp.sendmail("x@far.example", [ALICE], letter)
    while b"event: mail" not in heard:
        heard += stream.recv(4096) or pytest.fail(f"it ended: {heard!r}")
    stream.close()


def test_files_of_some_size_go_through(person: Person) -> None:
    person.sign_in()
    _, _, location = person.ask("GET", "/compose")
    draft = location.partition("draft=")[2]
    _, page, _ = person.ask("GET", location)
    found = re.search('name="csrf-compose" content="([^"]+)"', page)
    assert found is not None
    octets = secrets.token_bytes(5 * 1024 * 1024)
    mark = "----a-boundary"
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; '
        'filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    ).encode()
    status, text, _ = person.ask(
        "POST",
        f"/compose/{draft}/att",
        body + octets + f"\r\n--{mark}--\r\n".encode(),
        Origin=ORIGIN,
        X_CSRF=unescape(found[1]),
        Accept="application/json",
        Content_Type=f"multipart/form-data; boundary={mark}",
    )
    assert status == 200, text
    [file] = json.loads(text)["attachments"]
    assert file["size"] == len(octets)
