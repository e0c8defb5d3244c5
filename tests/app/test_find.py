"""Which file is read, and what is said when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.app import find
from mailkit.app.find import find_config, read_config
from mailkit.config.reader import Misconfigured


@pytest.fixture(autouse=True)
def no_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "etc" / "mailkit.toml"
    monkeypatch.setattr(find, "SYSTEM", path)
    return path


def test_the_order(tmp_path: Path, no_system: Path) -> None:
    assert find_config(None, {}, tmp_path) is None
    no_system.parent.mkdir()
    no_system.touch()
    assert find_config(None, {}, tmp_path) == no_system
    here = tmp_path / "mailkit.toml"
    here.touch()
    assert find_config(None, {}, tmp_path) == here
    variables = {"MAILKIT_CONFIG": "a.toml"}
    assert find_config(None, variables, tmp_path) == tmp_path / "a.toml"
    assert find_config("/b.toml", variables, tmp_path) == Path("/b.toml")


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"a\.toml: No such file or directory"):
        read_config(tmp_path / "a.toml", {}, tmp_path)


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b'hostname = "a"\n# caf\xe9\n')
    with pytest.raises(Misconfigured, match=r"a\.toml:2: not TOML: not UTF-8"):
        read_config(path, {}, tmp_path)


def test_data_is_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('hostname = "a.example"\ndata = "mail"\n')
    config = read_config(path, {"MAILKIT_CONFIG": str(path)}, Path("/elsewhere"))
    assert config.settings.data == tmp_path / "mail"
    assert config.strays == ()


def test_try_it_mode_listens_on_loopback_alone(tmp_path: Path) -> None:
    settings = read_config(None, {"MAILKIT_LISTEN__SMTP": "[]"}, tmp_path).settings
    assert settings.data == tmp_path / "mailkit-data"
    assert settings.listen.smtp == ()
    assert settings.listen.imap == ("tcp:2143:interface=127.0.0.1",)
    assert settings.listen.http == ("tcp:8080:interface=127.0.0.1",)
    assert settings.listen.managesieve == ()
    assert not settings.relay.enabled
