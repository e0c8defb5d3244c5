"""A whole Postfix in a folder of its own, begun as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define

from tests.interop.server import can_connect_to, need, remove, wait_until
from tests.net.relay.authority import Certified, certify

_SBIN = os.environ["PATH"] + ":/usr/sbin:/usr/lib/postfix/sbin"


def program(name: str) -> str:
    """Where one of its programs is."""
    path = shutil.which(name, path=_SBIN)
    if path is None:
        need(name)
    assert path is not None
    return path


@define(eq=False)
class Postfix:
    """It takes mail for its domain, and sends what hosts of loopback give it."""

    folder: Path
    address: str
    port: int

    def arrived(self, name: str) -> list[bytes]:
        """What is in a mailbox."""
        return [path.read_bytes() for path in self.folder.glob(f"mail/{name}/new/*")]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def postfix_at(
    port: int,
    *settings: str,
    address: str = "127.0.0.1",
    hostname: str = "postfix.test",
    domain: str = "example.test",
    certified: Certified | None = None,
) -> Iterator[Postfix]:
    """
    One that listens there; its only mailbox is ``bob`` of the domain.

    :param settings: more lines of ``main.cf``.
    :param certified: what it shows under TLS; signed by itself if nothing else.
    """
    path = program("postfix")
    if os.geteuid() != 0:
        pytest.skip("needs root: postfix begins as root")
    owner, nobody = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="mailkit-"))
    folder.chmod(0o755)
    for name in ("conf", "queue", "data", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    os.chown(folder / "mail", nobody.pw_uid, nobody.pw_gid)
    pair = (certified or certify("x", "localhost")).write(folder / "tls")
    chain = folder / "chain.pem"
    chain.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    text = _MAIN.format(
        folder=folder,
        uid=nobody.pw_uid,
        gid=nobody.pw_gid,
        hostname=hostname,
        domain=domain,
    )
    (folder / "conf" / "main.cf").write_text("\n".join([text, *settings, ""]))
    (folder / "conf" / "master.cf").write_text(
        _MASTER.format(address=address, port=port)
    )
    # It leaves our streams to its daemons: they must not be pipes that somebody reads.
    subprocess.run(
        [path, "-c", str(folder / "conf"), "start"],
        stdin=subprocess.DEVNULL,
        stdout=(folder / "said").open("wb"),
        stderr=subprocess.STDOUT,
        check=True,
    )
    try:
        wait_until("postfix listens", lambda: can_connect_to(address, port))
        yield Postfix(folder, address, port)
    finally:
        # It kills what has not ended in five seconds, and fails if that ends just then.
        subprocess.run(
            [path, "-c", str(folder / "conf"), "stop"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        wait_until("postfix has ended", lambda: not can_connect_to(address, port))
        remove(folder)


_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = {hostname}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = inline:{{{{bob@{domain} = bob/}}}}
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/chain.pem
smtpd_discard_ehlo_keywords =
smtpd_forbid_bare_newline = no
queue_run_delay = 5
minimal_backoff_time = 5
maximal_backoff_time = 5
"""
"""What it puts off is tried again while a test has patience: by itself, it is after
five minutes."""

_MASTER = """{address}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
smtp unix - - n - - smtp
relay unix - - n - - smtp
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
