"""
``twistd`` as people run it, but for what strangers are thought of: that is laid down.

``MAILKIT_TEST_PICTURES`` is the port at which web servers of strangers are.
"""

from __future__ import annotations

import os
from functools import partial
from unittest import mock

from twisted.scripts.twistd import run

from mailkit import factories
from mailkit.app import assemble
from mailkit.net import pictures
from mailkit.testing.checks import FAIL, NOTHING, PASS, KnownCheck

VERDICTS = {"pass.example": PASS, "fail.example": FAIL, "none.example": NOTHING}
"""Of messages whose MAIL FROM has one of these domains; others are not looked at."""

PORT = "MAILKIT_TEST_PICTURES"

if __name__ == "__main__":
    ports = {"http": int(os.environ[PORT]), "https": 443}
    checked = partial(factories.Services, check=KnownCheck(VERDICTS))
    with (
        mock.patch.object(assemble, "Services", checked),
        mock.patch.object(pictures, "_PORTS", ports),
    ):
        run()
