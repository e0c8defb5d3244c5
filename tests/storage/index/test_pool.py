"""Not too many are open, and what is in use is never closed."""

from __future__ import annotations

import threading

from attrs import define, field

from mailkit.storage.index.pool import Pool


@define(eq=False)
class Thing:
    """Something that is open or not."""

    mutex: threading.RLock = field(factory=threading.RLock)
    is_open: bool = True

    def close(self) -> None:
        self.is_open = False


def use(pool: Pool, thing: Thing, now: float = 0.0) -> None:
    with pool.using(thing, now):
        thing.is_open = True


def test_the_least_recently_used_goes_first() -> None:
    pool, things = Pool(2), [Thing() for _ in range(3)]
    for thing in (things[0], things[1], things[0], things[2]):
        use(pool, thing)
    assert [thing.is_open for thing in things] == [True, False, True]
    assert len(pool) == 2


def test_what_is_in_use_stays_open() -> None:
    pool, busy, other = Pool(1), Thing(), Thing()
    ready, done = threading.Event(), threading.Event()

    def work() -> None:
        with pool.using(busy, 0.0):
            ready.set()
            done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    use(pool, other)
    assert busy.is_open
    done.set()
    thread.join()
    use(pool, other)
    assert not busy.is_open and len(pool) == 1


def test_idle_things_are_closed() -> None:
    pool, early, late = Pool(9), Thing(), Thing()
    use(pool, early, 10.0)
    use(pool, late, 20.0)
    assert pool.idle_since(10.0) == [early]
    pool.close_idle(15.0)
    assert (early.is_open, late.is_open) == (False, True)
    pool.forget(late)
    pool.forget(late)
    assert len(pool) == 0
