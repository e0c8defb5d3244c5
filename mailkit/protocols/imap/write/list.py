"""LIST, LSUB and NAMESPACE (RFC 9051 §7.3.1, §7.3.3, RFC 3501 §7.2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mailkit.protocols.imap.write.flags import flag_list
from mailkit.protocols.imap.write.strings import mailbox, quoted


def line(
    attributes: Iterable[str],
    separator: str,
    name: str,
    child_info: Sequence[str] = (),
    *,
    is_utf8: bool,
    old_name: str | None = None,
) -> bytes:
    """
    One line of LIST.

    :param attributes: ``\\HasChildren`` and ``\\HasNoChildren`` too (RFC 3348 §3).
    :param child_info: selection options that names below meet (RFC 9051 §6.3.9.6).
    :param old_name: what the client called it (OLDNAME, RFC 9051 §6.3.9.7).
    """
    extended: list[bytes] = []
    if child_info:
        options = b" ".join([quoted(option.encode()) for option in child_info])
        extended.append(b'"CHILDINFO" (%b)' % options)
    if old_name is not None:
        extended.append(b'"OLDNAME" (%b)' % mailbox(old_name, is_utf8=is_utf8))
    end = b" (%b)" % b" ".join(extended) if extended else b""
    return b"* LIST %b%b\r\n" % (_entry(attributes, separator, name, is_utf8), end)


def lsub_line(
    attributes: Iterable[str], separator: str, name: str, *, is_utf8: bool
) -> bytes:
    """One line of LSUB (RFC 3501 §7.2.3)."""
    return b"* LSUB %b\r\n" % _entry(attributes, separator, name, is_utf8)


def namespace(separator: str) -> bytes:
    """One personal namespace without prefix, and no others (RFC 2342 §5)."""
    return b'* NAMESPACE (("" %b)) NIL NIL\r\n' % quoted(separator.encode("ascii"))


def _entry(
    attributes: Iterable[str], separator: str, name: str, is_utf8: bool
) -> bytes:
    return b"%b %b %b" % (
        flag_list(attributes),
        quoted(separator.encode("ascii")),
        mailbox(name, is_utf8=is_utf8),
    )
