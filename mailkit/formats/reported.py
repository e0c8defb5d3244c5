"""
Reports that others send about mail of ours, read tolerantly.

Delivery status notifications (RFC 3464, RFC 6533) with the liberties that Exchange
and others take, qmail's bounces, which are plain text, and complaints (RFC 5965).
Whatever the octets are, something or nothing comes out; nothing is raised.
"""

from __future__ import annotations

import re

from attrs import frozen

from mailkit.errors import BadMessage
from mailkit.formats import body, charset, fields, header, mime
from mailkit.formats.limits import DEFAULT_LIMITS, KIB, Limits
from mailkit.formats.report import unescape
from mailkit.model.notice import NoticeKind


@frozen(kw_only=True)
class ReportedRecipient:
    """What is told of one recipient (RFC 3464 §2.3)."""

    kind: NoticeKind
    address: str
    """The one that the reporter tried."""
    original: str = ""
    """The one that the sender wrote; empty: not told."""
    status: str = ""
    """Such as ``5.1.1``; where there was none, made of what else there is."""
    diagnostic: str = ""
    """What the last host said, without its type."""
    host: str = ""
    """That host; empty: not told."""


@frozen(kw_only=True)
class DeliveryReport:
    """A delivery status notification."""

    recipients: tuple[ReportedRecipient, ...]
    """At least one."""
    envid: str = ""
    """Original-Envelope-Id (RFC 3464 §2.2.1)."""
    reporter: str = ""
    """Reporting-MTA."""
    message_id: str = ""
    """Of the message that it is about, with angle brackets; empty: not told."""


@frozen(kw_only=True)
class Complaint:
    """Somebody did not want a message (RFC 5965)."""

    kind: str
    """Feedback-Type in lower case: ``abuse``, ``fraud``, ``not-spam`` …"""
    recipients: tuple[str, ...] = ()
    """Original-Rcpt-To; often left out."""
    sender: str = ""
    """Original-Mail-From, else what the returned header's Return-Path says."""
    envid: str = ""
    agent: str = ""
    message_id: str = ""
    """As of a `DeliveryReport`."""


_STATUS_PARTS = frozenset((b"delivery-status", b"global-delivery-status"))
_PER_MESSAGE = frozenset(
    (
        "original-envelope-id",
        "reporting-mta",
        "dsn-gateway",
        "received-from-mta",
        "arrival-date",
    )
)
_HEADER_PARTS = frozenset(
    (
        (b"text", b"rfc822-headers"),
        (b"text", b"rfc822-header"),
        (b"message", b"rfc822-headers"),
        (b"message", b"global-headers"),
    )
)
_KINDS = {
    "failed": NoticeKind.FAILED,
    "failure": NoticeKind.FAILED,
    "fail": NoticeKind.FAILED,
    "delayed": NoticeKind.DELAYED,
    "delay": NoticeKind.DELAYED,
    "delivered": NoticeKind.DELIVERED,
    "relayed": NoticeKind.RELAYED,
    "expanded": NoticeKind.EXPANDED,
}
_KINDS_BY_CLASS = {
    "2": NoticeKind.DELIVERED,
    "4": NoticeKind.DELAYED,
    "5": NoticeKind.FAILED,
}
_STATUSES = {
    NoticeKind.FAILED: "5.0.0",
    NoticeKind.DELAYED: "4.0.0",
}
_BLANK = re.compile(rb"\n(?:[ \t]*+\r?\n)++")
_STATUS = re.compile(r"(?<![0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])", re.ASCII)
_CODE = re.compile(r"(?<![0-9.])([245])[0-9]{2}(?![0-9.])", re.ASCII)
_WORD = re.compile(r"[a-z]+")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_QMAIL = re.compile(rb"\s*+Hi\. This is the ")
_QMAIL_RECIPIENT = re.compile(rb"<([^\r\n]{1,1000}?)>:\s*+(.*+)\Z", re.S)
_LONGEST = 4 * KIB  # characters of a value


def parse(
    octets: bytes, limits: Limits = DEFAULT_LIMITS
) -> DeliveryReport | Complaint | None:
    """Read a report; nothing, if the message is none."""
    root = mime.scan(octets, limits)
    if not root.is_multipart:
        return _qmail(octets, root, limits)
    parts = _leaves(root)
    for part in parts:
        if part.type == b"message" and part.subtype in _STATUS_PARTS:
            return _delivery_report(octets, part, parts, limits)
        if part.type == b"message" and part.subtype == b"feedback-report":
            return _complaint(octets, part, parts, limits)
    return None


def is_likely(top: bytes) -> bool:
    """Whether a message with that header may be a report; a quick look."""
    lowered = top.lower()
    return (
        b"multipart/report" in lowered
        or b"delivery-status" in lowered
        or b"mailer-daemon@" in lowered
    )


def _leaves(root: mime.Part) -> list[mime.Part]:
    """What is in the multiparts; messages inside are not looked into."""
    found: list[mime.Part] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting += reversed(part.parts)
        else:
            found.append(part)
    return found


# -- delivery status notifications


def _delivery_report(
    octets: bytes, part: mime.Part, parts: list[mime.Part], limits: Limits
) -> DeliveryReport | None:
    per_message: dict[str, str] = {}
    groups: list[dict[str, str]] = []
    for block in _BLANK.split(_decoded(octets, part)):
        group: dict[str, str] = {}
        for name, value in _block(block, limits):
            if name in _PER_MESSAGE:
                per_message.setdefault(name, value)
                continue
            if _begins_another(name, group):
                groups.append(group)
                group = {}
            group.setdefault(name, value)
        if group:
            groups.append(group)
        if len(groups) >= limits.addresses:
            break
    found = [_recipient(group) for group in groups[: limits.addresses]]
    recipients = tuple(one for one in found if one is not None)
    if not recipients:
        return None
    returned = _returned_header(octets, part, parts)
    return DeliveryReport(
        recipients=recipients,
        envid=per_message.get("original-envelope-id", ""),
        reporter=_typed(per_message.get("reporting-mta", "")),
        message_id=_message_id(octets, returned, limits),
    )


def _begins_another(name: str, group: dict[str, str]) -> bool:
    """Whether a field is of the next recipient, though no empty line came before."""
    if name == "original-recipient":
        return name in group or "final-recipient" in group
    return name in ("final-recipient", "action") and name in group


def _recipient(group: dict[str, str]) -> ReportedRecipient | None:
    address = _address(group.get("final-recipient", ""))
    original = _address(group.get("original-recipient", ""))
    if not address and not original:
        return None
    diagnostic = _typed(group.get("diagnostic-code", ""))
    status = _first(_STATUS, group.get("status", "")) or _first(_STATUS, diagnostic)
    if not status:
        digit = _first(_CODE, diagnostic)
        status = f"{digit}.0.0" if digit else ""
    action = _WORD.search(group.get("action", "").lower())
    kind = _KINDS.get(action[0]) if action else None
    kind = kind or _KINDS_BY_CLASS.get(status[:1])
    if kind is None:
        return None
    return ReportedRecipient(
        kind=kind,
        address=address or original,
        original=original,
        status=status or _STATUSES.get(kind, "2.0.0"),
        diagnostic=diagnostic,
        host=_typed(group.get("remote-mta", "")),
    )


def _block(block: bytes, limits: Limits) -> list[tuple[str, str]]:
    return [
        (
            name.decode("ascii", "replace").lower(),
            charset.decode(header.unfold(value)[:_LONGEST]),
        )
        for _, name, value in header.scan(block.lstrip(b"\r\n"), limits=limits)
    ]


def _typed(value: str) -> str:
    """What stands behind ``dns;`` or ``smtp;``; all of it where nothing does."""
    kind, semicolon, rest = value.partition(";")
    if semicolon and _TYPE.fullmatch(kind.strip()):
        return rest.strip()
    return value.strip()


def _address(value: str) -> str:
    plain = fields.without_comments(value.encode("utf-8", "replace"))
    address = _typed(plain.decode("utf-8")).strip().strip("<>").strip()
    return unescape(address)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


# -- complaints


def _complaint(
    octets: bytes, part: mime.Part, parts: list[mime.Part], limits: Limits
) -> Complaint | None:
    found: dict[str, str] = {}
    recipients: list[str] = []
    for name, value in _block(_decoded(octets, part), limits):
        if name == "original-rcpt-to" and len(recipients) < limits.addresses:
            recipients.append(_address(value))
        found.setdefault(name, value)
    kind = found.get("feedback-type", "").strip().lower()
    if not kind:
        return None
    returned = _returned_header(octets, part, parts)
    path = header.first(returned, b"Return-Path", limits) or b""
    return Complaint(
        kind=kind,
        recipients=tuple(one for one in recipients if one),
        sender=_address(found.get("original-mail-from", ""))
        or _address(charset.decode(path[:_LONGEST])),
        envid=found.get("original-envelope-id", ""),
        agent=found.get("user-agent", ""),
        message_id=_message_id(octets, returned, limits),
    )


# -- the message that is returned


def _returned_header(octets: bytes, part: mime.Part, parts: list[mime.Part]) -> bytes:
    """The header of the first message, or header, behind the part that reports."""
    for returned in parts[parts.index(part) + 1 :]:
        if returned.is_message or (returned.type, returned.subtype) in _HEADER_PARTS:
            whole = _decoded(octets, returned).lstrip(b"\r\n")
            return whole[: header.find_end(whole)]
    return b""


def _message_id(octets: bytes, returned: bytes, limits: Limits) -> str:
    """Of the message returned, else of what the report says that it answers."""
    for source, name in (
        (returned, b"Message-ID"),
        (octets, b"In-Reply-To"),
        (octets, b"References"),
    ):
        found = fields.message_ids(header.first(source, name, limits) or b"", limits)
        if found:
            return found[-1].decode("utf-8", "replace")
    return ""


def _decoded(octets: bytes, part: mime.Part) -> bytes:
    try:
        return body.decode(octets[part.body : part.end], part.encoding)
    except BadMessage:  # an encoding that nobody knows; mostly there is none in truth
        return octets[part.body : part.end]


# -- qmail


def _qmail(octets: bytes, root: mime.Part, limits: Limits) -> DeliveryReport | None:
    """
    Read what qmail-send writes: paragraphs, of which those with ``<`` tell failures.

    The copy of the message stands below the first paragraph that begins with ``-``.
    """
    if not _QMAIL.match(octets, root.body):
        return None
    text = octets[root.body : min(root.end, root.body + limits.header_size)]
    recipients: list[ReportedRecipient] = []
    returned = b""
    at = 0
    while at < len(text) and len(recipients) < limits.addresses:
        blank = _BLANK.search(text, at)
        paragraph = text[at : blank.start() if blank else len(text)].lstrip()
        at = blank.end() if blank else len(text)
        if paragraph.startswith(b"-"):
            returned = text[at:]
            break
        match = _QMAIL_RECIPIENT.match(paragraph)
        if match:
            words = " ".join(charset.decode(match[2][:_LONGEST]).split())
            digit = _first(_CODE, words)
            recipients.append(
                ReportedRecipient(
                    kind=NoticeKind.FAILED,
                    address=charset.decode(match[1]),
                    status=_first(_STATUS, words) or f"{digit or 5}.0.0",
                    diagnostic=words,
                )
            )
    if not recipients:
        return None
    top = returned[: header.find_end(returned)]
    return DeliveryReport(
        recipients=tuple(recipients), message_id=_message_id(octets, top, limits)
    )
