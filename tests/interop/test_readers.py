"""Mail is read by imaplib, poplib, curl, getmail, neomutt and mbsync."""

from __future__ import annotations

import imaplib
import mailbox
import poplib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.conftest import ALICE, BOB
from tests.interop.server import PASSWORD, Server, need, run


@pytest.fixture(scope="module", autouse=True)
def letters(server: Server) -> None:
    """Three messages for each."""
    with smtplib.SMTP("localhost", server.ports["smtp"]) as client:
        for n in range(1, 4):
            text = f"From: x@elsewhere.test\r\nSubject: letter {n}\r\n\r\n.body {n}\r\n"
            client.sendmail("x@elsewhere.test", [ALICE, BOB], text)


@contextmanager
def imap(server: Server, who: str = ALICE) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context(cafile=str(server.certificate))
    port = server.ports["imaps"]
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=context) as client:
        client.login(who, PASSWORD)
        yield client


def test_imaplib(server: Server) -> None:
    """Select, search, fetch, store, append, copy, expunge."""
    with imap(server) as client:
        assert client.select("INBOX")[1] == [b"3"]
        assert client.search(None, "SUBJECT", '"letter 2"')[1] == [b"2"]
        fetched = client.fetch("2", "(BODY.PEEK[TEXT])")[1]
        assert isinstance(fetched[0], tuple)
        assert fetched[0][1] == b".body 2\r\n"
        client.append("Drafts", "\\Draft", None, b"Subject: d\r\n\r\nd\r\n")
        assert client.status("Drafts", "(MESSAGES)")[1] == [b'"Drafts" (MESSAGES 1)']
        assert client.copy("1:3", "Archive")[0] == "OK"
        client.select("Archive")
        client.store("2", "+FLAGS", "\\Deleted")
        assert client.expunge()[1] == [b"2"]
        assert client.uid("SEARCH", "ALL")[1] == [b"1 3"]


def test_imaplib_utf8(server: Server) -> None:
    """Mailboxes with names of the world."""
    with imap(server) as client:
        client.enable("UTF8=ACCEPT")
        assert client.create('"Entwürfe & 下書き"')[0] == "OK"
        names = b"\n".join(line for line in client.list()[1] if isinstance(line, bytes))
        assert "Entwürfe & 下書き".encode() in names
    assert (server.maildir(ALICE) / ".Entwürfe & 下書き").is_dir()


def test_poplib(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.certificate))
    client = poplib.POP3("localhost", server.ports["pop3"])
    assert "STLS" in client.capa()
    client.stls(context=context)
    client.utf8()
    client.user(BOB)
    client.pass_(PASSWORD)
    assert client.stat()[0] == 3
    assert b"..body" not in client.retr(1)[1]
    assert b".body 1" in client.retr(1)[1]
    assert len(client.top(2, 0)[1]) < len(client.retr(2)[1])
    ids = client.uidl()[1]
    assert len(set(ids)) == 3
    client.dele(2)
    client.rset()
    client.quit()


def test_curl(server: Server) -> None:
    """One message by IMAP, a listing and a message by POP3, certificate checked."""
    need("curl")
    common = ("--silent", "--show-error", "--cacert", str(server.certificate))
    login = ("--user", f"{ALICE}:{PASSWORD}")
    port = server.ports["imaps"]
    url = f"imaps://localhost:{port}/INBOX;MAILINDEX=1"
    assert "letter 1" in run("curl", *common, *login, url)
    pop3 = f"pop3s://localhost:{server.ports['pop3s']}/"
    assert run("curl", *common, *login, pop3).count("\n") == 3
    assert "letter 3" in run("curl", *common, *login, pop3 + "3")


def test_getmail(server: Server, tmp_path: Path) -> None:
    """
    getmail takes everything, once.

    It misses the end of a program that is over before it waits for it, and then waits
    for three minutes; so the program goes on until getmail sleeps.
    """
    need("getmail")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    sleeps = "grep -q '^State:.S' /proc/$PPID/status"
    until_it_sleeps = f"until {sleeps}; do sleep 0.1; done"
    (tmp_path / "getmailrc").write_text(
        f"""[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = {server.ports["pop3s"]}
username = {BOB}
password = {PASSWORD}
ca_certs = {server.certificate}
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat > {inbox}/$$; {until_it_sleeps}")
allow_root_commands = true
[options]
read_all = false
"""
    )
    words = ("getmail", "--getmaildir", str(tmp_path), "--rcfile", "getmailrc")
    run(*words)
    assert len(list(inbox.iterdir())) == 3
    assert b"body 1" in b"".join(path.read_bytes() for path in inbox.iterdir())
    run(*words)
    assert len(list(inbox.iterdir())) == 3


def test_neomutt(server: Server, tmp_path: Path) -> None:
    """neomutt opens the INBOX, saves a message into another mailbox and leaves."""
    need("neomutt")
    rc = tmp_path / "muttrc"
    rc.write_text(
        f"""set folder = "imap://localhost:{server.ports["imap"]}/"
set spoolfile = "+INBOX"
set imap_user = "{BOB}"
set imap_pass = "{PASSWORD}"
set connect_timeout = 60
set ssl_starttls = yes
set ssl_force_tls = yes
set ssl_ca_certificates_file = "{server.certificate}"
set certificate_file = "{server.certificate}"
set ssl_verify_host = no
set confirmappend = no
set delete = yes
set quit = yes
set header_cache = ""
push "<copy-message>=Archive<enter><quit>"
"""
    )
    run(
        "env", "TERM=xterm", "script", "-qec", f"neomutt -n -F {rc}", "/dev/null",
        cwd=tmp_path, codes=(0, 1),
    )  # fmt: skip
    with imap(server, BOB) as client:
        assert client.status("Archive", "(MESSAGES)")[1] == [b'"Archive" (MESSAGES 1)']


class TestMbsync:
    """Two-way: mail, flags and deletions, in both directions."""

    @pytest.fixture
    def there(self, server: Server, tmp_path: Path) -> Path:
        need("mbsync")
        (tmp_path / "mbsyncrc").write_text(
            f"""IMAPAccount local
Host localhost
Port {server.ports["imaps"]}
User {ALICE}
Pass "{PASSWORD}"
Timeout 60
SSLType IMAPS
CertificateFile {server.certificate}

IMAPStore far
Account local

MaildirStore near
Path {tmp_path}/mail/
Inbox {tmp_path}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX Sent
Create Both
Expunge Both
SyncState *
"""
        )
        (tmp_path / "mail").mkdir()
        return tmp_path

    def sync(self, there: Path) -> None:
        run("mbsync", "-q", "-c", str(there / "mbsyncrc"), "all")

    def test_both_ways(self, server: Server, there: Path) -> None:
        self.sync(there)
        near = mailbox.Maildir(there / "mail" / "INBOX", create=False)
        with imap(server) as client:
            (before,) = client.select("INBOX")[1]
            assert before is not None
            assert len(near) == int(before)

        # Here a flag, a new message and a deletion …
        one, two, *_ = sorted(near.keys(), key=lambda k: near[k]["Subject"])
        message = near[one]
        message.set_flags("FS")
        near[one] = message
        gone = near[two]
        gone.set_flags("ST")
        near[two] = gone
        sent = mailbox.Maildir(there / "mail" / "Sent", create=True)
        sent.add(b"Subject: written here\n\nx\n")
        self.sync(there)
        with imap(server) as client:
            assert client.select("INBOX")[1] == [b"%d" % (int(before) - 1)]
            assert client.search(None, "FLAGGED")[1] == [b"1"]
            assert client.select("Sent")[1] == [b"1"]

        # … and there the same.
        with imap(server) as client:
            client.select("INBOX")
            client.store("1", "-FLAGS", "\\Flagged")
            client.store("1", "+FLAGS", "\\Answered")
            client.select("Sent")
            client.store("1", "+FLAGS", "\\Deleted")
            client.expunge()
        self.sync(there)
        near = mailbox.Maildir(there / "mail" / "INBOX", create=False)
        flags = sorted(near[key].get_flags() for key in near.keys())  # noqa: SIM118 - a Maildir is no dict
        assert "RS" in flags
        assert len(mailbox.Maildir(there / "mail" / "Sent", create=False)) == 0
