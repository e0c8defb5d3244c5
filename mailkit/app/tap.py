"""``twistd mailkit``: what stands between Twisted's command line and a server."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from twisted.application.service import IService
from twisted.python import usage

from mailkit.app.garbage import loading
from mailkit.errors import MailkitError


class Options(usage.Options):
    """The command line after ``twistd mailkit``."""

    synopsis = "[--config FILE]"
    optParameters = [  # noqa: RUF012 - Twisted's own way
        ["config", "c", None, "The config file; without it a server to try."],
    ]
    longdesc = (
        "Without --config: $MAILKIT_CONFIG, ./mailkit.toml, "
        "/etc/mailkit/mailkit.toml, else a server to try in ./mailkit-data."
    )


def makeService(options: Options) -> IService:
    """What Twisted asks for; ends with one line and status 1 if it cannot be."""
    # All of the server, and a quarter sooner than at the top of this file.
    with loading():
        from mailkit.app.serving import give_up, make_server

    parent: MutableMapping[str, Any] = options.parent or {}
    try:
        return make_server(options["config"], parent)
    except MailkitError as error:
        give_up(error)
