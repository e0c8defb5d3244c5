"""
Enhanced status codes in words that anybody understands (RFC 3463 §3).

What a person wants to know of a message that did not arrive: why, and what to do now.
The peer's own words stand below ours in a notice, so ours may be simple.
"""

from __future__ import annotations

import re

from attrs import frozen


@frozen
class Reason:
    """Why mail does not arrive, for all statuses that come to the same for people."""

    name: str
    """For tables and metrics, such as ``no-such-address``."""
    because: str
    """Half a sentence, to stand behind a colon."""
    advice: str
    """What to do about it, whole sentences."""
    is_dead: bool = False
    """Whether mail to that address is of no use any more, whatever its content."""


NO_SUCH_ADDRESS = Reason(
    "no-such-address",
    "there is no such address",
    "Check how the part before the @ is written. If it is right, the address was given "
    "up: ask the recipient for the new one in another way.",
    is_dead=True,
)
NO_SUCH_DOMAIN = Reason(
    "no-such-domain",
    "there is no such mail domain, or no server that takes its mail",
    "Check how the part behind the @ is written.",
    is_dead=True,
)
TAKES_NO_MAIL = Reason(
    "takes-no-mail",
    "that domain says that it takes no mail at all",
    "Check the part behind the @, or reach the recipient in another way.",
    is_dead=True,
)
BAD_ADDRESS = Reason(
    "bad-address",
    "it is not an address that the other server understands",
    "Check how the address is written.",
    is_dead=True,
)
MOVED = Reason(
    "moved",
    "the recipient has moved away from that address",
    "Ask the recipient for the new one in another way.",
    is_dead=True,
)
DISABLED = Reason(
    "disabled",
    "that mailbox is switched off",
    "Ask the recipient in another way for an address that is in use.",
    is_dead=True,
)
BAD_SENDER = Reason(
    "bad-sender",
    "the other server does not accept your own address as a sender",
    "Check the sender address in your mail program, or ask your administrator.",
)
MAILBOX_FULL = Reason(
    "mailbox-full",
    "the recipient's mailbox is full",
    "Try again in some days, or tell the recipient in another way to make room.",
)
TOO_LARGE = Reason(
    "too-large",
    "the message is larger than the other side takes",
    "Send it without its attachments, or put them where they can be fetched and send "
    "a link.",
)
SYSTEM_FULL = Reason(
    "system-full",
    "the other server has no room for mail at present",
    "Try again later.",
)
NO_ANSWER = Reason(
    "no-answer",
    "the mail server of the recipient does not answer",
    "Try again later, or reach the recipient in another way. If others cannot write "
    "there either, the fault is on that side.",
)
CONNECTION_LOST = Reason(
    "connection-lost",
    "the connection to the recipient's mail server broke off",
    "Try again later.",
)
NAME_SERVER = Reason(
    "name-server",
    "it cannot be found out at present which server takes mail for that domain",
    "Try again later. If it stays so, the recipient's side has to mend its name "
    "servers.",
)
LOOP = Reason(
    "loop",
    "the message goes round in circles between mail servers",
    "You cannot mend that. The recipient or an administrator has to look at how that "
    "address is forwarded.",
)
TOO_LATE = Reason(
    "too-late",
    "it could not be delivered in all the time that it was tried",
    "Reach the recipient in another way, or send it again later.",
)
TOO_MANY_RECIPIENTS = Reason(
    "too-many-recipients",
    "the message has more recipients than the other server takes at once",
    "Send it to fewer people at a time.",
)
BAD_CONTENT = Reason(
    "bad-content",
    "the other server does not take messages of that form",
    "Send it as plain text, or its attachment as another kind of file.",
)
NEEDS_UTF8 = Reason(
    "needs-utf8",
    "the message has letters in an address or in its header that the other server "
    "cannot take",
    "Send it from and to addresses in plain Latin letters, without attached messages "
    "that have others.",
)
NEEDS_8BIT = Reason(
    "needs-8bit",
    "the other server could take the message in another form only, and it may not be "
    "changed on its way, because it is signed or encrypted for instance",
    "Send it neither signed nor encrypted, or in plain Latin letters.",
)
NEEDS_TLS = Reason(
    "needs-tls",
    "the message may only travel encrypted, and that was not possible on its way "
    "to the other server",
    "If it need not be secret, send it without asking for encryption; otherwise reach "
    "the recipient in another way.",
)
NOT_VERIFIED = Reason(
    "not-verified",
    "the other server could not convince itself that the message is really from "
    "your domain",
    "Show this report to your administrator: SPF, DKIM or DMARC of your domain have to "
    "be looked at.",
)
SPAM = Reason(
    "spam",
    "the other server took the message, or our server, for a source of unwanted mail",
    "Send it with other words and without links or attachments, or show this report "
    "to your administrator. The recipient may also be able to allow you as a sender.",
)
POLICY = Reason(
    "policy",
    "the other server refuses it by a rule of its own",
    "What it says itself is below. If that does not help, ask the recipient in another "
    "way, or show this report to your administrator.",
)
BUSY = Reason(
    "busy",
    "the other server does not take mail from us at the moment",
    "Try again later.",
)
NOT_NOW = Reason(
    "not-now",
    "the other server does not take mail for that address at the moment",
    "Check how the address is written; if it is right, try again later, or reach the "
    "recipient in another way.",
)
NO_REASON = Reason(
    "no-reason",
    "the other server did not take it",
    "What it says itself is below. If that does not help, show this report to your "
    "administrator.",
)

REASONS: dict[str, Reason] = {
    # RFC 3463 §3.2, addresses
    "1.1": NO_SUCH_ADDRESS,
    "1.2": NO_SUCH_DOMAIN,
    "1.3": BAD_ADDRESS,
    "1.4": BAD_ADDRESS,
    "1.6": MOVED,
    "1.7": BAD_SENDER,
    "1.8": BAD_SENDER,
    "1.10": TAKES_NO_MAIL,  # RFC 7505 §4.2
    # RFC 3463 §3.3, mailboxes
    "2.1": DISABLED,
    "2.2": MAILBOX_FULL,
    "2.3": TOO_LARGE,
    # RFC 3463 §3.4, mail systems
    "3.1": SYSTEM_FULL,
    "3.2": BUSY,
    "3.4": TOO_LARGE,
    # RFC 3463 §3.5, the network and routing
    "4.1": NO_ANSWER,
    "4.2": CONNECTION_LOST,
    "4.3": NAME_SERVER,
    "4.4": NO_SUCH_DOMAIN,
    "4.5": BUSY,
    "4.6": LOOP,
    "4.7": TOO_LATE,
    # RFC 3463 §3.6, the dialogue
    "5.3": TOO_MANY_RECIPIENTS,
    # RFC 3463 §3.7, content
    "6": BAD_CONTENT,
    "6.3": NEEDS_8BIT,
    "6.7": NEEDS_UTF8,  # RFC 6531 §3.5
    "6.8": NEEDS_UTF8,
    "6.9": NEEDS_UTF8,
    # RFC 3463 §3.8, policy
    "7": POLICY,
    "7.4": NEEDS_TLS,
    "7.5": NEEDS_TLS,
    "7.10": NEEDS_TLS,
    "7.11": NEEDS_TLS,
    "7.20": NOT_VERIFIED,  # RFC 7372 §3.1
    "7.21": NOT_VERIFIED,
    "7.22": NOT_VERIFIED,
    "7.23": NOT_VERIFIED,
    "7.24": NOT_VERIFIED,
    "7.25": NOT_VERIFIED,
    "7.26": NOT_VERIFIED,
    "7.27": BAD_SENDER,  # RFC 7505 §4.2
    "7.28": SPAM,
    "7.30": NEEDS_TLS,  # RFC 8689 §8
}
"""By subject and detail, or by the subject alone for all other details."""

_FOR_NOW = {
    NO_SUCH_ADDRESS: NOT_NOW,
    BAD_ADDRESS: NOT_NOW,
    MOVED: NOT_NOW,
    DISABLED: NOT_NOW,
    NO_SUCH_DOMAIN: NAME_SERVER,
    TAKES_NO_MAIL: NAME_SERVER,
    POLICY: BUSY,
}
"""What a status that begins with 4 comes to: it may pass (RFC 3463 §2)."""

_STATUS = re.compile(r"[245]\.([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_SPAM = re.compile(
    r"\bspam|\bunsolicited|\bblack ?list|\bblock ?list|\bdnsbl\b|\brbl\b"
    r"|\breputation\b|\blisted (?:at|by|in|on)\b|\bbulk mail",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:no such|unknown|invalid|nonexist\w+|non-exist\w+) (?:\w+ )?"
    r"(?:user|recipient|mailbox|address|account)\b"
    r"|\b(?:user|recipient|mailbox|address|account) (?:\w+ )?"
    r"(?:unknown|not found|(?:does not|doesn't) exist|not exist)\b",
    re.IGNORECASE,
)
_SAYS_LITTLE = ("0", "5", "3")
"""Subjects under which servers put what has a better place."""


def reason_for(status: str, words: str = "") -> Reason:
    """
    Why, by a status code and, where that says little, by the peer's own words.

    :param status: such as ``5.1.1``; empty or anything else counts as unknown.
    """
    found = _lasting_reason(status, words)
    return _FOR_NOW.get(found, found) if status.startswith("4.") else found


def _lasting_reason(status: str, words: str) -> Reason:
    match = _STATUS.fullmatch(status)
    subject, detail = match.groups() if match else ("0", "0")
    found = REASONS.get(f"{subject}.{detail}") or REASONS.get(subject)
    if found is not None and found is not POLICY:
        return found
    if _SPAM.search(words):
        return SPAM
    if found is None and subject in _SAYS_LITTLE and _UNKNOWN.search(words):
        # Those of long ago say 550 alone.
        return NO_SUCH_ADDRESS
    return found or NO_REASON


def is_for_good(status: str, words: str = "") -> bool:
    """Whether a status says that the address itself is of no use any more."""
    return status.startswith("5.") and reason_for(status, words).is_dead
