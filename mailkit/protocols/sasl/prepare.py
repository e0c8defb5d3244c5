"""Preparing passwords, so that one that is typed equals one that was kept.

OpaqueString (RFC 8265 §4.2) for what we hash, SASLprep (RFC 4013) for SCRAM keys.
Text of ASCII without controls is the same in all forms and takes the short way.
"""

from __future__ import annotations

import stringprep
import unicodedata

from mailkit.errors import Malformed


def saslprep(text: str, allow_unassigned: bool = True) -> str:
    """
    The SASLprep form (RFC 4013 §2).

    :param allow_unassigned: what Unicode 3.2 did not know yet passes: right for
        queries (RFC 3454 §7), and what lets an emoji be part of a password.
    :raises Malformed: if something in it is prohibited.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char
        for char in text
        if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for char in prepared:
        if any(is_in(char) for is_in in _PROHIBITED):
            raise Malformed("the text has a character that SASLprep prohibits")
        if not allow_unassigned and stringprep.in_table_a1(char):
            raise Malformed("the text has a character that Unicode 3.2 does not know")
    _check_direction(prepared)
    return prepared


def opaque_string(text: str) -> str:
    """
    The OpaqueString form (RFC 8265 §4.2.2), checked against FreeformClass.

    The context rules of RFC 5892 are kept for joiners after a virama; characters of
    its other context rules pass, since a password is only compared.

    :raises Malformed: if it is empty or has a character that is disallowed.
    """
    if text.isascii() and text.isprintable() and text:
        return text
    spaced = "".join(
        " " if unicodedata.category(char) == "Zs" else char for char in text
    )
    prepared = unicodedata.normalize("NFC", spaced)
    if not prepared:
        raise Malformed("the text is empty")
    before = ""
    for char in prepared:
        if not _is_freeform(char, before):
            raise Malformed("the text has a character that is not allowed in it")
        before = char
    return prepared


def scram_form(password: str) -> str:
    """
    What SCRAM keys are made of: the SASLprep form, else the password as it is.

    (RFC 5802 §5.1 knows no way for the latter; clients that do not prepare do.)
    """
    try:
        return saslprep(password)
    except Malformed:
        return password


def password_forms(password: str) -> tuple[str, ...]:
    """
    Every form under which a password may have been kept, the likeliest first.

    Just one for ASCII; the password as it is comes last, for imported hashes.
    """
    if password.isascii() and password.isprintable():
        return (password,)
    forms: list[str] = []
    for prepare in (opaque_string, saslprep, _as_it_is):
        try:
            form = prepare(password)
        except Malformed:
            continue
        if form not in forms:
            forms.append(form)
    return tuple(forms)


def _as_it_is(text: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise Malformed("the text has a half of a surrogate pair")
    return text


_PROHIBITED = (  # RFC 4013 §2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def _check_direction(text: str) -> None:
    """The rules for text that runs both ways (RFC 3454 §6)."""
    is_right_to_left = [stringprep.in_table_d1(char) for char in text]
    if not any(is_right_to_left):
        return
    if any(stringprep.in_table_d2(char) for char in text):
        raise Malformed("the text mixes directions")
    if not (is_right_to_left[0] and is_right_to_left[-1]):
        raise Malformed("the text does not begin and end in one direction")


_LETTERS = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No"
_SIGNS = "Zs Sm Sc Sk So Pc Pd Ps Pe Pi Pf Po"
_FREEFORM = frozenset(f"{_LETTERS} {_SIGNS}".split())
_VIRAMA = 9
_JOINERS = "\u200c\u200d"
_DISALLOWED = frozenset(  # OldHangulJamo and Default_Ignorable_Code_Point, RFC 8264 §9
    chr(n)
    for low, high in (
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x1100, 0x11FF),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xA960, 0xA97C),
        (0xD7B0, 0xD7FB),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    )
    for n in range(low, high + 1)
)


def _is_freeform(char: str, before: str) -> bool:
    """Whether PRECIS FreeformClass has it (RFC 8264 §4.3, §8)."""
    if char in _JOINERS:
        return bool(before) and unicodedata.combining(before) == _VIRAMA
    if char in _DISALLOWED:
        return False
    return unicodedata.category(char) in _FREEFORM
