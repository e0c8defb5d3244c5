"""Which conversation messages join, in whatever order they come."""

from __future__ import annotations

from collections.abc import Collection

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from mailkit.storage import threads
from mailkit.storage.threads import MOST, Named, addresses


@define(eq=False)
class Known:
    """An account's conversations, kept in dictionaries."""

    clues: dict[int, str] = field(factory=dict)
    joined: dict[str, list[Named]] = field(factory=dict)

    def find(self, word: int) -> str | None:
        return self.clues.get(word)

    def note(self, word: int, thread_id: str) -> None:
        self.clues[word] = thread_id

    def is_full(self, thread_id: str) -> bool:
        return len(self.joined.get(thread_id, ())) >= MOST

    def is_among(self, thread_id: str, writers: Collection[bytes], since: int) -> bool:
        return any(
            set(writers) & set(one.writers) for one in self.joined.get(thread_id, ())
        )

    def join(self, fields: str, own: str = "own") -> str:
        named = Named.of(fields.encode())
        thread_id = threads.join(
            named, self, 0, lambda root: f"T{root.decode()}", own.encode()
        )
        self.joined.setdefault(thread_id, []).append(named)
        return thread_id


def head(number: int, *before: int, subject: str = "", reply: str = "") -> str:
    references = " ".join(f"<{one}@a>" for one in before)
    return (
        f"Message-ID: <{number}@a>\r\nFrom: c@d\r\nSubject: {subject}\r\n"
        + (f"References: {references}\r\n" if before else "")
        + (f"In-Reply-To: {reply}\r\n" if reply else "")
    )


def test_what_a_message_names() -> None:
    named = Named.of(
        head(5, 1, 2, 3, subject="=?utf-8?q?=C3=A4?=", reply="<9@a>").encode()
    )
    assert named.message_id == b"<5@a>"
    assert named.answered == (b"<9@a>", b"<3@a>", b"<2@a>", b"<1@a>")
    assert named.root == b"<1@a>"
    assert named.subject == "ä"
    assert named.writers == (b"c@d",)


def test_nobody_answers_himself() -> None:
    assert Named.of(head(5, 5, 1, reply="<5@a>").encode()).answered == (b"<1@a>",)


def test_what_names_nothing() -> None:
    assert Named.of(b"") == Named(b"", (), b"", "", ())
    assert Named.of(b"Message-ID: none\r\nReferences: \r\n").root == b""
    assert Known().join("", own="M1") == "TM1"


def test_the_first_of_many_names_in_in_reply_to_is_the_parent() -> None:
    named = Named.of(b"In-Reply-To: <1@a> <2@a>\r\nReferences: <3@a>\r\n")
    assert named.answered == (b"<1@a>", b"<3@a>", b"<2@a>")


def test_groups_have_no_addresses() -> None:
    assert addresses(b"A <A@B>, g: c@d;") == (b"a@b",)


def test_a_full_conversation_is_followed_by_another() -> None:
    known = Known()
    first = known.join(head(0))
    for number in range(1, MOST):
        assert known.join(head(number, 0)) == first
    second = known.join(head(MOST, 0))
    assert second == f"T<{MOST}@a>"
    # Those that answer its beginning, or its end, go on there.
    assert known.join(head(MOST + 1, 0)) == second
    assert known.join(head(MOST + 2, MOST)) == second


def test_only_the_nearest_of_very_many_are_looked_for() -> None:
    known = Known()
    first = known.join(head(0))
    assert known.join(head(999, 0, *range(100, 140))) == first
    # Beyond them its first one leads to the same, as it is its name.
    assert known.join(head(998, 0, *range(200, 300))) == first
    assert known.join(head(997, 50, 0, *range(300, 400))) == "T<50@a>"


def test_a_conversation_from_before_is_known_to_those_that_follow() -> None:
    known = Known()
    for fields in (head(1, subject="Lunch"), head(2, 1, 7)):
        named = Named.of(fields.encode())
        threads.keep(named, known, "Told")
        known.joined.setdefault("Told", []).append(named)
    threads.keep(Named.of(b"Subject: \r\n"), known, "Nothing")
    assert known.join(head(3, 2)) == "Told"
    assert known.join(head(4, 7)) == "Told"
    assert known.join(head(5, subject="Re: lunch")) == "Told"


def test_an_answer_to_a_fuller_subject() -> None:
    known = Known()
    assert known.join(head(1, subject="Lunch")) == "T<1@a>"
    assert known.join(head(2, subject="Re[2]: [x] Lunch")) == "T<1@a>"
    assert known.join(head(3, subject="Lunch")) == "T<3@a>"
    assert known.join(head(4, subject="re: Lunch")) == "T<3@a>"
    assert known.join(head(5, subject="Fwd: Lunch")) == "T<5@a>"
    assert known.join(head(6, subject="Re: Lunch", reply="<0@a>")) == "T<0@a>"


@given(st.binary(max_size=200))
def test_anything_at_all(octets: bytes) -> None:
    known = Known()
    for fields in (octets, b"References: " + octets, b"In-Reply-To: " + octets):
        thread_id = threads.join(
            Named.of(fields), known, 0, lambda root: f"T{root!r}", b"own"
        )
        assert thread_id.startswith("T")


trees = st.lists(st.integers(0, 30), min_size=1, max_size=12)


@given(trees, st.integers())
def test_with_whole_references_the_order_does_not_matter(
    parents: list[int], seed: int
) -> None:
    """Every message names all those before it: then all find the same."""
    above: dict[int, tuple[int, ...]] = {0: ()}
    for number, parent in enumerate(parents, 1):
        parent %= number
        above[number] = (*above[parent], parent)
    order = sorted(above, key=lambda number: hash((number, seed)))
    known = Known()
    assert {known.join(head(number, *above[number])) for number in order} == {"T<0@a>"}
