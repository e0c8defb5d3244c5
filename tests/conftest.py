"""What holds for every test of mailkit.

``MAILKIT_NO_SKIPS=1`` (set by ``.ci/run``) makes every skip a failure but those whose
reason names something that no machine can install. ``MAILKIT_EXAMPLES=many`` (set by
tox) asks Hypothesis for 200 examples a property, the same in every run: nothing fails
that did not fail before, and what is covered is covered again. ``new`` asks for 200
that nobody has seen yet.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import mailkit
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


WIDE = 200
"""Columns of what pytest prints where nobody looks on, as in a log."""


def pytest_terminal_summary(config: pytest.Config) -> None:
    """The list of failures, with which a run ends, has room for the reasons."""
    writer = config.get_terminal_writer()
    if not writer.hasmarkup:
        writer.fullwidth = WIDE


def pytest_collection_finish(session: pytest.Session) -> None:
    """
    Load all of mailkit, and have the collector pass by what is there then.

    Hypothesis mixes literals into its examples out of those modules of ours that are
    loaded. Some would be loaded by tests, and the examples of a property would be
    others after them. And what thousands of tests are made of is no garbage.
    """
    for module in walk_packages(mailkit.__path__, "mailkit."):
        if not module.name.endswith("__main__"):  # these run
            import_module(module.name)
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
