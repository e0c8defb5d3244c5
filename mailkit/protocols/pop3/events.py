"""What a POP3 client can ask for, one class a command (RFC 1939 §4 to §7)."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class Capa:
    """CAPA (RFC 2449 §5)."""


@frozen
class StartTLS:
    """STLS (RFC 2595 §4)."""


@frozen
class User:
    """USER (RFC 1939 §7)."""

    name: str


@frozen
class Pass:
    """PASS (RFC 1939 §7); the rest of the line with its spaces."""

    password: str = field(repr=False)


@frozen
class AuthList:
    """AUTH without an argument: which mechanisms there are, as many clients ask."""


@frozen
class AuthBegins:
    """AUTH (RFC 5034 §4)."""

    mechanism: str
    initial_response: bytes | None = field(repr=False)
    """Decoded; ``None`` where none was given."""


@frozen
class AuthResponse:
    """The answer to a challenge, decoded."""

    octets: bytes = field(repr=False)


@frozen
class AuthCancelled:
    """``*``, or something that is not base64 (RFC 5034 §4)."""

    reason: str


@frozen
class Utf8:
    """UTF8 (RFC 6856 §2.1)."""


@frozen
class Stat:
    """STAT."""


@frozen
class Scan:
    """LIST."""

    number: int | None


@frozen
class Uidl:
    """UIDL."""

    number: int | None


@frozen
class Retr:
    """RETR."""

    number: int


@frozen
class Top:
    """TOP."""

    number: int
    lines: int


@frozen
class Dele:
    """DELE."""

    number: int


@frozen
class Noop:
    """NOOP."""


@frozen
class Rset:
    """RSET."""


@frozen
class Quit:
    """QUIT."""


Event = (
    Capa
    | StartTLS
    | User
    | Pass
    | AuthList
    | AuthBegins
    | AuthResponse
    | AuthCancelled
    | Utf8
    | Stat
    | Scan
    | Uidl
    | Retr
    | Top
    | Dele
    | Noop
    | Rset
    | Quit
)
