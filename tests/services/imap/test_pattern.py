"""LIST patterns: what they match, and that nothing makes them slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.mailbox import MailboxName
from mailkit.services.imap.pattern import Pattern, above, matcher


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a/b", True),
        ("%", "a", True),
        ("%", "a/b", False),
        ("a", "a", True),
        ("a", "A", False),
        ("a/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("a/%", "a", False),
        ("a*", "a", True),
        ("*b", "a/b", True),
        ("%b", "a/b", False),
        ("%/b", "a/b", True),
        ("*%", "a/b", True),
        ("%*%", "a/b", True),
        ("%%", "a/b", False),
        ("a%c", "abc", True),
        ("a%c", "ab/c", False),
        ("a*c", "ab/c", True),
        ("", "", True),
        ("", "a", False),
        ("a.c", "abc", False),
    ],
)
def test_matching(pattern: str, name: str, matches: bool) -> None:
    assert matcher(pattern)(name) is matches


def naive(pattern: str, name: str) -> bool:
    """As RFC 9051 §6.3.9 says it, without a thought to time."""
    if not pattern:
        return not name
    if pattern[0] in "*%":
        if naive(pattern[1:], name):
            return True
        loops = bool(name) and (pattern[0] == "*" or name[0] != "/")
        return loops and naive(pattern, name[1:])
    return bool(name) and name[0] == pattern[0] and naive(pattern[1:], name[1:])


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_all_patterns_match_as_the_rfc_says(pattern: str, name: str) -> None:
    assert matcher(pattern)(name) is naive(pattern, name)


@pytest.mark.parametrize("pattern", ["inbox", "InBox", "i%", "*X", "INBOX*"])
def test_inbox_in_any_case(pattern: str) -> None:
    assert Pattern.of("", [pattern]).matches(MailboxName("INBOX"))


def test_several_patterns_and_a_reference() -> None:
    pattern = Pattern.of("Work/", ["a", "b%"])
    assert pattern.matches(MailboxName("Work/a"))
    assert pattern.matches(MailboxName("Work/bb"))
    assert not pattern.matches(MailboxName("a"))
    assert not Pattern.of("", []).matches(MailboxName("a"))


def test_names_above() -> None:
    assert list(above("a/b/c")) == ["a", "a/b"]
    assert list(above("a")) == []
