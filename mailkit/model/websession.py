"""Who is signed in to the web pages, as values."""

from __future__ import annotations

from attrs import field, frozen

from mailkit.model.address import AccountName


@frozen
class WebSession:
    """One browser that is signed in; what names it stays with the browser."""

    key: str = field(repr=False)
    """SHA-256 of what the cookie says, in hexadecimal."""
    account: AccountName
    generation: int
    """`Account.generation` of the login: another one, and the session is over."""
    made: float
    """Seconds since 1970."""
    seen: float
    """Of the last request, kept to the minute."""
    peer: str
    """Address that it was seen at last."""
    agent: str
    """What the browser says that it is, cut short."""
    secret: bytes = field(repr=False)
    """What the session's tokens are made of."""
    is_public: bool = False
    """On a computer of others: it ends soon."""
