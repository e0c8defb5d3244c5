"""Every command: who reads it, and in which states it may come (RFC 9051 §6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from attrs import frozen

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import (
    Capability,
    Check,
    Close,
    Delete,
    Event,
    Examine,
    Expunge,
    Idle,
    Logout,
    Namespace,
    Noop,
    Select,
    StartTLS,
    Subscribe,
    Unselect,
    Unsubscribe,
)
from mailkit.protocols.imap.lexer import Lexer, shown
from mailkit.protocols.imap.parse.append import read_append
from mailkit.protocols.imap.parse.authenticate import read_authenticate, read_login
from mailkit.protocols.imap.parse.fetch import read_fetch
from mailkit.protocols.imap.parse.list import read_list, read_lsub
from mailkit.protocols.imap.parse.mailbox import (
    one_mailbox,
    read_create,
    read_rename,
    read_status,
)
from mailkit.protocols.imap.parse.search import read_search
from mailkit.protocols.imap.parse.session import bare, read_enable, read_id
from mailkit.protocols.imap.parse.store import (
    read_copy,
    read_move,
    read_store,
    read_uid_expunge,
)
from mailkit.protocols.imap.state import State

Read = Callable[[Lexer], Event]

_UID: dict[bytes, Read] = {
    b"COPY": partial(read_copy, uid=True),
    b"EXPUNGE": read_uid_expunge,
    b"FETCH": partial(read_fetch, uid=True),
    b"MOVE": partial(read_move, uid=True),
    b"SEARCH": partial(read_search, uid=True),
    b"STORE": partial(read_store, uid=True),
}


def _read_uid(lexer: Lexer) -> Event:
    """``UID command …`` (RFC 9051 §6.4.9)."""
    lexer.space("command after UID")
    word = lexer.word("command after UID")
    read = _UID.get(word)
    if read is None:
        raise Malformed(f"UID goes before {_UIDS}, not {shown(word)}")
    return read(lexer)


_UIDS = ", ".join(word.decode() for word in _UID)

ANY = frozenset(State) - {State.LOGOUT}
NOT_AUTHENTICATED = frozenset({State.NOT_AUTHENTICATED})
AUTHENTICATED = frozenset({State.AUTHENTICATED, State.SELECTED})
UNSELECTED = frozenset({State.AUTHENTICATED})
SELECTED = frozenset({State.SELECTED})


@frozen
class Command:
    """One row: ``read`` takes what follows the name."""

    read: Read
    states: frozenset[State]


COMMANDS: dict[bytes, Command] = {
    b"CAPABILITY": Command(bare(Capability()), ANY),
    b"NOOP": Command(bare(Noop()), ANY),
    b"LOGOUT": Command(bare(Logout()), ANY),
    b"ID": Command(read_id, ANY),
    b"STARTTLS": Command(bare(StartTLS()), NOT_AUTHENTICATED),
    b"AUTHENTICATE": Command(read_authenticate, NOT_AUTHENTICATED),
    b"LOGIN": Command(read_login, NOT_AUTHENTICATED),
    b"ENABLE": Command(read_enable, UNSELECTED),  # RFC 5161 §3.1
    b"SELECT": Command(one_mailbox(Select), AUTHENTICATED),
    b"EXAMINE": Command(one_mailbox(Examine), AUTHENTICATED),
    b"CREATE": Command(read_create, AUTHENTICATED),
    b"DELETE": Command(one_mailbox(Delete), AUTHENTICATED),
    b"RENAME": Command(read_rename, AUTHENTICATED),
    b"SUBSCRIBE": Command(one_mailbox(Subscribe), AUTHENTICATED),
    b"UNSUBSCRIBE": Command(one_mailbox(Unsubscribe), AUTHENTICATED),
    b"LIST": Command(read_list, AUTHENTICATED),
    b"LSUB": Command(read_lsub, AUTHENTICATED),
    b"NAMESPACE": Command(bare(Namespace()), AUTHENTICATED),
    b"STATUS": Command(read_status, AUTHENTICATED),
    b"APPEND": Command(read_append, AUTHENTICATED),
    b"IDLE": Command(bare(Idle()), AUTHENTICATED),
    b"CHECK": Command(bare(Check()), SELECTED),
    b"CLOSE": Command(bare(Close()), SELECTED),
    b"UNSELECT": Command(bare(Unselect()), SELECTED),
    b"EXPUNGE": Command(bare(Expunge()), SELECTED),
    b"SEARCH": Command(read_search, SELECTED),
    b"FETCH": Command(read_fetch, SELECTED),
    b"STORE": Command(read_store, SELECTED),
    b"COPY": Command(read_copy, SELECTED),
    b"MOVE": Command(read_move, SELECTED),
    b"UID": Command(_read_uid, SELECTED),
}


def command_for(lexer: Lexer, state: State) -> tuple[bytes, Command]:
    """
    Name and row of the command that comes next.

    :raises Malformed: where there is none of that name, or it may not come now.
    """
    lexer.space("command")
    name = lexer.word("command")
    command = COMMANDS.get(name)
    if command is None:
        raise Malformed(f"Unknown command {shown(name)}")
    if state not in command.states:
        raise Malformed(_refusal(name.decode("ascii"), command.states, state))
    return name, command


def _refusal(name: str, states: frozenset[State], state: State) -> str:
    if state is State.NOT_AUTHENTICATED:
        return f"{name} comes after login"
    if states == NOT_AUTHENTICATED:
        return f"{name} comes before login"
    if states == UNSELECTED:
        return f"{name} comes before a mailbox is selected"
    return f"{name} needs a selected mailbox"
