"""
Style, icons and scripts: read once, served compressed under an address that changes
with any of them, so that browsers keep them for good.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from attrs import field, frozen

STYLES = (
    "tokens",
    "shell",
    "controls",
    "list",
    "conversation",
    "forms",
    "compose",
    "states",
    "upgrade",
    "live",
    "widths",
)
"""``static/css/<name>.css``, in the order in which they are put into one file: what
depends on the width of things comes last."""

STYLE = "mailkit.css"

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
}
_COMMENTS = re.compile(
    r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*)\n", re.MULTILINE | re.ASCII
)
"""Whole lines of a script that are nothing but a comment."""

_FOR_GOOD = "public, max-age=31536000, immutable"


@frozen
class Static:
    """One file as it is served."""

    name: str
    content_type: str
    octets: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    """The same by gzip (RFC 1952); empty where that is not shorter."""

    @property
    def headers(self) -> dict[str, str]:
        """What makes browsers keep it."""
        return {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"}


@frozen(eq=False)
class Statics:
    """All files of one start."""

    version: str
    """Changes with any of the files."""
    _files: Mapping[str, Static]

    @classmethod
    def load(cls, more_style: str = "") -> Statics:
        """
        Read them. Blocks, so it is done at the start.

        :param more_style: CSS behind ours, for the colours of a brand.
        """
        folder = files("mailkit.web").joinpath("static")
        css = [
            folder.joinpath("css", f"{name}.css").read_text("utf-8") for name in STYLES
        ]
        found = {STYLE: ("".join(css) + more_style).encode()}
        for entry in folder.iterdir():
            if entry.is_file() and entry.name.rpartition(".")[2] in _TYPES:
                found[entry.name] = _served(entry.name, entry.read_bytes())
        digest = hashlib.sha256()
        for name in sorted(found):
            digest.update(name.encode() + b"\0" + found[name] + b"\0")
        served = {name: _static(name, octets) for name, octets in found.items()}
        return cls(digest.hexdigest()[:16], served)

    def address(self, name: str) -> str:
        """Where a file is. :raises KeyError: if there is none of that name."""
        return f"/static/{self.version}/{self._files[name].name}"

    def find(self, version: str, name: str) -> Static | None:
        """A file by the parts of its address; ``None``: not of this start."""
        return self._files.get(name) if version == self.version else None

    @property
    def names(self) -> list[str]:
        """Of all files, sorted."""
        return sorted(self._files)


def _served(name: str, octets: bytes) -> bytes:
    """Comments of scripts are for whoever works on them: browsers do without."""
    if not name.endswith(".js"):
        return octets
    return _COMMENTS.sub("", octets.decode()).encode()


def _static(name: str, octets: bytes) -> Static:
    compressed = gzip.compress(octets, 9, mtime=0)
    if len(compressed) >= len(octets):
        compressed = b""
    return Static(name, _TYPES[name.rpartition(".")[2]], octets, compressed)
