"""Finds ``mailkit.toml``, for the server and for the command alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mailkit.app.settings import Settings
from mailkit.config.reader import Config, Misconfigured, read

NAME = "mailkit.toml"
SYSTEM = Path("/etc/mailkit") / NAME
VARIABLE = "MAILKIT_CONFIG"
NOT_SETTINGS = frozenset({VARIABLE})
"""Variables that begin like settings and are none."""

TRY_IT = """\
hostname = "mail.example.test"
data = "mailkit-data"

[listen]
smtp = ["tcp:2525:interface=127.0.0.1"]
submission = ["tcp:2587:interface=127.0.0.1"]
submissions = ["tcp:2465:interface=127.0.0.1"]
lmtp = ["tcp:2424:interface=127.0.0.1"]
imap = ["tcp:2143:interface=127.0.0.1"]
imaps = ["tcp:2993:interface=127.0.0.1"]
pop3 = ["tcp:2110:interface=127.0.0.1"]
pop3s = ["tcp:2995:interface=127.0.0.1"]
http = ["tcp:8080:interface=127.0.0.1"]
https = ["tcp:8443:interface=127.0.0.1"]
metrics = ["tcp:9108:interface=127.0.0.1"]

[relay]
enabled = false
"""
"""What holds where there is no file: loopback only, nothing below 1024, and nothing
leaves this machine."""


def find_config(
    named: str | None, environment: Mapping[str, str], folder: Path
) -> Path | None:
    """
    The file to read: ``named``, ``$MAILKIT_CONFIG``, ``./mailkit.toml``, ``/etc``.

    ``None`` means that there is none: try-it mode.
    """
    chosen = named or environment.get(VARIABLE)
    if chosen:
        return folder / chosen
    for path in (folder / NAME, SYSTEM):
        if path.exists():
            return path
    return None


def read_config(
    path: Path | None, environment: Mapping[str, str], folder: Path
) -> Config[Settings]:
    """
    The settings of one file, or of try-it mode.

    :raises Misconfigured:
    """
    return read_loaded(load(path), path, environment, folder)


def load(path: Path | None) -> str:
    """
    What a config file says, or what holds in try-it mode.

    :raises Misconfigured: if it cannot be read.
    """
    if path is None:
        return TRY_IT
    path = path.absolute()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Misconfigured(str(path), None, "", str(error.strerror)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise Misconfigured(str(path), line, "", "not TOML: not UTF-8") from error


def read_loaded(
    text: str, path: Path | None, environment: Mapping[str, str], folder: Path
) -> Config[Settings]:
    """
    The settings that ``text``, which is what `load` gave for ``path``, stands for.

    :raises Misconfigured:
    """
    environment = {
        name: value for name, value in environment.items() if name not in NOT_SETTINGS
    }
    if path is None:
        return read(Settings, text, None, environment, folder.absolute())
    return read_text(text, path.absolute(), environment)


def read_text(
    text: str, path: Path, environment: Mapping[str, str] | None = None
) -> Config[Settings]:
    """
    The settings that a file of that name would give.

    :raises Misconfigured:
    """
    return read(Settings, text, path, environment or {}, path.parent)
