"""The composer's pages, asked without a browser: forms, and what scripts ask."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailkit.model.address import AccountName
from mailkit.model.draft import DraftId
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.preferences import ComposeMode, Preferences
from mailkit.model.queueitem import Selection
from mailkit.model.uidset import ALL_UIDS
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import new, octets_of
from tests.web.world import ALICE, BOB, Heard, WebWorld

JSON = {"Accept": "application/json"}
LETTER = (
    b"From: Carol <carol@example.net>\r\nTo: alice@example.test, dora@example.com\r\n"
    b"Subject: Plans\r\nMessage-ID: <1@example.net>\r\n"
    b"Date: Thu, 1 Jan 2026 12:00:00 +0000\r\n\r\nShall we?\r\n"
)


@pytest.fixture
def world() -> WebWorld:
    world = WebWorld()
    world.sign_in()
    plain = Preferences(compose_mode=ComposeMode.PLAIN)
    at_once(world.personal.change(ALICE, plain))
    return world


def subjects(world: WebWorld, mailbox: str, account: AccountName = ALICE) -> list[str]:
    opened = at_once(world.store.open(account, MailboxName(mailbox)))
    found = at_once(octets_of(opened))
    return [_subject(octets) for octets in found.values()]


def _subject(octets: bytes) -> str:
    match = re.search(rb"^Subject: (.*)\r$", octets, re.M)
    return match[1].decode() if match else ""


def receive(world: WebWorld, octets: bytes = LETTER, mailbox: str = INBOX) -> str:
    """A message, and its EMAILID."""
    name = MailboxName(mailbox)
    at_once(world.store.append(ALICE, name, [new(octets)]))
    opened = at_once(world.store.open(ALICE, name))
    return list(at_once(opened.fetch(ALL_UIDS, Want.IDS)))[-1].email_id


def own_copy(world: WebWorld) -> bytes:
    """What lies in Sent."""
    [octets] = at_once(
        octets_of(at_once(world.store.open(ALICE, MailboxName("Sent"))))
    ).values()
    return octets


def field_of(page: str, name: str) -> str:
    """The value of a field of a form."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    if found is None:
        found = re.search(
            rf'<textarea[^>]*name="{name}"[^>]*>\n(.*?)</textarea>', page, re.S
        )
    assert found is not None, name
    return unescape(found[1])


def draft_of(heard: Heard) -> str:
    """The draft that an address is about."""
    return parse_qs(urlsplit(heard.location).query)["draft"][0]


def opened(world: WebWorld, query: str = "") -> tuple[str, str]:
    """A composer's draft and page."""
    heard = world.get(f"/compose{query}")
    assert heard.status == 303, heard.text
    page = world.get(heard.location)
    assert page.status == 200
    return draft_of(heard), page.text


def written(page: str, **more: str) -> dict[str, str]:
    """The fields of the form as the page has them, and what is typed."""
    names = ("rev", "purpose", "original", "back", "to", "cc", "bcc", "subject", "text")
    form = {name: field_of(page, name) for name in names}
    return {**form, **more}


def test_nothing_is_kept_by_looking(world: WebWorld) -> None:
    opened(world)
    opened(world)
    assert list(at_once(world.writing.drafts.drafts(ALICE))) == []


def test_a_draft_is_saved_and_sent_by_forms(world: WebWorld) -> None:
    did, page = opened(world, "?back=/mail/sent")
    form = written(page, to="bob@example.test", subject="Hello", text="Hi\r\nBob")
    saved = world.post(f"/compose/{did}", form, action="compose")
    assert (saved.status, draft_of(saved)) == (303, did)
    assert subjects(world, "Drafts") == ["Hello"]
    page = world.get(saved.location).text
    assert field_of(page, "text") == "Hi\nBob"
    assert field_of(page, "rev") == "1"
    assert "Saved" in page
    form = written(page, text="Hi Bob!", when="now")
    sent = world.post(f"/compose/{did}/send", form, action="compose")
    assert (sent.status, sent.location) == (303, f"/mail/sent?sent={did}")
    assert (subjects(world, "Drafts"), subjects(world, "Sent")) == ([], ["Hello"])
    toast = world.get(f"/settings/security?sent={did}").text
    assert f'action="/compose/{did}/unsend"' in toast
    back = world.post(f"/compose/{did}/unsend", action="compose")
    assert (back.status, draft_of(back)) == (303, did)
    assert field_of(world.get(back.location).text, "text") == "Hi Bob!"
    assert (subjects(world, "Drafts"), subjects(world, "Sent")) == (["Hello"], [])


def test_too_late_to_call_back(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="Hello")
    world.post(f"/compose/{did}/send", form, action="compose")
    world.clock.advance(13)
    heard = world.post(f"/compose/{did}/unsend", action="compose")
    assert (heard.status, "already left" in heard.text) == (409, True)
    heard = world.post(f"/compose/{did}/unsend", action="compose", headers=JSON)
    assert (heard.status, json.loads(heard.octets)["error"]) == (409, "left")
    assert 'id="toast"' not in world.get(f"/settings/security?sent={did}").text
    state = world.get(f"/compose/{did}/state", {"Sec-Fetch-Dest": "empty"})
    assert json.loads(state.octets)["state"] == "gone"


def test_a_draft_that_waits_is_not_edited(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="Hello")
    world.post(f"/compose/{did}/send", form, action="compose")
    page = world.get(f"/compose?draft={did}").text
    assert "This message is being sent." in page
    assert f'action="/compose/{did}/unsend"' in page
    again = world.post(f"/compose/{did}/send", form, action="compose")
    assert again.status == 303  # pressed twice
    assert len(at_once(world.writing.queue.items(Selection()))) == 1


def test_told_as_sent_however_late(world: WebWorld) -> None:
    """The first answer was lost, and it is sent again."""
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="Hello", text="Hi")
    address = f"/compose/{did}/send"
    assert put(world, did, int(form.pop("rev")), **form).status == 200
    form["rev"] = "1"
    for wait, state in ((0, "queued"), (1, "queued"), (13, "sent"), (1, "sent")):
        world.clock.advance(wait)
        heard = world.post(address, form, action="compose", headers=JSON)
        assert (heard.status, facts(heard)["state"]) == (200, state)
    assert subjects(world, "Sent") == ["Hello"]
    at_once(world.store.delete(ALICE, MailboxName("Sent")))
    heard = world.post(address, form, action="compose", headers=JSON)
    assert (heard.status, facts(heard)) == (410, {"error": "gone"})


@pytest.mark.parametrize("wait", [0, 13])
@pytest.mark.parametrize("path", ["", "/send", "/att", "/att/1/delete"])
def test_what_is_written_behind_sending_is_kept(
    world: WebWorld, wait: int, path: str
) -> None:
    """Another page, or a lost answer: what has not left is no part of what has."""
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="Hello", text="Hi")
    assert put(world, did, int(form.pop("rev")), **form).status == 200
    world.post(f"/compose/{did}/send", {**form, "rev": "1"}, action="compose")
    world.clock.advance(wait)
    form["text"] = "Hi, and more"
    assert put(world, did, 1, **form).status == 410
    form["rev"] = "1"
    heard = world.post(f"/compose/{did}{path}", form, action="compose")
    assert (heard.status, "sent or thrown away already" in heard.text) == (200, True)
    assert field_of(heard.text, "text") == "Hi, and more"
    assert subjects(world, "Drafts") == subjects(world, "Sent") == ["Hello"]
    if path == "/send" and not wait:
        heard = world.post(f"/compose/{did}/send", form, action="compose", headers=JSON)
        assert (heard.status, facts(heard)) == (410, {"error": "gone"})


def test_a_page_that_is_gone_back_to_is_another_message(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="First")
    for subject in ("First", "Second"):
        form["subject"] = subject
        heard = world.post(f"/compose/{did}/send", form, action="compose")
        assert heard.status == 303
        world.clock.advance(13)
        # Back: nothing of it is there any more.
        page = world.get(f"/compose?draft={did}").text
        assert field_of(page, "subject") == ""
    assert subjects(world, "Sent") == ["First", "Second"]


def put(world: WebWorld, did: str, rev: int, **form: str) -> Heard:
    return world.post(
        f"/compose/{did}",
        form,
        action="compose",
        headers={"If-Match": f'"{rev}"'},
        method="PUT",
    )


def facts(heard: Heard) -> Mapping[str, Any]:
    found = json.loads(heard.octets)
    assert isinstance(found, dict)
    return found


def test_saved_by_scripts(world: WebWorld) -> None:
    did, _ = opened(world)
    first = put(world, did, 0, to="bob@example.test", subject="A", html="<p>Hi</p>")
    assert first.status == 200
    assert facts(first)["rev"] == 1
    assert facts(first)["textBody"] == "Hi"
    assert facts(first)["problem"] is None
    assert put(world, did, 1, to="b", subject="B", html="<p>Hi</p>").status == 200
    late = put(world, did, 1, to="b", subject="C", html="<p>Hi</p>")
    assert (late.status, facts(late)["error"]) == (409, "changed")
    assert facts(late)["theirs"]["subject"] == "B"
    assert facts(late)["theirs"]["rev"] == 2
    large = put(world, did, 2, subject="x" * 300_000)
    assert (large.status, facts(large)["error"]) == (413, "large")
    world.post(f"/compose/{did}/discard", action="compose", headers=JSON)
    gone = put(world, did, 2, subject="D")
    assert (gone.status, facts(gone)["error"]) == (410, "gone")
    assert subjects(world, "Trash") == ["B"]


def test_words_alone_leave_marks(world: WebWorld) -> None:
    did, _ = opened(world)
    put(world, did, 0, to="b", subject="B", html="<p>Hi <b>you</b></p>")
    page = world.get(f"/compose?draft={did}").text
    form = written(page, subject="C")
    assert world.post(f"/compose/{did}", form, action="compose").status == 303
    draft = at_once(world.writing.drafts.draft(ALICE, DraftId(did)))
    assert draft.writing.html == "<p>Hi <b>you</b></p>"
    form = written(world.get(f"/compose?draft={did}").text, text="Other words")
    world.post(f"/compose/{did}", form, action="compose")
    draft = at_once(world.writing.drafts.draft(ALICE, DraftId(did)))
    assert (draft.writing.html, draft.writing.text) == ("", "Other words")


def test_both_versions_are_shown(world: WebWorld) -> None:
    did, page = opened(world)
    put(world, did, 0, to="b@example.net", subject="Theirs", text="theirs")
    form = written(page, to="b@example.net", subject="Mine", text="mine")
    for path in ("", "/send", "/att", "/att/1/delete"):
        heard = world.post(f"/compose/{did}{path}", form, action="compose")
        assert heard.status == 409
        assert field_of(heard.text, "text") == "mine"
        assert "<pre" in heard.text and "theirs" in heard.text
    form["rev"] = field_of(heard.text, "rev")
    assert world.post(f"/compose/{did}", form, action="compose").status == 303
    assert subjects(world, "Drafts") == ["Mine"]


def multipart(
    world: WebWorld,
    path: str,
    form: Mapping[str, str],
    *files: tuple[str, bytes],
    kind: str = "text/plain",
    **ways: str,
) -> Heard:
    lines = []
    for name, value in {**form, "t": world.token("compose")}.items():
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        lines.append(f"{head}{value}\r\n".encode())
    for name, octets in files:
        head = (
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
            f"\r\nContent-Type: {kind}\r\n\r\n"
        )
        lines.append(head.encode() + octets + b"\r\n")
    headers = {
        "Content-Type": "multipart/form-data; boundary=x",
        "Sec-Fetch-Site": "same-origin",
        **ways,
    }
    return world.ask("POST", path, b"".join(lines) + b"--x--\r\n", headers)


def test_files_by_forms(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="bob@example.test", subject="Hello", text="x")
    heard = multipart(
        world, f"/compose/{did}/att", form, ("a.txt", b"abc"), ("b.txt", b"d")
    )
    assert heard.status == 303, heard.text
    page = world.get(heard.location).text
    assert "a.txt" in page and "b.txt" in page
    form = written(page)
    heard = world.post(f"/compose/{did}/att/1/delete", form, action="compose")
    page = world.get(heard.location).text
    assert "a.txt" not in page
    heard = multipart(world, f"/compose/{did}", written(page), ("c.txt", b"more"))
    assert heard.status == 303
    form = written(world.get(heard.location).text, when="now")
    heard = multipart(world, f"/compose/{did}/send", form, ("e.txt", b"last"))
    assert heard.status == 303
    octets = own_copy(world)
    assert re.findall(rb"filename=(\S+)", octets) == [b"b.txt", b"c.txt", b"e.txt"]


def test_files_by_scripts(world: WebWorld) -> None:
    did, _ = opened(world)
    path = f"/compose/{did}/att"
    heard = multipart(world, path, {"within": "1"}, ("a.txt", b"png"), **JSON)
    [added] = facts(heard)["added"]
    assert added["cid"] == ""  # no picture, and so not within the text
    assert facts(heard)["left"] > 1_000_000
    shown = world.get(added["url"])
    assert (shown.octets, shown.headers["content-disposition"][:10]) == (
        b"png",
        "attachment",
    )
    assert world.get(f"{path}/9").status == 404
    assert world.get(f"{path}/x").status == 404
    large = multipart(world, path, {}, ("b", b"x" * 1_400_000), **JSON)
    assert large.status == 200, large.text
    large = multipart(world, path, {}, ("c", b"x" * 100_000), **JSON)
    assert (large.status, facts(large)["error"]) == (413, "large")
    gone = world.post(f"{path}/1", action="compose", method="DELETE", headers=JSON)
    assert [one["name"] for one in facts(gone)["attachments"]] == ["b"]
    assert multipart(world, path, {}, **JSON).status == 400


def test_files_that_are_too_large_by_forms(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="b@example.net", subject="x")
    multipart(world, f"/compose/{did}", form, ("b", b"x" * 1_400_000))
    for path in ("", "/att", "/send"):
        form = written(world.get(f"/compose?draft={did}").text)
        heard = multipart(world, f"/compose/{did}{path}", form, ("c", b"x" * 100_000))
        assert heard.status == 422
        assert "no room" in heard.text


def test_answers(world: WebWorld) -> None:
    mid = receive(world)
    did, page = opened(world, f"?all={mid}")
    assert field_of(page, "to") == '"Carol" <carol@example.net>, dora@example.com'
    assert field_of(page, "subject") == "Re: Plans"
    assert field_of(page, "text").endswith(
        "Carol <carol@example.net> wrote:\n> Shall we?\n"
    )
    form = written(page, text="Yes", when="now")
    assert world.post(f"/compose/{did}/send", form, action="compose").status == 303
    octets = own_copy(world)
    assert b"In-Reply-To: <1@example.net>\r\nReferences: <1@example.net>\r\n" in octets
    world.clock.advance(13)
    [record] = at_once(
        at_once(world.store.open(ALICE, INBOX)).fetch(ALL_UIDS, Want.FLAGS)
    )
    assert "\\Answered" in record.flags


@pytest.mark.parametrize("purpose", ["reply", "fwd", "fwdatt", "as"])
def test_other_ways_to_begin(world: WebWorld, purpose: str) -> None:
    mid = receive(world)
    did, page = opened(world, f"?{purpose}={mid}")
    assert field_of(page, "purpose") == purpose
    form = written(page, to="bob@example.test", text="See this", when="now")
    assert world.post(f"/compose/{did}/send", form, action="compose").status == 303
    octets = own_copy(world)
    assert (b"message/rfc822" in octets) == (purpose == "fwdatt")


def test_originals_that_are_not_there(world: WebWorld) -> None:
    heard = world.get("/compose?reply=nothing")
    assert world.get(heard.location).status == 404
    assert world.get("/compose?draft=nothing").status == 404


def test_drafts_of_other_programs(world: WebWorld) -> None:
    mid = receive(world, LETTER, "Drafts")
    did, page = opened(world, f"?draft={mid}")
    assert field_of(page, "subject") == "Plans"
    form = written(page, subject="Better plans")
    world.post(f"/compose/{did}", form, action="compose")
    assert subjects(world, "Drafts") == ["Better plans"]
    own = at_once(
        at_once(world.store.open(ALICE, MailboxName("Drafts"))).fetch(
            ALL_UIDS, Want.IDS
        )
    )
    heard = world.get(f"/compose?draft={own[0].email_id}")
    assert draft_of(heard) == did


def test_what_is_given_in_the_address(world: WebWorld) -> None:
    query = "?to=bob@example.test&cc=c@x.example&subject=Hi&body=One%0ATwo"
    _, page = opened(world, query)
    assert field_of(page, "to") == "bob@example.test"
    assert '<details class="copies" open>' in page
    assert field_of(page, "text") == "One\nTwo"


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"subject": "x"}, "to", "at least one address"),
        ({"subject": "x", "to": "bob"}, "to", "Not an address: bob"),
        ({"subject": "x", "to": "nobody@example.test"}, "to", "nobody@example.test"),
        (
            {"subject": "x", "to": "b@x.example", "from": "bob@example.test"},
            "from",
            "write as",
        ),
        ({"subject": "x", "to": "b@x.example", "at": "never"}, "at", "coming year"),
        ({"to": "b@x.example"}, "subject", "without a subject"),
        (
            {"subject": "x", "to": "b@x.example", "text": "see attached"},
            "files",
            "attached",
        ),
    ],
)
def test_what_cannot_be_sent(
    world: WebWorld, form: dict[str, str], field: str, words: str
) -> None:
    did, page = opened(world)
    said = written(page, **form)
    heard = world.post(f"/compose/{did}/send", said, action="compose")
    assert heard.status == 422
    assert words in unescape(heard.text)
    said["rev"] = field_of(heard.text, "rev")
    heard = world.post(f"/compose/{did}/send", said, action="compose", headers=JSON)
    assert (heard.status, facts(heard)["field"]) == (422, field)
    assert words in facts(heard)["text"]
    assert subjects(world, "Sent") == []
    if facts(heard)["question"]:
        said["confirmed"] = "1"
        heard = world.post(f"/compose/{did}/send", said, action="compose", headers=JSON)
        assert facts(heard)["state"] == "queued"


def test_quoted_words_ask_nothing(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="b@x.example", subject="x", text="ok\n> see attached")
    assert world.post(f"/compose/{did}/send", form, action="compose").status == 303


def test_later(world: WebWorld) -> None:
    did, page = opened(world)
    assert "Tomorrow morning" in page
    form = written(page, to="b@x.example", subject="Later", at="tomorrow", when="later")
    heard = world.post(f"/compose/{did}/send", form, action="compose")
    assert heard.status == 303
    assert "Leaves" in world.get(f"/settings/security?sent={did}").text
    page = world.get("/mail/scheduled").text
    assert "Later" in page and "b@x.example" in page
    assert "This message leaves" in world.get(f"/compose?draft={did}").text
    heard = world.post(f"/compose/{did}/unsend", action="compose")
    form = written(
        world.get(heard.location).text, at="pick", at_time="2026-01-05T09:30"
    )
    heard = world.post(f"/compose/{did}/send", form, action="compose", headers=JSON)
    assert facts(heard)["later"] is True
    assert facts(heard)["holdUntil"] == 1767605400.0
    at_once(world.writing.drafts.remove(ALICE, DraftId(did)))
    page = world.get("/mail/scheduled").text
    item = field_of(page, "id")
    assert (
        world.post("/mail/scheduled/cancel", {"id": item}, action="compose").status
        == 303
    )
    assert "Nothing is scheduled" in world.get("/mail/scheduled").text
    assert (
        world.post("/mail/scheduled/cancel", {"id": item}, action="compose").status
        == 409
    )


def test_thrown_away(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, subject="Hello")
    world.post(f"/compose/{did}", form, action="compose")
    heard = world.post(f"/compose/{did}/discard", form, action="compose")
    assert (heard.status, heard.location) == (303, "/mail/inbox")
    assert subjects(world, "Trash") == ["Hello"]


def test_without_room(world: WebWorld) -> None:
    async def little(account: AccountName) -> int:
        return 1

    world.store.quota_of = little
    did, page = opened(world)
    heard = world.post(f"/compose/{did}", written(page, text="x"), action="compose")
    assert (heard.status, "mailbox is full" in heard.text) == (200, True)
    heard = put(world, did, 1, text="xy")
    assert "mailbox is full" in facts(heard)["problem"]


def test_nobody_elses_drafts(world: WebWorld) -> None:
    did, page = opened(world)
    world.post(f"/compose/{did}", written(page, subject="Mine"), action="compose")
    world.cookies.clear()
    world.sign_in(BOB)
    page = world.get(f"/compose?draft={did}").text
    assert "Mine" not in page
    assert world.post(f"/compose/{did}/discard", action="compose").status == 303
    assert world.post(f"/compose/{did}/unsend", action="compose").status == 409
    assert subjects(world, "Drafts") == ["Mine"]


@pytest.mark.parametrize(
    "back", ["//x.example/", "/mail/../x?y", "https://x.example", "/mail//x"]
)
def test_closing_leads_to_our_lists_only(world: WebWorld, back: str) -> None:
    did, page = opened(world)
    form = written(page, to="b@x.example", subject="x", back=back)
    heard = world.post(f"/compose/{did}/send", form, action="compose")
    assert heard.location == f"/mail/inbox?sent={did}"


def test_forms_that_are_damaged(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, purpose="x")
    assert world.post(f"/compose/{did}", form, action="compose").status == 400
    assert world.post("/compose/zzz", written(page), action="compose").status == 404


def test_people(world: WebWorld) -> None:
    did, page = opened(world)
    form = written(page, to="Bob Builder <bob@example.test>", subject="x")
    world.post(f"/compose/{did}/send", form, action="compose")
    world.clock.advance(13)
    empty = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
    [found] = json.loads(world.get("/people?q=bui", empty).octets)
    assert (found["name"], found["email"]) == ("Bob Builder", "bob@example.test")
    assert (found["sent"], found["words"], found["initials"]) == (1, "1 message", "BB")
    world.post("/people/hide", {"email": "bob@example.test"}, action="compose")
    assert json.loads(world.get("/people?q=bui", empty).octets) == []
    pasted = {"text": "A <a@x.example>, b@y.example; c"}
    heard = world.post("/people/read", pasted, action="compose")
    assert json.loads(heard.octets) == [
        {"name": "A", "email": "a@x.example", "valid": True},
        {"name": "", "email": "b@y.example", "valid": True},
        {"name": "", "email": "c", "valid": False},
    ]


def test_identities(world: WebWorld) -> None:
    page = world.get("/settings/identities").text
    assert 'value="alice@example.test"' in page
    form = {
        "prefix": "new-",
        "new-name": "Alice Work",
        "new-address": "alice+work@example.test",
        "new-signature": "Alice\r\nWork",
        "new-default": "1",
    }
    assert world.post("/settings/identities", form, action="settings").status == 303
    assert world.post("/settings/identities", form, action="settings").status == 303
    [kept] = at_once(world.personal.identities(ALICE))  # of a form that was sent twice
    assert (kept.name, kept.signature_text, kept.is_default) == (
        "Alice Work",
        "Alice\nWork",
        True,
    )
    _, composer = opened(world)
    assert "Alice Work &lt;alice+work@example.test&gt;" in composer
    assert field_of(composer, "text") == "\n\n-- \nAlice\nWork\n"
    for address, words in (
        ("bob@example.test", "not yours"),
        ("alice", "Not an address"),
    ):
        wrong = world.post(
            "/settings/identities", {**form, "new-address": address}, action="settings"
        )
        assert (wrong.status, words in wrong.text) == (422, True)
    heard = world.post(
        "/settings/identities/delete", {"id": kept.id}, action="settings"
    )
    assert heard.status == 303
    assert list(at_once(world.personal.identities(ALICE))) == []
