"""The checks that are not tests: files, news, coverage floors, skips."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.files import SECRET, faults
from tests.news import misnamed

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"fine\n", []),
        (b"", []),
        (b"short", ["does not end with a line feed"]),
        (b"long\n\n", ["ends with an empty line"]),
        (b"x" * 262_144 + b"\n", ["over 262144 octets"]),
        (SECRET + b"\n", ["holds a private key"]),
    ],
)
def test_files(octets: bytes, said: list[str], tmp_path: Path) -> None:
    path = tmp_path / "file.py"
    path.write_bytes(octets)
    assert faults(path) == [f"{path}: {words}" for words in said]


def test_names_of_fragments() -> None:
    good = ["3.feature.md", "+first-light.security.md", "12.misc.md"]
    bad = ["3.md", "feature.md", "3.features.md", "+Big.doc.md", "3.feature.rst"]
    assert misnamed(good + bad) == bad


SKIPS = """
import pytest

def test_passes():
    pass

def test_needs_a_program():
    pytest.skip("no swaks here")

def test_needs_data():
    pytest.skip("needs ../shared/data")
"""


@pytest.mark.parametrize(("strict", "failed"), [("", 0), ("1", 1)])
def test_a_skip_for_a_missing_program_fails_in_ci(
    strict: str, failed: int, tmp_path: Path
) -> None:
    (tmp_path / "test_skips.py").write_text(SKIPS)
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={"MAILKIT_NO_SKIPS": strict, "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("test_needs_a_program was skipped" in done.stdout) == bool(failed)
    assert done.returncode == failed
    assert "test_needs_data was skipped" not in done.stdout


def test_examples_are_the_same_in_every_run_of_the_environments() -> None:
    """What CI says of a commit depends on the commit, and on no machine's haste."""
    many, new = settings.get_profile("many"), settings.get_profile("new")
    assert (many.derandomize, new.derandomize) == (True, False)
    assert many.max_examples == new.max_examples == 200
    for profile in (many, new, settings.get_profile("few")):
        assert profile.deadline is None
        assert HealthCheck.too_slow in profile.suppress_health_check


def test_no_test_loads_what_examples_depend_on() -> None:
    """Hypothesis mixes literals of our modules into them: all are loaded before."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "mailkit").rglob("*.py")
    }
    assert names - set(sys.modules) == {"mailkit.app.cli.__main__"}
