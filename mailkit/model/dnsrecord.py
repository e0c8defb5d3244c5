"""Records as zone files have them."""

from __future__ import annotations

from attrs import frozen


@frozen
class DNSRecord:
    """One record of a zone; all names are absolute."""

    name: str
    """A-labels, without the last full stop."""
    kind: str
    """``MX``, ``TXT``, ``TLSA`` …"""
    value: str
    """As in a zone file (RFC 1035 §5.1): names end in a full stop, texts in quotes."""
    ttl: int = 3600
    purpose: str = ""
    """For people: what it is for."""
