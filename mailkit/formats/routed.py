"""
A message as programs are told of it by routes: JSON with its text and its fields.

``message_id``, ``from``, ``to``, ``subject`` and ``body`` are what people see in it,
decoded; ``envelope`` is what it travelled with, and what counts.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mailkit.formats import body, charset, date, encodedword, header, mime
from mailkit.formats.fields import parameter
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.readable import texts
from mailkit.model.queueitem import QueueItem

LOOKED_AT = 1024 * 1024
"""Octets of a message that are looked at; a text that goes on behind is cut."""

Facts = dict[str, object]


def envelope_of(item: QueueItem) -> Facts:
    """Who an item is from and whom it is for now."""
    return {
        "from": str(item.envelope.reverse_path),
        "to": [str(each.path) for each in item.waiting],
    }


def facts_of(
    item: QueueItem,
    octets: bytes,
    size: int,
    limits: Limits = DEFAULT_LIMITS,
) -> Facts:
    """
    All that is told of a message, but for the message itself.

    :param octets: the message, or its first `LOOKED_AT` octets.
    :param size: octets of the whole.
    """
    root = mime.scan(octets, limits)
    found: dict[bytes, bytes] = {}
    fields: list[list[str]] = []
    for _, name, value in header.scan(octets, 0, root.body, limits):
        unfolded = header.unfold(value)
        found.setdefault(name.lower(), unfolded)
        fields.append([_plain(name), encodedword.decode(unfolded)])
    text, kind, is_cut = _text(octets, root, size, limits)

    def say(name: bytes) -> str:
        return encodedword.decode(found.get(name, b""))

    return {
        "message_id": item.message_id or say(b"message-id"),
        "from": say(b"from"),
        "to": say(b"to"),
        "subject": say(b"subject"),
        "body": text,
        "body_type": kind,
        "body_is_cut": is_cut,
        "date": _date(found.get(b"date")),
        "envelope": envelope_of(item),
        "headers": fields,
        "size": size,
        "queue_id": item.id,
        "account": item.account,
        "arrived": _moment(item.arrived),
    }


def write(facts: Facts) -> bytes:
    """One line of JSON in ASCII, which no reader can misunderstand (RFC 8259)."""
    return json.dumps(facts, separators=(",", ":")).encode("ascii")


def _text(
    octets: bytes, root: mime.Part, size: int, limits: Limits
) -> tuple[str, str, bool]:
    """The first text, plain if there is one, as in previews; its type; is it cut."""
    marked: mime.Part | None = None
    for part in texts(root, limits):
        if part.subtype == b"plain":
            return _decoded(octets, part), "plain", _is_cut(octets, part, size)
        if part.subtype == b"html":
            marked = marked or part
    if marked is None:
        return "", "", False
    return _decoded(octets, marked), "html", _is_cut(octets, marked, size)


def _is_cut(octets: bytes, part: mime.Part, size: int) -> bool:
    return len(octets) < size and part.end >= len(octets)


def _decoded(octets: bytes, part: mime.Part) -> str:
    """With line ends as programs have them."""
    source = octets[part.body : part.end]
    try:
        source = body.decode(source, part.encoding)
    except body.UnknownEncoding:
        return _plain(source)
    label = parameter(part.parameters, b"charset") or b""
    return charset.decode(source, label).replace("\r\n", "\n")


def _plain(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _date(value: bytes | None) -> str | None:
    moment = None if value is None else date.parse(value)
    return None if moment is None else moment.isoformat()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
