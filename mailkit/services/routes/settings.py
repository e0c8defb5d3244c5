"""``[[route]]``: what may be written, and what does not go together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import attrs
from attrs import evolve, field, frozen
from attrs.validators import and_, ge, gt, le, optional

from mailkit.config.reader import WrongKeyError
from mailkit.config.units import Seconds
from mailkit.model.address import AccountName, Address
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.target import (
    Target,
    ToError,
    ToHook,
    ToLMTP,
    ToMailbox,
    ToMaildir,
    ToMX,
    ToPipe,
    ToRedis,
    ToSmarthost,
)
from mailkit.model.tlspolicy import TLSLevel
from mailkit.services.routes.pattern import NULL, Pattern
from mailkit.services.routes.route import Route

SECRET = frozenset({"password", "secret", "url"})
"""Keys that are never shown as they are."""

TAKEN = frozenset({"local"})
"""Names of routes that we have ourselves."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}", re.ASCII)


def _is_name(instance: Any, field: attrs.Attribute[str], value: str) -> None:
    if not _NAME.fullmatch(value) or value in TAKEN:
        raise ValueError(f'expects a name such as "tickets", not "{value}"')


@frozen(kw_only=True)
class RouteSettings:
    """
    A way that some mail takes, written as often as there are ways.

    The most exact route that is `"instead"` decides where mail goes: an address before
    a pattern, before a domain, before the domains below one, before `"*"`; among
    equals the sender counts, then the account, then what stands first. Every route
    that is `"also"` and matches gets the mail besides. What is not there is waited
    for in the queue. `mailkit route explain ADDRESS` tells which one it is and why;
    `mailkit route add` makes more of them without a change of this file.
    """

    name: str = field(validator=_is_name)
    """What the queue and the log call it; no other route has it."""

    to: Literal[
        "mx",
        "smarthost",
        "lmtp",
        "mailbox",
        "maildir",
        "redis",
        "http",
        "pipe",
        "error",
    ]
    """Where mail goes: to the hosts that DNS names (of a domain that is not ours: we
    are its backup MX), to one server for everything, to an LMTP server, to a mailbox of
    ours, to a Maildir folder, to Redis, to a program behind HTTP, to a program of this
    machine, or nowhere."""

    recipient: tuple[str, ...] = ()
    """Whom it is for: `"anna@example.org"`, `"*-anna@example.org"`, `"example.org"`,
    `"*.example.org"` (all domains below) or `"*"`. With `"*"`, or without this key, an
    `"instead"` route takes only mail that would leave for other servers."""

    sender: tuple[str, ...] = ()
    """Who the envelope says it is from, written alike; `"<>"`: notices, which have no
    sender."""

    account: tuple[str, ...] = ()
    """Whose login it came by, written alike; mail from strangers is never meant."""

    mode: Literal["instead", "also"] = "instead"
    """`"instead"`: it goes there and nowhere else. `"also"`: it goes there besides; if
    that fails, the sender is not troubled with it."""

    strangers: bool | None = None
    """Whether mail for domains that are not ours is taken from anybody on port 25 by
    this route. Absent: yes, where `recipient` names the domains, but for a smarthost,
    which is for our own people."""

    host: str | None = None
    """smarthost, lmtp: its name or IP address."""

    port: int | None = field(default=None, validator=optional(and_(ge(1), le(65535))))
    """smarthost: absent 25, or 465 with `implicit_tls`, or 587 with `username`. lmtp:
    absent 24."""

    tls: Literal["none", "opportunistic", "encrypt", "verify"] | None = None
    """smarthost, lmtp: never TLS; TLS where it is offered; TLS with any certificate;
    TLS with a certificate for `host`. Absent: `"verify"` with `username`, else
    `"opportunistic"`."""

    implicit_tls: bool | None = None
    """smarthost: TLS from the first octet (RFC 8314 §3.3)."""

    username: str | None = None
    """smarthost: who logs in (RFC 4954)."""

    password: str | None = field(default=None, repr=False)
    """smarthost: with what."""

    password_file: Path | None = None
    """smarthost: a file whose first line is the password."""

    socket: Path | None = None
    """lmtp: the path of a Unix socket, instead of `host`."""

    mailbox: str | None = None
    """mailbox: an account of ours, `"anna@example.org"`, or one of its mailboxes,
    `"anna@example.org/Tickets"`, which is made if it is not there."""

    folder: Path | None = None
    """maildir: the folder that has `tmp`, `new` and `cur`, which are made."""

    metadata: bool | None = None
    """maildir: whether `meta/NAME.json` is written beside `new/NAME`."""

    url: str | None = field(default=None, repr=False)
    """redis: `"redis://[[user]:password@]host[:port][/database]"`, `"rediss://…"` with
    TLS, or `"unix:///path[?db=N]"`. http: where it is posted to."""

    key: str | None = None
    """redis: the name of the list or channel."""

    command: Literal["push", "publish"] | None = None
    """redis: `"push"` to the end of a list (absent), or `"publish"` to a channel; what
    nobody heard is published again later."""

    whole: bool | None = None
    """redis, http: whether the whole message is in the JSON too, as base64."""

    secret: str | None = field(default=None, repr=False)
    """http: what the requests are signed with (HMAC-SHA256)."""

    secret_file: Path | None = None
    """http: a file whose first line is the secret."""

    format: Literal["json", "raw"] | None = None
    """http: JSON about the message (absent), or the message itself."""

    program: tuple[str, ...] | None = None
    """pipe: the path of the program and its arguments; there is no shell."""

    line_ends: Literal["lf", "crlf"] | None = None
    """pipe: how the lines end that the program is given; absent: with LF."""

    timeout: Seconds | None = field(default=None, validator=optional(gt(0)))
    """http: how long the other side may say nothing, absent 30 s. pipe: how long the
    program may run, absent 60 s."""

    inward: bool | None = None
    """mx: whether its hosts may be at loopback and private addresses."""

    code: int | None = field(default=None, validator=optional(and_(ge(400), le(599))))
    """error: the reply code; 5xx for good (absent: 550), 4xx for now."""

    status: str | None = None
    """error: the enhanced status code; absent: `"5.7.1"` or `"4.7.1"`."""

    text: str | None = None
    """error: the words."""

    def __attrs_post_init__(self) -> None:
        self._check_keys()
        self._check_also()
        for key in ("recipient", "sender", "account"):
            _patterns(key, getattr(self, key))
        if self.strangers and not self._names_domains():
            problem = "needs recipients that name their domains, and no account"
            raise WrongKeyError("strangers", problem)
        target_of(self)

    def _check_keys(self) -> None:
        """Every key that is needed, and none that means nothing here."""
        needed, possible = KEYS[self.to]
        for one in attrs.fields(RouteSettings):
            if one.default is not None:
                continue
            is_given = getattr(self, one.name) is not None
            if one.name in needed and not is_given:
                raise WrongKeyError("to", f'"{self.to}" needs {one.name}')
            if is_given and one.name not in needed | possible | {"strangers"}:
                raise WrongKeyError(one.name, f'means nothing with to = "{self.to}"')

    def _check_also(self) -> None:
        if self.mode != "also":
            return
        if self.to in ("mx", "error"):
            raise WrongKeyError("mode", f'cannot be "also" with to = "{self.to}"')
        if self.strangers:
            raise WrongKeyError("strangers", 'means nothing with mode = "also"')

    def _names_domains(self) -> bool:
        recipients = _patterns("recipient", self.recipient)
        return bool(recipients) and not self.account and all(
            one.names_domain for one in recipients
        )  # fmt: skip


_TLS = frozenset({"host", "port", "tls"})
KEYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mx": (frozenset(), frozenset({"inward"})),
    "smarthost": (
        frozenset({"host"}),
        _TLS | {"implicit_tls", "username", "password", "password_file"},
    ),
    "lmtp": (frozenset(), _TLS | {"socket"}),
    "mailbox": (frozenset({"mailbox"}), frozenset()),
    "maildir": (frozenset({"folder"}), frozenset({"metadata"})),
    "redis": (frozenset({"url", "key"}), frozenset({"command", "whole"})),
    "http": (
        frozenset({"url"}),
        frozenset({"secret", "secret_file", "format", "whole", "timeout"}),
    ),
    "pipe": (frozenset({"program"}), frozenset({"line_ends", "timeout"})),
    "error": (frozenset(), frozenset({"code", "status", "text"})),
}
"""By `RouteSettings.to`: keys that have to be there, and those that may."""


def route_of(settings: RouteSettings, origin: str) -> Route:
    """The route that settings mean."""
    is_for_strangers = settings.strangers
    if is_for_strangers is None:
        is_for_strangers = settings.to != "smarthost"
    return Route(
        name=settings.name,
        target=target_of(settings),
        recipients=_patterns("recipient", settings.recipient),
        senders=_patterns("sender", settings.sender),
        accounts=_patterns("account", settings.account),
        is_also=settings.mode == "also",
        is_for_strangers=is_for_strangers,
        origin=origin,
    )


def target_of(settings: RouteSettings) -> Target:
    """:raises WrongKeyError:"""
    return _TARGETS[settings.to](settings)


def check_names(settings: Iterable[RouteSettings]) -> None:
    """:raises WrongKeyError: if two routes have one name."""
    seen: set[str] = set()
    for place, one in enumerate(settings):
        if one.name in seen:
            problem = f'there is a route "{one.name}" already'
            raise WrongKeyError(f"route.{place}.name", problem)
        seen.add(one.name)


def _patterns(key: str, texts: tuple[str, ...]) -> tuple[Pattern, ...]:
    try:
        found = tuple(map(Pattern.parse, texts))
    except ValueError as error:
        raise WrongKeyError(key, str(error)) from error
    if key != "sender" and any(one.text == NULL for one in found):
        raise WrongKeyError(key, f'"{NULL}" is for senders alone')
    return found


# -- one for each word of `to`; keys that are needed are there by then


def _mx(settings: RouteSettings) -> Target:
    return ToMX(is_inward=bool(settings.inward))


def _smarthost(settings: RouteSettings) -> Target:
    assert settings.host is not None
    has_login = settings.username is not None
    has_password = settings.password is not None
    if has_password and settings.password_file is not None:
        raise WrongKeyError("password_file", "and password do not go together")
    if has_login != (has_password or settings.password_file is not None):
        raise WrongKeyError("username", "and password are given together or not at all")
    tls = settings.tls or ("verify" if has_login else "opportunistic")
    if settings.implicit_tls and tls == "none":
        raise WrongKeyError("tls", 'cannot be "none" with implicit_tls')
    if has_login and tls in ("none", "opportunistic") and not _is_near(settings.host):
        raise WrongKeyError("tls", "a password is sent under TLS alone: use encrypt")
    usual = 465 if settings.implicit_tls else 587 if has_login else 25
    return ToSmarthost(
        host=_host(settings.host),
        port=settings.port or usual,
        level=_LEVELS[tls],
        is_tls_first=bool(settings.implicit_tls),
        username=settings.username or "",
        password=settings.password or "",
        password_file=str(settings.password_file or ""),
    )


def _lmtp(settings: RouteSettings) -> Target:
    if (settings.host is None) == (settings.socket is None):
        raise WrongKeyError("to", '"lmtp" needs host or socket')
    if settings.socket is not None:
        if settings.port is not None or settings.tls is not None:
            key = "port" if settings.port is not None else "tls"
            raise WrongKeyError(key, "means nothing with socket")
        return ToLMTP(socket=str(settings.socket))
    return ToLMTP(
        host=_host(settings.host or ""),
        port=settings.port or 24,
        level=_LEVELS[settings.tls or "opportunistic"],
    )


def _mailbox(settings: RouteSettings) -> Target:
    text, _, mailbox = (settings.mailbox or "").partition("/")
    account = Address.parse(text)
    if account is None:
        problem = f'expects "anna@example.org/Tickets", not "{settings.mailbox}"'
        raise WrongKeyError("mailbox", problem)
    return ToMailbox(
        account=AccountName(str(account)),
        mailbox=MailboxName(mailbox) if mailbox else INBOX,
    )


def _maildir(settings: RouteSettings) -> Target:
    return ToMaildir(folder=str(settings.folder), has_metadata=bool(settings.metadata))


def _redis(settings: RouteSettings) -> Target:
    assert settings.key is not None and settings.url is not None
    if not settings.key:
        raise WrongKeyError("key", "is empty")
    return evolve(
        read_redis(settings.url),
        key=settings.key,
        is_published=settings.command == "publish",
        is_whole=bool(settings.whole),
    )


def read_redis(text: str) -> ToRedis:
    """
    Where Redis is, of an address; which key is for others to say.

    :raises WrongKeyError: if it is none.
    """
    try:
        url = urlsplit(text)
        is_socket = url.scheme == "unix" and bool(url.path)
        is_host = url.scheme in ("redis", "rediss") and bool(url.hostname)
        number = url.path.strip("/") or "0"
        if is_socket:
            number = parse_qs(url.query).get("db", ["0"])[0]
        database, port = int(number), url.port or 6379
    except ValueError as error:
        problem = "its port or its database is not a number"
        raise WrongKeyError("url", problem) from error
    if not (is_socket or is_host) or database < 0:
        problem = 'expects "redis://host:6379/0" or "unix:///run/redis.sock?db=0"'
        raise WrongKeyError("url", problem)
    return ToRedis(
        host="" if is_socket else url.hostname or "",
        port=port,
        socket=unquote(url.path) if is_socket else "",
        database=database,
        username=unquote(url.username or ""),
        password=unquote(url.password or ""),
        is_tls=url.scheme == "rediss",
        key="",
    )


def _http(settings: RouteSettings) -> Target:
    assert settings.url is not None
    try:
        url = urlsplit(settings.url)
        is_good = url.scheme in ("http", "https") and bool(url.hostname)
        is_good = is_good and url.port != 0 and settings.url.isascii()
    except ValueError:
        is_good = False
    if not is_good or any(char <= " " for char in settings.url):
        raise WrongKeyError("url", 'expects "https://example.org/hook"')
    if url.username is not None:
        raise WrongKeyError("url", "cannot have a name or a password in it")
    if settings.secret is not None and settings.secret_file is not None:
        raise WrongKeyError("secret_file", "and secret do not go together")
    if settings.format == "raw" and settings.whole is not None:
        raise WrongKeyError("whole", 'means nothing with format = "raw"')
    return ToHook(
        url=settings.url,
        secret=settings.secret or "",
        secret_file=str(settings.secret_file or ""),
        is_raw=settings.format == "raw",
        is_whole=bool(settings.whole),
        timeout=settings.timeout or 30.0,
    )


def _pipe(settings: RouteSettings) -> Target:
    program = settings.program or ()
    if not program or not program[0].startswith("/"):
        raise WrongKeyError("program", "expects the whole path of a program first")
    if any("\0" in word for word in program):
        raise WrongKeyError("program", "has a NUL in it")
    return ToPipe(
        program=program,
        timeout=settings.timeout or 60.0,
        has_crlf=settings.line_ends == "crlf",
    )


def _error(settings: RouteSettings) -> Target:
    code = settings.code or 550
    status = settings.status or f"{code // 100}.7.1"
    if not _STATUS.fullmatch(status) or status[0] != str(code)[0]:
        problem = f'expects such as "{code // 100}.7.1", not "{status}"'
        raise WrongKeyError("status", problem)
    text = settings.text or "Not accepted"
    if not text.isprintable() or not text.isascii() or len(text) > 400:
        raise WrongKeyError("text", "expects one line of ASCII, not too long")
    return ToError(code=code, status=status, text=text)


_TARGETS: dict[str, Callable[[RouteSettings], Target]] = {
    "mx": _mx,
    "smarthost": _smarthost,
    "lmtp": _lmtp,
    "mailbox": _mailbox,
    "maildir": _maildir,
    "redis": _redis,
    "http": _http,
    "pipe": _pipe,
    "error": _error,
}

_LEVELS = {
    "none": TLSLevel.NONE,
    "opportunistic": TLSLevel.OPPORTUNISTIC,
    "encrypt": TLSLevel.ENCRYPT,
    "verify": TLSLevel.PKIX,
}


def _host(text: str) -> str:
    if not text or any(char <= " " or char in "/@" for char in text):
        raise WrongKeyError("host", f'expects a name or an IP address, not "{text}"')
    return text.strip("[]").rstrip(".").lower()


def _is_near(host: str) -> bool:
    """Whether it is this very machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
