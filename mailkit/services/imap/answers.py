"""How IMAP says what happened: kinds of errors as response codes (RFC 5530 §3)."""

from __future__ import annotations

from mailkit.errors import (
    BadMessage,
    Busy,
    CannotName,
    MailboxExists,
    MailboxGone,
    MailboxInUse,
    MailkitError,
    Malformed,
    NeedsEncryption,
    NoSuchMailbox,
    NoSuchMechanism,
    NotAllowed,
    NotAuthenticated,
    OverQuota,
    Refused,
    StorageBroken,
    StorageFull,
    Suspended,
    TooLarge,
    TooMany,
    Unavailable,
)
from mailkit.protocols.imap.response import Response, bad, no

ANSWERS: dict[type[MailkitError], Response] = {
    BadMessage: no("The message is not one that can be kept", b"CANNOT"),
    Busy: no("Too many failures, try again later", b"UNAVAILABLE"),
    CannotName: no("No mailbox can have that name", b"CANNOT"),
    MailboxExists: no("A mailbox of that name is there already", b"ALREADYEXISTS"),
    MailboxGone: no("The mailbox is no more", b"NONEXISTENT"),
    MailboxInUse: no("The mailbox is in use", b"INUSE"),
    Malformed: bad("Not understood"),
    NeedsEncryption: no("Not in the clear: begin with STARTTLS", b"PRIVACYREQUIRED"),
    NoSuchMailbox: no("No such mailbox", b"NONEXISTENT"),
    NoSuchMechanism: no("No such mechanism", b"CANNOT"),
    NotAllowed: no("Not yours to do", b"NOPERM"),
    NotAuthenticated: no("Name or password is wrong", b"AUTHENTICATIONFAILED"),
    OverQuota: no("The account is full", b"OVERQUOTA"),
    Refused: no("Not possible", b"CANNOT"),
    StorageBroken: no("The store is out of order", b"UNAVAILABLE"),
    StorageFull: no("There is no room left", b"UNAVAILABLE"),
    Suspended: no("The account is suspended", b"CONTACTADMIN"),
    TooLarge: no("The message is too large", b"TOOBIG"),
    TooMany: no("One more than there may be", b"LIMIT"),
    Unavailable: no("Not now, try again later", b"UNAVAILABLE"),
}
"""How IMAP says each error: the nearest class in the error's ancestry wins."""


def answer_for(error: MailkitError) -> Response:
    """The tagged response; what is wrong with its command the client is told."""
    if isinstance(error, Malformed) and str(error):
        return bad(str(error))
    return next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
