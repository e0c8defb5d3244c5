"""What mailkit raises on purpose: what happened, never how a protocol says it.

Three branches, by whose fault it was: `Malformed` is the peer's, `Refused` and
`Unavailable` are our decision, `LocalMisuse` is a bug of ours. Each protocol has
one table that turns kinds into words; the nearest class in the ancestry wins.
"""

from __future__ import annotations


class MailkitError(Exception):
    """Root of all errors that mailkit raises on purpose."""


class Malformed(MailkitError):
    """What the peer sent is not in the grammar, or exceeds a limit of a parser."""


class Refused(MailkitError):
    """The request is understood and will not be done; asking again changes nothing."""


class Unavailable(MailkitError):
    """The request cannot be done now; asking again later may work."""


class NoSuchMailbox(Refused):
    """No mailbox of that name, or none that this account may see."""


class MailboxExists(Refused):
    """A mailbox of that name is there already."""


class MailboxInUse(Refused):
    """Somebody holds the mailbox exclusively (POP3), so nobody else may."""


class CannotName(Refused):
    """The name is not one that a mailbox, an address or a domain may have."""


class NoSuchAccount(Refused):
    """No account of that name."""


class NoSuchDomain(Refused):
    """Not one of our domains."""


class NoSuchAddress(Refused):
    """The domain is ours, and nobody has that address."""


class AlreadyExists(Refused):
    """The domain, account or alias is there already."""


class ChangedMeanwhile(Refused):
    """Somebody else has changed it since it was looked at."""


class NotOurs(Refused):
    """The recipient is not ours, and this peer may not use us to reach it."""


class NotAllowed(Refused):
    """The account may not do that: not its address, not its role."""


class NotAuthenticated(Refused):
    """The name or the secret is wrong; which of them is never said."""


class NeedsEncryption(Refused):
    """A password may not be sent over this connection; under TLS it may."""


class SenderNeedsTLS(Refused):
    """From that sender nothing is taken in the clear; under TLS it is."""


class NoSuchMechanism(Refused):
    """Not a SASL mechanism that is offered here."""


class Suspended(Refused):
    """The account is there and may not be used at present."""


class TooLarge(Refused):
    """The message, or one part of it, exceeds a size that we take."""


class TooMany(Refused):
    """A limit on a number of things is reached."""


class LoginNeeded(Refused):
    """Nobody is logged in, and this is for accounts alone."""


class NeedsSMTPUTF8(Refused):
    """The header has 8-bit characters, and the sender did not announce them."""


class NeedsTLS(Refused):
    """
    The message may travel under checked TLS only, and a host does not do that.

    :param status: 5.7.10 or 5.7.30 (RFC 8689 §4.2.1).
    """

    def __init__(self, words: str = "", status: str = "5.7.10") -> None:
        super().__init__(words)
        self.status = status


class MailLoop(Refused):
    """The message has been here before, or has travelled too far."""


class BadMessage(Refused):
    """The message itself is not one that we take; the text says which part of it."""


class Discarded(Refused):
    """Asked for something that was thrown away on request."""


class TurnedAway(Refused):
    """
    A route of the administrator's turns the recipient away for good.

    :param code: an SMTP reply code, 5xx.
    :param status: an enhanced status code (RFC 3463).
    """

    def __init__(self, words: str, code: int = 550, status: str = "5.7.1") -> None:
        super().__init__(words)
        self.code = code
        self.status = status


class TurnedAwayForNow(Unavailable):
    """A route turns the recipient away for now; as `TurnedAway`, with 4xx."""

    def __init__(self, words: str, code: int = 450, status: str = "4.7.1") -> None:
        super().__init__(words)
        self.code = code
        self.status = status


class SendingStopped(TurnedAway):
    """The account sent more than it may, and sends no more until it is thawed."""


class SentTooMuch(TurnedAwayForNow):
    """The account's domain has sent as much as it may at present."""


class OverQuota(Unavailable):
    """Keeping the message would exceed the account's quota."""


class StorageFull(Unavailable):
    """There is no room left on the disk, or less than we keep free."""


class StorageBroken(Unavailable):
    """The disk or the database failed; the administrator has to look."""


class Busy(Unavailable):
    """Too many at once; the peer may come back when there are fewer."""


class MailboxGone(Unavailable):
    """The mailbox that was open has been deleted or renamed by somebody else."""


class Cancelled(Malformed):
    """The client ended an authentication exchange with ``*`` (RFC 4422 §3.5)."""


class NoSuchItem(Refused):
    """Nothing in the queue has that id, or not any more."""


class NoSuchDraft(Refused):
    """No draft of that id, or no such file of it: it was sent or thrown away."""


class DraftChanged(Refused):
    """Somebody else, or another page, has changed the draft meanwhile."""


class HasLeft(Refused):
    """The message has left already, and cannot be called back."""


class NoSuchMessage(Refused):
    """No message of that id, or none that this account has."""


class NoSuchPart(Refused):
    """The message has no part of that number."""


class NoSuchHost(Refused):
    """
    The domain takes no mail: no such name, no host, or a null MX (RFC 7505).

    :param status: the enhanced status code that tells which (RFC 3463 §3.2, §3.5).
    """

    def __init__(self, words: str = "", status: str = "5.1.2") -> None:
        super().__init__(words)
        self.status = status


class Unreachable(Unavailable):
    """
    A host could not be brought as far as taking a sender; another may be tried.

    :param status: the enhanced status code that says why (RFC 3463 §3.5).
    """

    def __init__(self, words: str = "", status: str = "4.4.1") -> None:
        super().__init__(words)
        self.status = status


class DNSTrouble(Unavailable):
    """No name server answers, or only with failures."""


class BadZone(Refused):
    """A zone cannot be served as it is; the text says why."""


class PeerGone(MailkitError):
    """The connection is no more; the pump knows what to do about it."""


class LocalMisuse(MailkitError):
    """Our own code drove a machine or a seam wrongly: a bug in mailkit."""
