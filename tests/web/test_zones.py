"""In whose time zone the pages write times."""

from __future__ import annotations

import pytest

from mailkit.errors import StorageFull
from mailkit.model.address import AccountName
from mailkit.model.preferences import Preferences
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.web.conversations import summary
from tests.web.world import ALICE, PASSWORD, Heard, WebWorld

FIELD = '<input type="hidden" name="zone">'


def sign_in(world: WebWorld, zone: str) -> Heard:
    """As a browser does whose script has filled in the field."""
    form = {"username": ALICE, "password": PASSWORD, "zone": zone}
    return world.post("/login", form, action="session")


def hour(world: WebWorld) -> str:
    """Of the one message, as the inbox writes it."""
    world.conversations.all = [summary(1, "Tea", when=NEW_YEAR)]
    page = world.get("/mail/inbox").text
    return page[page.index("<time") :].partition("</time>")[0].rpartition(">")[2]


def kept(world: WebWorld, account: AccountName = ALICE) -> str:
    return at_once(world.personal.preferences(account)).browser_zone


def test_until_one_is_chosen_it_is_the_browser_s() -> None:
    world = WebWorld()
    world.sign_in()
    of_server = hour(world)
    world.cookies.clear()
    assert sign_in(world, "Asia/Tokyo").status == 303
    in_tokyo = hour(world)
    assert int(in_tokyo[:2]) == (int(of_server[:2]) + 9) % 24
    assert "The browser's: Asia/Tokyo" in world.get("/settings/general").text
    # They travel on.
    world.cookies.clear()
    sign_in(world, "Asia/Kolkata")
    assert hour(world)[3:] == "30"


def test_what_is_chosen_goes_before_it() -> None:
    world = WebWorld()
    sign_in(world, "Asia/Tokyo")
    in_tokyo = hour(world)
    page = world.get("/settings/general").text
    chosen = Preferences(time_zone="Asia/Kolkata").to_texts()
    world.post("/settings/general", chosen, action="settings")
    in_kolkata = hour(world)
    assert in_kolkata != in_tokyo
    world.cookies.clear()
    sign_in(world, "Asia/Tokyo")
    assert hour(world) == in_kolkata
    # Not any more: the browser's again, which was not forgotten meanwhile.
    page = world.get("/settings/general").text
    assert "The browser's: Asia/Tokyo" in page
    world.post("/settings/general", Preferences().to_texts(), action="settings")
    assert hour(world) == in_tokyo


@pytest.mark.parametrize(
    "zone",
    ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "x" * 99],
)
def test_what_is_no_zone_is_not_kept(zone: str) -> None:
    world = WebWorld()
    assert sign_in(world, "Asia/Tokyo").status == 303
    world.cookies.clear()
    assert sign_in(world, zone).status == 303
    assert kept(world) == "Asia/Tokyo"


def test_signing_in_does_without_where_it_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def full(
        personal: MemoryPersonal, account: AccountName, chosen: Preferences
    ) -> None:
        raise StorageFull("no room")

    monkeypatch.setattr(MemoryPersonal, "change", full)
    world = WebWorld()
    assert sign_in(world, "Asia/Tokyo").location == "/mail/inbox"
    assert kept(world) == ""


def test_a_wrong_password_keeps_nothing() -> None:
    world = WebWorld()
    form = {"username": ALICE, "password": "wrong", "zone": "Asia/Tokyo"}
    assert world.post("/login", form, action="session").status == 403
    assert kept(world) == ""


def test_whoever_makes_an_account_has_a_zone() -> None:
    world = WebWorld(registration="open")
    assert FIELD in world.get("/login").text
    assert FIELD in world.get("/register").text
    form = {"name": "carol", "domain": "example.test", "password": "long enough",
            "again": "long enough", "zone": "Asia/Tokyo"}  # fmt: skip
    assert world.post("/register", form, action="session").status == 303
    assert kept(world, AccountName("carol@example.test")) == "Asia/Tokyo"
