"""How TLS to a host went, for those who count it (RFC 8460)."""

from __future__ import annotations

from attrs import frozen

from mailkit.model.address import DomainName
from mailkit.model.tlspolicy import TLSPolicy


@frozen(kw_only=True)
class TLSResult:
    """One connection, as a report of RFC 8460 §4.3 counts them."""

    domain: DomainName
    """Whose mail was to be carried."""
    host: str
    """As `NextHost.name`."""
    address: str
    policy: TLSPolicy
    local_address: str = ""
    """Ours; empty where no connection stood."""
    problem: str = ""
    """The result type, such as ``certificate-expired``; empty: all went well."""
    words: str = ""
    """The same for people."""
