"""
Bob knows every id of Alice's, and gets nothing by it.

Ids are no secrets: they stand in addresses, in histories of browsers and in logs. Each
route that takes one is asked for it by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from attrs import define, field

from mailkit.model.conversation import Everything
from mailkit.model.draft import Writing
from mailkit.model.flags import FLAGGED, SEEN
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.sorting.actions import Action, Op, Targets
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import flags_of, new, octets_of
from mailkit.web.webmail.pages import all_routes
from mailkit.web.webmail.rooms import Needs, Route
from mailkit.web.webmail.security import _public_key
from tests.web.world import ALICE, BOB, PASSWORD, Heard, WebWorld

SECRET = "the vault is behind the mirror"
PNG = (
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgA"
    b"AAABJRU5ErkJggg=="
)
LETTER = (
    b"From: Carol <carol@example.net>\r\nTo: alice@example.test\r\n"
    b"Subject: About " + SECRET.encode() + b"\r\nMessage-ID: <1@example.net>\r\n"
    b"Date: Thu, 1 Jan 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"List-Unsubscribe: <https://l.example/u>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<img src='https://p.example/x.png'>"
    + SECRET.encode()
    + b"\r\n--b\r\nContent-Type: text/plain; name=a.txt\r\n"
    b"Content-Disposition: attachment; filename=a.txt\r\n\r\n" + SECRET.encode()
    + b"\r\n--b\r\nContent-Type: image/png; name=a.png\r\nContent-ID: <c@d>\r\n"
    b"Content-Disposition: inline; filename=a.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + PNG + b"\r\n--b--\r\n"
)  # fmt: skip

ROUTES = [
    route
    for route in all_routes()
    if route.needs is Needs.SOMEBODY and route.path != "/logout"
]


@define(eq=False)
class Street:
    """What is Alice's, and Bob's browser."""

    world: WebWorld = field(factory=lambda: WebWorld(is_whole=True, aliases=2))
    ids: dict[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        world, house = self.world, self.world.house
        at_once(world.store.append(ALICE, INBOX, [new(LETTER)]))
        at_once(world.store.append(ALICE, INBOX, [new(LETTER, SEEN)]))
        at_once(world.store.create(ALICE, MailboxName("Hidden")))
        opened = at_once(world.store.open(ALICE, INBOX))
        [first, second] = at_once(opened.fetch(ALL_UIDS, Want.IDS))
        label = at_once(house.sorting.labels.create(ALICE, "Hush"))
        search = at_once(house.sorting.searches.create(ALICE, "Vaults", SECRET))
        star = Targets(Everything(), email_ids=(second.email_id,))
        done = at_once(house.sorting.actions.act(ALICE, Action(Op.STAR), star))
        account = at_once(world.directory.account(ALICE))
        assert account is not None
        draft = house.composing.drafts.next_id()
        writing = Writing(to="carol@example.net", subject="Re", text=SECRET)
        at_once(house.composing.drafts.save(account, draft, writing, 0))
        attaching = at_once(
            house.composing.drafts.attach(account, draft, "a.txt", "text/plain")
        )
        at_once(attaching.take(new(SECRET.encode()).content))
        number = at_once(attaching.finish()).draft.files[-1].number
        at_once(house.own.add_address(account, "ally@other.test"))
        picture = house.reading.pictures.path(ALICE, "https://p.example/x.png")
        _, _, signature, address = picture.split("/")
        world.sign_in(ALICE, PASSWORD)
        [session] = at_once(house.sign_in.browsers(ALICE))
        world.cookies.clear()
        world.sign_in(BOB, PASSWORD)
        self.ids = {
            "mid": first.email_id,
            "cid": first.thread_id,
            "number": "2",
            "name": "Hidden",
            "slug": label.slug,
            "id": search.id,
            "token": done.token,
            "did": str(draft),
            "n": str(number),
            "signature": signature,
            "address": address,
            "session": _public_key(session),
            "box": "inbox",
        }

    def path_of(self, route: Route) -> str:
        def part(found: re.Match[str]) -> str:
            return self.ids[found[1].rpartition(":")[2]]

        return re.sub("<([^>]+)>", part, route.path)

    def fields(self) -> dict[str, str]:
        """Whatever a form may name."""
        return {
            **self.ids,
            "c": self.ids["cid"],
            "m": self.ids["mid"],
            "draft": self.ids["did"],
            "original": self.ids["mid"],
            "purpose": "reply",
            "label": self.ids["slug"],
            "key": self.ids["session"],
            "to": "Hidden",
            "folder": "Hidden",
            "address": "ally@other.test",
            "back": "/mail/inbox",
            "do": "delete",
            "rev": "1",
            "text": "mine",
            "op": "delete",
        }

    def alices(self) -> list[object]:
        """All that she has."""
        world, house = self.world, self.world.house
        found: list[object] = []
        for entry in at_once(world.store.mailboxes(ALICE)):
            opened = at_once(world.store.open(ALICE, entry.name))
            flags = at_once(flags_of(opened))
            found.append((entry.name, at_once(octets_of(opened)), flags))
        found.append(list(at_once(house.personal.labels(ALICE))))
        found.append(list(at_once(house.personal.searches(ALICE))))
        found.append(at_once(house.personal.preferences(ALICE)))
        found.append(list(at_once(house.personal.identities(ALICE))))
        found.append([str(one) for one in at_once(world.directory.aliases())])
        found.append(len(at_once(house.sign_in.browsers(ALICE))))
        account = at_once(world.directory.account(ALICE))
        assert account is not None
        drafts = at_once(house.composing.drafts.all(ALICE))
        found.append([(one.id, one.revision, one.writing) for one in drafts])
        return found


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    yield Street()


def is_told_nothing(street: Street, heard: Heard) -> bool:
    found = heard.octets.decode("utf-8", "replace")
    words = (SECRET, "Hush", "Vaults", "ally@other.test", "carol@example.net")
    return not any(word in found for word in words)


@pytest.mark.parametrize(
    "route", [pytest.param(one, id=f"{one.method} {one.path}") for one in ROUTES]
)
def test_nobody_else(street: Street, route: Route) -> None:
    world, path = street.world, street.path_of(route)
    before = street.alices()
    if route.method == "GET":
        if path == "/events":
            return  # an endless stream: of one's own account alone, by its session
        query = "&".join(f"{k}={v}" for k, v in street.fields().items() if k != "op")
        for tail in ("", f"?{query}"):
            heard = world.get(path + tail)
            if route.path == "/compose":
                heard = world.get(heard.location) if heard.location else heard
            assert is_told_nothing(street, heard), heard.text
            if "<mid>" in route.path or "<signature>" in route.path:
                assert heard.status in (403, 404)
            if "<cid>" in route.path:
                assert heard.status == 404
    else:
        form = street.fields()
        if "/password" in path:
            form |= {"password": "x", "again": "y"}
        heard = world.post(path, form, action=route.action, method=route.method)
        assert heard.status < 500
        assert is_told_nothing(street, heard), heard.text
    assert street.alices() == before


def test_she_herself_gets_all_of_it(street: Street) -> None:
    """Or the test above would say nothing."""
    world, ids = street.world, street.ids
    cookies = dict(world.cookies)
    world.cookies.clear()
    world.sign_in(ALICE, PASSWORD)
    mid = ids["mid"]
    for path in (
        f"/m/{mid}/html",
        f"/m/{mid}/text",
        f"/m/{mid}/source",
        f"/att/{mid}/2/view",
        f"/att/{mid}/2/a.txt",
        f"/mail/inbox/c/{ids['cid']}",
        f"/compose?draft={ids['did']}",
        f"/compose/{ids['did']}/att/{ids['n']}",
    ):
        heard = world.get(path)
        assert heard.status == 200, path
        assert SECRET in heard.text, path
    assert world.get(f"/part/{mid}/3").status == 200
    assert world.get(f"/att/{mid}/all.zip").status == 200
    undo = f"/undo/{ids['token']}"
    assert FLAGGED in repr(street.alices())
    assert world.post(undo, {}, action="act").status == 303
    assert FLAGGED not in repr(street.alices())
    assert "Hush" in world.get("/settings/labels").text
    world.cookies.clear()
    world.cookies.update(cookies)
