"""SMTP replies as values (RFC 5321 §4.2, RFC 3463 §2)."""

from __future__ import annotations

from attrs import frozen


@frozen
class Reply:
    """
    One reply of an SMTP server.

    ``code`` alone tells success from failure and now from never: the class
    digit of the enhanced status code is taken from it, so the two agree.

    ``detail`` is the rest of that status code, such as ``"1.1"`` (RFC 3463 §3),
    or empty where the reply has none (greeting, EHLO, 354).

    ``text`` may hold several lines separated by ``\\n``.
    """

    code: int
    detail: str
    text: str

    @property
    def is_positive(self) -> bool:
        return self.code < 400

    @property
    def is_transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def status(self) -> str:
        """The enhanced status code, such as ``5.1.1``; empty where there is none."""
        return f"{self.code // 100}.{self.detail}" if self.detail else ""

    def __str__(self) -> str:
        return (
            f"{self.code} {self.status} {self.text}"
            if self.detail
            else (f"{self.code} {self.text}")
        )
