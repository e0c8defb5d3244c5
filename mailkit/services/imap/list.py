"""LIST, LSUB and NAMESPACE (RFC 9051 §6.3.9, §6.3.10, RFC 3501 §6.3.9, RFC 5258)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from attrs import frozen

from mailkit.errors import NoSuchMailbox
from mailkit.model.mailbox import INBOX, MailboxEntry, MailboxName
from mailkit.protocols.imap.events import List, Lsub
from mailkit.protocols.imap.items import ListReturn, ListSelection
from mailkit.protocols.imap.response import Response, ok
from mailkit.protocols.imap.write import list as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.pattern import SEPARATOR, Pattern, above
from mailkit.services.imap.status import tell_status

PIECE = 500
"""Names that are looked at and sent at once."""

T = TypeVar("T")


@frozen
class Shown:
    """A name that LIST tells."""

    entry: MailboxEntry
    has_chosen_below: bool = False
    """CHILDINFO: names below it meet the selection (RFC 5258 §3.5)."""


async def list_(talk: Dialogue, command: List) -> Response:
    """Tell which mailboxes there are, and of each what was asked for."""
    if not command.is_extended and command.patterns == ("",):
        # A question for the separator alone (RFC 9051 §6.3.9).
        talk.say(write.line(("\\Noselect",), SEPARATOR, "", is_utf8=True))
        return ok("Listed")
    entries = await talk.store.mailboxes(talk.account)
    pattern = Pattern.of(command.reference, command.patterns)
    if ListSelection.RECURSIVEMATCH in command.selection:
        shown = recursively_chosen(entries, pattern, command.selection)
        for piece in _pieces(shown):
            await _tell(talk, command, piece)
        return ok("Listed")
    meets = _selection(command.selection)
    for some in _pieces(entries):
        await _tell(
            talk,
            command,
            [Shown(e) for e in some if meets(e) and pattern.matches(e.name)],
        )
    return ok("Listed")


async def lsub(talk: Dialogue, command: Lsub) -> Response:
    r"""
    Tell which names are subscribed, in the words of rev1.

    A name that only others below it bring in has ``\Noselect`` (RFC 3501 §6.3.9).
    """
    if command.pattern is None:
        return ok("Listed")
    pattern = Pattern.of(command.reference, (command.pattern,))
    names: dict[MailboxName, tuple[str, ...]] = {}
    for some in _pieces(await talk.store.mailboxes(talk.account)):
        for entry in some:
            if not entry.is_subscribed:
                continue
            if pattern.matches(entry.name):
                names[entry.name] = ()
            else:
                for top in above(entry.name):
                    if pattern.matches(top):
                        names.setdefault(top, ("\\Noselect",))
        await talk.flush()
    is_utf8 = talk.machine.is_utf8
    for piece in _pieces(sorted(names, key=_in_order)):
        lines = [
            write.lsub_line(names[name], SEPARATOR, name, is_utf8=is_utf8)
            for name in piece
        ]
        talk.say(*lines)
        await talk.flush()
    return ok("Listed")


async def namespace(talk: Dialogue) -> Response:
    """One personal namespace, and no other (RFC 2342 §5, RFC 9051 §6.3.10)."""
    talk.say(write.namespace(SEPARATOR))
    return ok("Told")


async def line_of(talk: Dialogue, name: MailboxName) -> bytes:
    """
    The LIST response of one mailbox, as SELECT shows it (RFC 9051 §6.3.2).

    :raises NoSuchMailbox:
    """
    for entry in await talk.store.mailboxes(talk.account):
        if entry.name == name:
            shown = attributes(entry, True, True)
            return write.line(shown, SEPARATOR, entry.name, is_utf8=True)
    raise NoSuchMailbox(name)


def recursively_chosen(
    entries: Sequence[MailboxEntry],
    pattern: Pattern,
    selection: frozenset[ListSelection],
) -> list[Shown]:
    """
    What RECURSIVEMATCH adds: names above those that meet the selection.

    A name that does not meet it itself is shown only if one below it is not shown
    (RFC 5258 §3.5: no redundant CHILDINFO).
    """
    meets = _selection(selection)
    by_name = {entry.name: entry for entry in entries}
    chosen = {
        entry.name: pattern.matches(entry.name) for entry in filter(meets, entries)
    }
    tops = {top for name in chosen for top in above(name)}
    needed = {
        top for name, is_shown in chosen.items() if not is_shown for top in above(name)
    }
    names = {name for name, is_shown in chosen.items() if is_shown}
    names |= {top for top in needed if pattern.matches(top)}
    return [
        Shown(
            by_name.get(name) or MailboxEntry(name, False, False, False),
            name in tops,
        )
        for name in sorted(names, key=_in_order)
    ]


def attributes(
    entry: MailboxEntry, is_extended: bool, tells_subscribed: bool
) -> tuple[str, ...]:
    r"""
    What LIST says of one name (RFC 9051 §7.3.1); about children always (RFC 3348 §3).

    :param is_extended: whether the client knows ``\NonExistent`` (RFC 5258 §3.4).
    """
    found = []
    if not entry.is_selectable:
        found.append("\\NonExistent" if is_extended else "\\Noselect")
    found.append("\\HasChildren" if entry.has_children else "\\HasNoChildren")
    if tells_subscribed and entry.is_subscribed:
        found.append("\\Subscribed")
    if entry.special_use is not None:
        found.append(entry.special_use.value)
    return tuple(found)


async def _tell(talk: Dialogue, command: List, shown: Sequence[Shown]) -> None:
    is_extended = command.is_extended or talk.is_rev2
    tells_subscribed = (
        ListSelection.SUBSCRIBED in command.selection
        or ListReturn.SUBSCRIBED in command.returns
    )
    criteria = tuple(
        option.value.decode()
        for option in (ListSelection.SUBSCRIBED, ListSelection.SPECIAL_USE)
        if option in command.selection
    )
    lines = []
    for one in shown:
        entry = one.entry
        lines.append(
            write.line(
                attributes(entry, is_extended, tells_subscribed),
                SEPARATOR,
                entry.name,
                criteria if one.has_chosen_below else (),
                is_utf8=talk.machine.is_utf8,
            )
        )
        if ListReturn.STATUS in command.returns and entry.is_selectable:
            talk.say(*lines)
            lines.clear()
            await _tell_status(talk, command, entry.name)
    talk.say(*lines)
    await talk.flush()


async def _tell_status(talk: Dialogue, command: List, name: MailboxName) -> None:
    try:
        await tell_status(talk, name, command.status)
    except NoSuchMailbox:
        return  # deleted meanwhile: RFC 5819 §2 has no line for it then


def _selection(
    selection: frozenset[ListSelection],
) -> Callable[[MailboxEntry], bool]:
    """
    Whether a name meets the selection options, whatever the pattern.

    Without any, a name without mailbox is shown only for what is below it; REMOTE
    adds nothing, as all mailboxes are here; special use is that of RFC 6154 §2.
    """
    subscribed = ListSelection.SUBSCRIBED in selection
    special = ListSelection.SPECIAL_USE in selection
    if not (subscribed or special):
        return lambda entry: entry.is_selectable or entry.has_children
    return lambda entry: (
        (entry.is_subscribed or not subscribed)
        and (entry.special_use is not None or not special)
    )


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), PIECE):
        yield items[start : start + PIECE]


def _in_order(name: MailboxName) -> tuple[bool, str]:
    return (name != INBOX, name)
