"""Answers and forwards."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import quoting, richtext
from mailkit.formats.quoting import Original, Recipients
from mailkit.model.address import Address
from tests.formats.garbage import anything

ANNA, BOB, CARL = (
    ("Anna", "anna@example.org"),
    ("", "bob@example.net"),
    ("Carl", "carl@example.com"),
)
ME = ("Me", "me@example.test")
OTHER_ME = ("", "also@example.test")
OWN = (Address.of("me", "example.test"), Address.of("also", "example.test"))

ANSWERED = [
    ("", "Re:"),
    ("Hello", "Re: Hello"),
    ("Re: Hello", "Re: Hello"),
    ("RE: re[2]: AW: Sv: Hello\r\n there", "Re: Hello there"),
    ("Fwd: Hello", "Re: Fwd: Hello"),
    ("Regarding: Hello", "Re: Regarding: Hello"),
]


@pytest.mark.parametrize(("subject", "answered"), ANSWERED)
def test_subject_of_an_answer(subject: str, answered: str) -> None:
    assert quoting.answered_subject(subject) == answered


FORWARDED = [
    ("", "Fwd:"),
    ("Hello", "Fwd: Hello"),
    ("Fw: WG: Hello", "Fwd: Hello"),
    ("Re: Hello", "Fwd: Re: Hello"),
]


@pytest.mark.parametrize(("subject", "forwarded"), FORWARDED)
def test_subject_of_a_forward(subject: str, forwarded: str) -> None:
    assert quoting.forwarded_subject(subject) == forwarded


RECIPIENTS: list[tuple[str, Original, Recipients, Recipients]] = [
    ("nobody", Original(), Recipients(), Recipients()),
    (
        "from one to me",
        Original(sender=(ANNA,), to=(ME,)),
        Recipients((ANNA,)),
        Recipients((ANNA,)),
    ),
    (
        "among others",
        Original(sender=(ANNA,), to=(ME, BOB), cc=(CARL, OTHER_ME, ANNA)),
        Recipients((ANNA,)),
        Recipients((ANNA, BOB), (CARL,)),
    ),
    (
        "answers wanted elsewhere",
        Original(sender=(ANNA,), reply_to=(CARL,), to=(ME, BOB), cc=(CARL,)),
        Recipients((CARL,)),
        Recipients((CARL, BOB)),
    ),
    (
        "from me",
        Original(sender=(ME,), to=(ANNA, BOB), cc=(CARL,)),
        Recipients((ANNA, BOB)),
        Recipients((ANNA, BOB), (CARL,)),
    ),
    (
        "from me, answers elsewhere",
        Original(sender=(ME,), reply_to=(CARL,), to=(ANNA,)),
        Recipients((CARL,)),
        Recipients((CARL, ANNA)),
    ),
    (
        "to myself",
        Original(sender=(ME,), to=(ME,)),
        Recipients((ME,)),
        Recipients((ME,)),
    ),
    (
        "no addresses",
        Original(sender=(("Anna", ""),), to=(ME,)),
        Recipients(),
        Recipients(),
    ),
]


@pytest.mark.parametrize(
    ("original", "one", "everybody"),
    [row[1:] for row in RECIPIENTS],
    ids=[row[0] for row in RECIPIENTS],
)
def test_recipients(original: Original, one: Recipients, everybody: Recipients) -> None:
    assert quoting.recipients(original, OWN, is_to_all=False) == one
    assert quoting.recipients(original, OWN, is_to_all=True) == everybody


def test_own_address() -> None:
    original = Original(sender=(ANNA,), to=(BOB, ("", "broken")), cc=(OTHER_ME,))
    assert quoting.own_address(original, OWN) == OWN[1]
    assert quoting.own_address(Original(sender=(ANNA,)), OWN) is None


REFERENCES = [
    (Original(), ()),
    (Original(message_id="<2@x>"), ("<2@x>",)),
    (
        Original(message_id="<3@x>", references=("<1@x>", "<2@x>", "<1@x>")),
        ("<1@x>", "<2@x>", "<3@x>"),
    ),
    (Original(message_id="<2@x>", in_reply_to=("<1@x>",)), ("<1@x>", "<2@x>")),
    (Original(message_id="<3@x>", in_reply_to=("<1@x>", "<2@x>")), ("<3@x>",)),
]


@pytest.mark.parametrize(("original", "named"), REFERENCES)
def test_references(original: Original, named: tuple[str, ...]) -> None:
    assert quoting.references(original) == named


LETTER = Original(
    sender=(ANNA,),
    to=(ME, BOB),
    subject="Plan\r\n B",
    date="21 November 2026 at 16:30",
    text="Hello\n\n> earlier\n\n\n-- \nAnna\nSmith",
)


def test_text_of_an_answer() -> None:
    assert quoting.answered_text(LETTER) == (
        "On 21 November 2026 at 16:30, Anna <anna@example.org> wrote:\n"
        "> Hello\n>\n>> earlier\n"
    )
    bare = Original(text="--\nonly a signature")
    assert quoting.answered_text(bare) == "? wrote:\n> --\n> only a signature\n"
    assert quoting.answered_text(evolve(bare, text="a\n--\nb")) == "? wrote:\n> a\n"


def test_html_of_an_answer() -> None:
    html = quoting.answered_html(evolve(LETTER, text="1 < 2\n> old\n>> older\nnew"))
    assert html == (
        "<p>On 21 November 2026 at 16:30, Anna &lt;anna@example.org&gt; wrote:</p>\n"
        '<blockquote type="cite"><div>1 &lt; 2<blockquote>old<blockquote>older'
        "</blockquote></blockquote>new</div></blockquote>\n"
    )
    html = quoting.answered_html(evolve(LETTER, html="<p>Hi</p>"))
    assert '<blockquote type="cite"><p>Hi</p></blockquote>' in html


def test_text_of_a_forward() -> None:
    assert quoting.forwarded_text(LETTER) == (
        "---------- Forwarded message ----------\n"
        "From: Anna <anna@example.org>\n"
        "Date: 21 November 2026 at 16:30\n"
        "Subject: Plan B\n"
        "To: Me <me@example.test>, bob@example.net\n\n"
        "Hello\n\n> earlier\n\n\n-- \nAnna\nSmith\n"
    )


def test_html_of_a_forward() -> None:
    html = quoting.forwarded_html(evolve(LETTER, html="<p>Hi</p>"))
    assert "<b>From:</b> Anna &lt;anna@example.org&gt;<br>" in html
    assert html.endswith("<div><p>Hi</p></div>\n")
    assert "<div><div>Hello<br>\n" in quoting.forwarded_html(LETTER)


def test_own_words() -> None:
    text = "See the file\n> attached\nmore"
    assert quoting.unquoted(text) == "See the file\nmore"
    assert quoting.unquoted("mine\n" + quoting.forwarded_text(LETTER)) == "mine"


@anything
@given(st.text())
def test_anything_becomes_clean_html(text: str) -> None:
    html = quoting.from_text(text)
    assert richtext.clean(html).count("<blockquote>") == html.count("<blockquote>")
    original = Original(sender=((text, text),), subject=text, date=text, text=text)
    for write in (quoting.answered_text, quoting.forwarded_text):
        assert write(original)
    for write in (quoting.answered_html, quoting.forwarded_html):
        assert "<script" not in write(original).lower()
    assert len(quoting.unquoted(text)) <= len(text)
