"""Which page an address below ``/mail/`` is of, and which list it names."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

from mailkit.web.webmail.boxes import SlugConverter
from mailkit.web.webmail.pages import all_routes

LIST = "/mail/<slug:box>"
CONVERSATION = f"{LIST}/c/<cid>"
PRINTED = f"{CONVERSATION}/print"

ADDRESSES = Map(
    [
        Rule(route.path, endpoint=route.path, methods=[route.method])
        for route in all_routes()
    ],
    converters={"slug": SlugConverter},
).bind("")


@pytest.mark.parametrize(
    ("path", "page", "parts"),
    [
        ("/mail/inbox", LIST, {"box": "inbox"}),
        ("/mail/label/travel", LIST, {"box": "label/travel"}),
        ("/mail/folder/Work", LIST, {"box": "folder/Work"}),
        ("/mail/folder/Work/Old", LIST, {"box": "folder/Work/Old"}),
        ("/mail/folder/c/Old", LIST, {"box": "folder/c/Old"}),
        ("/mail/folder/scheduled", LIST, {"box": "folder/scheduled"}),
        ("/mail/scheduled", "/mail/scheduled", {}),
        ("/mail/inbox/c/T1", CONVERSATION, {"box": "inbox", "cid": "T1"}),
        ("/mail/label/c/c/T1", CONVERSATION, {"box": "label/c", "cid": "T1"}),
        ("/mail/folder/a/b/c/T1", CONVERSATION, {"box": "folder/a/b", "cid": "T1"}),
        ("/mail/folder/a/c/b/c/T", CONVERSATION, {"box": "folder/a/c/b", "cid": "T"}),
        ("/mail/inbox/c/T1/print", PRINTED, {"box": "inbox", "cid": "T1"}),
        ("/mail/label/x/c/T1/print", PRINTED, {"box": "label/x", "cid": "T1"}),
        ("/mail/folder/a/b/c/T/print", PRINTED, {"box": "folder/a/b", "cid": "T"}),
    ],
)
def test_an_address_is_of(path: str, page: str, parts: dict[str, str]) -> None:
    assert ADDRESSES.match(path, "GET") == (page, parts)


@pytest.mark.parametrize(
    "path",
    ["/mail/inbox/x", "/mail/label/a/b", "/mail/label/", "/mail/inbox/c/T1/other"],
)
def test_an_address_is_of_no_page(path: str) -> None:
    with pytest.raises(NotFound):
        ADDRESSES.match(path, "GET")
