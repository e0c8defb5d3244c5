"""How SMTP says what happened (RFC 5321 §4.2, RFC 3463)."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from mailkit.errors import (
    BadMessage,
    Busy,
    Cancelled,
    LoginNeeded,
    MailboxGone,
    MailkitError,
    MailLoop,
    Malformed,
    NeedsEncryption,
    NeedsSMTPUTF8,
    NoSuchAddress,
    NoSuchMechanism,
    NotAllowed,
    NotAuthenticated,
    NotOurs,
    OverQuota,
    Refused,
    SenderNeedsTLS,
    StorageBroken,
    StorageFull,
    Suspended,
    TooLarge,
    TooMany,
    TurnedAway,
    TurnedAwayForNow,
    Unavailable,
)
from mailkit.model.reply import Reply

Words = Mapping[type[MailkitError], Reply]
"""A table; the nearest class in an error's ancestry wins."""

REPLIES: Words = {
    BadMessage: Reply(554, "6.0", "The message is not one that we take"),
    Busy: Reply(451, "3.2", "Too busy, try again later"),
    LoginNeeded: Reply(530, "7.0", "Log in first"),
    MailLoop: Reply(554, "4.6", "The message goes round in circles"),
    MailboxGone: Reply(451, "2.0", "The mailbox just went, try again later"),
    Malformed: Reply(501, "5.2", "That is not in the grammar"),
    NeedsSMTPUTF8: Reply(550, "6.7", "Such a header needs MAIL with SMTPUTF8"),
    SenderNeedsTLS: Reply(530, "7.0", "That domain sends after STARTTLS only"),
    NoSuchAddress: Reply(550, "1.1", "No such address here"),
    NotAllowed: Reply(550, "7.1", "That address is not yours to send from"),
    NotOurs: Reply(550, "7.1", "We do not relay to that domain"),
    OverQuota: Reply(452, "2.2", "The mailbox is full"),
    Refused: Reply(550, "7.1", "Not accepted"),
    StorageBroken: Reply(451, "3.0", "Trouble on our side, try again later"),
    StorageFull: Reply(452, "3.1", "No room at present, try again later"),
    Suspended: Reply(550, "2.1", "The mailbox is disabled"),
    TooLarge: Reply(552, "3.4", "The message is larger than we take"),
    TooMany: Reply(452, "5.3", "Too many recipients"),
    Unavailable: Reply(451, "3.0", "Not now, try again later"),
}
"""While a message is handed in."""

SUBMISSION_REPLIES: Words = {
    **REPLIES,
    NotOurs: Reply(550, "7.1", "Mail to other servers cannot be sent from here"),
}
"""The same to our own people."""

AUTH_REPLIES: Words = {
    **REPLIES,
    Busy: Reply(454, "7.0", "Too many failures, try again later"),
    Cancelled: Reply(501, "7.0", "Cancelled"),
    Malformed: Reply(501, "5.2", "Not what the mechanism asks for"),
    NeedsEncryption: Reply(538, "7.11", "Not without TLS"),
    NoSuchMechanism: Reply(504, "5.4", "No such mechanism"),
    NotAuthenticated: Reply(535, "7.8", "Authentication credentials invalid"),
    TooMany: Reply(454, "7.0", "The account has too many connections"),
    Unavailable: Reply(454, "7.0", "Cannot check that now, try again later"),
}
"""Within AUTH (RFC 4954 §6)."""


def reply_for(error: MailkitError, words: Words = REPLIES) -> Reply:
    """Say an error; of a bad message also what is bad about it."""
    if isinstance(error, TurnedAway | TurnedAwayForNow):
        return Reply(error.code, error.status.partition(".")[2], str(error))
    reply = next(words[kind] for kind in type(error).__mro__ if kind in words)
    if isinstance(error, BadMessage) and str(error):
        return evolve(reply, text=str(error))
    return reply


def outcome_of(reply: Reply) -> str:
    """What the metrics call it."""
    if reply.is_positive:
        return "ok"
    if reply.is_transient:
        return "unavailable"
    return "malformed" if 500 <= reply.code <= 504 else "refused"
