"""Names that nobody gives itself: roles of a server, and names that are mistaken for
them."""

from __future__ import annotations

# Business, network operations, services (RFC 2142 §2 to §5).
_ROLES = """info marketing sales support abuse noc security postmaster hostmaster usenet
    news webmaster www uucp ftp"""

# What certificate authorities believe (CA/Browser Forum BR §3.2.2.4.4).
_BELIEVED = "admin administrator"

# What strangers take for the server itself.
_OURS = """root mailer-daemon daemon nobody system sysadmin mail webmail help helpdesk
    noreply no-reply donotreply do-not-reply bounce bounces dmarc dkim mta-sts tls
    tlsrpt ssl ssladmin sslwebmaster ssladministrator autoconfig autodiscover smtp
    imap pop pop3 dns api everyone all staff owner billing accounts account register
    login signup password invite mailkit"""

RESERVED = frozenset(f"{_ROLES} {_BELIEVED} {_OURS}".split())
"""Local parts, folded."""

LISTS = ("-request", "-owner", "-bounces")
"""Endings that belong to mailing lists (RFC 2142 §6)."""


def is_reserved(local_part: str) -> bool:
    """Whether people may not choose it for themselves."""
    plain = local_part.partition("+")[0]
    return plain in RESERVED or plain.endswith(LISTS)
