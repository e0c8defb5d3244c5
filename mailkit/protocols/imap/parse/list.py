"""LIST with all its options, and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9)."""

from __future__ import annotations

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import List, Lsub
from mailkit.protocols.imap.items import ListReturn, ListSelection, StatusItem
from mailkit.protocols.imap.lexer import Lexer
from mailkit.protocols.imap.parse.mailbox import read_status_items

_SELECTIONS: dict[bytes, ListSelection] = {o.value: o for o in ListSelection}
_RETURNS: dict[bytes, ListReturn] = {option.value: option for option in ListReturn}


def read_list(lexer: Lexer) -> List:
    """``LIST [(selection)] reference pattern|(pattern …) [RETURN (…)]``."""
    lexer.space("reference")
    selection: frozenset[ListSelection] = frozenset()
    is_extended = lexer.next_is(b"(")
    if is_extended:
        selection = _read_selection(lexer)
        lexer.space("reference")
    reference = lexer.name_of(lexer.astring("reference"))
    lexer.space("mailbox pattern")
    if lexer.next_is(b"("):
        is_extended = True
        patterns = _read_patterns(lexer)
    else:
        patterns = _names(lexer, [lexer.pattern("mailbox pattern")])
    if not lexer.try_space():
        return List(
            reference, patterns, selection, frozenset(), is_extended=is_extended
        )
    if lexer.word("word RETURN") != b"RETURN":
        raise Malformed("After the patterns LIST takes RETURN (...) only")
    lexer.space("list of return options")
    returns, status = _read_returns(lexer)
    return List(reference, patterns, selection, returns, status, is_extended=True)


def read_lsub(lexer: Lexer) -> Lsub:
    """``LSUB reference pattern`` (RFC 3501 §6.3.9)."""
    lexer.space("reference")
    reference = lexer.name_of(lexer.astring("reference"))
    lexer.space("mailbox pattern")
    found = _names(lexer, [lexer.pattern("mailbox pattern")])
    return Lsub(reference, found[0] if found else None)


def _read_selection(lexer: Lexer) -> frozenset[ListSelection]:
    lexer.expect(b"(", "before the selection options")
    options: set[ListSelection] = set()
    while not lexer.skip(b")"):
        if options:
            lexer.space("selection option")
        options.add(lexer.one_of(_SELECTIONS, "selection option"))
    if (
        ListSelection.RECURSIVEMATCH in options
        and ListSelection.SUBSCRIBED not in options
    ):
        # RFC 9051 §6.3.9.1; SPECIAL-USE is no base option (RFC 6154 §6).
        raise Malformed("RECURSIVEMATCH needs SUBSCRIBED beside it")
    return frozenset(options)


def _read_patterns(lexer: Lexer) -> tuple[str, ...]:
    lexer.expect(b"(", "before the patterns")
    patterns: list[bytes] = []
    while True:
        patterns.append(lexer.pattern("mailbox pattern"))
        if len(patterns) > lexer.limits.items:
            raise Malformed(f"More than {lexer.limits.items} patterns")
        if lexer.skip(b")"):
            return _names(lexer, patterns)
        lexer.space("mailbox pattern")


def _read_returns(
    lexer: Lexer,
) -> tuple[frozenset[ListReturn], tuple[StatusItem, ...]]:
    lexer.expect(b"(", "before the return options")
    options: set[ListReturn] = set()
    status: tuple[StatusItem, ...] = ()
    while not lexer.skip(b")"):
        if options:
            lexer.space("return option")
        option = lexer.one_of(_RETURNS, "return option")
        if option is ListReturn.STATUS:
            lexer.space("list of status items")
            status = read_status_items(lexer)
        options.add(option)
    return frozenset(options), status


def _names(lexer: Lexer, patterns: list[bytes]) -> tuple[str, ...]:
    # A pattern that can match nothing is ignored without a word (RFC 5258 §3).
    names: list[str] = []
    for octets in patterns:
        try:
            names.append(lexer.name_of(octets))
        except Malformed:
            continue
    return tuple(names)
