"""How mail is written here."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt

KIB = 1024
DAY = 86400.0


@frozen
class ComposingSettings:
    """What drafts may cost, and how long there is a way back; times in seconds."""

    slack: float = field(default=3.0, validator=ge(0))
    """How much longer a message is held than a page offers to call it back."""

    furthest: float = field(default=365 * DAY, validator=gt(0))
    """How far ahead a message may be sent."""

    message_size: int = field(default=50 * KIB * KIB, validator=gt(0))
    """Octets of the largest message that is sent."""

    text: int = field(default=1024 * KIB, validator=gt(0))
    """Characters of a text, or of its HTML."""

    line: int = field(default=256 * KIB, validator=gt(0))
    """Characters of all that is typed as recipients or as a subject."""

    recipients: int = field(default=1000, validator=gt(0))
    """Of one message."""

    files: int = field(default=200, validator=gt(0))
    """Of one message."""

    large: int = field(default=1024 * KIB, validator=ge(0))
    """Octets of files from which on the message in the mailbox is not written anew at
    each change of the text."""

    rewritten_every: float = field(default=30.0, validator=ge(0))
    """How often it is then."""

    many_drafts: int = field(default=100, validator=ge(0))
    """Of an account, from which on old ones are dropped whose message is gone."""

    forgotten_after: float = field(default=30 * DAY, validator=gt(0))
    """How long they are kept at least."""

    kept_trying: float = field(default=DAY, validator=ge(0))
    """How long what was kept back is tried to be delivered, before it is a draft
    again."""

    patience: float = field(default=60.0, validator=gt(0))
    """After how long a sending that did not end is looked into."""

    looked_after: float = field(default=30.0, validator=gt(0))
    """How often what others left unfinished is looked for."""

    @property
    def files_size(self) -> int:
        """Octets that all files of a message may have: base64 makes more of them."""
        return int(self.message_size / 1.37)
