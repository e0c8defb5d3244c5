"""Pages that people see who are not signed in, and programs: as others ask for them."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl

import pytest
from attrs import frozen

from tests.interop.server import PATIENCE, Server, wait_until
from tests.interop.test_deliverable import DOMAIN, HOST, dns, server

__all__ = ["dns", "server"]

ANN = "ann@example.net"
TEMPLATE = "From: News <news@example.org>\nTo: {{ email }}\nSubject: x\n\nHello\n"


@frozen
class Heard:
    """What a page says."""

    status: int
    headers: dict[str, str]
    text: str


def ask(server: Server, name: str, verb: str, path: str, body: str = "") -> Heard:
    """As a browser would: TLS for the name, its certificate checked."""
    trusted = server.folder.parent / "root" / "certificate.pem"
    context = ssl.create_default_context(cafile=str(trusted))
    plain = socket.create_connection(("127.0.0.1", server.ports["https"]), PATIENCE)
    with context.wrap_socket(plain, server_hostname=name) as secure:
        client = http.client.HTTPConnection(name)
        client.sock = secure
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        client.request(verb, path, body or None, kind)
        response = client.getresponse()
        text = response.read().decode()
        headers = {key.lower(): value for key, value in response.getheaders()}
        return Heard(response.status, headers, text)


@pytest.fixture(scope="module")
def link(server: Server) -> str:
    """Where a bulk message can be unsubscribed from."""
    server.command("domain", "add", DOMAIN)
    server.add(f"news@{DOMAIN}")
    (server.folder / "people.csv").write_text(f"email\n{ANN}\n")
    (server.folder / "news.eml.j2").write_text(TEMPLATE)
    words = ("send", "--from", f"news@{DOMAIN}", "--to", "people.csv")
    said = server.command("--json", *words, "--template", "news.eml.j2", "--dry-run")
    unfolded = re.sub(r"\r?\n[ \t]+", " ", json.loads(said)["example"])
    [found] = re.findall(
        rf"^List-Unsubscribe: +<https://{HOST}(/u/\S+)>", unfolded, re.M
    )
    return str(found)


def suppressed(server: Server) -> list[tuple[str, str]]:
    found = json.loads(server.command("--json", "suppression", "list"))
    return [(one["address"], one["cause"]) for one in found]


def test_one_click_ends_bulk_mail(server: Server, link: str) -> None:
    """RFC 8058 §3.2: whoever looks changes nothing; one POST does, without a page."""
    page = ask(server, HOST, "GET", link)
    assert page.status == 200
    assert page.text.count("<button") == 1
    assert ANN in page.text
    assert suppressed(server) == []
    assert ask(server, HOST, "POST", f"{link}x").status == 404
    assert suppressed(server) == []
    heard = ask(server, HOST, "POST", link, "List-Unsubscribe=One-Click")
    assert (heard.status, "<" in heard.text) == (200, False)
    assert suppressed(server) == [(ANN, "unsubscribed")]
    assert ask(server, HOST, "POST", link).status == 200  # once more is nothing new
    assert len(suppressed(server)) == 1


def test_the_policy_by_its_own_name(server: Server) -> None:
    """RFC 8461 §3.3; the certificate is looked at for that name."""
    server.command("domain", "add", DOMAIN, ok=False)
    policy = (server, f"mta-sts.{DOMAIN}", "GET", "/.well-known/mta-sts.txt")
    wait_until("the domain is known", lambda: ask(*policy).status == 200)
    heard = ask(*policy)
    assert heard.headers["content-type"].startswith("text/plain")
    assert f"mode: enforce\r\nmx: {HOST}\r\n" in heard.text
    assert ask(server, HOST, "GET", "/.well-known/mta-sts.txt").status == 404


@pytest.mark.parametrize("path", ["/healthz", "/u/none", "/nothing"])
def test_headers(server: Server, path: str) -> None:
    heard = ask(server, HOST, "GET", path)
    assert heard.status == (200 if path == "/healthz" else 404)
    policy = heard.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; base-uri 'none';")
    assert heard.headers["strict-transport-security"] == "max-age=31536000"
    assert heard.headers["x-content-type-options"] == "nosniff"
    assert heard.headers["x-frame-options"] == "DENY"
    assert heard.headers["referrer-policy"] == "no-referrer"
