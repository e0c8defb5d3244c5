"""One server for a file of tests, with two accounts and nothing else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.server import Server, remove
from tests.order import begin_with

ALICE = "alice@example.test"
BOB = "bob@example.test"

FIRST = (
    "test_chaos.py",
    "test_kill.py",
    "test_routes.py",
    "test_way_out.py",
    # xdist gives whoever has one or two tests another file at once: short ones.
    "test_relay.py",
    "test_websessions.py",
    "test_workers.py",
    "test_nameserver.py",
    "test_way_out_tls.py",
    "test_process.py",
    "test_demo.py",
    "test_doctor.py",
    "test_told.py",
    "test_stolen_password.py",
)
"""Files that take longest, so that none of them is begun when all others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    begin_with(FIRST, Path(__file__).parent, items)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that runs, and ends with the last test of the file."""
    folder: Path = tmp_path_factory.mktemp("server")
    server = Server(folder)
    server.add_all(ALICE, BOB)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """
    A folder that everybody may look into, as pytest's own is not.

    For tests that begin as root and go on as somebody else.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for folder in (*Path(os.__file__).parents, *Path(__file__).parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            pytest.skip(f"needs root and a Python that others can read: {folder}")
    folder = Path(tempfile.mkdtemp(prefix="mailkit-"))
    folder.chmod(0o755)
    yield folder
    remove(folder)
