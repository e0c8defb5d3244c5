"""The certificate for where nobody gave one: made once, and again when it ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from mailkit.net.selfsigned import make_self_signed
from mailkit.net.tls import BadCertificate, KeyPair, names_in

RENEW_BEFORE = timedelta(days=30)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def keep_self_signed(folder: Path, hostname: str, now: datetime) -> KeyPair:
    """
    The pair in ``folder``; made there if it is missing, or will not do any more.

    It is good for ``hostname`` and for this machine by its loopback names, so that
    a client that is told to trust the file can be strict about everything else.
    """
    pair = KeyPair(folder / "certificate.pem", folder / "key.pem")
    if _is_good(pair, hostname, now):
        return pair
    names = dict.fromkeys([hostname.lower(), *LOOPBACK])
    return make_self_signed(folder, list(names), now)


def _is_good(pair: KeyPair, hostname: str, now: datetime) -> bool:
    if not pair.key.exists():
        return False
    try:
        names = names_in(pair.certificate)
    except BadCertificate:
        return False
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    lasts = certificate.not_valid_after_utc - now > RENEW_BEFORE
    return lasts and hostname.lower() in names
