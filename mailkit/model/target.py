"""Where a route leads, as values; secrets are shown to nobody."""

from __future__ import annotations

from attrs import field, frozen

from mailkit.model.address import AccountName
from mailkit.model.mailbox import MailboxName
from mailkit.model.tlspolicy import TLSLevel


@frozen(kw_only=True)
class ToMX:
    """The hosts that DNS names."""

    is_inward: bool = False
    """They may be at loopback and private addresses."""


@frozen(kw_only=True)
class ToSmarthost:
    """One server that takes mail for anybody."""

    host: str
    port: int
    level: TLSLevel = TLSLevel.OPPORTUNISTIC
    is_tls_first: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    """Read anew for each connection that is made; instead of ``password``."""


@frozen(kw_only=True)
class ToLMTP:
    """A server that keeps mail (RFC 2033)."""

    host: str = ""
    port: int = 24
    socket: str = ""
    """The path of a Unix socket; instead of ``host``."""
    level: TLSLevel = TLSLevel.OPPORTUNISTIC


@frozen(kw_only=True)
class ToMailbox:
    """A mailbox of an account of ours."""

    account: AccountName
    mailbox: MailboxName


@frozen(kw_only=True)
class ToMaildir:
    """A folder that somebody else reads."""

    folder: str
    has_metadata: bool = False


@frozen(kw_only=True)
class ToRedis:
    """A list or a channel in Redis."""

    host: str = ""
    port: int = 6379
    socket: str = ""
    """The path of a Unix socket; instead of ``host``."""
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    is_tls: bool = False
    key: str
    is_published: bool = False
    """To a channel; otherwise it is pushed to the end of a list."""
    is_whole: bool = False
    """The message itself is told too, as base64."""


@frozen(kw_only=True)
class ToHook:
    """A program behind HTTP."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    secret_file: str = ""
    """Read anew for each message; instead of ``secret``."""
    is_raw: bool = False
    """The message itself is posted, not JSON about it."""
    is_whole: bool = False
    timeout: float = 30.0
    """Seconds without a word from the other side."""


@frozen(kw_only=True)
class ToPipe:
    """A program on this machine, run once for each recipient."""

    program: tuple[str, ...]
    timeout: float = 60.0
    """Seconds that it may run."""
    has_crlf: bool = False
    """It is given lines that end with CRLF, as they travel; otherwise with LF."""


@frozen(kw_only=True)
class ToError:
    """Nobody: the recipient is turned away."""

    code: int = 550
    status: str = "5.7.1"
    text: str = "Not accepted"


Target = (
    ToMX
    | ToSmarthost
    | ToLMTP
    | ToMailbox
    | ToMaildir
    | ToRedis
    | ToHook
    | ToPipe
    | ToError
)
