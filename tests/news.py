"""Asks for a newsfragment: ``python -m tests.news``.

Ends with 1 if something under ``mailkit/`` changed since the last release and nothing
in ``docs/newsfragments`` tells about it, or if a fragment's name is not one that the
change log can take (STYLE: ``<issue>.<kind>.md`` or ``+<slug>.<kind>.md``).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FRAGMENTS = Path("docs/newsfragments")
NAME = re.compile(r"(\d+|\+[a-z0-9-]+)\.(security|feature|bugfix|removal|doc|misc)\.md")


def misnamed(names: list[str]) -> list[str]:
    """Those that are not names of fragments."""
    return [name for name in names if not NAME.fullmatch(name)]


def changed_since_release() -> list[str]:
    """Files under ``mailkit/`` that changed since the last tag; none before it."""
    tag = _git("describe", "--tags", "--match", "v*", "--abbrev=0")
    if not tag:
        return []
    return _git("diff", "--name-only", tag[0], "--", "mailkit")


def main() -> int:
    """The exit status."""
    names = sorted(path.name for path in FRAGMENTS.glob("*") if path.name[0] != ".")
    for name in misnamed(names):
        print(f"{FRAGMENTS / name}: not <issue>.<kind>.md or +<slug>.<kind>.md")
        return 1
    changed = changed_since_release()
    if changed and not names:
        print(f"{changed[0]} and others changed, and no fragment in {FRAGMENTS}")
        return 1
    print(f"{len(names)} fragments")
    return 0


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.split() if done.returncode == 0 else []


if __name__ == "__main__":
    sys.exit(main())
