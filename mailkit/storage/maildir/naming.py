"""
What the name of a message file says, and where an account lives (STORE.md §1).

``<seconds>.M<µs>P<pid>Q<n>.<host>,S=<octets>,W=<octets as CRLF>,U=<uid>:2,<flags>``

What is delivered once, however often it is tried, has ``K<digest>`` before ``M``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hashlib import blake2b
from itertools import count
from typing import NamedTuple

from attrs import define, field

from mailkit.model.address import AccountName
from mailkit.model.flags import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN
from mailkit.storage.index.rows import BITS

_LETTERS = {
    "D": BITS[DRAFT],
    "F": BITS[FLAGGED],
    "R": BITS[ANSWERED],
    "S": BITS[SEEN],
    "T": BITS[DELETED],
}

LETTERS_OF = tuple(
    "".join(letter for letter, bit in _LETTERS.items() if bits & bit)
    for bits in range(32)
)
"""The flag letters of each combination of bits, sorted."""


class FileName(NamedTuple):
    """A message file's name, taken apart; what is missing is 0."""

    base: str
    """What never changes, whatever is copied, moved or flagged."""
    size: int
    """Octets of the file."""
    size_crlf: int
    """Octets with CRLF line ends: what IMAP and POP3 call its size."""
    uid: int
    bits: int
    """System flags, as in `BITS`."""
    keywords: str
    """Keyword letters, sorted."""


def parse(name: str) -> FileName:
    """Take any file name apart; a stranger's may lack everything but a base."""
    whole, _, info = name.partition(":")
    base, *fields = whole.split(",")
    size = size_crlf = uid = 0
    for one in fields:
        key, value = one[:2], one[2:]
        if not (value.isascii() and value.isdigit() and len(value) < 16):
            continue
        if key == "S=":
            size = int(value)
        elif key == "W=":
            size_crlf = int(value)
        elif key == "U=":
            uid = int(value)
    bits = 0
    keywords = ""
    if info[:2] == "2,":
        for letter in sorted(set(info[2:])):
            bits |= _LETTERS.get(letter, 0)
            if "a" <= letter <= "z":
                keywords += letter
    return FileName(base, size, size_crlf, uid if uid < 1 << 32 else 0, bits, keywords)


def build(base: str, size: int, size_crlf: int, uid: int, flags: str) -> str:
    """The name of a message of ours in ``cur/``; ``flags`` are sorted letters."""
    return f"{base},S={size},W={size_crlf},U={uid}:2,{flags}"


def with_flags(name: str, flags: str) -> str:
    """The same name with other flag letters."""
    return f"{name.partition(':')[0]}:2,{flags}"


def with_uid(name: str, uid: int, flags: str) -> str:
    """The same message's name under another UID, as a copy gets it."""
    head, _, _ = name.partition(":")
    head = _UID.sub("", head)
    return f"{head},U={uid}:2,{flags}"


def base_of(name: str) -> str:
    """The part of a name that never changes."""
    return _BEHIND_BASE.split(name, 1)[0]


def email_id(base: str) -> str:
    """EMAILID: survives COPY by link, MOVE and a rebuild (RFC 8474 §5.1)."""
    once = _ONCE.match(base)
    return "M" + (once[1] if once else _digest(base))


def thread_id(root: bytes) -> str:
    """THREADID of a conversation that a Message-ID began (RFC 8474 §5.2)."""
    return "T" + blake2b(root, digest_size=12).hexdigest()


@define(eq=False)
class NewNames:
    """Gives each new message a base that nothing in the world has had."""

    host: str
    now: Callable[[], float]
    _numbers: count[int] = field(init=False, factory=lambda: count(1))
    _last: int = field(init=False, default=0)

    def next(self, once: str = "") -> str:
        """
        A new base.

        :param once: what is found again by it: bases of the same have one EMAILID.
        """
        # A clock set back must not bring a name again.
        micros = self._last = max(self._last, int(self.now() * 1_000_000))
        number = next(self._numbers)
        seconds, micros = divmod(micros, 1_000_000)
        key = f"K{_digest(once)}" if once else ""
        return f"{seconds}.{key}M{micros}P{os.getpid()}Q{number}.{self.host}"


def host_in_names(host: str) -> str:
    """A host name without what has a meaning in file names."""
    return re.sub(r"[/:,\x00-\x20\x7f]", "-", host) or "localhost"


def account_folder(account: AccountName) -> str:
    """``<domain>/<local-part>`` with what a path cannot hold as ``%XX``."""
    local_part, _, domain = account.rpartition("@")
    return f"{_component(domain)}/{_component(local_part)}"


def _component(text: str) -> str:
    text = _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text.lower())
    return text or "%"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


_ONCE = re.compile(r"[0-9]+\.K([0-9a-f]{24})M")
_UID = re.compile(r",U=[0-9]*")
_BEHIND_BASE = re.compile(r"[,:]")
_ESCAPED = re.compile(r"[/%\x00-\x1f\x7f]|^\.")
