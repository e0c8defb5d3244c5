"""What is asked of web hosts has its time, and words for when it fails."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from mailkit.errors import Unavailable
from mailkit.net.failures import words_of

T = TypeVar("T")


async def in_time(
    reactor: Any, patience: float, url: str, asked: Coroutine[Any, Any, T]
) -> T:
    """
    What was asked of a web server, if it answers within so many seconds.

    What the address itself is to blame for is the caller's to tell: `Unreachable`, and
    ``ValueError`` for whatever is no URL, or no name of a host.

    :param reactor: Twisted's, which has no type of its own.
    :raises Unavailable: if there is no answer, in words that name the address.
    """

    def over(outcome: T | Failure, patience: float) -> T:
        """An answer of the very last moment counts; what is stopped fails in many ways:
        a lookup says that there is no such name."""
        if isinstance(outcome, Failure):
            raise Unavailable(f"{url} takes too long") from outcome.value
        return outcome

    whole = Deferred.fromCoroutine(asked)
    whole.addTimeout(patience, reactor, over)
    try:
        return await whole
    except ResponseFailed as error:
        reason = error.reasons[0]
        raise Unavailable(f"{url}: {reason.getErrorMessage()}") from error
    except (ConnectError, ConnectionClosed, OSError) as error:
        raise Unavailable(f"{url}: {words_of(error)}") from error
