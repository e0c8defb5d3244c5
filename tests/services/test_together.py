"""Questions that are asked at once."""

from __future__ import annotations

from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailkit.errors import Busy, NoSuchMailbox
from mailkit.services.together import each, together

T = TypeVar("T")


class TogetherTests(SynchronousTestCase):
    """All are begun before the first has answered."""

    def setUp(self) -> None:
        self.begun: list[str] = []

    async def ask(self, name: str, waited: Deferred[T]) -> T:
        self.begun.append(name)
        return await waited

    def test_answers_in_the_order_of_the_questions(self) -> None:
        one: Deferred[int] = Deferred()
        two: Deferred[str] = Deferred()
        found = Deferred.fromCoroutine(together(self.ask("1", one), self.ask("2", two)))
        assert self.begun == ["1", "2"]
        two.callback("b")
        self.assertNoResult(found)
        one.callback(1)
        assert self.successResultOf(found) == (1, "b")

    def test_what_fails_waits_for_the_others(self) -> None:
        asked: list[Deferred[int]] = [Deferred() for _ in range(3)]
        one, two, three = (self.ask("", waited) for waited in asked)
        found = Deferred.fromCoroutine(together(one, two, three))
        asked[2].errback(NoSuchMailbox("x"))
        asked[1].errback(Busy("y"))
        self.assertNoResult(found)
        asked[0].callback(1)
        self.failureResultOf(found, Busy)

    def test_any_number_of_one_kind(self) -> None:
        asked: list[Deferred[int]] = [Deferred() for _ in range(3)]
        found = Deferred.fromCoroutine(each(self.ask("", one) for one in asked))
        for number, one in enumerate(asked):
            self.assertNoResult(found)
            one.callback(number)
        assert self.successResultOf(found) == [0, 1, 2]
        assert self.successResultOf(Deferred.fromCoroutine(each(()))) == []
