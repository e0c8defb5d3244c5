"""What an invitation says, in lines that people read (RFC 5545); none is answered."""

from __future__ import annotations

import re
from datetime import datetime

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)")
_ESCAPED = re.compile(r"\\([\\;,nN])")
_COMMON_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^;:]*))", re.IGNORECASE)
_ZONE = re.compile(r";TZID=\"?([^;:\"]*)", re.IGNORECASE)
_DATE = re.compile(r"(\d{8})(?:T(\d{4})\d{2}(Z)?)?\Z")
_SHOWN = {
    "SUMMARY": "",
    "DTSTART": "From",
    "DTEND": "Until",
    "LOCATION": "Where",
    "ORGANIZER": "From whom",
    "ATTENDEE": "Invited",
    "STATUS": "Status",
    "RRULE": "Repeats",
    "URL": "Link",
    "DESCRIPTION": "",
}
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
}
_MOST = 200


def calendar_text(source: str, most: int = 256 * 1024) -> str:
    """
    Write what the first events say; the source itself, if it has none.

    :param most: characters that are looked at.
    """
    lines: list[str] = []
    inside: list[str] = []
    has_events = False
    for line in _FOLD.sub("", source[:most]).splitlines():
        match = _LINE.match(line)
        if match is None or len(lines) >= _MOST:
            continue
        name, parameters, value = match[1].upper(), match[2], match[3].strip()
        if name == "BEGIN":
            inside.append(value.upper())
            if inside[-1] in ("VEVENT", "VTODO"):
                if has_events:
                    lines.append("")
                has_events = True
        elif name == "END":
            del inside[-1:]
        elif name == "METHOD" and value.upper() in _METHODS:
            lines.insert(0, _METHODS[value.upper()])
        elif name in _SHOWN and inside[-1:] in (["VEVENT"], ["VTODO"]):
            text = _said(name, parameters, value)
            if text:
                label = _SHOWN[name]
                lines.append(f"{label}: {text}" if label else text)
    return "\n".join(lines) if lines else source[:most]


def _said(name: str, parameters: str, value: str) -> str:
    if name in ("DTSTART", "DTEND"):
        return _when(parameters, value)
    if name in ("ORGANIZER", "ATTENDEE"):
        address = re.sub(r"(?i)^mailto:", "", value)
        match = _COMMON_NAME.search(parameters)
        common = (match[1] or match[2]) if match else ""
        return f"{common} <{address}>" if common and common != address else address
    return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def _when(parameters: str, value: str) -> str:
    match = _DATE.match(value)
    if match is None:
        return value
    try:
        day = datetime.strptime(match[1], "%Y%m%d")
    except ValueError:
        return value
    text = f"{day:%Y-%m-%d}"
    if match[2]:
        text += f" {match[2][:2]}:{match[2][2:]}"
    zone = _ZONE.search(parameters)
    if match[3]:
        text += " UTC"
    elif zone:
        text += f" ({zone[1]})"
    return text
