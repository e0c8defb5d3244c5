"""
All that the index keeps of a message, made from its octets in one pass.

It runs once for each message that is stored: the header is scanned once, and what
IMAP sends is rendered here and never again (STORE §5).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from mailkit.formats import (
    date,
    encodedword,
    header,
    mime,
    overview,
    preview,
    structure,
    thread,
)
from mailkit.formats.attachments import has_attachments
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

KEPT_FIELDS = overview.FIELDS | frozenset(
    (
        b"auto-submitted",
        b"chat-version",
        b"content-class",
        b"content-description",
        b"content-disposition",
        b"content-id",
        b"content-language",
        b"content-location",
        b"content-md5",
        b"content-transfer-encoding",
        b"content-type",
        b"delivered-to",
        b"disposition-notification-to",
        b"errors-to",
        b"followup-to",
        b"importance",
        b"keywords",
        b"lines",
        b"list-archive",
        b"list-help",
        b"list-id",
        b"list-owner",
        b"list-post",
        b"list-subscribe",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
        b"mail-followup-to",
        b"mail-reply-to",
        b"mime-version",
        b"newsgroups",
        b"organization",
        b"precedence",
        b"priority",
        b"references",
        b"resent-cc",
        b"resent-date",
        b"resent-from",
        b"resent-message-id",
        b"resent-to",
        b"return-path",
        b"return-receipt-to",
        b"user-agent",
        b"x-cc",
        b"x-draft-info",
        b"x-forwarded-message-id",
        b"x-identity-key",
        b"x-k9mail-identity",
        b"x-label",
        b"x-mailer",
        b"x-mailing-list",
        b"x-mozilla-draft-info",
        b"x-mozilla-keys",
        b"x-mozilla-status",
        b"x-mozilla-status2",
        b"x-msmail-priority",
        b"x-newsreader",
        b"x-original-to",
        b"x-priority",
        b"x-spam-flag",
        b"x-spam-level",
        b"x-spam-score",
        b"x-spam-status",
        b"x-tuid",
        b"x-uid",
        b"x-uniform-type-identifier",
        b"x-universally-unique-identifier",
    )
)
"""
Lower-case names of the fields in ``header_fields``.

A ``BODY[HEADER.FIELDS (…)]`` that asks for none but these can be answered from there
with `header.select`.
"""


_DESCRIBING = frozenset(name for name in KEPT_FIELDS if name.startswith(b"content-"))


class Rendered(NamedTuple):
    """What a store keeps of one message, ready to send."""

    envelope: bytes  # IMAP's ENVELOPE
    body: bytes  # IMAP's BODY without a section
    bodystructure: bytes
    preview: bytes  # a string of IMAP, "" if there is no text (RFC 8970)
    header_fields: bytes  # fields of KEPT_FIELDS as they stand, without an empty line
    sent_date: datetime | None  # the Date field, in the zone it was written in
    message_id: bytes  # with its angle brackets, b"" if there is none
    thread_root: bytes  # Message-ID of the conversation's first, b"" if unknown
    subject: str  # decoded
    has_attachments: bool


def render(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> Rendered:
    """Render a whole message; whatever its octets are, something comes out."""
    body = header.find_end(octets)
    fields = header.scan(octets, 0, body, limits)
    kept: list[bytes] = []
    found: dict[bytes, list[bytes]] = {}
    for raw, name, value in fields:
        name = name.lower()
        if name in KEPT_FIELDS:
            kept.append(raw)
            if name in found:
                found[name].append(value)
            else:
                found[name] = [value]
    if kept and not kept[-1].endswith(b"\n"):
        kept.append(b"\r\n")
    described = {name: found[name][0] for name in found.keys() & _DESCRIBING}
    root = mime.scan(octets, limits, described, body)
    simple, extended = structure.render(octets, root, limits)
    text = preview.preview(octets, root, limits)
    written = found.get(b"date")
    subject = found.get(b"subject")
    message_id = thread.root(_topmost(found, b"message-id"), None, None, limits)
    return Rendered(
        overview.render_found(found, limits),
        simple,
        extended,
        overview.string(text.encode("utf-8", "replace")),
        b"".join(kept),
        None if written is None else date.parse(header.unfold(written[0])),
        message_id,
        thread.root(
            None,
            _topmost(found, b"in-reply-to"),
            _topmost(found, b"references"),
            limits,
        )
        or message_id,
        "" if subject is None else encodedword.decode(header.unfold(subject[0])),
        has_attachments(root, limits),
    )


def _topmost(found: dict[bytes, list[bytes]], name: bytes) -> bytes | None:
    values = found.get(name)
    return None if values is None else values[0]
