"""A route: whom it means, and where it leads."""

from __future__ import annotations

from attrs import frozen

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
from mailkit.services.routes.pattern import Pattern


@frozen(kw_only=True)
class Route:
    """
    One ``[[route]]``.

    Each condition that is made has to hold; of the patterns in it, one.
    """

    name: str
    target: Target
    recipients: tuple[Pattern, ...] = ()
    senders: tuple[Pattern, ...] = ()
    accounts: tuple[Pattern, ...] = ()
    """Who submitted the message; mail of strangers is never meant."""
    is_also: bool = False
    """In addition to wherever the message goes."""
    is_for_strangers: bool = False
    """Mail for domains that are not ours is taken from anybody."""
    origin: str = ""
    """Where it stands: the config file, or the directory."""

    @property
    def hop_name(self) -> str:
        """`NextHop.route`; empty: what DNS says."""
        if isinstance(self.target, ToMX) and not self.target.is_inward:
            return ""
        return self.name

    @property
    def passes_on(self) -> bool:
        """Whether mail goes on from there to other people's servers."""
        return isinstance(self.target, ToMX | ToSmarthost)


def kind_of(target: Target) -> str:
    """What ``to`` says for it."""
    return _KINDS[type(target)]


_KINDS: dict[type[Target], str] = {
    ToMX: "mx",
    ToSmarthost: "smarthost",
    ToLMTP: "lmtp",
    ToMailbox: "mailbox",
    ToMaildir: "maildir",
    ToRedis: "redis",
    ToHook: "http",
    ToPipe: "pipe",
    ToError: "error",
}


def say_target(target: Target) -> str:
    """Where a route leads, for people; no secret is in it."""
    match target:
        case ToMX():
            return "the hosts that DNS names"
        case ToSmarthost(host=host, port=port):
            return f"smarthost {host}:{port}"
        case ToLMTP(socket=socket, host=host, port=port):
            return f"LMTP {socket or f'{host}:{port}'}"
        case ToMailbox(account=account, mailbox=mailbox):
            return f"mailbox {account}/{mailbox}"
        case ToMaildir(folder=folder):
            return f"Maildir {folder}"
        case ToRedis(is_published=is_published, key=key):
            what = "channel" if is_published else "list"
            return f"Redis {what} {key} at {say_redis(target)}"
        case ToHook():
            return f"HTTP {say_url(target.url)}"
        case ToPipe(program=program):
            return f"program {program[0]}"
        case ToError(code=code, status=status, text=text):
            return f"refused: {code} {status} {text}"


def say_redis(target: ToRedis) -> str:
    """Where a Redis is, without its password."""
    place = target.socket or f"{target.host}:{target.port}"
    return f"{place}/{target.database}"


def say_url(url: str) -> str:
    """A URL without what may be secret in it: name, password and query."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
