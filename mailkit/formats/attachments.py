"""Whether something is attached to a message, as its reader would say."""

from __future__ import annotations

from mailkit.formats import mime
from mailkit.formats.fields import disposition, parameter
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

_NOT_ATTACHED = frozenset((b"report", b"encrypted"))
"""Multiparts whose parts are one thing (RFC 6522, RFC 1847 §2.2)."""

_SIGNATURES = frozenset((b"pgp-signature", b"pkcs7-signature", b"x-pkcs7-signature"))
"""Of a multipart/signed (RFC 3156 §5, RFC 8551 §3.5.3); not what anybody sent."""


def has_attachments(root: mime.Part, limits: Limits = DEFAULT_LIMITS) -> bool:
    """
    Say whether any part is a file or a message to be had apart from the text.

    Pictures that the text shows, signatures and the other forms of the same text are
    none.
    """
    waiting = [(root, False)]
    while waiting:
        part, is_other_form = waiting.pop()
        if part.is_multipart:
            if part.subtype not in _NOT_ATTACHED:
                are_forms = part.subtype == b"alternative"
                waiting += [(inner, are_forms) for inner in part.parts]
        elif _is_attached(part, is_other_form, limits):
            return True
    return False


def _is_attached(part: mime.Part, is_other_form: bool, limits: Limits) -> bool:
    written = part.described.get(b"content-disposition")
    found = None if written is None else disposition(written, limits)
    if part.subtype in _SIGNATURES:
        return False
    if found is not None and found.value == b"attachment":
        return True
    if is_other_form:
        return False
    if part.type == b"text":
        named = None if found is None else parameter(found.parameters, b"filename")
        return bool(named or parameter(part.parameters, b"name"))
    # What has a Content-ID is shown where the text names it (RFC 2392 §2).
    return part.type == b"message" or b"content-id" not in part.described
