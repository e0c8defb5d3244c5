"""
Trace fields: written when a message comes in, counted so that it cannot go round.

RFC 5321 §4.4 (Received, Return-Path), RFC 3848 and RFC 6531 §4.3 (the words behind
WITH), RFC 9228 (Delivered-To).
"""

from __future__ import annotations

import re
from datetime import datetime

from attrs import frozen

from mailkit.formats import date, header
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

HOPS = 100
"""Received fields at which a message goes round for certain (RFC 5321 §6.3)."""

_LINE = 78  # RFC 5322 §2.1.1
_NO_DOMAIN = re.compile(r"[^\w.\-:\[\]]")
_NO_PHRASE = re.compile(r"[^\w.\-:/+ ]")
_NO_PATH = re.compile(r"[\x00-\x20\x7f<>]")


@frozen
class Arrival:
    """How a message came in; what a Received field tells."""

    by: str  # our name
    protocol: str  # a word of `with_keyword`
    at: datetime
    helo: str | None = None  # what the peer called itself; None hides the peer whole
    peer_name: str | None = None  # its name by DNS, if that was verified
    peer_address: str | None = None  # as written by the IP stack
    tls_version: str | None = None  # "TLSv1.3"
    tls_cipher: str | None = None
    id: str | None = None
    recipient: str | None = None  # only if the message has no other (RFC 5321 §7.6)


def with_keyword(
    *, extended: bool, tls: bool, authenticated: bool, utf8: bool, lmtp: bool
) -> str:
    """
    Give the word behind WITH (RFC 3848, RFC 6531 §4.3).

    :param extended: whether the peer greeted with EHLO (or LHLO).
    :param utf8: whether this message came with SMTPUTF8.
    """
    if not (extended or lmtp):
        return "SMTP"
    name = "LMTP" if lmtp else "SMTP"
    secured = ("S" if tls else "") + ("A" if authenticated else "")
    if utf8:
        return "UTF8" + name + secured
    return ("" if lmtp else "E") + name + secured


def write_received(arrival: Arrival) -> bytes:
    """
    Write a Received field with its CRLF (RFC 5321 §4.4).

    What the peer said of itself cannot break out of its clause: octets that no name
    has become question marks.
    """
    clauses: list[str] = []
    if arrival.helo is not None:
        clauses.append(f"from {_domain(arrival.helo)}{_tcp_info(arrival)}")
    tls = _tls(arrival)
    if tls and clauses:
        clauses.append(tls)
    clauses.append(f"by {_domain(arrival.by)}")
    clauses.append(f"with {_phrase(arrival.protocol)}")
    if tls and arrival.helo is None:
        clauses.append(tls)  # no field begins with a comment
    if arrival.id is not None:
        clauses.append(f"id {_phrase(arrival.id)}")
    if arrival.recipient is not None:
        clauses.append(f"for <{_NO_PATH.sub('?', arrival.recipient)}>")
    clauses[-1] += ";"
    clauses.append(date.format(arrival.at).decode("ascii"))
    return _folded("Received:", clauses)


def write_return_path(reverse_path: str) -> bytes:
    """Write a Return-Path field; ``""`` is the null path (RFC 5321 §4.4)."""
    return f"Return-Path: <{_NO_PATH.sub('?', reverse_path)}>\r\n".encode(
        "utf-8", "replace"
    )


def write_delivered_to(address: str) -> bytes:
    """Write a Delivered-To field (RFC 9228 §4)."""
    return f"Delivered-To: {_NO_PATH.sub('?', address)}\r\n".encode("utf-8", "replace")


def count(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> int:
    """Count the Received fields of a message (RFC 5321 §6.3)."""
    fields = header.scan(octets, 0, header.find_end(octets), limits)
    return sum(name.lower() == b"received" for _, name, _ in fields)


def was_delivered_to(
    octets: bytes, address: str, limits: Limits = DEFAULT_LIMITS
) -> bool:
    """Say whether a Delivered-To already names this address, in any case."""
    wanted = _NO_PATH.sub("?", address).casefold()
    return any(
        value.strip(b"<>").decode("utf-8", "replace").casefold() == wanted
        for value in header.every(octets, b"Delivered-To", limits)
    )


def _tls(arrival: Arrival) -> str:
    if arrival.tls_version is None:
        return ""
    cipher = f" {arrival.tls_cipher}" if arrival.tls_cipher else ""
    return f"({_phrase(arrival.tls_version + cipher)})"


def _tcp_info(arrival: Arrival) -> str:
    if arrival.peer_address is None:
        return ""
    prefix = "IPv6:" if ":" in arrival.peer_address else ""
    literal = f"[{prefix}{_domain(arrival.peer_address).strip('[]')}]"
    if arrival.peer_name:
        return f" ({_domain(arrival.peer_name)} {literal})"
    return f" ({literal})"


def _domain(text: str) -> str:
    return _NO_DOMAIN.sub("?", text)[:255] or "?"


def _phrase(text: str) -> str:
    return _NO_PHRASE.sub("?", text)


def _folded(name: str, clauses: list[str]) -> bytes:
    """Join clauses with spaces, and with CRLF and a tab where a line grows long."""
    line = name
    lines: list[str] = []
    for clause in clauses:
        if len(line) + 1 + len(clause) > _LINE and line != name:
            lines.append(line)
            line = "\t" + clause
        else:
            line = f"{line} {clause}"
    lines.append(line)
    return ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")
