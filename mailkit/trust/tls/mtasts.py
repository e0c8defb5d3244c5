"""The records and policies of MTA-STS (RFC 8461 §3)."""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen

from mailkit.errors import Malformed

LONGEST = 64 * 1024
"""Octets of a policy (RFC 8461 §3.3)."""

LONGEST_AGE = 31_557_600
"""Seconds for which a policy may be kept (RFC 8461 §3.2)."""

_RECORD = re.compile(rb"v=STSv1[ \t]*;[ \t]*(.*)", re.S)
_ID = re.compile(rb"(?:^|;)[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?=;|$)")
_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")
_MOST_PATTERNS = 100


class Mode(Enum):
    """What is done about hosts that do not keep to the policy."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@frozen(kw_only=True)
class Policy:
    """What a domain asks of those who send to it."""

    mode: Mode
    max_age: float
    """Seconds."""
    mx: tuple[str, ...] = ()
    """Names of its hosts in lower case, perhaps with ``*.`` in front."""

    def allows(self, host: str) -> bool:
        """Whether a host is one of the domain's (RFC 8461 §4.1)."""
        name = host.lower().rstrip(".")
        above = "*." + name.partition(".")[2]
        return name in self.mx or above in self.mx


def read_record(records: tuple[bytes, ...]) -> str | None:
    """
    The id in the TXT records of ``_mta-sts.DOMAIN`` (RFC 8461 §3.1).

    :returns: ``None`` unless there is exactly one that is good.
    """
    found = [record for record in records if record.startswith(b"v=STSv1")]
    if len(found) != 1:
        return None
    fields = _RECORD.fullmatch(found[0])
    number = None if fields is None else _ID.search(fields[1])
    return None if number is None else number[1].decode("ascii")


def read_policy(octets: bytes) -> Policy:
    """
    A policy file (RFC 8461 §3.2); of a field that is repeated the first counts.

    :raises Malformed: with what is wrong.
    """
    if len(octets) > LONGEST:
        raise Malformed("the policy is too long")
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("the policy is not ASCII") from None
    fields: dict[str, str] = {}
    mx: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        name, colon, value = line.partition(":")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not colon:
            if name:
                raise Malformed("a line of the policy is no field")
        elif name == "mx":
            mx.append(_pattern(value))
        else:
            fields.setdefault(name, value)
    if fields.get("version") != "STSv1":
        raise Malformed("the policy is not of version STSv1")
    try:
        mode = Mode(fields.get("mode", ""))
    except ValueError:
        raise Malformed("the mode of the policy is unknown") from None
    age = fields.get("max_age", "")
    if not (age.isascii() and age.isdigit()) or len(age) > 10:
        raise Malformed("the policy has no max_age")
    if mode is not Mode.NONE and not mx:
        raise Malformed("the policy names no host")
    if len(mx) > _MOST_PATTERNS:
        raise Malformed("the policy names too many hosts")
    return Policy(mode=mode, max_age=float(min(int(age), LONGEST_AGE)), mx=tuple(mx))


def _pattern(value: str) -> str:
    name = value.lower().rstrip(".")
    if _PATTERN.fullmatch(name) is None:
        raise Malformed("the policy names something that is no host")
    return name
