"""Threads that wait for something to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, Thread

from attrs import define, field

Job = Callable[[], None]


@define(eq=False)
class Seat:
    """One thread, and what it is woken for."""

    bell: Lock
    thread: Thread | None = None
    job: Job | None = None


@define(eq=False)
class Threads:
    """
    At most so many threads, begun when there is more to do than there are.

    Who had something to do last is the first to get more: its caches are warm, and
    the others sleep on.
    """

    name: str
    most: int
    _mutex: Lock = field(init=False, factory=Lock)
    _jobs: deque[Job] = field(init=False, factory=deque)
    _seats: list[Seat] = field(init=False, factory=list)
    _idle: list[Seat] = field(init=False, factory=list)
    _is_ended: bool = field(init=False, default=False)

    def do(self, job: Job) -> None:
        """Have it done as soon as a thread is free. It must not raise."""
        with self._mutex:
            if self._idle:
                seat = self._idle.pop()
                seat.job = job
                seat.bell.release()
                return
            self._jobs.append(job)
            if len(self._seats) >= self.most:
                return
            seat = Seat(Lock())
            seat.bell.acquire()
            self._seats.append(seat)
        name = f"{self.name} {len(self._seats)}"
        seat.thread = Thread(target=self._live, args=(seat,), name=name, daemon=True)
        seat.thread.start()

    @property
    def are_short(self) -> bool:
        """Whether something waits for a thread."""
        return bool(self._jobs)

    def end(self) -> None:
        """Once nothing is left to do: no thread remains."""
        with self._mutex:
            self._is_ended = True
            for seat in self._idle:
                seat.bell.release()
            self._idle.clear()
        for seat in self._seats:
            if seat.thread is not None:
                seat.thread.join()
        self._seats.clear()

    def _live(self, seat: Seat) -> None:
        while True:
            with self._mutex:
                job = self._jobs.popleft() if self._jobs else None
                if job is None:
                    if self._is_ended:
                        return
                    self._idle.append(seat)
            if job is None:
                seat.bell.acquire()
                job, seat.job = seat.job, None
                if job is None:
                    return
            job()
