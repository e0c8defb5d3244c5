"""What holds for every test of mailkit.

``MAILKIT_NO_SKIPS=1`` (set by ``.ci/run``) makes every skip a failure but those whose
reason names something that no machine can install. ``MAILKIT_EXAMPLES=many`` (set by
tox) asks Hypothesis for 200 examples a property.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings
from twisted.trial.unittest import SynchronousTestCase

EXCUSED = ("shared/data", "needs root", "must not be root")
"""A skip whose reason has one of these in it is a skip in CI too."""

settings.register_profile("few", max_examples=50, deadline=None)
settings.register_profile("many", max_examples=200, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("MAILKIT_EXAMPLES", "few"))


@pytest.fixture(scope="session", autouse=True)
def trial_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`mktemp` of trial's test cases makes names below pytest's folder, not here."""

    def mktemp(case: SynchronousTestCase) -> str:
        return str(tmp_path_factory.mktemp(type(case).__name__) / "temp")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SynchronousTestCase, "mktemp", mktemp)
        yield


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
