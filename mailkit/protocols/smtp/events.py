"""
What one side of SMTP asks of the other, one class a command (RFC 5321 §4.1.1).

The server's machine hands these up; the client's machine takes the same ones and
writes them.
"""

from __future__ import annotations

from attrs import field, frozen

from mailkit.model.envelope import RecipientParameters, SenderParameters
from mailkit.model.path import Path
from mailkit.model.reply import Reply

NOTHING_ABOUT_SENDER = SenderParameters()
NOTHING_ABOUT_RECIPIENT = RecipientParameters()


@frozen
class Hello:
    """EHLO, HELO or LHLO."""

    domain: str
    is_extended: bool = True
    """False for HELO: the peer knows no extensions."""


@frozen
class StartTLS:
    """STARTTLS (RFC 3207 §4)."""


@frozen
class AuthBegins:
    """AUTH (RFC 4954 §4)."""

    mechanism: str
    """In upper case."""
    initial: bytes | None = field(default=None, repr=False)
    """``None``: the peer sent no initial response, which is not an empty one."""


@frozen
class AuthResponse:
    """One answer of the peer within an AUTH dialogue, base64 undone."""

    octets: bytes = field(repr=False)


@frozen
class AuthCancelled:
    """The peer gave the dialogue up with ``*``; 501 is the answer."""


@frozen
class MailFrom:
    """MAIL (RFC 5321 §4.1.1.2)."""

    path: Path
    parameters: SenderParameters = NOTHING_ABOUT_SENDER


@frozen
class RcptTo:
    """RCPT (RFC 5321 §4.1.1.3)."""

    path: Path
    parameters: RecipientParameters = NOTHING_ABOUT_RECIPIENT


@frozen
class DataBegins:
    """DATA (RFC 5321 §4.1.1.4); 354 is the positive answer."""


@frozen
class TextBlock:
    """As much of the message as has come; needs no reply."""

    octets: bytes = field(repr=lambda octets: f"<{len(octets)} octets>")


@frozen
class TextEnds:
    """The dot on a line of its own."""

    refusal: Reply | None = None
    """What has to be answered because the text itself cannot be taken."""


@frozen
class ChunkEnds:
    """All octets of one BDAT have come, as `TextBlock` (RFC 3030 §2)."""

    is_last: bool
    refusal: Reply | None = None
    """What has to be answered because the octets cannot be taken."""


@frozen
class Reset:
    """RSET."""


@frozen
class Noop:
    """NOOP."""


@frozen
class Quit:
    """QUIT."""


@frozen
class Help:
    """HELP."""


@frozen
class Verify:
    """VRFY (RFC 5321 §3.5)."""

    text: str


@frozen
class Expand:
    """EXPN (RFC 5321 §3.5)."""

    text: str


@frozen
class BadCommand:
    """A line that is no command, or none for now; nothing was done."""

    reply: Reply
    """What the peer has to be told; 421 if there is no use in going on."""
    name: str = "other"
    """The verb, where it is one of ours."""


Event = (
    Hello
    | StartTLS
    | AuthBegins
    | AuthResponse
    | AuthCancelled
    | MailFrom
    | RcptTo
    | DataBegins
    | TextBlock
    | TextEnds
    | ChunkEnds
    | Reset
    | Noop
    | Quit
    | Help
    | Verify
    | Expand
    | BadCommand
)
"""Whatever a server's machine hands up."""
