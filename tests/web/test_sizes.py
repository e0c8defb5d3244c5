"""What a browser has to fetch: weights that may not grow."""

from __future__ import annotations

import gzip
import random

import pytest

from mailkit.model.conversation import Person
from mailkit.model.label import Label
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.web.statics import STYLE
from mailkit.web.webmail.pages import SCRIPTS
from tests.web.conversations import summary
from tests.web.world import ALICE, STATICS, WebWorld

KIB = 1024

MOST_OF = {
    "swap.js": 3.5,
    "list.js": 5,
    "keys.js": 2.5,
    "reader.js": 3,
    "notices.js": 2,
    "signin.js": 1.2,
    "joining.js": 0.5,
    "zone.js": 0.2,
    "live.js": 3,
    "fresh.js": 2,
    "compose.js": 5,
    "files.js": 3,
    "people.js": 3,
    "edit.js": 4,
    STYLE: 10,
}
"""KiB of each file, compressed."""

MOST_AT_FIRST = 14
MOST_SCRIPTS = 30

TEXT = (
    "kitchen drawings second round moved the sink under window and it changes "
    "everything have a look at page three before thursday booking adults friday "
    "november clause reads better now one question about lighthouse keeper"
)
WORDS = TEXT.split()


def size(name: str) -> float:
    """KiB as it is served."""
    found = STATICS.find(STATICS.version, name)
    assert found is not None
    return len(found.compressed or found.octets) / KIB


def scripts() -> list[str]:
    return [name for name in STATICS.names if name.endswith(".js")]


@pytest.mark.parametrize("name", [*scripts(), STYLE])
def test_no_file_is_larger_than_it_may_be(name: str) -> None:
    assert name in MOST_OF, f"{name} has no limit here"
    assert size(name) <= MOST_OF[name]


def test_scripts_of_the_first_view() -> None:
    assert set(SCRIPTS) <= set(scripts())
    assert sum(size(name) for name in SCRIPTS) <= MOST_AT_FIRST


def test_all_scripts() -> None:
    assert sum(size(name) for name in scripts()) <= MOST_SCRIPTS


def test_an_inbox_of_fifty_rows() -> None:
    drawn = random.Random(5)
    world = WebWorld()
    for n in range(60):
        name = " ".join(drawn.sample(WORDS, 2)).title()
        world.conversations.all.append(
            summary(
                n,
                " ".join(drawn.sample(WORDS, 6)).capitalize(),
                when=NEW_YEAR - n * 9000,
                sender=Person(name, f"{name.split()[0].lower()}{n}@far.example"),
                flags=[] if n % 3 else ["\\Seen"],
                keywords=["$l_travel"] if n % 4 == 0 else [],
                preview=" ".join(drawn.choices(WORDS, k=20)),
                has_attachments=n % 5 == 0,
            )
        )
    label = Label("$l_travel", "Travel", 2)
    at_once(world.personal.put_labels(ALICE, [label]))
    world.sign_in()
    page = world.get("/mail/inbox")
    assert page.text.count('<li class="row') == 50
    assert len(page.octets) <= 120 * KIB
    assert len(gzip.compress(page.octets, 5)) <= 16 * KIB


def test_two_requests_until_an_inbox_is_painted() -> None:
    """The page and its style: scripts wait, icons come behind."""
    world = WebWorld()
    world.sign_in()
    page = world.get("/mail/inbox").text
    head = page[: page.index("</head>")]
    assert head.count('rel="stylesheet"') == 1
    assert head.count("<script") == head.count('<script type="module"')
    assert "@import" not in style() and "url(" not in style()


def style() -> str:
    found = STATICS.find(STATICS.version, STYLE)
    assert found is not None
    return found.octets.decode()
