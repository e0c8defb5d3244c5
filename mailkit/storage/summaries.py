"""What lists show of a message, made of what is rendered of it."""

from __future__ import annotations

from attrs import evolve

from mailkit.formats.overviewed import said, string
from mailkit.model.conversation import Place, Summary
from mailkit.model.flags import SEEN, SYSTEM_FLAGS, Flags
from mailkit.model.verdict import Verdict


def summary_of(
    envelope: bytes,
    preview: bytes,
    *,
    email_id: str,
    thread_id: str,
    place: Place,
    flags: Flags,
    size: int,
    internal_date: float,
    has_attachments: bool,
    verdict: Verdict | None,
) -> Summary:
    """A message as it is in one place."""
    known = said(envelope)
    return Summary(
        email_id=email_id,
        thread_id=thread_id,
        places=(place,),
        flags=flags,
        keywords=flags - SYSTEM_FLAGS,
        size=size,
        internal_date=internal_date,
        sent=known.sent,
        from_=known.from_,
        reply_to=known.reply_to,
        to=known.to,
        cc=known.cc,
        bcc=known.bcc,
        subject=known.subject,
        message_id=known.message_id,
        in_reply_to=known.in_reply_to,
        preview=string(preview).decode("utf-8", "replace"),
        has_attachments=has_attachments,
        verdict=verdict,
    )


def with_place(summary: Summary, place: Place, flags: Flags) -> Summary:
    """The same message, which lies in one place more."""
    together = summary.flags | flags
    if not (SEEN in summary.flags and SEEN in flags):
        together -= {SEEN}
    return evolve(
        summary,
        places=(*summary.places, place),
        flags=together,
        keywords=together - SYSTEM_FLAGS,
    )
