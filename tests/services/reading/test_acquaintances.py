"""Whom people know."""

from __future__ import annotations

from mailkit.model.address import AccountName
from mailkit.model.conversation import Person
from mailkit.services.reading.acquaintances import FRESH, Acquaintances
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.testing.at_once import at_once
from tests.web.conversations import summary

ALICE = AccountName("alice@example.test")


def test_domains_of_those_one_writes_to() -> None:
    time = [0.0]
    personal = MemoryPersonal()
    known = Acquaintances(personal, lambda: time[0])
    sent, came = Person("", "a@sent.example"), Person("", "b@came.example")
    at_once(personal.note(ALICE, [sent], 1.0, is_sent=True))
    at_once(personal.note(ALICE, [came], 1.0, is_sent=False))
    assert at_once(known.domains(ALICE)) == {"example.test", "sent.example"}
    later = Person("", "c@later.example")
    at_once(personal.note(ALICE, [later], 1.0, is_sent=True))
    assert "later.example" not in at_once(known.domains(ALICE))
    time[0] = FRESH + 1
    assert "later.example" in at_once(known.domains(ALICE))


def test_only_so_many_accounts_are_remembered() -> None:
    known = Acquaintances(MemoryPersonal(), lambda: 0.0)
    for n in range(2_001):
        at_once(known.domains(AccountName(f"a{n}@example.test")))
    assert at_once(known.domains(ALICE)) == {"example.test"}


def test_who_wrote_is_noted() -> None:
    personal = MemoryPersonal()
    known = Acquaintances(personal, lambda: 0.0)
    nobody = summary(2, sender=Person("x", ""))
    at_once(known.note_read(ALICE, [summary(1), nobody]))
    found = at_once(known.known(ALICE, "ingrid@far.example"))
    assert found is not None
    assert (found.received, found.name) == (1, "Ingrid Solheim")
    assert at_once(known.known(ALICE, "x@y.example")) is None
