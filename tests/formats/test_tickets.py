"""Tickets: what they carry comes back to whoever has the key, and to nobody else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.tickets import Ticket, read_ticket, write_ticket

KEYS = [b"new", b"old"]
TICKET = Ticket("password", ("bücher@example.test", "3"), 2000)


def test_there_and_back() -> None:
    text = write_ticket(TICKET, KEYS)
    assert read_ticket(text, "password", KEYS, 2000) == TICKET
    assert read_ticket(text, "password", [b"newest", *KEYS], 0) == TICKET


def test_what_is_not_believed() -> None:
    text = write_ticket(TICKET, KEYS)
    assert read_ticket(text, "password", KEYS, 2001) is None
    assert read_ticket(text, "invitation", KEYS, 0) is None
    assert read_ticket(text, "password", [b"another"], 0) is None
    assert read_ticket("A" + text, "password", KEYS, 0) is None
    assert read_ticket(text[:-1], "password", KEYS, 0) is None
    assert read_ticket("x" * 5000, "password", KEYS, 0) is None


@given(st.text())
def test_anything_at_all_is_none(text: str) -> None:
    assert read_ticket(text, "password", KEYS, 0) is None


@given(st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"))))
def test_facts_come_back(facts: list[str]) -> None:
    ticket = Ticket("x", tuple(facts), 10)
    text = write_ticket(ticket, KEYS)
    if len(text) <= 1000:
        assert read_ticket(text, "x", KEYS, 10) == ticket
