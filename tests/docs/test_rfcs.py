"""The three promises of the RFC index (STYLE: the RFC index)."""

from __future__ import annotations

from tests.docs.rfcs import (
    DONE,
    LOOSE,
    STATUSES,
    citations,
    proofs,
    rows,
    sources,
)


def test_every_rfc_that_the_code_cites_is_in_the_index() -> None:
    known = {row.number for row in rows()}
    unknown = {
        number: files[0]
        for number, files in citations(sources()).items()
        if number not in known
    }
    assert unknown == {}


def test_what_is_done_is_cited_by_a_module_and_by_a_proof() -> None:
    code, proof = citations(sources()), citations(proofs())
    done = [row.number for row in rows() if row.status in DONE]
    assert [number for number in done if number not in code] == []
    assert [number for number in done if number not in proof] == []


def test_citations_have_one_form() -> None:
    loose = {
        str(path): found
        for path in [*sources(), *proofs()]
        if (found := LOOSE.findall(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert loose == {}


def test_the_index_is_sorted_and_knows_its_words() -> None:
    numbers = [row.number for row in rows()]
    assert numbers == sorted(set(numbers))
    assert {row.status for row in rows()} <= set(STATUSES)
