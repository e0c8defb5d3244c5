"""
Character sets by the names that mail gives them; decoding that never raises.

Labels are read as browsers and mail programs read them: the declared set's superset
where senders are known to mean that one (RFC 2046 §4.1.2 leaves it open).
"""

from __future__ import annotations

import codecs
import re

_SUPERSETS: dict[str, str] = {
    "": "utf-8",
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "default": "utf-8",
    "x-unknown": "utf-8",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "ms_kanji": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "big5": "cp950",
    "x-big5": "cp950",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "cp-850": "cp850",
}

# Python knows codecs that are no character sets, and some that cost quadratic time.
_CHARACTER_SET = re.compile(
    r"(?:utf|iso|latin|cp|ibm|windows|koi8|big5|gb|hz|euc|shift|johab|mac|tis|kz|ptcp"
    r"|cs|arabic|cyrillic|greek|hebrew|l[0-9])[-_a-z0-9:.]*\Z"
)


def codec_name(name: bytes) -> str:
    """
    Give the name of Python's codec for a charset label (RFC 2978 §2.3).

    A label that is not known, or none, is taken as UTF-8.
    """
    label = name.decode("ascii", "replace").strip().strip("\"'").lower()
    known = _SUPERSETS.get(label)
    if known is not None:
        return known
    if len(label) > 40 or not _CHARACTER_SET.match(label):
        return "utf-8"
    try:
        codecs.lookup(label)
    except (LookupError, ValueError):
        return "utf-8"
    return label


def is_known(name: bytes) -> bool:
    """Say whether a label names a set we can decode, for SEARCH (RFC 9051 §6.4.4)."""
    label = name.decode("ascii", "replace").strip().strip("\"'").lower()
    return label in ("utf-8", "utf8", "us-ascii", "ascii") or (
        codec_name(name) != "utf-8"
    )


def decode(octets: bytes, name: bytes = b"") -> str:
    """Decode by a label; what is no text in it becomes U+FFFD or Windows-1252."""
    codec = codec_name(name)
    try:
        return octets.decode(codec)
    except ValueError:
        if codec == "utf-8" and name.strip().lower() not in (b"utf-8", b"utf8"):
            codec = "cp1252"
        return octets.decode(codec, "replace")
