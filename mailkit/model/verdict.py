"""What the checks of a delivery said about a message, as its row in the index keeps."""

from __future__ import annotations

import json

from attrs import asdict, fields, frozen

_LONGEST = 1000
"""Characters of any one field."""


@frozen
class Verdict:
    """
    An opinion that was formed once, when the message came; never changed afterwards.

    Results are the words of RFC 8601 §2.7 (``pass``, ``fail``, ``softfail``, ``none``,
    ``temperror`` …), empty where nothing was checked.
    """

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    aligned: str = ""
    """The domain in From, where DMARC proved that it sent this (RFC 7489 §3.1)."""
    tls: str = ""
    """``TLSv1.3`` and cipher in words: how it came; empty in the clear."""
    words: str = ""
    """What an administrator may read about it, on one line."""

    @property
    def is_verified(self) -> bool:
        """Whether it is proved to come from the domain that its author names."""
        return self.dmarc == "pass" and bool(self.aligned)

    @property
    def is_forged(self) -> bool:
        """Whether the domain that its author names says that it is not its own."""
        return self.dmarc == "fail"

    def to_text(self) -> str:
        """As compact JSON, without what is empty."""
        said = {name: text for name, text in asdict(self).items() if text}
        return json.dumps(said, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Verdict | None:
        """Read it again; ``None`` for what is none, and nothing of what is unknown."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        known = {
            name: value[:_LONGEST]
            for name in (one.name for one in fields(cls))
            if isinstance(value := said.get(name), str)
        }
        return cls(**known)
