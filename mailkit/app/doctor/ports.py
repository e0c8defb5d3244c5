"""The certificates that our ports show, looked at as their clients do."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from attrs import frozen
from cryptography import x509

from mailkit.app.ownports import EVERYWHERE, place_of
from mailkit.app.settings import Settings
from mailkit.net.relay.names import names_of
from mailkit.services.doctor.finding import Finding
from mailkit.services.doctor.machine import Served, judge_served, judge_silent

PATIENCE = 15.0
"""Seconds for each port, which is on this machine."""
LONGEST = 16_384
"""Octets of a reply."""


class Silent(OSError):
    """A port says something else than it should; the text says what."""


@frozen
class Upgrade:
    """How a protocol comes to TLS: what is said, and what the answers end like."""

    greeting: str
    steps: tuple[tuple[bytes, str], ...] = ()


_SMTP = Upgrade(
    r"(?m)^220 .*\n",
    (
        (b"EHLO doctor.invalid\r\n", r"(?m)^250 .*\n"),
        (b"STARTTLS\r\n", r"(?m)^220 .*\n"),
    ),
)

UPGRADES: Mapping[str, Upgrade | None] = {
    "smtp": _SMTP,
    "submission": _SMTP,
    "submissions": None,
    "imap": Upgrade(r"\* OK.*\n", ((b"d STARTTLS\r\n", r"(?m)^d OK.*\n"),)),
    "imaps": None,
    "pop3": Upgrade(r"\+OK.*\n", ((b"STLS\r\n", r"\+OK.*\n"),)),
    "pop3s": None,
    "https": None,
}
"""Services with certificates; ``None``: TLS comes first."""


def look_at_ports(settings: Settings, now: Callable[[], datetime]) -> list[Finding]:
    """Connect to each of our ports that has TLS; blocks."""
    wanted = [settings.hostname.lower()]
    findings: list[Finding] = []
    for service, upgrade in UPGRADES.items():
        for description in getattr(settings.listen, service):
            place = place_of(description)
            if place is None or not place[1]:
                continue
            port = f"{service} {place[1]}"
            try:
                served = look(place, port, wanted[0], upgrade, settings.tls.trust)
            except OSError as error:
                words = error.strerror or str(error) or type(error).__name__
                findings.append(judge_silent(port, words))
            else:
                findings.append(judge_served(served, wanted, now()))
    return findings


def look(
    place: tuple[str, int],
    port: str,
    name: str,
    upgrade: Upgrade | None,
    trust: Path | None,
) -> Served:
    """
    What a port shows to whoever asks for a name.

    :param port: what it is called.
    :raises OSError: if there is no TLS.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    if trust is not None:
        context.load_verify_locations(trust)
    trouble = ""
    try:
        octets = _certificate(place, name, upgrade, context)
    except ssl.SSLCertVerificationError as error:
        trouble = error.verify_message
        context.verify_mode = ssl.CERT_NONE
        octets = _certificate(place, name, upgrade, context)
    leaf = x509.load_der_x509_certificate(octets)
    return Served(port, names_of(leaf), leaf.not_valid_after_utc, trouble)


def _certificate(
    place: tuple[str, int], name: str, upgrade: Upgrade | None, context: ssl.SSLContext
) -> bytes:
    host = _LOOPBACK.get(place[0], place[0])
    with socket.create_connection((host, place[1]), PATIENCE) as plain:
        if upgrade is not None:
            _expect(plain, upgrade.greeting)
            for command, answer in upgrade.steps:
                plain.sendall(command)
                _expect(plain, answer)
        with context.wrap_socket(plain, server_hostname=name) as secure:
            octets = secure.getpeercert(binary_form=True)
    if octets is None:
        raise Silent("it shows no certificate")
    return octets


def _expect(connection: socket.socket, pattern: str) -> str:
    """:raises Silent: if something else is said, or too much."""
    said = b""
    while len(said) < LONGEST:
        piece = connection.recv(4096)
        if not piece:
            break
        said += piece
        text = said.decode("utf-8", "replace").replace("\r\n", "\n")
        if re.search(pattern, text):
            return text
    line = said.decode("utf-8", "replace").partition("\r\n")[0]
    raise Silent(f'it says "{line}"' if line else "it hangs up")


_LOOPBACK = dict.fromkeys(EVERYWHERE, "127.0.0.1") | {"::": "::1"}
"""Where one is reached that listens on all addresses."""
