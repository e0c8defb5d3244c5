"""What SEARCH found (RFC 9051 §7.3.4, RFC 3501 §7.2.5, RFC 4731 §3.1)."""

from __future__ import annotations

from mailkit.model.uidset import NO_UIDS, UIDSet


def search(found: UIDSet) -> bytes:
    """Every number by itself, as rev1 clients want it."""
    return b"* SEARCH%b\r\n" % b"".join([b" %d" % number for number in found])


def esearch(
    tag: bytes,
    uid: bool,
    *,
    least: int = 0,
    most: int = 0,
    every: UIDSet = NO_UIDS,
    count: int | None = None,
) -> bytes:
    """
    What RETURN asked for.

    MIN, MAX and ALL that are 0 or empty are left out (RFC 9051 §7.3.4).

    :param tag: of the command that it answers.
    :param uid: whether these are UIDs.
    """
    # A tag holds nothing that quotes would have to hide (RFC 9051 §9).
    octets = b'* ESEARCH (TAG "%b")' % tag
    if uid:
        octets += b" UID"
    if least:
        octets += b" MIN %d" % least
    if most:
        octets += b" MAX %d" % most
    if every:
        octets += b" ALL %b" % str(every).encode("ascii")
    if count is not None:
        octets += b" COUNT %d" % count
    return octets + b"\r\n"
