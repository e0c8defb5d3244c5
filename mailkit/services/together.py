"""Several questions at once: what they wait for is waited for together."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar, overload

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")

# Any: coroutines neither yield nor are sent anything that is of interest here.


@overload
async def together(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], /
) -> tuple[A, B]: ...
@overload
async def together(
    a: Coroutine[Any, Any, A], b: Coroutine[Any, Any, B], c: Coroutine[Any, Any, C], /
) -> tuple[A, B, C]: ...
@overload
async def together(
    a: Coroutine[Any, Any, A],
    b: Coroutine[Any, Any, B],
    c: Coroutine[Any, Any, C],
    d: Coroutine[Any, Any, D],
    /,
) -> tuple[A, B, C, D]: ...
@overload
async def together(
    a: Coroutine[Any, Any, A],
    b: Coroutine[Any, Any, B],
    c: Coroutine[Any, Any, C],
    d: Coroutine[Any, Any, D],
    e: Coroutine[Any, Any, E],
    /,
) -> tuple[A, B, C, D, E]: ...
@overload
async def together(
    a: Coroutine[Any, Any, A],
    b: Coroutine[Any, Any, B],
    c: Coroutine[Any, Any, C],
    d: Coroutine[Any, Any, D],
    e: Coroutine[Any, Any, E],
    f: Coroutine[Any, Any, F],
    /,
) -> tuple[A, B, C, D, E, F]: ...
async def together(*asked: Coroutine[Any, Any, Any]) -> tuple[Any, ...]:
    """
    Ask all of them, and return what each said once the last has.

    What waits for one lane is done there in a row, and the reactor is woken once.

    Raises what the first of them raised; none is broken off.
    """
    return tuple(await each(asked))


async def each(asked: Iterable[Coroutine[Any, Any, A]]) -> list[A]:
    """The same of any number of one kind."""
    begun = [Deferred.fromCoroutine(one) for one in asked]
    told = await DeferredList(begun, consumeErrors=True)
    found: list[A] = []
    for _, result in told:
        if isinstance(result, Failure):
            result.raiseException()
        else:
            found.append(result)
    return found
