"""What holds for every test of mailkit.

``MAILKIT_NO_SKIPS=1`` (set by ``.ci/run``) makes every skip a failure but those whose
reason names something that no machine can install. ``MAILKIT_EXAMPLES=many`` (set by
tox) asks Hypothesis for 200 examples a property, the same in every run: nothing fails
that did not fail before, and what is covered is covered again (see `examples`). ``new``
asks for 200 that nobody has seen yet.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mailkit.net.pump import Pump

EXCUSED = ("shared/data", "needs root", "must not be root")
"""A skip whose reason has one of these in it is a skip in CI too."""

# How long an example takes says more about the machine than about the test.
# Where CI is set in the environment, Hypothesis would derandomize all of them.
settings.register_profile(
    "few",
    derandomize=False,
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "new", settings.get_profile("few"), max_examples=200, print_blob=True
)
settings.register_profile("many", settings.get_profile("new"), derandomize=True)
settings.load_profile(os.environ.get("MAILKIT_EXAMPLES", "few"))


@pytest.fixture(scope="session", autouse=True)
def examples() -> Iterator[None]:
    """
    Where examples are to be the same they depend on their property and nothing else.

    Hypothesis mixes literals into them out of those modules of ours that are loaded by
    then. Some are loaded by tests, and which ones were is another matter in each run
    whose tests are dealt out to several processes.
    """
    with pytest.MonkeyPatch.context() as patch:
        if settings.default is not None and settings.default.derandomize:
            # It has no setting for this.
            patch.setattr(providers, "_get_local_constants", Constants)
        yield


WIDE = 200
"""Columns of what pytest prints where nobody looks on, as in a log."""


def pytest_terminal_summary(config: pytest.Config) -> None:
    """The list of failures, with which a run ends, has room for the reasons."""
    writer = config.get_terminal_writer()
    if not writer.hasmarkup:
        writer.fullwidth = WIDE


def pytest_collection_finish(session: pytest.Session) -> None:
    """What thousands of tests are made of is no garbage: the collector passes it by."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def trial_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`mktemp` of trial's test cases makes names below pytest's folder, not here."""

    def mktemp(case: SynchronousTestCase) -> str:
        return str(tmp_path_factory.mktemp(type(case).__name__) / "temp")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SynchronousTestCase, "mktemp", mktemp)
        yield


_connected: set[Pump] = set()
"""Connections that the test at hand has not lost."""


@pytest.fixture(scope="session", autouse=True)
def connections() -> Iterator[None]:
    """
    Know which connections are left over; `pytest_runtest_teardown` loses them.

    Else the garbage collector would, at some later moment: it closes the session that
    waits, and what that does for its peer meets a coroutine that is being closed.
    """
    made, lost = Pump.connectionMade, Pump.connectionLost

    def connection_made(pump: Pump) -> None:
        _connected.add(pump)
        made(pump)

    def connection_lost(pump: Pump, reason: Failure = connectionDone) -> None:
        _connected.discard(pump)
        lost(pump, reason)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pump, "connectionMade", connection_made)
        patch.setattr(Pump, "connectionLost", connection_lost)
        yield


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Whoever is still connected leaves."""
    for pump in list(_connected):
        pump.connectionLost()


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr)
    if any(word in reason for word in EXCUSED):
        return
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} was skipped, and here nothing may be: {reason}"


if os.environ.get("MAILKIT_NO_SKIPS"):

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport() -> Generator[
        None, pytest.TestReport, pytest.TestReport
    ]:
        """A skip of one test."""
        report = yield
        _refuse_skip(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report() -> Generator[
        None, pytest.CollectReport, pytest.CollectReport
    ]:
        """A skip of a whole file."""
        report = yield
        _refuse_skip(report)
        return report
