"""The names in a certificate, and those that we look for (RFC 6125)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """
    The host names of a certificate, lower case, A-labels (RFC 6125 §6.4).

    The common name counts where there are no others (RFC 7672 §3.2.3).
    """
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
        alternative = extension.value
        assert isinstance(alternative, x509.SubjectAlternativeName)
        names = alternative.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        names = []
    if not names:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = [str(each.value) for each in common]
    return tuple(name.lower().rstrip(".") for name in names)


def fits(ours: str, theirs: str) -> bool:
    """
    Whether a name of a certificate is one that we look for (RFC 6125 §6.4.3).

    A ``*`` stands for one whole label, on either side (RFC 8461 §4.1).
    """
    ours = ours.lower().rstrip(".")
    if ours == theirs:
        return True
    label, _, rest = theirs.partition(".")
    mine, _, mine_rest = ours.partition(".")
    return "*" in (label, mine) and rest == mine_rest and "." in rest


def is_for(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether one of the names fits one that we look for."""
    return any(fits(each, name) for each in ours for name in theirs)
