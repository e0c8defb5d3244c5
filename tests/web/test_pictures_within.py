"""Pictures within the text: from the page that has them to whoever reads them."""

from __future__ import annotations

import email
import email.policy

from mailkit.model.conversation import Everything
from mailkit.testing.at_once import at_once
from tests.web.letters import PNG
from tests.web.test_composing import (
    JSON,
    facts,
    field_of,
    multipart,
    opened,
    own_copy,
    written,
)
from tests.web.world import ALICE, WebWorld


def test_a_picture_within_the_text_from_the_page_to_the_reader() -> None:
    world = WebWorld(is_whole=True)
    world.sign_in()
    did, page = opened(world)
    path = f"/compose/{did}"
    heard = multipart(
        world, f"{path}/att", {"within": "1"}, ("a.png", PNG), kind="image/png", **JSON
    )
    [added] = facts(heard)["added"]
    cid = added["cid"]
    assert cid == f"1.{did}@mailkit"
    assert world.get(added["url"]).headers["content-type"] == "image/png"
    html = (
        f'<p>See <img src="cid:{cid}" alt="a cat" onerror=alert(1)>'
        '<img src="data:image/png;base64,AAAA"><img src="https://evil.example/x">'
        '<img src="data:text/html,<script>alert(1)</script>">'
    )
    fields = {**written(page, to="bob@example.test", subject="A cat"), "html": html}
    fields["text"] = ""
    heard = world.post(
        path, fields, action="compose", method="PUT",
        headers={**JSON, "If-Match": '"0"'},
    )  # fmt: skip
    assert heard.status == 200, heard.text
    # Another page of it, or this one after a reload, has the same picture.
    again = world.get(f"/compose?draft={did}").text
    assert f"cid:{cid}" in again
    assert f'data-cid="{cid}"' in again
    for hostile in ("data:image", "data:text", "evil.example", "onerror"):
        assert hostile not in again
    form = {**written(again, when="now"), "text": field_of(again, "text")}
    assert multipart(world, f"{path}/send", form, **JSON).status == 200
    sent = email.message_from_bytes(own_copy(world), policy=email.policy.default)
    kinds = [part.get_content_type() for part in sent.walk()]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    rich = sent.get_body(("html",))
    assert rich is not None
    assert f'<img src="cid:{cid}" alt="a cat">' in rich.get_content()
    plain = sent.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "See [a cat]"
    [letter] = at_once(world.house.conversations.page(ALICE, Everything())).rows
    shown = world.get(f"/m/{letter.newest.email_id}/html").text
    assert shown.count("<img") == 1
    assert f' src="/part/{letter.newest.email_id}/2.2"' in shown
