"""Messages of a test, as they lie in the store of a `WebWorld`."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from mailkit.interfaces.storage import NewMessage
from mailkit.model.conversation import Person, Place, Summary
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.verdict import Verdict
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.web.conversations import summary
from tests.web.world import ALICE, WebWorld

INGRID = Person("Ingrid Solheim", "ingrid@far.example")
PASSED = Verdict("pass", "pass", "pass", "far.example", "TLSv1.3 with AES")
FAILED = Verdict("fail", "fail", "fail")
NOTHING = Verdict("none", "none", "none")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def put(
    world: WebWorld,
    octets: bytes | str,
    number: int = 1,
    *,
    mailbox: MailboxName = INBOX,
    thread: str = "t1",
    sender: Person = INGRID,
    to: Sequence[Person] = (),
    subject: str = "Kitchen drawings",
    preview: str = "I moved the sink.",
    is_read: bool = False,
    flags: Sequence[str] = (),
    keywords: Sequence[str] = (),
    verdict: Verdict | None = None,
) -> Summary:
    """Keep a message; its id is ``m`` and its number."""
    if isinstance(octets, str):
        octets = octets.replace("\n", "\r\n").encode()
    known = frozenset((*flags, *([SEEN] if is_read else [])))
    new = NewMessage(OctetsContent(octets), known | frozenset(keywords))
    [uid] = at_once(world.store.append(ALICE, mailbox, [new])).uids
    made = summary(
        number,
        subject,
        mailbox=mailbox,
        when=1767225600.0 + number * 60,
        sender=sender,
        flags=known,
        keywords=keywords,
        preview=preview,
        to=to,
    )
    made = evolve(
        made,
        thread_id=thread,
        places=(Place(mailbox, uid),),
        size=len(octets),
        verdict=verdict,
    )
    world.conversations.all.append(made)
    return made


def flags_of(world: WebWorld, made: Summary) -> frozenset[str]:
    """What the store says of a message now."""
    place = made.places[0]
    mailbox = at_once(world.store.open(ALICE, place.mailbox))
    changed = at_once(mailbox.changes_since(0))
    return next(one.flags for one in changed.arrived if one.uid == place.uid)


def multipart(subtype: str, *parts: bytes) -> bytes:
    """A message made of parts, each with its header."""
    inside = b"".join(b"--b\r\n%b\r\n" % one for one in parts)
    head = f"Content-Type: multipart/{subtype}; boundary=b\r\n\r\n".encode()
    return b"%b%b--b--\r\n" % (head, inside)


def part(kind: str, body: bytes, *more: str) -> bytes:
    """One part."""
    head = "".join(f"{line}\r\n" for line in (f"Content-Type: {kind}", *more))
    return b"%b\r\n%b" % (head.encode(), body)
