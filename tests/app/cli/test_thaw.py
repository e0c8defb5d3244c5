"""Accounts that sent too much, by the command."""

from __future__ import annotations

import time
from pathlib import Path

from mailkit.model.address import AccountName, Address
from mailkit.model.sendinglimit import Freeze, Most
from mailkit.storage.sendingcounts import SendingCounts
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.app.cli.conftest import Shell

ALICE = AccountName("alice@example.org")


def sending(shell: Shell) -> str:
    """What `account show` tells of it."""
    facts = shell.run("--json", "account", "show", ALICE).json
    return str(facts["sending"])


def test_show_and_thaw(house: Shell) -> None:
    assert sending(house) == "0 of 300 in this hour, 0 of 1000 today, 0 of 200 new ones"
    counts = SendingCounts(Path("data/sending.sqlite"), DirectLanes())
    now = time.time()
    at_once(counts.take(ALICE, Address.of("x", "example.net"), Most(), now))
    assert sending(house).startswith("1 of 300 in this hour, 1 of 1000 today, 1 of 200")
    at_once(counts.freeze(Freeze(ALICE, now, "it wrote to 300 recipients")))
    at_once(counts.close())
    assert sending(house).startswith("frozen since 20")
    assert sending(house).endswith("Z: it wrote to 300 recipients")
    told = house.ok("account", "thaw", ALICE)
    assert told == (
        f"{ALICE} may send again; it could not because it wrote to 300 recipients\n"
    )
    assert house.refused("account", "thaw", ALICE) == f"{ALICE} may send anyway"
    assert sending(house).startswith("0 of 300 in this hour")
    config = house.folder / "mailkit.toml"
    text = config.read_text()
    config.write_text(f'{text}[sending]\nwithout_limit = ["{ALICE}"]\n')
    assert sending(house) == "without limit"
    config.write_text(f"{text}[sending]\nnew = 0\n")
    assert sending(house).endswith("1000 today, 0 new ones")


def test_list_says_who_is_frozen(house: Shell) -> None:
    def listed() -> dict[str, object]:
        [row] = (
            row
            for row in house.run("--json", "account", "list").json
            if row["account"] == ALICE
        )
        return {"state": row["state"], "frozen": row["frozen"]}

    assert listed() == {"state": "active", "frozen": None}
    counts = SendingCounts(Path("data/sending.sqlite"), DirectLanes())
    at_once(counts.freeze(Freeze(ALICE, time.time(), "it wrote too much")))
    at_once(counts.close())
    assert listed() == {"state": "frozen", "frozen": "it wrote too much"}
    lines = house.ok("account", "list").splitlines()
    assert [line for line in lines if ALICE in line and " frozen " in line]
    assert house.run("--json", "account", "show", ALICE).json["state"] == "frozen"
    house.ok("account", "suspend", ALICE)
    assert listed() == {"state": "suspended", "frozen": "it wrote too much"}
