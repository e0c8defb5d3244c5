"""A Dovecot of our own that takes mail by LMTP, over TCP and a Unix socket."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define

from tests.interop.postfix import program
from tests.interop.server import (
    PATIENCE,
    can_connect,
    free_ports,
    remove,
    wait_until,
)

DOVECOT = """base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{folder}/mail/%n
auth_username_format = %Ln
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%n
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
service anvil {{
  chroot =
}}
service auth {{
  user = {me}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
"""


@define
class Dovecot:
    """Mailboxes of alice and bob, in any domain; nobody else is known."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "lmtp"

    def start(self) -> None:
        process = self.process = subprocess.Popen(
            [program("dovecot"), "-F", "-c", str(self.folder / "conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

        def listens() -> bool:
            assert process.poll() is None, process.communicate()[1]
            return can_connect(self.port)

        wait_until("dovecot listens", listens)

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def messages(self, name: str) -> list[bytes]:
        """What is in somebody's INBOX."""
        folder = self.folder / "mail" / name
        return [path.read_bytes() for path in sorted(folder.glob("new/*"))]


@contextmanager
def dovecot_with_lmtp() -> Iterator[Dovecot]:
    """One that runs; skips the test where there is none."""
    program("dovecot")
    if not Path("/usr/lib/dovecot/lmtp").exists():
        pytest.skip("dovecot-lmtpd is not installed")
    (port,) = free_ports(1)
    me = pwd.getpwuid(os.getuid())
    owner = pwd.getpwnam("nobody") if me.pw_uid == 0 else me
    # Dovecot's login processes never run as root; the package brings users for them.
    internal, login = ("dovecot", "dovenull") if me.pw_uid == 0 else (me.pw_name,) * 2
    group = "dovecot" if me.pw_uid == 0 else grp.getgrgid(os.getgid()).gr_name
    folder = Path(tempfile.mkdtemp(prefix="mailkit-"))
    folder.chmod(0o755)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    (folder / "users").write_text("alice:{PLAIN}x\nbob:{PLAIN}x\n")
    (folder / "conf").write_text(
        DOVECOT.format(
            folder=folder,
            port=port,
            internal=internal,
            group=group,
            login=login,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            me=me.pw_name,
        )
    )
    dovecot = Dovecot(folder, port)
    try:
        dovecot.start()
        yield dovecot
    finally:
        dovecot.stop()
        remove(folder)
