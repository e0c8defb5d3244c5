"""The parts of the demo: places, certificates, words, and what may go wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from rich.console import Console

from mailkit.app.demo import servers
from mailkit.app.demo.authority import Authority
from mailkit.app.demo.clients import Mail, check_signatures, id_of
from mailkit.app.demo.places import ADDRESSES, SERVICES, Place, find_places
from mailkit.app.demo.servers import DemoFailed, DemoServer, Person, environment
from mailkit.app.demo.telling import Telling
from mailkit.net.tls import make_context, names_in

NOW = datetime(2026, 11, 21, tzinfo=UTC)


# -- places


def test_the_same_ports_of_two_addresses() -> None:
    here, there = find_places()
    assert (here.address, there.address) == ADDRESSES
    assert here.ports == there.ports
    assert list(here.ports) == list(SERVICES)
    assert len(set(here.ports.values())) == len(SERVICES)


@pytest.mark.parametrize("other", ["127.0.0.1", "192.0.2.1"])
def test_other_ports_where_there_is_one_address(other: str) -> None:
    here, there = find_places(("127.0.0.1", other))
    assert here.address == there.address == "127.0.0.1"
    assert not set(here.ports.values()) & set(there.ports.values())


# -- certificates


def test_a_certificate_that_the_authority_vouches_for(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path, NOW)
    pair = authority.sign(tmp_path, ["mail.a.test", "mta-sts.a.test", "127.0.0.1"])
    make_context(pair)
    assert names_in(pair.certificate) == ("mail.a.test", "mta-sts.a.test")
    assert pair.key.stat().st_mode & 0o777 == 0o600
    leaf = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    root = x509.load_pem_x509_certificate(authority.path.read_bytes())
    leaf.verify_directly_issued_by(root)


# -- words


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_words_and_evidence(out: io.StringIO) -> None:
    tell = Telling(Console(file=out, width=40))
    tell.title("Title")
    tell.step("First")
    tell.says("words that are more than one line of this narrow screen holds")
    tell.shows(["From: \x1b[1ma", "", "X: one two three four five six seven eight"])
    tell.step("Second")
    tell.ran("mailkit x", ["y"])
    assert out.getvalue() == (
        "\nTitle\n"
        "\n1  First\n"
        "   words that are more than one line of\n"
        "   this narrow screen holds\n"
        "   │ From:  [1ma\n"
        "   │\n"
        "   │ X: one two three four five six\n"
        "   │     seven eight\n"
        "\n2  Second\n"
        "   │ $ mailkit x\n"
        "   │ y\n"
    )


def test_an_id() -> None:
    assert id_of("250 2.0.0 Accepted as 0123456789abcdef") == "0123456789abcdef"


def test_fields_are_shown_on_one_line() -> None:
    mail = Mail(b"Subject: a\r\n b\r\nX: 1\r\nx: 2\r\n\r\nbody\r\n")
    assert mail.fields("Subject", "X", "Y") == ["Subject: a b", "X: 1", "X: 2"]


# -- what may go wrong


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    def run(words: Sequence[str]) -> str:
        return " ".join(words)

    place = find_places()[0]
    person = Person("Anna", "anna@east.test", "secret")
    made = DemoServer("east.test", place, tmp_path, person, tmp_path / "a.pem", run)
    yield made
    made.stop()


def test_the_command_is_told_which_server_is_meant(server: DemoServer) -> None:
    assert server.command("queue", "list") == f"--config {server.config} queue list"


def test_a_server_that_ends_says_why(server: DemoServer) -> None:
    server.config.write_text("hostnam = 1\n")
    server.start()
    with pytest.raises(DemoFailed, match=r"mail\.east\.test has ended: .*hostnam"):
        server.wait()


def test_a_server_that_does_not_answer(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.0)
    monkeypatch.setattr(sys, "executable", "/bin/cat")
    server.start()
    assert server.process is not None
    with pytest.raises(DemoFailed, match=r"does not answer \(0 s\)|has ended"):
        server.wait()


def test_mail_that_is_not_signed(server: DemoServer) -> None:
    mail = Mail(b"From: a@a.test\r\n\r\nbody\r\n")
    with pytest.raises(DemoFailed, match="the message is not signed"):
        check_signatures(mail, server)


def test_settings_of_another_server_do_not_reach_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILKIT_DATA", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/mine")
    found = environment()
    assert "MAILKIT_DATA" not in found
    assert found["PYTHONPATH"].endswith(f"{os.pathsep}/mine")


def test_a_place() -> None:
    place = Place("127.0.0.1", {"smtp": 2525})
    assert place.at("smtp") == ("127.0.0.1", 2525)
