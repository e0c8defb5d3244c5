"""What workers count together."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from mailkit.interfaces.counts import ICounts
from mailkit.storage.state import counts as module
from mailkit.storage.state.counts import MOST, SharedCounts, make_memory


@pytest.fixture
def three() -> Iterator[list[SharedCounts]]:
    descriptor = make_memory(3)
    yield [SharedCounts(descriptor, 3, number) for number in (1, 2, 3)]
    os.close(descriptor)


def test_each_sees_what_the_others_have(three: list[SharedCounts]) -> None:
    one, two, other = three
    assert verifyObject(ICounts, one)
    one.count("a", 2)
    two.count("a", 3)
    assert [each.elsewhere("a") for each in three] == [3, 2, 5]
    assert one.elsewhere("b") == 0
    two.count("a", -1)
    assert other.elsewhere("a") == 4


def test_who_is_gone_has_nothing(three: list[SharedCounts]) -> None:
    one, two, other = three
    one.count("a", 2)
    two.count("a", 3)
    other.forget(2)
    assert other.elsewhere("a") == 2
    assert two.elsewhere("a") == 2


def test_numbers_stay_within_their_place(three: list[SharedCounts]) -> None:
    one, two, _ = three
    one.count("a", -1)
    assert two.elsewhere("a") == 0
    one.count("a", MOST + 5)
    assert two.elsewhere("a") == MOST


def test_keys_that_share_one_place_are_told_apart(
    three: list[SharedCounts], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _ = three
    places = {"a": (7, module.PLACES + 1), "b": (7, module.PLACES + 2)}
    monkeypatch.setattr(module, "_places", places.__getitem__)
    one.count("a", 5)
    assert two.elsewhere("b") == 0
    one.count("b", 1)
    assert two.elsewhere("b") == 1


@given(st.text(), st.text())
def test_any_key_is_one(key: str, other: str) -> None:
    descriptor = make_memory(2)
    one, two = (SharedCounts(descriptor, 2, number) for number in (1, 2))
    os.close(descriptor)
    one.count(key, 1)
    one.count(other, 1)
    assert two.elsewhere(key) >= (2 if key == other else 1)
