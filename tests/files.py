"""Looks at files before they are committed: ``python -m tests.files FILE…``.

A text ends with exactly one line feed, no file is over 256 KiB, and none holds a
private key.
"""

from __future__ import annotations

import sys
from pathlib import Path

LARGEST = 256 * 1024
SECRET = b"-----BEGIN " + b"PRIVATE KEY-----"
SECRETS = (SECRET, SECRET.replace(b"PRIVATE", b"RSA PRIVATE"))
AS_THEY_CAME = (".eml", ".txt", ".json", ".bin")
"""Messages and dialogues end as they end."""


def faults(path: Path) -> list[str]:
    """What is wrong with one file."""
    octets = path.read_bytes()
    found = []
    if len(octets) > LARGEST:
        found.append(f"{path}: over {LARGEST} octets")
    if any(secret in octets for secret in SECRETS):
        found.append(f"{path}: holds a private key")
    if path.suffix not in AS_THEY_CAME and octets:
        if not octets.endswith(b"\n"):
            found.append(f"{path}: does not end with a line feed")
        elif octets.endswith(b"\n\n"):
            found.append(f"{path}: ends with an empty line")
    return found


def main(names: list[str]) -> int:
    """The exit status."""
    found = [fault for name in names for fault in faults(Path(name))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
