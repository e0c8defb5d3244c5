"""Looks at a config as the server would, without binding or writing anything."""

from __future__ import annotations

import os
from typing import Any

import attrs
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.logger import Logger

from mailkit.app.ownports import own_ports
from mailkit.app.privileges import look_up
from mailkit.app.settings import KeyPairSettings, Settings, TLSSettings
from mailkit.config.reader import Config
from mailkit.errors import MailkitError
from mailkit.net.bound import SHAREABLE
from mailkit.net.relay.tls import make_client_context
from mailkit.net.resolver.servers import parse_server
from mailkit.net.tls import KeyPair, ServerTLS

NOT_HERE = frozenset({"managesieve"})
"""Names in [listen] that this version has no service for."""

log = Logger()


def check_config(config: Config[Settings], reactor: Any) -> None:
    """
    Whether a server would start with it, as far as that can be seen before.

    :param reactor: Twisted's, which has no type of its own.
    :raises MailkitError: with the one line that says why not.
    """
    settings = config.settings
    check_workers(config)
    check_datagrams(config)
    for _, description, key in named_endpoints(config):
        parse_endpoint(config, description, key, reactor)
    if settings.process.user is not None:
        try:
            look_up(settings.process.user)
        except MailkitError as error:
            raise config.source.misconfigured("process.user", str(error)) from error
    pairs = given_pairs(settings)
    if pairs:
        ServerTLS(tuple(pairs))
    if settings.tls.trust is not None:
        make_client_context(also=bytes(settings.tls.trust))


def worker_count(settings: Settings) -> int:
    """How many processes serve."""
    return settings.workers or len(os.sched_getaffinity(0))


def check_workers(config: Config[Settings]) -> None:
    """:raises Misconfigured: if several processes cannot share what is listened on."""
    if worker_count(config.settings) == 1:
        return
    for _, description, key in served_endpoints(config):
        if description.partition(":")[0] not in SHAREABLE:
            problem = (
                f'"{description}" cannot be shared by several workers: '
                f"only {', '.join(SHAREABLE)} can"
            )
            raise config.source.misconfigured(key, problem)


def check_datagrams(config: Config[Settings]) -> None:
    """
    Look at what our own name server is told.

    :raises Misconfigured: if there is no UDP beside what it is to listen on, or if
        it would pass questions on to itself.
    """
    settings = config.settings
    is_own = own_ports(settings.listen.dns)
    for text in settings.nameserver.forward:
        server = parse_server(text)
        if is_own(server.host, server.port):
            problem = f'"{text}" is this server itself'
            raise config.source.misconfigured("nameserver.forward", problem)
    for description in settings.listen.dns:
        if description.partition(":")[0] not in ("tcp", "tcp6"):
            problem = f'"{description}" has no UDP beside it: tcp and tcp6 have'
            raise config.source.misconfigured("listen.dns", problem)


def named_endpoints(config: Config[Settings]) -> list[tuple[str, str, str]]:
    """Service, endpoint string and key of each of them, in the order of the config."""
    listen: dict[str, tuple[str, ...]] = attrs.asdict(config.settings.listen)
    return [
        (service, description, f"listen.{service}")
        for service, descriptions in listen.items()
        for description in descriptions
    ]


def served_endpoints(config: Config[Settings]) -> list[tuple[str, str, str]]:
    """`named_endpoints` without the services that this version does not have."""
    return [one for one in named_endpoints(config) if one[0] not in NOT_HERE]


def warn_of_missing(config: Config[Settings]) -> None:
    """Say which endpoints are skipped."""
    for service, _, _ in named_endpoints(config):
        if service in NOT_HERE:
            log.warn("{service}: not in this version", service=service)


def parse_endpoint(
    config: Config[Settings], description: str, key: str, reactor: Any
) -> IStreamServerEndpoint:
    """
    What Twisted understands by an endpoint string.

    :raises Misconfigured: if it is none.
    """
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    except (ValueError, TypeError, KeyError, OSError) as error:
        problem = f'"{description}" is no endpoint: {error}'
        raise config.source.misconfigured(key, problem) from error
    return endpoint


def given_pairs(settings: Settings) -> list[KeyPair]:
    """The certificates that the config names, the one for every name first."""
    pairs: list[TLSSettings | KeyPairSettings] = [settings.tls, *settings.tls.also]
    return [
        KeyPair(pair.certificate, pair.key)
        for pair in pairs
        if pair.certificate is not None and pair.key is not None
    ]
