"""One server for a file of tests, with two accounts and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.server import Server

ALICE = "alice@example.test"
BOB = "bob@example.test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that runs, and ends with the last test of the file."""
    folder: Path = tmp_path_factory.mktemp("server")
    server = Server(folder)
    server.add(ALICE)
    server.add(BOB)
    server.start()
    try:
        yield server
    finally:
        server.stop()
