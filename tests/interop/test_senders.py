"""Mail comes in from swaks, curl, openssl, smtplib and aiosmtplib."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

import aiosmtplib
import pytest

from tests.interop.conftest import ALICE, BOB
from tests.interop.server import PASSWORD, Server, need, run


def letter(subject: str, sender: str = ALICE, to: str = BOB) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content("Grüße\n.a line with a dot\n")
    return message


def arrived(server: Server, subject: str, to: str = BOB) -> bytes:
    """The one message with that subject."""
    line = f"Subject: {subject}\r\n".encode()
    (octets,) = [m for m in server.messages(to) if line in m]
    return octets


def swaks(server: Server, service: str, *words: str, to: str = BOB) -> str:
    need("swaks")
    port = str(server.ports[service])
    codes = range(256)
    return run(
        "swaks", "--server", "127.0.0.1", "--port", port, "--timeout", "60",
        "--to", to, *words, codes=codes,
    )  # fmt: skip


def test_swaks_stranger(server: Server) -> None:
    """A stranger's mail is taken, and its trace begins with us."""
    subject = "from a stranger"
    said = swaks(
        server, "smtp", "--from", "x@elsewhere.test", "--header", f"Subject: {subject}"
    )
    assert "250 2.0.0" in said
    octets = arrived(server, subject)
    assert octets.startswith(b"Return-Path: <x@elsewhere.test>\r\n")
    assert b"Received: from " in octets


def test_swaks_starttls(server: Server) -> None:
    subject = "under TLS"
    swaks(
        server, "smtp", "--tls", "--from", "x@elsewhere.test",
        "--header", f"Subject: {subject}",
    )  # fmt: skip
    assert b"with ESMTPS" in arrived(server, subject)


def test_no_relay(server: Server) -> None:
    """Strangers do not reach others through us; our own people do."""
    said = swaks(server, "smtp", "--from", "x@elsewhere.test", to="y@elsewhere.test")
    assert "550 5.7.1" in said
    said = swaks(
        server, "submission", "--tls", "--from", ALICE, "--auth", "PLAIN",
        "--auth-user", ALICE, "--auth-password", PASSWORD, to="y@elsewhere.test",
    )  # fmt: skip
    assert "250 2.0.0 Accepted as" in said


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(server: Server, mechanism: str) -> None:
    subject = f"submitted by {mechanism}"
    said = swaks(
        server, "submission", "--tls", "--from", ALICE, "--auth", mechanism,
        "--auth-user", ALICE, "--auth-password", PASSWORD,
        "--header", f"Subject: {subject}",
    )  # fmt: skip
    assert "235 2.7.0" in said
    octets = arrived(server, subject)
    assert b"with ESMTPSA" in octets
    assert b"127.0.0.1" not in octets


def test_wrong_password(server: Server) -> None:
    said = swaks(
        server, "submission", "--tls", "--from", ALICE, "--auth", "PLAIN",
        "--auth-user", ALICE, "--auth-password", "wrong",
    )  # fmt: skip
    assert "535 5.7.8" in said


def test_somebody_elses_sender(server: Server) -> None:
    """Who is logged in owns the From, or is refused."""
    said = swaks(
        server, "submission", "--tls", "--from", BOB, "--auth", "PLAIN",
        "--auth-user", ALICE, "--auth-password", PASSWORD,
    )  # fmt: skip
    assert "550 5.7.1" in said or "553 5.7.1" in said


def test_swaks_lmtp(server: Server) -> None:
    subject = "by LMTP"
    said = swaks(
        server, "lmtp", "--protocol", "LMTP", "--from", "x@elsewhere.test",
        "--header", f"Subject: {subject}",
    )  # fmt: skip
    assert "250 2.0.0" in said or "250 2.1.5" in said
    assert b"with LMTP" in arrived(server, subject)


def test_curl_submits(server: Server) -> None:
    """curl checks the certificate that is printed for it."""
    need("curl")
    run(
        "curl", "--silent", "--show-error", "--cacert", str(server.certificate),
        "--url", f"smtps://localhost:{server.ports['submissions']}",
        "--user", f"{ALICE}:{PASSWORD}",
        "--mail-from", ALICE, "--mail-rcpt", BOB, "--upload-file", "-",
        stdin=letter("by curl").as_bytes().replace(b"\n", b"\r\n"),
    )  # fmt: skip
    assert b"Message-ID:" in arrived(server, "by curl")


@pytest.mark.parametrize("service", ["smtp", "imap", "pop3"])
def test_openssl_starttls(server: Server, service: str) -> None:
    """The upgrade and the certificate please openssl."""
    need("openssl")
    said = run(
        "openssl", "s_client", "-connect", f"localhost:{server.ports[service]}",
        "-starttls", service, "-CAfile", str(server.certificate),
        "-verify_return_error", stdin=b"QUIT\r\n",
    )  # fmt: skip
    assert "Verify return code: 0 (ok)" in said


@pytest.mark.parametrize("service", ["submissions", "imaps", "pop3s"])
def test_openssl_old_versions(server: Server, service: str) -> None:
    """TLS 1.1 is not spoken."""
    need("openssl")
    run(
        "openssl", "s_client", "-connect", f"localhost:{server.ports[service]}",
        "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", codes=(1,),
    )  # fmt: skip


def test_smtplib(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.certificate))
    with smtplib.SMTP("localhost", server.ports["submission"]) as client:
        client.starttls(context=context)
        client.login(ALICE, PASSWORD)
        assert client.send_message(letter("by smtplib")) == {}
    assert "Grüße".encode() in arrived(server, "by smtplib").replace(
        b"=C3=BC", "ü".encode()
    ).replace(b"=C3=9F", "ß".encode())


def test_smtplib_scram(server: Server) -> None:
    """What EHLO announces before and after TLS."""
    context = ssl.create_default_context(cafile=str(server.certificate))
    with smtplib.SMTP("localhost", server.ports["submission"]) as client:
        client.ehlo()
        client.starttls(context=context)
        client.ehlo()
        assert "SCRAM-SHA-256" in client.esmtp_features["auth"]
        assert {"size", "pipelining", "8bitmime", "smtputf8"} <= set(
            client.esmtp_features
        )


def test_aiosmtplib(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.certificate))

    async def send() -> None:
        await aiosmtplib.send(
            letter("by aiosmtplib"),
            hostname="localhost",
            port=server.ports["submissions"],
            use_tls=True,
            tls_context=context,
            username=ALICE,
            password=PASSWORD,
        )

    asyncio.run(send())
    assert arrived(server, "by aiosmtplib")
