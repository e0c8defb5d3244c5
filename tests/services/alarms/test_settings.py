"""What may be set about alarms."""

from __future__ import annotations

import pytest

from mailkit.services.alarms.settings import AlarmSettings


def test_addresses() -> None:
    settings = AlarmSettings(to=("root@example.org",), hook="https://example.org/x?y")
    assert settings.to == ("root@example.org",)
    assert AlarmSettings(hook="http://127.0.0.1:80").command == ()


@pytest.mark.parametrize("hook", ["example.org", "ftp://x", "https://a b", "https://"])
def test_hooks_that_are_none(hook: str) -> None:
    with pytest.raises(ValueError, match="expects an address such as"):
        AlarmSettings(hook=hook)


@pytest.mark.parametrize("to", ["root", "@example.org", "a b@c", "a@b@c"])
def test_recipients_that_are_none(to: str) -> None:
    with pytest.raises(ValueError, match="expects addresses"):
        AlarmSettings(to=(to,))
