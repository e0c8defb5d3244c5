"""The keys that our domains sign with, on disk."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from threading import Thread

import pytest

from mailkit.errors import CannotName, Refused, StorageBroken
from mailkit.model.address import DomainName
from mailkit.storage.keyfolder import LOOKED_AFTER, KeyFolder
from mailkit.storage.safefile import Files
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

DOMAIN = DomainName("bücher.example")
DAY = 86400.0
OUTLIVES = 7 * DAY


class World:
    """A folder, and a clock that stands at 2026-01-01."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TestClock()
        self.keys = self.open()

    def open(self) -> KeyFolder:
        """The same folder, as another process has it."""
        return KeyFolder(self.folder, DirectLanes(), self.clock.seconds, OUTLIVES)

    def signing(self) -> list[str]:
        return [key.selector for key in at_once(self.keys.signing(DOMAIN))]

    def published(self) -> list[str]:
        return [key.selector for key in at_once(self.keys.keys(DOMAIN))]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "dkim")


def test_two_processes_make_one_key_of_each_kind(world: World) -> None:
    """Each signs at once, and none with what the other has thrown away."""
    signed: list[list[str]] = []

    def sign() -> None:
        keys = at_once(world.open().signing(DOMAIN))
        signed.append([key.record for key in keys])

    threads = [Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signed) == 4
    assert all(records == signed[0] for records in signed)


def test_a_domain_gets_one_key_of_each_kind(world: World) -> None:
    made = at_once(world.keys.make(DOMAIN))
    assert [key.algorithm for key in made] == ["rsa-sha256", "ed25519-sha256"]
    assert [key.name for key in made] == [
        "r20260101._domainkey",
        "e20260101._domainkey",
    ]
    assert at_once(world.keys.make(DOMAIN)) == made
    assert world.signing() == world.published() == ["r20260101", "e20260101"]
    [rsa, _] = at_once(world.keys.signing(DOMAIN))
    assert rsa.domain == "xn--bcher-kva.example"
    assert rsa.record == made[0].record
    folder = world.folder / "xn--bcher-kva.example"
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_has_none_gets_them_at_the_first_signature(world: World) -> None:
    assert world.published() == []
    assert world.signing() == ["r20260101", "e20260101"]


def test_keys_are_rotated_with_overlap(world: World) -> None:
    at_once(world.keys.make(DOMAIN))
    old = ["r20260101", "e20260101"]
    world.clock.advance(30 * DAY)
    rotated = at_once(world.keys.rotate(DOMAIN, 2 * DAY))
    new = ["r20260131", "e20260131"]
    assert [key.selector for key in rotated] == old + new
    assert world.published() == old + new
    assert world.signing() == old
    with pytest.raises(Refused, match="being rotated already"):
        at_once(world.keys.rotate(DOMAIN, 0))
    world.clock.advance(2 * DAY + LOOKED_AFTER)
    assert world.signing() == new
    assert world.published() == old + new
    assert len(at_once(world.keys.known(DOMAIN))) == 4
    world.clock.advance(OUTLIVES)
    assert world.published() == new
    # The next rotation throws away what is over.
    at_once(world.keys.rotate(DOMAIN, 0))
    assert not list(world.folder.glob("*/?20260101.pem"))
    assert len(list(world.folder.glob("*/*.pem"))) == 4


def test_two_rotations_on_one_day(world: World) -> None:
    at_once(world.keys.make(DOMAIN))
    for expected in ("r20260101b", "r20260101c"):
        rotated = at_once(world.keys.rotate(DOMAIN, 0))
        assert rotated[-2].selector == expected
        assert world.signing()[0] == expected


def test_another_process_sees_it_soon(world: World) -> None:
    at_once(world.keys.make(DOMAIN))
    other = world.open()
    assert [key.selector for key in at_once(other.keys(DOMAIN))] == world.published()
    at_once(world.keys.rotate(DOMAIN, 0))
    world.clock.advance(LOOKED_AFTER)
    selectors = [key.selector for key in at_once(other.signing(DOMAIN))]
    assert selectors == world.signing()
    world.clock.advance(LOOKED_AFTER)
    assert [key.selector for key in at_once(other.signing(DOMAIN))] == selectors


def test_two_processes_make_one_pair(world: World) -> None:
    other = world.open()
    assert at_once(world.keys.keys(DOMAIN)) == []
    assert at_once(other.keys(DOMAIN)) == []
    made = at_once(world.keys.make(DOMAIN))
    # The other one still believes that there are none.
    assert at_once(other.make(DOMAIN)) == made


@pytest.mark.parametrize("is_removed", [False, True])
def test_keys_that_go_while_the_list_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, is_removed: bool
) -> None:
    """What another process throws away is missed by nobody."""
    at_once(world.keys.make(DOMAIN))
    at_once(world.keys.rotate(DOMAIN, 0))
    world.clock.advance(OUTLIVES)
    other, loads = world.open(), json.loads

    def rob(octets: bytes) -> object:
        monkeypatch.setattr(json, "loads", loads)
        if is_removed:
            at_once(world.keys.remove(DOMAIN))
        else:
            at_once(world.keys.rotate(DOMAIN, DAY))
        return loads(octets)

    monkeypatch.setattr(json, "loads", rob)
    found = [key.selector for key in at_once(other.keys(DOMAIN))]
    assert json.loads is loads
    assert found == world.published()
    assert bool(found) != is_removed


def test_keys_of_a_domain_that_goes_go(world: World) -> None:
    at_once(world.keys.make(DOMAIN))
    at_once(world.keys.remove(DOMAIN))
    assert world.published() == []
    assert [path.name for path in world.folder.iterdir()] == ["lock"]


def test_keys_of_which_some_are_gone_are_nobodys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever removed them was stopped; the domain may come back."""
    at_once(world.keys.make(DOMAIN))

    def stop(files: Files, folder: str) -> None:
        for path in Path(folder).glob("*.pem"):
            path.unlink()
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(Files, "remove_tree", stop)
        at_once(world.keys.remove(DOMAIN))
    assert at_once(world.open().keys(DOMAIN)) == []
    assert len(at_once(world.open().make(DOMAIN))) == 2


@pytest.mark.parametrize("damage", ["{}", "nonsense", '{"keys": [{"selector": 1}]}'])
def test_a_list_that_cannot_be_read_is_no_reason_for_new_keys(
    world: World, damage: str
) -> None:
    at_once(world.keys.make(DOMAIN))
    [path] = world.folder.glob("*/keys.json")
    path.write_text(damage)
    with pytest.raises(StorageBroken):
        at_once(world.open().signing(DOMAIN))


def test_a_key_that_is_gone(world: World) -> None:
    at_once(world.keys.make(DOMAIN))
    [path] = world.folder.glob("*/r*.pem")
    path.unlink()
    with pytest.raises(StorageBroken):
        at_once(world.open().make(DOMAIN))


@pytest.mark.parametrize("name", ["..", "a/../../b", "x" * 64 + ".example", ""])
def test_what_is_no_domain(world: World, name: str) -> None:
    with pytest.raises(CannotName):
        at_once(world.keys.make(DomainName(name)))
