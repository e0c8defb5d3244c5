"""
Delivery status notifications, written (RFC 3464, RFC 6522, RFC 6533).

Three parts: what people read, what programs read, and the message or its header. All
of it is ASCII on the wire, unless the sender's own address is not: then the notice
needs SMTPUTF8 on its way back as the message did on its way here.
"""

from __future__ import annotations

import re
from datetime import datetime
from textwrap import fill

from attrs import frozen

from mailkit.formats import body, date, encodedword, fields, header
from mailkit.formats.limits import DEFAULT_LIMITS, KIB, Limits
from mailkit.formats.plainwords import TOO_LATE, Reason, reason_for
from mailkit.model.notice import NoticeKind

LONGEST_HEADER = 64 * KIB
"""Octets of the header that are returned; what is longer is cut between lines."""

LONGEST_WORDS = 2000
"""Characters of what a peer said that are passed on."""

_LINE = 76
_LONGEST_SUBJECT = 120
_LONGEST_ID = 900
_REFERENCES = 10
_DAY = 86400.0
_HOUR = 3600.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_REPLY_CODE = re.compile(r"[245][0-9]{2}(?![0-9])", re.ASCII)
_ADDRESS_LITERAL = re.compile(r"[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_PREFIXES = {
    NoticeKind.FAILED: "Not delivered",
    NoticeKind.DELAYED: "Not delivered yet",
    NoticeKind.DELIVERED: "Delivered",
    NoticeKind.RELAYED: "Passed on",
    NoticeKind.EXPANDED: "Passed on to several",
}


@frozen(kw_only=True)
class Told:
    """One recipient, and what became of the message for it."""

    address: str
    """As it stood in the envelope."""
    status: str
    """Such as ``5.1.1`` (RFC 3463)."""
    words: str = ""
    """What was said about it, lines divided by line ends."""
    host: str = ""
    """Who said so; empty: we did."""
    original: str = ""
    """ORCPT, ``type;address`` with xtext undone; empty: there was none."""

    @property
    def known_as(self) -> str:
        """The address that the sender knows."""
        kind, _, address = self.original.partition(";")
        if kind.strip().lower() == "rfc822" and address:
            return address.strip()
        if kind.strip().lower() == "utf-8" and address:
            return unescape(address.strip())
        return self.address


@frozen(kw_only=True)
class Notice:
    """What is told, to whom, and about what."""

    kind: NoticeKind
    told: tuple[Told, ...]
    hostname: str
    """Who tells: this server."""
    author: str
    """The address in From."""
    sender: str
    """The reverse-path of the message, not null: where the notice goes."""
    message_id: str
    """Of the notice, with its angle brackets."""
    written: datetime
    arrived: datetime
    """When the message came in."""
    attempted: datetime | None = None
    """When it was tried last."""
    until: datetime | None = None
    """When trying ends, or ended."""
    envid: str = ""
    """ENVID, xtext undone."""

    @property
    def needs_utf8(self) -> bool:
        """Whether SMTPUTF8 is needed to send it (RFC 6531 §3.6)."""
        return not self.sender.isascii()


def compose(
    notice: Notice,
    original: bytes,
    *,
    whole: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """
    Write a notice.

    :param original: the message, or no more than its header.
    :param whole: return all of it, if it can stand in a text; its header otherwise.
    """
    top = original[: header.find_end(original)]
    subject = _subject(top, limits)
    parts = (
        _text_part(_people_read(notice, subject)),
        _status_part(notice),
        _original_part(notice, original, top, whole=whole),
    )
    boundary = _boundary(notice.message_id, parts)
    delimiter = b"--%b\r\n" % boundary
    return b"".join(
        (
            _header(notice, subject, top, parts, boundary, limits),
            b"This is a delivery status notification in MIME format.\r\n\r\n",
            *(delimiter + part for part in parts),
            b"--%b--\r\n" % boundary,
        )
    )


def unescape(address: str) -> str:
    r"""Undo ``\x{…}`` of a UTF-8 address (RFC 6533 §3)."""
    return _ESCAPED.sub(lambda match: _character(match), address)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    is_character = 0x20 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_character else match[0]


# -- the header


def _header(
    notice: Notice,
    subject: str,
    top: bytes,
    parts: tuple[bytes, ...],
    boundary: bytes,
    limits: Limits,
) -> bytes:
    prefix = _PREFIXES[notice.kind]
    lines = [
        b"Date: " + date.format(notice.written),
        b"From: Mail delivery <%b>" % _plain(notice.author).encode(),
        b"To: <%b>" % _plain(notice.sender).encode(),
        b"Subject: "
        + encodedword.encode(f"{prefix}: {subject}" if subject else prefix),
        b"Message-ID: " + _plain(notice.message_id).encode(),
    ]
    answered = _message_ids(notice, top, b"Message-ID", limits)[:1]
    if answered:
        earlier = _message_ids(notice, top, b"References", limits)[-_REFERENCES:]
        lines += (
            b"In-Reply-To: " + answered[0],
            b"References: " + b"\r\n ".join((*earlier, *answered)),
        )
    if not all(part.isascii() for part in parts):  # RFC 2045 §6.4
        lines.append(b"Content-Transfer-Encoding: 8bit")
    return b"\r\n".join(
        (
            *lines,
            b"Auto-Submitted: auto-replied",  # RFC 3834 §5
            b"MIME-Version: 1.0",
            b"Content-Type: multipart/report; report-type=delivery-status;",
            b'\tboundary="%b"' % boundary,
            b"",
            b"",
        )
    )


def _message_ids(
    notice: Notice, top: bytes, name: bytes, limits: Limits
) -> list[bytes]:
    found = fields.message_ids(header.first(top, name, limits) or b"", limits)
    return [
        one
        for one in found
        if len(one) <= _LONGEST_ID
        and (one.isascii() or (notice.needs_utf8 and _is_utf8(one)))
    ]


def _boundary(message_id: str, parts: tuple[bytes, ...]) -> bytes:
    """One that stands in none of the parts (RFC 2046 §5.1.1)."""
    name = re.sub(r"[^A-Za-z0-9.]", "", message_id)[:40].encode("ascii")
    boundary = b"=_" + name
    number = 0
    while any(boundary in part for part in parts):
        number += 1
        boundary = b"=_%d_%b" % (number, name)
    return boundary


def _subject(top: bytes, limits: Limits) -> str:
    value = header.first(top, b"Subject", limits)
    text = "" if value is None else encodedword.decode(value[: 4 * KIB])
    text = " ".join(_CONTROL.sub(" ", text).split())
    if len(text) > _LONGEST_SUBJECT:
        return text[: _LONGEST_SUBJECT - 1].rstrip() + "…"
    return text


# -- for people


def _people_read(notice: Notice, subject: str) -> str:
    groups: dict[Reason, list[Told]] = {}
    if notice.kind in (NoticeKind.FAILED, NoticeKind.DELAYED):
        for told in notice.told:
            groups.setdefault(reason_for(told.status, told.words), []).append(told)
        paragraphs = [
            _failure(notice, subject, reason, group) for reason, group in groups.items()
        ]
    else:
        paragraphs = [_success(notice, subject)]
    paragraphs = [_wrapped(paragraph) for paragraph in paragraphs]
    if groups:
        paragraphs += [_said(told) for told in notice.told if told.words.strip()]
    paragraphs.append(
        _wrapped(
            f"{notice.hostname} wrote this by itself. The message it is about, or its"
            " header, is attached."
        )
    )
    return "\n\n".join(paragraphs) + "\n"


def _failure(notice: Notice, subject: str, reason: Reason, group: list[Told]) -> str:
    message, people = _message(notice, subject), _people(group)
    if notice.kind is NoticeKind.DELAYED:
        end = f" until {_moment(notice.until)}" if notice.until else ""
        return (
            f"{message} has not reached {people} yet: {reason.because}. We go on"
            f" trying{end} and tell you if it does not arrive; you need not do"
            " anything, and need not send it again."
        )
    tried = ""
    if (
        notice.until is not None
        and reason is not TOO_LATE
        and any(told.status[:1] == "4" for told in group)
    ):
        tried = f" although it was tried for {_span(notice)}"
        if len(group) > 1:
            tried += ","
    return (
        f"{message} could not be delivered to {people}{tried}: {reason.because}."
        f" {reason.advice}"
    )


def _success(notice: Notice, subject: str) -> str:
    message, people = _message(notice, subject), _people(list(notice.told))
    if notice.kind is NoticeKind.DELIVERED:
        return f"{message} was delivered to {people}."
    if notice.kind is NoticeKind.RELAYED:
        hosts = sorted({told.host for told in notice.told if told.host})
        to = f" to {_joined([_plain(host) for host in hosts])}" if hosts else ""
        return (
            f"{message} for {people} was passed on{to}. That server took it, and does"
            " not tell whether it arrives."
        )
    return (
        f"{message} reached {people}, which stands for several people, and was passed"
        " on to them. You will not hear about each of them."
    )


def _said(told: Told) -> str:
    lines = [_plain(line) for line in told.words[:LONGEST_WORDS].splitlines()]
    who = f"{_plain(told.host)} said about" if told.host else "In detail, about"
    return f"{who} {_plain(told.address)}:\n\n" + "\n".join(
        fill(
            line,
            _LINE,
            initial_indent="    ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines
        if line.strip()
    )


def _message(notice: Notice, subject: str) -> str:
    when = notice.arrived.strftime("%d %b %Y").lstrip("0")
    return (
        f'Your message "{subject}" of {when}' if subject else f"Your message of {when}"
    )


def _people(group: list[Told]) -> str:
    return _joined(list(dict.fromkeys(_plain(told.known_as) for told in group)))


def _joined(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _moment(moment: datetime) -> str:
    return f"{moment:%d %b %Y, %H:%M} {moment.tzname() or ''}".strip().lstrip("0")


def _span(notice: Notice) -> str:
    seconds = (notice.written - notice.arrived).total_seconds()
    unit, name = (_DAY, "day") if seconds >= _DAY else (_HOUR, "hour")
    number = max(1, round(seconds / unit))
    return f"{number} {name}{'s' if number > 1 else ''}"


def _wrapped(text: str) -> str:
    return fill(text, _LINE, break_long_words=False, break_on_hyphens=False)


def _text_part(text: str) -> bytes:
    octets = text.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    encoding = b"7bit"
    if not octets.isascii() or body.has_long_lines(octets):
        octets, encoding = body.encode_quoted_printable(octets), b"quoted-printable"
    return (
        b"Content-Description: Notification\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: %b\r\n\r\n%b\r\n" % (encoding, octets)
    )


# -- for programs


def _status_part(notice: Notice) -> bytes:
    is_global = any(
        not (told.address.isascii() and told.known_as.isascii()) for told in notice.told
    )
    blocks = [_message_fields(notice)]
    blocks += (_recipient_fields(notice, told, is_global) for told in notice.told)
    text = "\r\n".join(blocks)
    octets = text.encode("utf-8") if is_global else text.encode("ascii", "replace")
    kind = b"global-delivery-status" if is_global else b"delivery-status"
    return b"Content-Description: Delivery report\r\n" + _encoded(
        b"message/" + kind, octets, eight_bit=notice.needs_utf8
    )


def _message_fields(notice: Notice) -> str:
    lines = [_field("Reporting-MTA", f"dns; {_plain(notice.hostname)}")]
    if notice.envid:
        lines.append(_field("Original-Envelope-Id", _escaped(notice.envid)))
    lines.append(_field("Arrival-Date", date.format(notice.arrived).decode("ascii")))
    return "".join(lines)


def _recipient_fields(notice: Notice, told: Told, is_global: bool) -> str:
    lines: list[str] = []
    if told.original:
        kind, _, address = told.original.partition(";")
        address = unescape(address) if is_global else _escaped(address)
        said = f"{_escaped(kind)};{_plain(address)}"
        lines.append(_field("Original-Recipient", said))
    kind = "rfc822" if told.address.isascii() else "utf-8"
    lines += (
        _field("Final-Recipient", f"{kind}; {_plain(told.address)}"),
        _field("Action", notice.kind.value),
        _field("Status", _status(notice.kind, told.status)),
    )
    if told.host:
        lines.append(_field("Remote-MTA", f"dns; {_host(told.host)}"))
    words = " ".join(_plain(told.words[:LONGEST_WORDS]).split())
    if words and notice.kind in (NoticeKind.FAILED, NoticeKind.DELAYED):
        kind = "smtp" if _REPLY_CODE.match(words) else "x-mailkit"
        lines.append(_field("Diagnostic-Code", f"{kind}; {words}"))
    if notice.attempted is not None:
        said = date.format(notice.attempted).decode("ascii")
        lines.append(_field("Last-Attempt-Date", said))
    if notice.kind is NoticeKind.DELAYED and notice.until is not None:
        said = date.format(notice.until).decode("ascii")
        lines.append(_field("Will-Retry-Until", said))
    return "".join(lines)


def _status(kind: NoticeKind, status: str) -> str:
    """A code that can stand beside the action (RFC 3464 §2.3.4)."""
    if re.fullmatch(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", status, re.ASCII):
        return status
    if kind is NoticeKind.FAILED:
        return "5.0.0"
    return "4.0.0" if kind is NoticeKind.DELAYED else "2.0.0"


def _host(host: str) -> str:
    name = _plain(host)
    return f"[{name}]" if _ADDRESS_LITERAL.fullmatch(name) else name


def _field(name: str, value: str) -> str:
    """A field with its CRLF, folded at spaces."""
    lines = fill(
        f"{name}: {value}",
        _LINE,
        subsequent_indent=" ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace("\n", "\r\n") + "\r\n"


def _escaped(text: str) -> str:
    r"""ASCII for whatever it is: ``\x{…}`` for all else (RFC 6533 §3)."""
    return "".join(
        one if one.isascii() else f"\\x{{{ord(one):X}}}" for one in _plain(text)
    )


# -- the message


def _original_part(
    notice: Notice, original: bytes, top: bytes, *, whole: bool
) -> bytes:
    is_utf8 = not top.isascii() and _is_utf8(top)
    if whole and _is_text(original):
        head = b"Content-Description: Undelivered message\r\n"
        if is_utf8:
            octets = _encoded(b"message/global", original, eight_bit=notice.needs_utf8)
            return head + octets
        encoding = b"7bit" if original.isascii() else b"8bit"
        return head + (
            b"Content-Type: message/rfc822\r\n"
            b"Content-Transfer-Encoding: %b\r\n\r\n%b\r\n" % (encoding, original)
        )
    if len(top) > LONGEST_HEADER:
        top = top[: top.rfind(b"\n", 0, LONGEST_HEADER) + 1] or top[:LONGEST_HEADER]
    kind = b"message/global-headers" if is_utf8 else b"text/rfc822-headers"
    return b"Content-Description: Header of the message\r\n" + _encoded(
        kind, _BARE.sub(b"\r\n", top), eight_bit=notice.needs_utf8 and is_utf8
    )


def _encoded(kind: bytes, octets: bytes, *, eight_bit: bool) -> bytes:
    encoding = b"7bit"
    if b"\0" in octets or body.has_long_lines(octets):
        octets, encoding = body.encode_quoted_printable(octets), b"quoted-printable"
    elif not octets.isascii():
        encoding = b"8bit"
        if not eight_bit:
            octets = body.encode_quoted_printable(octets)
            encoding = b"quoted-printable"
    return b"Content-Type: %b\r\nContent-Transfer-Encoding: %b\r\n\r\n%b\r\n" % (
        kind,
        encoding,
        octets,
    )


def _is_text(octets: bytes) -> bool:
    """Whether it may stand in a message/rfc822 as it is (RFC 2046 §5.2.1)."""
    ends = octets.count(b"\r\n")
    return (
        octets.count(b"\n") == ends == octets.count(b"\r")
        and b"\0" not in octets
        and not body.has_long_lines(octets)
    )


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(text: str) -> str:
    """One line, whatever was in it; so nobody writes fields or parts of ours."""
    return _CONTROL.sub(" ", text)[:LONGEST_WORDS]
