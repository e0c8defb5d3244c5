"""What is answered at the end of a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mailkit.errors import MailkitError, Refused
from mailkit.interfaces.delivery import ITransaction
from mailkit.model.outcome import Failed
from mailkit.model.path import Path
from mailkit.model.reply import Reply
from mailkit.services.smtp.replies import Words, reply_for

Finish = Callable[[ITransaction, Sequence[Path], Words], Awaitable[list[Reply]]]
"""Keeps a message, and answers for the recipients that RCPT accepted, in order."""


async def all_or_none(
    transaction: ITransaction, recipients: Sequence[Path], words: Words
) -> list[Reply]:
    """
    The one reply of SMTP: a recipient that fails fails all.

    :raises Refused: rather than `Unavailable`, where recipients differ: what will
        never be taken is better known at once.
    """
    outcomes = await transaction.prepare()
    errors = [each.error for each in outcomes.values() if isinstance(each, Failed)]
    if errors:
        raise _gravest(errors)
    return [_accepted(await transaction.commit())]


async def whom_it_can(
    transaction: ITransaction, recipients: Sequence[Path], words: Words
) -> list[Reply]:
    """
    The one reply of SMTP where there is a queue: kept for whom that can be, and the
    sender is told of the others (RFC 5321 §4.2.5, §6.1).
    """
    outcomes = await transaction.prepare()
    errors = [each.error for each in outcomes.values() if isinstance(each, Failed)]
    if len(errors) == len(outcomes):
        raise _gravest(errors)
    return [_accepted(await transaction.commit())]


async def one_by_one(
    transaction: ITransaction, recipients: Sequence[Path], words: Words
) -> list[Reply]:
    """The replies of LMTP: each recipient has its own fate (RFC 2033 §4.2)."""
    outcomes = await transaction.prepare()
    if all(isinstance(each, Failed) for each in outcomes.values()):
        await transaction.abort()
        accepted = None
    else:
        accepted = _accepted(await transaction.commit())
    replies: list[Reply] = []
    for path in recipients:
        outcome = outcomes[path]
        if isinstance(outcome, Failed):
            replies.append(reply_for(outcome.error, words))
        else:
            assert accepted is not None
            replies.append(accepted)
    return replies


def _accepted(transaction_id: str) -> Reply:
    return Reply(250, "0.0", f"Accepted as {transaction_id}")


def _gravest(errors: list[MailkitError]) -> MailkitError:
    return next((each for each in errors if isinstance(each, Refused)), errors[0])
