"""What ``twistd mailkit`` serves, as the config wants it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from twisted.internet import reactor
from twisted.python.logfile import LogFile

from mailkit.app import tryit
from mailkit.app.check import check_datagrams, check_workers, worker_count
from mailkit.app.find import find_config
from mailkit.app.logging import LogSwitch
from mailkit.app.privileges import Identity, is_root, look_up
from mailkit.app.server import Server
from mailkit.app.settings import Settings
from mailkit.app.workers import Place, Workers

TALKATIVE = ("mailkit.net.listeners",)
"""What is told on the screen of try-it mode need not be logged as well."""


def make_server(
    named: str | None, parent: MutableMapping[str, Any]
) -> Server | Workers:
    """
    A server as the config wants it, or one to try; nothing is bound yet.

    :param named: the config file, if one was named.
    :param parent: the options of ``twistd`` or ``twist``.
    :raises MailkitError: with the one line that says why there is no server.
    """
    folder = Path.cwd()
    path = find_config(named, os.environ, folder)
    place = Place(path, folder)
    text = place.load()
    config = place.read(text)
    settings = config.settings
    check_workers(config)
    check_datagrams(config)
    screen = tryit.prepare(settings, folder, reactor) if path is None else None
    switch = LogSwitch(settings.log, _log_file(parent), TALKATIVE if screen else ())
    if "fileLogObserverFactory" in parent:
        # `python -m twisted`, which has no other place for a log of ours.
        parent["fileLogObserverFactory"] = lambda file: switch
    identity = _identity(settings)
    give_up_late = partial(_remove_and_give_up, parent.get("pidfile", ""))
    server: Server | Workers
    count = worker_count(settings)
    if count == 1:
        server = Server(
            config,
            lambda: place.read(place.load()),
            identity,
            switch,
            give_up_late,
            reactor,
        )
    else:
        server = Workers(count, place, text, identity, switch, give_up_late, reactor)
    for stray in config.strays:
        server.log.warn("{variable} names no setting", variable=stray)
    if is_root() and settings.process.user is None:
        server.log.warn("serving as root: name a user in [process] user")
    if screen is not None:
        server.when_ready(partial(_show, screen))
    return server


def give_up(error: Exception) -> NoReturn:
    """End the start: one line on standard error, status 1."""
    # Twisted has put its log in the place of sys.stderr by then.
    print(f"mailkit: {error}", file=sys.__stderr__, flush=True)
    raise SystemExit(1)


def _remove_and_give_up(pidfile: str, error: Exception) -> NoReturn:
    if pidfile:
        # Twisted forgets it on this way out, and would stumble over it next time.
        Path(pidfile).unlink(missing_ok=True)
    give_up(error)


def _show(screen: str) -> None:
    print(screen, file=sys.__stdout__, flush=True)


def _identity(settings: Settings) -> Identity | None:
    if settings.process.user is None or not is_root():
        return None
    return look_up(settings.process.user)


def _log_file(parent: Mapping[str, Any]) -> TextIO:
    """Where ``twistd`` was told to write its log; without a word standard output."""
    name = parent.get("logfile") or ""
    if name in ("", "-") and parent.get("nodaemon", True):
        assert sys.__stdout__ is not None
        return sys.__stdout__
    file: TextIO = LogFile.fromFullPath(name or "twistd.log")
    return file
