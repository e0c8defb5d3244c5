"""Dovecot reads the Maildir that we wrote, and we see the flags that it sets."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.interop.conftest import BOB
from tests.interop.server import (
    PASSWORD,
    PATIENCE,
    Server,
    can_connect,
    free_ports,
    need,
    remove,
    wait_until,
)

NOBODY = "nobody"
"""Who owns the mail where the test runs as root."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server whose folder others than root can reach."""
    folder = Path(tempfile.mkdtemp(prefix="mailkit-dovecot-"))
    folder.chmod(0o755)
    server = Server(folder / "server")
    try:
        server.add(BOB)
        server.start()
        yield server
    finally:
        server.stop()
        remove(folder)


def hand_over(server: Server) -> None:
    """Dovecot serves nobody's mail that belongs to root, so it gets an owner."""
    if os.getuid() == 0:
        owner = pwd.getpwnam(NOBODY)
        for folder, _, names in os.walk(server.data):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                with suppress(FileNotFoundError):  # the server works there meanwhile
                    os.chown(path, owner.pw_uid, owner.pw_gid)


@pytest.fixture
def dovecot(server: Server, tmp_path: Path) -> Iterator[int]:
    """A Dovecot over bob's folder; its IMAP port."""
    path = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        need("dovecot")
    assert path is not None
    (port,) = free_ports(1)
    me = pwd.getpwuid(os.getuid())
    owner = pwd.getpwnam(NOBODY) if me.pw_uid == 0 else me
    # Dovecot's login processes never run as root; the package brings users for them.
    internal, login = ("dovecot", "dovenull") if me.pw_uid == 0 else (me.pw_name,) * 2
    group = "dovecot" if me.pw_uid == 0 else grp.getgrgid(os.getgid()).gr_name
    home = server.maildir(BOB).parent
    users = tmp_path / "users"
    users.write_text(
        f"{BOB}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::{home}\n"
    )
    control = server.folder / "control"
    control.mkdir()
    os.chown(control, owner.pw_uid, owner.pw_gid)
    config = tmp_path / "dovecot.conf"
    config.write_text(
        f"""base_dir = {tmp_path}/run
state_dir = {tmp_path}/run
log_path = {tmp_path}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:~/Maildir:INDEX=MEMORY:CONTROL={server.folder}/control
maildir_stat_dirs = yes
passdb {{
  driver = passwd-file
  args = username_format=%u {users}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {users}
}}
service anvil {{
  chroot =
}}
service auth {{
  user = {me.pw_name}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""
    )
    process = subprocess.Popen(
        [path, "-F", "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:

        def listens() -> bool:
            assert process.poll() is None, process.communicate()[1]
            return can_connect(port)

        wait_until("dovecot listens", listens)
        yield port
    finally:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def imap(port: int) -> imaplib.IMAP4:
    client = imaplib.IMAP4("127.0.0.1", port)
    client.login(BOB, PASSWORD)
    return client


def number_of(client: imaplib.IMAP4, subject: str) -> str:
    """Which one it is: each server counts messages as it has come to know them."""
    [octets] = client.search(None, "SUBJECT", f'"{subject}"')[1]
    assert isinstance(octets, bytes)
    return octets.decode()


def test_both(server: Server, dovecot: int) -> None:
    """What we deliver it reads; what it flags and moves we see."""
    with smtplib.SMTP("localhost", server.ports["smtp"]) as client:
        for n in (1, 2, 3):
            text = f"From: x@y.test\r\nSubject: letter {n}\r\n\r\nbody {n}\r\n"
            client.sendmail("x@y.test", [BOB], text)
    hand_over(server)
    with imap(server.ports["imap"]) as ours:
        ours.select("INBOX")
        ours.store("2", "+FLAGS", "\\Answered")
        with imap(dovecot) as theirs:

            def all_there() -> bool:
                # The first SELECT of a folder new to Dovecot may come too early.
                return theirs.select("INBOX")[1] == [b"3"]

            wait_until("Dovecot sees three messages", all_there)
            whole = theirs.fetch(number_of(theirs, "letter 3"), "(BODY.PEEK[])")[1]
            assert isinstance(whole[0], tuple)
            assert b"Subject: letter 3\r\n\r\nbody 3\r\n" in whole[0][1]
            first = number_of(theirs, "letter 1")
            theirs.store(first, "+FLAGS", "(\\Flagged \\Seen)")
            theirs.append("INBOX", "\\Draft", "", b"Subject: theirs\r\n\r\nx\r\n")

        def seen() -> bool:
            ours.select("INBOX")  # each SELECT looks at the folder
            return ours.search(None, "FLAGGED")[1] == [b"1"] and (
                ours.search(None, "DRAFT")[1] == [b"4"]
            )

        wait_until("its flags and its message are seen", seen)
