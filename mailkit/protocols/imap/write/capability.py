"""What a server can do, by the state it is in (RFC 9051 §6.1.1, §7.2.2)."""

from __future__ import annotations

from collections.abc import Iterable

REVISIONS = ("IMAP4rev1", "IMAP4rev2")

ALWAYS = ("LITERAL+", "ID", "ENABLE", "SASL-IR")
"""Said in every state: RFC 7888, RFC 2971, RFC 5161, RFC 4959."""

AFTER_LOGIN = (
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "SEARCHRES",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "MOVE",
    "BINARY",
    "SPECIAL-USE",
    "UTF8=ACCEPT",
)
"""What all of rev2 has and rev1 clients look for by name."""


def before_login(
    mechanisms: Iterable[str], *, can_start_tls: bool, may_login: bool
) -> tuple[str, ...]:
    """
    Before authentication.

    :param mechanisms: of SASL, those only that may be used now.
    :param may_login: whether LOGIN may be used now (RFC 9051 §6.2.3).
    """
    names = [*REVISIONS, *ALWAYS]
    if can_start_tls:
        names.append("STARTTLS")
    names += [f"AUTH={mechanism}" for mechanism in mechanisms]
    if not may_login:
        names.append("LOGINDISABLED")
    return tuple(names)


def after_login() -> tuple[str, ...]:
    """Once somebody is logged in."""
    return (*REVISIONS, *ALWAYS, *AFTER_LOGIN)


def capabilities(names: Iterable[str]) -> bytes:
    """The untagged CAPABILITY response."""
    return f"* CAPABILITY {' '.join(names)}\r\n".encode("ascii")


def enabled(names: Iterable[str]) -> bytes:
    """The untagged ENABLED response (RFC 9051 §7.2.1)."""
    return " ".join(("* ENABLED", *names)).encode("ascii") + b"\r\n"
