"""Rewritten senders lead back, and only ours do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import srs
from mailkit.model.path import NULL_PATH, Path
from tests.formats.garbage import anything

KEYS = (b"k" * 32, b"old" * 10)
NOW = 1_795_000_000.0
DAY = 86400.0
OURS = "ours.example"
BOB = Path("Bob.Smith", "example.net")


def forward(sender: Path, now: float = NOW) -> Path:
    written = srs.forward(sender, OURS, KEYS, now)
    assert written is not None
    return written


def test_a_sender_is_rewritten_and_found_again() -> None:
    written = forward(BOB)
    assert written.domain == OURS
    assert written.local_part.startswith("SRS0=")
    assert written.local_part.endswith("=example.net=Bob.Smith")
    assert srs.backward(written, KEYS, NOW + 20 * DAY) == BOB


def test_case_does_not_matter() -> None:
    written = forward(BOB)
    for changed in (written.local_part.lower(), written.local_part.upper()):
        found = srs.backward(Path(changed, OURS), KEYS, NOW)
        assert found is not None
        assert found.address == BOB.address


def test_it_does_not_lead_back_for_ever() -> None:
    written = forward(BOB)
    assert srs.backward(written, KEYS, NOW + 23 * DAY) is None
    # The day comes round again, but a signature is good until then at most.
    assert srs.backward(written, KEYS, NOW + 1023 * DAY) is None


def test_an_older_key_is_still_believed() -> None:
    written = srs.forward(BOB, OURS, KEYS[1:], NOW)
    assert written is not None
    assert srs.backward(written, KEYS, NOW) == BOB
    assert srs.backward(forward(BOB), KEYS[1:], NOW) is None


def test_what_others_rewrote() -> None:
    first = Path("SRS0=abcd=XY=example.net=bob", "first.example")
    once = forward(first)
    assert once.local_part.startswith("SRS1=")
    assert once.local_part.endswith("=first.example==abcd=XY=example.net=bob")
    assert srs.backward(once, KEYS, NOW + 100 * DAY) == first
    # Whoever forwards that does not make it longer.
    again = srs.forward(once, "third.example", (b"third",), NOW)
    assert again is not None
    assert len(again.local_part) == len(once.local_part)
    assert srs.backward(again, (b"third",), NOW) == first


def test_our_own_are_not_rewritten_twice() -> None:
    written = forward(BOB)
    assert forward(written) == written
    later = forward(written, NOW + DAY)
    assert later != written
    assert srs.backward(later, KEYS, NOW + DAY) == BOB


def test_those_who_stay() -> None:
    alice = Path("alice", "OURS.example")
    assert forward(alice) == alice
    assert forward(NULL_PATH) == NULL_PATH


def test_too_long_for_a_local_part() -> None:
    fits = Path("x" * 37, "example.net")
    assert len(forward(fits).local_part) == srs.LONGEST
    assert srs.forward(Path("x" * 38, "example.net"), OURS, KEYS, NOW) is None
    assert srs.forward(Path("ж" * 19, "example.net"), OURS, KEYS, NOW) is None


@pytest.mark.parametrize(
    "local_part",
    [
        "",
        "bob",
        "SRS0",
        "SRS0=",
        "SRS0=aaaaaa=aa=example.net=bob",
        "SRS0=aaaaa=aa=example.net=bob",
        "SRS0=aaaaaa=19=example.net=bob",
        "SRS1=aaaaaa=example.net==x",
        "SRS1=aaaaaa=example.net=x",
    ],
)
def test_not_ours(local_part: str) -> None:
    assert srs.backward(Path(local_part, OURS), KEYS, NOW) is None


def test_no_part_can_be_exchanged() -> None:
    written = forward(BOB).local_part
    for old, new in (("Smith", "Smyth"), ("example.net", "example.com")):
        assert srs.backward(Path(written.replace(old, new), OURS), KEYS, NOW) is None
    _, _, day, domain, local_part = forward(BOB, NOW - 30 * DAY).local_part.split("=")
    signature = written.split("=")[1]
    mixed = f"SRS0={signature}={day}={domain}={local_part}"
    assert srs.backward(Path(mixed, OURS), KEYS, NOW) is None


@anything
@given(st.text(min_size=1, max_size=40), st.sampled_from(["a.example", "ü.example"]))
def test_any_local_part_leads_back(local_part: str, domain: str) -> None:
    sender = Path(local_part, domain)
    written = srs.forward(sender, OURS, KEYS, NOW)
    if written is not None:
        assert srs.backward(written, KEYS, NOW) == sender


@anything
@given(st.text(max_size=60))
def test_garbage_is_not_ours(local_part: str) -> None:
    assert srs.backward(Path("SRS0=" + local_part, OURS), KEYS, NOW) is None
    assert srs.backward(Path("SRS1=" + local_part, OURS), KEYS, NOW) is None
