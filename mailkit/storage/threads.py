"""
Which conversation a message belongs to: what it names, and what is known of that.

RFC 5256 §3 builds trees out of all messages of a mailbox at once. Here one message
after the other joins what is there, across mailboxes, and stays, because a THREADID
that was told never changes (RFC 8474 §5.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from hashlib import blake2b
from typing import Protocol

from attrs import frozen

from mailkit.formats import addresslist, encodedword, header
from mailkit.formats.fields import message_ids
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.thread import base_subject

MOST = 1000
"""Messages of a conversation; with the next one another conversation begins."""

SUBJECT_FOR = 90 * 86400
"""Seconds for which a subject alone leads to a conversation."""

_MOST_NAMED = 50
"""Messages that one message names, the nearest ones, that are looked for."""

_REPLY = re.compile(r"\s*re\s*(?:\[[^\]]*\])?\s*:", re.I)


class Clues(Protocol):
    """What is known of an account's conversations."""

    def find(self, word: int) -> str | None:
        """The conversation that a word leads to."""

    def note(self, word: int, thread_id: str) -> None:
        """A word leads there from now on, wherever it led."""

    def is_full(self, thread_id: str) -> bool:
        """Whether a conversation has `MOST` messages."""

    def is_among(self, thread_id: str, writers: Collection[bytes], since: int) -> bool:
        """
        Whether a conversation is theirs too, and not too old.

        :param writers: addresses in lower case, one of which is to be among those
            who wrote or got one of its messages.
        :param since: it has a message that came then or later.
        """


@frozen
class Named:
    """What a message says about its conversation."""

    message_id: bytes
    """Empty if it has none."""
    answered: tuple[bytes, ...]
    """Messages before it, the nearest first."""
    root: bytes
    """The first of them, or the message itself; empty if neither has a name."""
    subject: str
    writers: tuple[bytes, ...]

    @classmethod
    def of(cls, fields: bytes, limits: Limits = DEFAULT_LIMITS) -> Named:
        """Read the header fields that the index keeps of a message."""
        message_id = _first_id(fields, b"Message-ID", limits)
        written = header.first(fields, b"References", limits)
        references = message_ids(written, limits) if written else []
        replied = header.first(fields, b"In-Reply-To", limits)
        parents = message_ids(replied, limits) if replied else []
        # What is named twice is looked for once, and nothing answers itself.
        order = dict.fromkeys([*parents[:1], *reversed(references), *parents[1:]])
        order.pop(message_id, None)
        root = [*references, *parents, message_id][0]
        subject = header.first(fields, b"Subject", limits)
        return cls(
            message_id,
            tuple(order),
            root,
            encodedword.decode(header.unfold(subject)) if subject else "",
            addresses(header.first(fields, b"From", limits) or b"", limits),
        )


def join(
    named: Named,
    clues: Clues,
    came: int,
    new_thread: Callable[[bytes], str],
    own: bytes,
) -> str:
    """
    The conversation of a message that just came, noted for those that follow.

    It joins that of the nearest message that it answers, else that of messages which
    answered it before it came. One that answers nothing joins by its subject, if that
    says "Re:" and one of its authors took part. Else it begins a conversation.

    :param came: seconds since 1970.
    :param new_thread: makes an id of the name of a conversation's first message.
    :param own: names the message where it has no Message-ID.
    """
    own_word = _word(b"i", named.message_id) if named.message_id else None
    unknown: list[int] = []
    thread_id = None
    for number, name in enumerate(named.answered):
        if number >= _MOST_NAMED:
            break
        word = _word(b"i", name)
        thread_id = clues.find(word)
        if thread_id is not None:
            break
        unknown.append(word)
    if thread_id is None and own_word is not None:
        thread_id = clues.find(own_word)
    base = "" if thread_id is not None else base_subject(named.subject).casefold()
    topic = _word(b"s", base.encode("utf-8", "replace")) if base else None
    if (
        thread_id is None
        and topic is not None
        and not named.answered
        and _REPLY.match(named.subject)
    ):
        thread_id = clues.find(topic)
        if thread_id is not None and not clues.is_among(
            thread_id, named.writers, came - SUBJECT_FOR
        ):
            thread_id = None
    if thread_id is None:
        thread_id = new_thread(named.root or own)
        if topic is not None:
            clues.note(topic, thread_id)
    if clues.is_full(thread_id):
        thread_id = new_thread(named.message_id or own)
        unknown += [_word(b"i", name) for name in named.answered[:_MOST_NAMED]]
    for word in unknown:
        clues.note(word, thread_id)
    if own_word is not None:
        clues.note(own_word, thread_id)
    return thread_id


def keep(named: Named, clues: Clues, thread_id: str) -> None:
    """Note a message that is in a conversation already, for those that follow."""
    base = base_subject(named.subject).casefold()
    if base and not named.answered:
        clues.note(_word(b"s", base.encode("utf-8", "replace")), thread_id)
    for name in named.answered[:_MOST_NAMED]:
        word = _word(b"i", name)
        if clues.find(word) is not None:
            break
        clues.note(word, thread_id)
    if named.message_id:
        clues.note(_word(b"i", named.message_id), thread_id)


def addresses(value: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, ...]:
    """Those of an address list's text, in lower case; of groups nobody."""
    return tuple(
        b"%b@%b" % (entry.local_part.lower(), entry.domain.lower())
        for entry in addresslist.parse(value, limits)
        if isinstance(entry, addresslist.NamedAddress)
    )


def _first_id(fields: bytes, name: bytes, limits: Limits) -> bytes:
    value = header.first(fields, name, limits)
    found = message_ids(value, limits) if value else []
    return found[0] if found else b""


def _word(kind: bytes, octets: bytes) -> int:
    """A digest as SQLite's integers are."""
    digest = blake2b(octets, digest_size=8, person=kind).digest()
    return int.from_bytes(digest, "big", signed=True)
