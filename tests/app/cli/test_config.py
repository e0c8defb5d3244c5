"""Config files, and where the command works."""

from __future__ import annotations

import stat
import tomllib

import pytest

from mailkit.app.cli.printed import say
from tests.app.cli.conftest import Shell


def test_a_good_file(shell: Shell) -> None:
    path = shell.folder / "mailkit.toml"
    assert shell.ok("config", "check") == f"{path}: good\n"
    assert shell.run("--json", "config", "check").json["good"] is True
    assert not (shell.folder / "data").exists()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("hostnam = 1\n", ":3: hostnam: no such setting; did you mean hostname?"),
        ('[listen]\nimap = ["tcpp:1"]\n', ':4: listen.imap: "tcpp:1" is no endpoint'),
        ("workers = -1\n", ":3: workers: must be >= 0"),
        ('[process]\nuser = "no such"\n', ":4: process.user: no user no such on"),
        (
            '[tls]\ncertificate = "a.pem"\nkey = "a.key"\n',
            "a.pem: ",
        ),
        (
            '[tls]\ntrust = "mailkit.toml"\n',
            "mailkit.toml: no PEM certificates of authorities",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    shell: Shell, more: str, reason: str
) -> None:
    with (shell.folder / "mailkit.toml").open("a") as file:
        file.write(more)
    assert reason in shell.refused("config", "check")


def test_a_variable_that_names_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILKIT_PORT", "tcp://10.0.0.1:25")
    said = shell.run("config", "check")
    assert said.status == 0
    assert said.error == "mailkit: warning: MAILKIT_PORT names no setting\n"


def test_the_reference_is_a_config_file(shell: Shell) -> None:
    text = shell.ok("config", "reference")
    assert "#hostname = …\n" in text
    tree = tomllib.loads(text)
    assert tree["limits"]["message_size"] == "50 MiB"
    assert tree["accounts"]["quota"] == "500 MB"
    (shell.folder / "mailkit.toml").write_text(
        text.replace("#hostname = …", 'hostname = "mail.example.org"')
    )
    assert shell.ok("config", "check").endswith(": good\n")


def test_a_file_is_named_by_option_or_variable(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = shell.folder / "other.toml"
    other.write_text('hostname = "other.example.org"\n')
    assert shell.ok("--config", "other.toml", "config", "check").startswith(str(other))
    monkeypatch.setenv("MAILKIT_CONFIG", str(other))
    assert shell.ok("config", "check").startswith(str(other))
    assert "No such file" in shell.refused("--config", "none.toml", "domain", "list")


def test_without_a_file_and_without_a_server_to_try(shell: Shell) -> None:
    (shell.folder / "mailkit.toml").unlink()
    assert "mailkit init" in shell.refused("domain", "list")
    assert not (shell.folder / "mailkit-data").exists()


def test_without_a_file_it_works_on_the_server_to_try(shell: Shell) -> None:
    (shell.folder / "mailkit.toml").unlink()
    (shell.folder / "mailkit-data").mkdir()
    shell.ok("domain", "add", "example.test")
    assert (shell.folder / "mailkit-data" / "directory.sqlite").exists()
    assert shell.ok("config", "check") == "try-it mode: good\n"


def test_init(shell: Shell) -> None:
    words = ["init", "new", "--hostname", "mail.example.org", "--domain", "example.org"]
    words += ["--admin", "postmaster@example.org"]
    made = shell.run("--json", *words).json
    path = shell.folder / "new" / "mailkit.toml"
    assert made["config"] == str(path)
    assert made["account"] == "postmaster@example.org"
    assert made["password"]
    named = ["--config", str(path), "--json"]
    [row] = shell.run(*named, "account", "list").json
    assert (row["account"], row["role"]) == ("postmaster@example.org", "admin")
    assert shell.ok("--config", str(path), "config", "check") == f"{path}: good\n"
    assert shell.refused(*words) == f"{path} is there already"


def test_init_for_people_says_what_is_next(shell: Shell) -> None:
    words = ["init", "new", "--hostname", "mail.example.org", "--domain", "example.org"]
    words += ["--admin", "a@example.org", "--password-stdin"]
    said = shell.ok(*words, stdin="secret-7\n")
    path = shell.folder / "new" / "mailkit.toml"
    first, last = said.splitlines()
    assert first == f"{path} is written; a@example.org is an administrator"
    assert last.endswith(f"twistd -n mailkit --config {path}")


@pytest.mark.parametrize(
    ("hostname", "admin", "reason"),
    [
        ("not a name", "a@example.org", "--hostname: expects a host name"),
        ('no"name', "a@example.org", "--hostname: not TOML"),
        ("mail.example.org", "a@example.net", "a@example.net is not in example.org"),
    ],
)
def test_init_refuses_before_it_writes(
    shell: Shell, hostname: str, admin: str, reason: str
) -> None:
    words = ["init", "new", "--hostname", hostname, "--domain", "example.org"]
    assert reason in shell.refused(*words, "--admin", admin)
    assert not (shell.folder / "new").exists()


def test_data_is_for_its_owner(house: Shell) -> None:
    mode = (house.folder / "data").stat().st_mode
    assert stat.S_IMODE(mode) & 0o007 == 0


def test_a_data_folder_that_cannot_be_made(shell: Shell) -> None:
    (shell.folder / "data").write_text("a file")
    assert "cannot make" in shell.refused("domain", "list")


def test_help_names_every_noun(shell: Shell) -> None:
    said = shell.ok("--help")
    for noun in [
        "init",
        "domain",
        "account",
        "alias",
        "mailbox",
        "trace",
        "audit",
        "config",
    ]:
        assert f"  {noun} " in said


def test_nothing_that_is_printed_moves_the_cursor() -> None:
    assert say("a\x1b[2Jb\r\nü") == "a\\x1b[2Jb\\r\\nü"
    assert say([]) == "-"
    assert say(None) == "-"
    assert (say(True), say(False), say(3)) == ("yes", "no", "3")
