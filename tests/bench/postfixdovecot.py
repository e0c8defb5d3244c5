"""
Debian's Postfix and Dovecot as private instances on high ports.

Postfix hands mail to Dovecot's LMTP over a Unix socket; Dovecot keeps Maildirs. Both
sync what they keep, as they do unless told otherwise.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from attrs import define, field

from tests.bench.processes import Children
from tests.bench.targets import (
    DOMAIN,
    NAMES,
    PASSWORD,
    Ports,
    said_by,
    wait_listening,
)

OWNER = "benchmail"
"""The unprivileged account that owns the mail; made on demand."""

_MASTER = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_TUNING = """
auth_cache_size = 10M
service imap-login {
  service_count = 0
  process_min_avail = 2
}
service pop3-login {
  service_count = 0
}
service imap {
  service_count = 256
  process_min_avail = 4
}
service lmtp {
  process_min_avail = 4
}
"""


@define(eq=False)
class PostfixDovecot:
    """
    Both of them.

    :param is_tuned: with Dovecot's processes used again and again, and logins cached.
    """

    is_tuned: bool
    ports: Ports
    _root: Path = field(init=False, factory=Path)
    _children: Children = field(init=False, factory=Children)

    @property
    def name(self) -> str:
        return "tuned" if self.is_tuned else "as installed"

    def lacks(self) -> str:
        for program in ("/usr/sbin/postfix", "/usr/sbin/dovecot"):
            if shutil.which(program) is None:
                return f"{program} is not installed"
        for protocol in ("imap", "pop3", "lmtp"):
            if not Path(f"/usr/lib/dovecot/{protocol}").exists():
                return f"Dovecot's {protocol} is not installed"
        if os.geteuid() != 0:
            return "Postfix and Dovecot want to be started by root"
        return ""

    def version(self) -> str:
        postfix = said_by("postconf", "-d", "-h", "mail_version")
        dovecot = said_by("/usr/sbin/dovecot", "--version").split(" ")[0]
        return f"Postfix {postfix}, Dovecot {dovecot}"

    def prepare(self, root: Path) -> None:
        self._root = root
        owner = _owner()
        mail = root / "mail"
        mail.mkdir()
        os.chown(mail, owner.pw_uid, owner.pw_gid)
        self._write_dovecot(owner)
        self._write_postfix()

    def start(self, environment: dict[str, str]) -> None:
        words = ["/usr/sbin/dovecot", "-F", "-c", str(self._dovecot / "dovecot.conf")]
        self._children.start(words, self._root / "dovecot.log", environment)
        self._postfix("start", environment)
        wait_listening(self.ports)

    def stop(self) -> None:
        pids = self._postfix_pids()
        self._postfix("stop", {})
        end = time.monotonic() + 15
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            if time.monotonic() > end:
                raise TimeoutError("Postfix would not end")
            time.sleep(0.1)
        self._children.stop()

    def pids(self) -> list[int]:
        return self._children.pids + self._postfix_pids()

    def maildir(self, account: str) -> Path:
        return self._root / "mail" / account / "Maildir"

    def start_second(self) -> Ports:
        return self.ports  # every delivery is by another process already

    def metrics(self) -> str:
        return ""

    # -- within

    @property
    def _dovecot(self) -> Path:
        return self._root / "dovecot"

    def _postfix(self, verb: str, environment: dict[str, str]) -> None:
        with (self._root / "postfix.log").open("ab") as log:
            subprocess.run(
                ["/usr/sbin/postfix", "-c", self._root / "postfix" / "etc", verb],
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
                check=False,
            )

    def _postfix_pids(self) -> list[int]:
        try:
            pid = (self._root / "postfix/spool/pid/master.pid").read_text()
            return [int(pid)]
        except (OSError, ValueError):
            return []

    def _write_postfix(self) -> None:
        folder = self._root / "postfix"
        for part in ("etc", "spool", "data"):
            (folder / part).mkdir(parents=True)
        shutil.chown(folder / "data", "postfix", "postfix")
        smtpd = f"127.0.0.1:{self.ports.smtp} inet n - n - - smtpd"
        (folder / "etc" / "master.cf").write_text(smtpd + _MASTER)
        accounts = "".join(f"{name}@{DOMAIN} {name}/Maildir/\n" for name in NAMES)
        (folder / "etc" / "accounts").write_text(accounts)
        (folder / "etc" / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{folder}/etc/accounts
virtual_transport = lmtp:unix:{self._dovecot}/run/lmtp
alias_maps =
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LD_PRELOAD SLOWSYNC_US
""")

    def _write_dovecot(self, owner: pwd.struct_passwd) -> None:
        folder = self._dovecot
        folder.mkdir()
        lines = [
            f"{name}@{DOMAIN}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::"
            f"{self._root}/mail/{name}\n"
            for name in NAMES
        ]
        (folder / "users").write_text("".join(lines))
        (folder / "dovecot.conf").write_text(f"""base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap pop3 lmtp
import_environment = $import_environment LD_PRELOAD SLOWSYNC_US
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = {min(owner.pw_uid, 500)}
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
service imap-login {{
  inet_listener imap {{
    port = {self.ports.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {self.ports.pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
namespace inbox {{
  inbox = yes
}}
{_TUNING if self.is_tuned else ""}""")


def _owner() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(OWNER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", OWNER],
            check=True,
        )
        return pwd.getpwnam(OWNER)
