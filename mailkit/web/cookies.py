"""The two cookies: who is signed in, and who is about to."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

_DAY = 86400


@frozen
class Cookies:
    """
    Names and attributes (RFC 6265 §4.1, and the prefix ``__Host-`` of RFC 6265bis).

    :param is_insecure: for developers whose browser takes no Secure cookies from a
        loopback address; anybody on the way may read them then.
    """

    is_insecure: bool = False

    @property
    def name(self) -> str:
        """Of the session's cookie."""
        return "mailkit" if self.is_insecure else "__Host-mailkit"

    def session(self, headers: Mapping[str, str]) -> str:
        """What the browser kept of its session; empty: nothing."""
        return _find(headers.get("cookie", ""), self.name)

    def before(self, headers: Mapping[str, str]) -> str:
        """What a browser has that is not signed in yet; empty: nothing."""
        return _find(headers.get("cookie", ""), f"{self.name}-before")

    def set_session(self, value: str, *, is_public: bool) -> str:
        """Keep a session: until the browser is closed, or for 30 days."""
        lasts = "" if is_public else f"; Max-Age={30 * _DAY}"
        return f"{self.name}={value}; Path=/{lasts}{self._safe}"

    def set_before(self, value: str) -> str:
        """For tokens of forms that nobody is signed in for."""
        return f"{self.name}-before={value}; Path=/{self._safe}"

    def drop_session(self) -> str:
        """Keep it no more."""
        return f"{self.name}=; Path=/; Max-Age=0{self._safe}"

    @property
    def _safe(self) -> str:
        secure = "" if self.is_insecure else "; Secure"
        return f"{secure}; HttpOnly; SameSite=Lax"


def _find(header: str, name: str) -> str:
    for pair in header[:16384].split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value if len(value) <= 200 else ""
    return ""
