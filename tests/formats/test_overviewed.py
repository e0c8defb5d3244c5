"""What `overview` wrote is read again, and octets that nobody wrote so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import overview
from mailkit.formats.header import unfold
from mailkit.formats.limits import Limits
from mailkit.formats.overviewed import Overview, one_line, people, said, string
from mailkit.model.conversation import Person


def envelope(**fields: bytes) -> bytes:
    return overview.render_found(
        {name.replace("_", "-").encode(): [value] for name, value in fields.items()}
    )


def test_a_plain_one() -> None:
    found = Overview.of(
        envelope(
            date=b"Thu, 13 Feb 1969 23:32:54 -0330",
            subject=b"Re: Lunch",
            **{"from": b"Ingrid Solheim <ingrid@example.org>"},
            reply_to=b"list@example.org",
            to=b'"Bob" <bob@example.com>, carol@example.com',
            cc=b"dave@example.com",
            bcc=b"eve@example.com",
            in_reply_to=b"<1@a>",
            message_id=b"<2@a>",
        )
    )
    assert found.sent == -27723426.0
    assert found.subject == "Re: Lunch"
    assert found.from_ == (Person("Ingrid Solheim", "ingrid@example.org"),)
    assert found.reply_to == (Person("", "list@example.org"),)
    assert found.to == (
        Person("Bob", "bob@example.com"),
        Person("", "carol@example.com"),
    )
    assert found.cc == (Person("", "dave@example.com"),)
    assert found.bcc == (Person("", "eve@example.com"),)
    assert (found.in_reply_to, found.message_id) == ("<1@a>", "<2@a>")


def test_an_empty_one() -> None:
    found = Overview.of(envelope())
    assert found.sent is None
    assert Overview.of(envelope(date=b"yesterday")).sent is None
    assert found.subject == found.message_id == found.in_reply_to == ""
    assert found.from_ == found.reply_to == found.to == found.cc == found.bcc == ()


PEOPLE = {
    b"=?utf-8?q?Andr=C3=A9?= <andre@example.org>": (
        Person("André", "andre@example.org"),
    ),
    "Jürgen <j@bücher.example>".encode(): (Person("Jürgen", "j@bücher.example"),),
    rb'"Bob \"the\" \\ man" <bob@a>': (Person('Bob "the" \\ man', "bob@a"),),
    b"=?utf-8?q?a=0Ab=E2=80=AEc?= <x@a>": (Person("a b c", "x@a"),),
    b"undisclosed-recipients:;": (Person("undisclosed-recipients", ""),),
    b"friends: a@b, C <c@d>;, e@f": (
        Person("", "a@b"),
        Person("C", "c@d"),
        Person("", "e@f"),
    ),
    b"one:;, two:;": (Person("one", ""), Person("two", "")),
    b"Nobody": (Person("", "Nobody"),),
    b"<@a,@b:c@d>, e@f": (Person("", "c@d"), Person("", "e@f")),
    'x <j@b>, "\u00e9" <a@b>'.encode(): (Person("x", "j@b"), Person("é", "a@b")),
}


@pytest.mark.parametrize(("value", "expected"), PEOPLE.items())
def test_people(value: bytes, expected: tuple[Person, ...]) -> None:
    assert Overview.of(envelope(to=value)).to == expected


def test_no_more_than_the_limit() -> None:
    many = b", ".join(b"p%d@example.org" % number for number in range(2000))
    octets = envelope(to=many)
    assert len(Overview.of(octets).to) == 2000
    assert len(Overview.of(octets, Limits(addresses=7)).to) == 7
    group = envelope(to=b"a@b, group:;")
    assert Overview.of(group, Limits(addresses=1)).to == (Person("", "a@b"),)


def test_addresses_show_no_controls() -> None:
    octets = b'((NIL NIL {3}\r\na\nb "c"))'
    assert people(octets) == (Person("", "ab@c"),)


@pytest.mark.parametrize("count", [1, 100])
def test_all_at_once(count: int) -> None:
    octets = envelope(
        date=b"Thu, 13 Feb 1969 23:32:54 -0330",
        subject=b"Lunch",
        **{"from": b"a@b"},
        reply_to=b"c@d",
        to=b",".join(b"to%d@example.com" % number for number in range(count)),
        cc=b"e@f",
        bcc=b"g@h",
        in_reply_to=b"<1@a>",
        message_id=b"<2@a>",
    )
    found = Overview.of(octets)
    for _ in range(2):  # the first time, and again
        for name, value in said(octets)._asdict().items():
            assert value and value == getattr(found, name)


NOT_WRITTEN = (
    b"",
    b"NIL",
    b"()",
    b"(NIL NIL)",
    b"NIL " * 10,
    b"(" * 50,
    b'("a" NIL NIL NIL NIL NIL NIL NIL NIL {9}\r\nshort',
    b'(NIL "a\\" NIL NIL NIL NIL NIL NIL NIL NIL NIL)',
    b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
)


@pytest.mark.parametrize("octets", NOT_WRITTEN)
def test_what_nobody_wrote_is_empty(octets: bytes) -> None:
    found = Overview.of(octets)
    assert found.subject == ""
    assert found.from_ == ()


@pytest.mark.parametrize(
    "octets",
    [b"(", b"((", b"()", b"(())", b'(("a"))', b"(((NIL NIL NIL NIL)))", b"x", b""],
)
def test_lists_that_nobody_wrote(octets: bytes) -> None:
    assert people(octets) == ()


def test_a_group_that_does_not_end() -> None:
    assert people(b'((NIL NIL "g" NIL))') == (Person("g", ""),)


def test_strings() -> None:
    assert string(b"NIL") == string(b"(") == string(b"") == b""
    assert string(b'"a\\"b\\\\"') == b'a"b\\'
    assert string(b"{3}\r\nabcd") == b"abc"
    assert one_line(b"  a  b ") == "a  b"


@given(st.binary(max_size=200))
def test_anything_at_all(octets: bytes) -> None:
    for found in (Overview.of(octets), Overview.of(b"(" + octets + b")")):
        assert len(found.parts) == 10
        assert found.sent is None or isinstance(found.sent, float)
        assert found.subject.isprintable() or found.subject
        assert isinstance(found.to, tuple)
    people(b"(" + octets + b")")


words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"),
    max_size=20,
)


@given(words, words, words, words)
def test_what_was_written_is_read(
    subject: str, identification: str, name: str, reply: str
) -> None:
    octets = overview.render_found(
        {
            b"subject": [subject.encode()],
            b"message-id": [identification.encode()],
            b"in-reply-to": [reply.encode()],
            b"from": [b'"%b" <a@b>' % name.encode().translate(None, b'"\\')],
        }
    )
    found = Overview.of(octets)
    written = (subject, reply, identification)
    parts = [overview.string(unfold(one.encode())) for one in written]
    # The regular expression for plain ones and the reader of all others agree.
    assert found.message_id == string(parts[2]).decode()
    assert found.in_reply_to == string(parts[1]).decode()
    assert found.subject == one_line(string(parts[0]))
    assert [person.address for person in found.from_] == ["a@b"]


@given(st.lists(st.sampled_from([b"a@b", b'"\\"" <c@d>', b"g:;", "é <e@f>".encode()])))
def test_as_many_as_were_written(written: list[bytes]) -> None:
    assert len(Overview.of(envelope(to=b",".join(written))).to) == len(written)
