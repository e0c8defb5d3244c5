"""mailkit as people run it: ``twistd mailkit`` in a folder of its own, as shipped."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

from attrs import define, evolve, field

from tests.bench.processes import Children
from tests.bench.targets import (
    DOMAIN,
    NAMES,
    PASSWORD,
    Ports,
    address,
    said_by,
    wait_listening,
)

CHECKOUT = Path(__file__).parents[2]
_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
_COMMAND = (sys.executable, "-m", "mailkit.app.cli")


@define(eq=False)
class Mailkit:
    """The server, and the command that makes its accounts."""

    ports: Ports
    http: int = 0
    """Where pages are, if there are any."""
    _root: Path = field(init=False, factory=Path)
    _children: Children = field(init=False, factory=Children)
    _environment: dict[str, str] = field(init=False, factory=dict)

    name = "mailkit"

    def lacks(self) -> str:
        return ""

    def version(self) -> str:
        python = ".".join(str(part) for part in sys.version_info[:3])
        commit = said_by("git", "-C", str(CHECKOUT), "rev-parse", "--short", "HEAD")
        return f"mailkit {commit}, Python {python}"

    def prepare(self, root: Path) -> None:
        self._root = root
        self._write("mailkit.toml", self.ports)
        self._ask("domain", "add", DOMAIN)
        accounts = root / "accounts.csv"
        accounts.write_text("".join(f"{address(name)},{PASSWORD}\n" for name in NAMES))
        self._ask("account", "import", str(accounts))

    def start(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._run("mailkit.toml", self.ports)

    def stop(self) -> None:
        self._children.stop()

    def pids(self) -> list[int]:
        return self._children.pids

    @property
    def data(self) -> Path:
        """Everything that it keeps."""
        return self._root / "data"

    def maildir(self, account: str) -> Path:
        return self._root / "data" / "mail" / DOMAIN / account / "Maildir"

    def start_second(self) -> Ports:
        ports = evolve(
            self.ports,
            smtp=self.ports.smtp + 5,
            imap=self.ports.imap + 5,
            pop3=self.ports.pop3 + 5,
        )
        self._write("second.toml", ports)
        self._run("second.toml", ports)
        return ports

    def metrics(self) -> str:
        address = f"http://127.0.0.1:{self.ports.pop3 + 1}/metrics"
        with urllib.request.urlopen(address, timeout=10) as page:
            return str(page.read().decode())

    # -- within

    def _write(self, name: str, ports: Ports) -> None:
        services = {
            "smtp": ports.smtp,
            "imap": ports.imap,
            "pop3": ports.pop3,
            "metrics": ports.pop3 + 1,
        }
        if self.http:
            services["http"] = self.http
        lines = [f'hostname = "mx.{DOMAIN}"', 'data = "data"', "[listen]"]
        lines += [
            f'{service} = ["tcp:{port}:interface=127.0.0.1"]'
            for service, port in services.items()
        ]
        (self._root / name).write_text("\n".join(lines) + "\n")

    def _run(self, config: str, ports: Ports) -> None:
        words = [*_TWISTD, "-n", "--pidfile=", "mailkit", "--config", config]
        environment = {"PYTHONPATH": str(CHECKOUT), **self._environment}
        self._children.start(words, self._root / "server.log", environment)
        wait_listening(ports)

    def _ask(self, *words: str) -> None:
        done = subprocess.run(
            [*_COMMAND, "--config", str(self._root / "mailkit.toml"), *words],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"mailkit {' '.join(words)}: {done.stderr}{done.stdout}")
