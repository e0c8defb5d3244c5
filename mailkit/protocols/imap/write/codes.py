"""
Response codes: what stands in square brackets (RFC 9051 §7.1, RFC 5530 §3).

All are ready for `mailkit.protocols.imap.response.Response.code`.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailkit.model.mailbox import Copied
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.write.flags import flag_list

ALERT = b"ALERT"
ALREADYEXISTS = b"ALREADYEXISTS"
AUTHENTICATIONFAILED = b"AUTHENTICATIONFAILED"
AUTHORIZATIONFAILED = b"AUTHORIZATIONFAILED"
CANNOT = b"CANNOT"
CLIENTBUG = b"CLIENTBUG"
CLOSED = b"CLOSED"
CONTACTADMIN = b"CONTACTADMIN"
CORRUPTION = b"CORRUPTION"
EXPIRED = b"EXPIRED"
EXPUNGEISSUED = b"EXPUNGEISSUED"
HASCHILDREN = b"HASCHILDREN"
INUSE = b"INUSE"
LIMIT = b"LIMIT"
NONEXISTENT = b"NONEXISTENT"
NOPERM = b"NOPERM"
NOTSAVED = b"NOTSAVED"
"""RFC 5182 §2.1."""
OVERQUOTA = b"OVERQUOTA"
PARSE = b"PARSE"
PRIVACYREQUIRED = b"PRIVACYREQUIRED"
READ_ONLY = b"READ-ONLY"
READ_WRITE = b"READ-WRITE"
SERVERBUG = b"SERVERBUG"
TOOBIG = b"TOOBIG"
"""RFC 4469 §4.2."""
TRYCREATE = b"TRYCREATE"
UIDNOTSTICKY = b"UIDNOTSTICKY"
UNAVAILABLE = b"UNAVAILABLE"
UNKNOWN_CTE = b"UNKNOWN-CTE"
"""RFC 3516 §4.3."""
USEATTR = b"USEATTR"
"""RFC 6154 §6."""


def bad_charset(names: Iterable[str]) -> bytes:
    """BADCHARSET, and those that can be had (RFC 9051 §7.1)."""
    return f"BADCHARSET ({' '.join(names)})".encode("ascii")


def capability(names: Iterable[str]) -> bytes:
    """CAPABILITY, in the greeting and after login."""
    return f"CAPABILITY {' '.join(names)}".encode("ascii")


def permanent_flags(flags: Iterable[str]) -> bytes:
    r"""PERMANENTFLAGS; ``\*`` among them where keywords may be made."""
    return b"PERMANENTFLAGS " + flag_list(flags)


def unseen(number: int) -> bytes:
    """UNSEEN: the first message without ``\\Seen`` (RFC 3501 §7.1)."""
    return b"UNSEEN %d" % number


def uid_validity(value: int) -> bytes:
    """UIDVALIDITY."""
    return b"UIDVALIDITY %d" % value


def uid_next(uid: int) -> bytes:
    """UIDNEXT."""
    return b"UIDNEXT %d" % uid


def mailbox_id(value: str) -> bytes:
    """MAILBOXID (RFC 8474 §4.1)."""
    return f"MAILBOXID ({value})".encode("ascii")


def append_uid(validity: int, uids: Iterable[int]) -> bytes:
    """APPENDUID (RFC 4315 §3)."""
    return f"APPENDUID {validity} {UIDSet.of(uids)}".encode("ascii")


def copy_uid(copied: Copied) -> bytes:
    """
    COPYUID (RFC 4315 §3): both sets in the order of the first.

    Runs that ascend on both sides are told as ranges, so that a copy of 10,000
    messages is a short line.
    """
    here: list[str] = []
    there: list[str] = []
    runs: list[list[int]] = []
    for source, target in copied.uids:
        if runs and source == runs[-1][1] + 1 and target == runs[-1][3] + 1:
            runs[-1][1], runs[-1][3] = source, target
        else:
            runs.append([source, source, target, target])
    for first, last, to_first, to_last in runs:
        here.append(_range(first, last))
        there.append(_range(to_first, to_last))
    sets = f"{','.join(here)} {','.join(there)}"
    return f"COPYUID {copied.uid_validity} {sets}".encode("ascii")


def _range(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}:{last}"
