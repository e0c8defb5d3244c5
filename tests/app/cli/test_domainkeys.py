"""``mailkit domain keys``."""

from __future__ import annotations

from typing import Any

from tests.app.cli.conftest import Shell


def listed(house: Shell, *words: str) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = house.run(
        "--json", "domain", "keys", "example.org", *words
    ).json
    return found


def test_a_domain_has_keys_from_its_beginning(house: Shell) -> None:
    rows = listed(house)
    assert [row["algorithm"] for row in rows] == ["rsa-sha256", "ed25519-sha256"]
    assert {row["state"] for row in rows} == {"signs"}
    assert rows[0]["text"].startswith("v=DKIM1; k=rsa; p=")
    zone = house.ok("domain", "dns", "example.org")
    for row in rows:
        assert row["record"].partition("._")[0] in zone
    assert listed(house) == listed(house, "list") == rows


def test_rotation(house: Shell) -> None:
    before = listed(house)
    rows = listed(house, "rotate")
    assert rows[:2] == [{**row, "until": rows[0]["until"]} for row in before]
    assert {row["state"] for row in rows[2:]} == {"to be published"}
    assert {row["until"] for row in rows} == {rows[0]["until"]}
    assert "being rotated already" in house.refused(
        "domain", "keys", "example.org", "rotate", "--wait", "0 s"
    )
    assert "domain keys rotate" in house.ok("audit", "example.org")


def test_rotation_at_once(house: Shell) -> None:
    listed(house)
    rows = listed(house, "rotate", "--wait", "0 s")
    states = [row["state"] for row in rows]
    assert states == ["to be kept in DNS"] * 2 + ["signs"] * 2
    assert all(row["until"] for row in rows[:2])


def test_what_is_wrong(house: Shell) -> None:
    assert "not a domain" in house.refused("domain", "keys", "example.net")
    assert house.run("domain", "keys", "example.org", "--wait", "x").status == 2


def test_keys_go_with_their_domain(house: Shell) -> None:
    house.ok("domain", "add", "gone.example")
    folder = house.folder / "data" / "keys" / "dkim"
    assert (folder / "gone.example").exists()
    house.ok("domain", "remove", "gone.example")
    assert not (folder / "gone.example").exists()
