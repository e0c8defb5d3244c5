"""
Senders of forwarded mail, rewritten so that SPF holds (Sender Rewriting Scheme).

``SRS0=<signature>=<day>=<domain>=<local part>@our domain`` leads back to the sender for
some weeks. A sender that somebody else rewrote becomes ``SRS1=<signature>=<that
host>=<rest>``, however often it was forwarded, so it does not grow at each hop.
"""

from __future__ import annotations

import re

from mailkit.formats.signedaddress import Keys, is_signed, sign
from mailkit.model.address import fold_domain
from mailkit.model.path import Path

LONGEST = 64
"""Octets of a local part (RFC 5321 §4.5.3.1.1)."""

DAYS = 21
"""For how long a rewritten sender leads back; longer than anybody retries."""

_DAY = 86400.0
_CYCLE = 1024  # days until two characters begin anew
_SIGNATURE = 6  # characters: 30 bits
_PURPOSE = b"srs"
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_FIRST = re.compile(
    rf"SRS0[=+-]([a-z2-7]{{{_SIGNATURE}}})=([a-z2-7]{{2}})=([^=]+)=(.+)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_AGAIN = re.compile(
    rf"SRS1[=+-]([a-z2-7]{{{_SIGNATURE}}})=([^=]+)=([=+-].+)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_FOREIGN_FIRST = re.compile(r"SRS0([=+-].+)", re.ASCII | re.IGNORECASE | re.DOTALL)
_FOREIGN_AGAIN = re.compile(
    r"SRS1[=+-][^=]*=([^=]+)=([=+-].+)", re.ASCII | re.IGNORECASE | re.DOTALL
)


def forward(sender: Path, domain: str, keys: Keys, now: float) -> Path | None:
    """
    Write the reverse-path with which a message is forwarded.

    :param domain: ours, in which it is.
    :param now: seconds since 1970.
    :returns: ``None`` where it would be longer than a local part may be. The null path
        stays what it is.
    """
    if sender.is_null:
        return sender
    if fold_domain(sender.domain) == fold_domain(domain):
        original = backward(sender, keys, now)
        if original is None:
            return sender  # one of our own people
        sender = original
    local_part = _forwarded(sender, keys, now)
    if len(local_part.encode("utf-8", "replace")) > LONGEST:
        return None
    return Path(local_part, domain)


def backward(path: Path, keys: Keys, now: float) -> Path | None:
    """
    Whose message it was that we sent with this reverse-path.

    :returns: ``None`` if we did not write it, or too long ago.
    """
    match = _FIRST.fullmatch(path.local_part)
    if match is not None:
        signature, day, domain, local_part = match.groups()
        text = f"{day}={domain}={local_part}".lower()
        if not is_signed(_PURPOSE, keys, text, signature):
            return None
        age = (_day_number(now) - _day(day)) % _CYCLE
        return Path(local_part, domain) if age <= DAYS else None
    match = _AGAIN.fullmatch(path.local_part)
    if match is not None:
        signature, host, rest = match.groups()
        if not is_signed(_PURPOSE, keys, f"{host}={rest}".lower(), signature):
            return None
        return Path(f"SRS0{rest}", host)
    return None


def _forwarded(sender: Path, keys: Keys, now: float) -> str:
    local_part = sender.local_part
    match = _FOREIGN_AGAIN.fullmatch(local_part)
    if match is not None:
        host, rest = match.groups()
    else:
        match = _FOREIGN_FIRST.fullmatch(local_part)
        host, rest = sender.domain, match[1] if match else ""
    if match is not None:
        signature = sign(_PURPOSE, keys, f"{host}={rest}".lower(), _SIGNATURE)
        return f"SRS1={signature}={host}={rest}"
    number = _day_number(now) % _CYCLE
    day = _DIGITS[number >> 5] + _DIGITS[number & 31]
    text = f"{day}={sender.domain}={local_part}".lower()
    signature = sign(_PURPOSE, keys, text, _SIGNATURE)
    return f"SRS0={signature}={day}={sender.domain}={local_part}"


def _day_number(now: float) -> int:
    return int(now // _DAY)


def _day(text: str) -> int:
    high, low = map(_DIGITS.index, (text[0].lower(), text[1].lower()))
    return high * 32 + low
