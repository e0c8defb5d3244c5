"""``[doctor]``: names of lists and domains, and an address of a page."""

from __future__ import annotations

from typing import Any

import pytest

from mailkit.services.doctor.settings import DoctorSettings


def test_nothing_need_be_said() -> None:
    assert DoctorSettings().clock.startswith("https://")
    assert DoctorSettings(blocklists=(), reach=(), clock="").blocklists == ()


@pytest.mark.parametrize(
    "said",
    [
        {"blocklists": ("list",)},
        {"blocklists": ("a b.test",)},
        {"reach": ("https://a.test",)},
        {"clock": "http://a.test/"},
        {"clock": "https://a b"},
    ],
)
def test_what_cannot_be(said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expects"):
        DoctorSettings(**said)
