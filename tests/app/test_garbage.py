"""The collector of a server looks seldom, and still finds what goes round."""

from __future__ import annotations

import atexit
import gc
import weakref
from collections.abc import Iterator

import pytest

from mailkit.app.garbage import LATE, OLD, YOUNG, begin_seldom, loading, look_seldom


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Ring:
    """Holds itself."""

    def __init__(self) -> None:
        self.ring = self


def test_settings() -> None:
    look_seldom()
    assert gc.get_threshold()[0] == YOUNG
    assert gc.get_threshold()[2] == OLD
    assert gc.get_freeze_count() > 0
    assert gc.isenabled()


def test_a_command_that_goes_on_looks_all_the_same() -> None:
    begin_seldom()
    atexit.unregister(gc.freeze)
    ring = weakref.ref(Ring())
    rest = [[] for _ in range(LATE + 1)]  # type: list[list[object]]
    assert rest
    assert ring() is None


def test_cycles_still_go() -> None:
    """What is made later is found."""
    look_seldom()
    ring = weakref.ref(Ring())
    rest = [[] for _ in range(YOUNG + 1)]  # type: list[list[object]]
    assert rest
    assert ring() is None


@pytest.mark.parametrize("is_on", [True, False])
def test_nothing_is_looked_for_while_loading(is_on: bool) -> None:
    if not is_on:
        gc.disable()
    try:
        with pytest.raises(ImportError), loading():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is is_on
    finally:
        gc.enable()
