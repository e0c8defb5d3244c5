"""How drafts begin, and what is read of the message that they are about."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from mailkit.errors import NoSuchDraft, StorageFull
from mailkit.formats import richtext
from mailkit.model.draft import DraftId, DraftState, Opening, Purpose, Writing
from mailkit.model.identity import Identity
from mailkit.model.mailbox import MailboxName
from mailkit.model.preferences import ComposeMode, Preferences, QuotePosition
from mailkit.services.composing.errors import FilesTooLarge
from mailkit.services.composing.opening import Manner, Prepared
from mailkit.services.composing.originals import file_name, find, understand
from mailkit.services.composing.settings import ComposingSettings
from mailkit.storage.content import all_octets
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.formats.garbage import anything
from tests.formats.garbage import octets as garbage
from tests.services.composing.world import HELLO, Desk, text_of
from tests.services.smtp.world import ALICE

PLAIN = Manner(
    Preferences(compose_mode=ComposeMode.PLAIN), tell_date=lambda seconds: "1 January"
)
RICH = Manner(tell_date=lambda seconds: "1 January")

RICH_LETTER = (
    b"From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.net>\r\n"
    b"To: Alice <alice@example.org>, sales@example.org\r\n"
    b"Cc: bob@example.org\r\n"
    b"Subject: =?utf-8?Q?Pl=C3=A4ne?=\r\n"
    b"Date: Thu, 1 Jan 2026 12:00:00 +0000\r\n"
    b"Message-ID: <2@example.net>\r\n"
    b"In-Reply-To: <1@example.net>\r\n"
    b"References: <0@example.net> <1@example.net>\r\n"
    b'Content-Type: multipart/mixed; boundary="m"\r\n\r\n'
    b'--m\r\nContent-Type: multipart/related; boundary="r"\r\n\r\n'
    b'--r\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n'
    b"--a\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n"
    b"One \r\nline\r\n-- \r\nJ\r\n"
    b"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<p onclick=x>One line <img src="cid:pic@x"></p>\r\n--a--\r\n'
    b"--r\r\nContent-Type: image/png\r\nContent-ID: <pic@x>\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--r--\r\n"
    b'--m\r\nContent-Type: application/pdf; name="old.pdf"\r\n'
    b"Content-Disposition: attachment; filename*=utf-8''Pl%C3%A4ne.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
    b"--m\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
    b"--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n"
    b'--m\r\nContent-Type: text/plain; name="=?utf-8?Q?n=C3=B6te.txt?="\r\n\r\n'
    b"second\r\n--m\r\nContent-Type: text/html\r\n"
    b"Content-Transfer-Encoding: x-odd\r\n\r\n<b>2</b>\r\n"
    b"--m--\r\n"
)


def prepared(
    desk: Desk, purpose: Purpose, octets: bytes, manner: Manner = PLAIN
) -> Prepared:
    original = desk.receive(octets)
    opening = Opening(purpose, original)
    return at_once(
        desk.composing.drafts.prepare(desk.alice, opening, Writing(), manner)
    )


def test_blank() -> None:
    desk = Desk()
    drafts = desk.composing.drafts
    given = Writing(to="bob@example.org", text="Hi")
    blank = at_once(drafts.prepare(desk.alice, Opening(), given, PLAIN))
    assert blank.writing == evolve(given, sender=ALICE)
    rich = at_once(drafts.prepare(desk.alice, Opening(), given))
    assert rich.writing.html == "<div>Hi</div>"
    rich = at_once(drafts.prepare(desk.alice, Opening()))
    assert rich.writing.html == "<div><br></div>"


def signed(desk: Desk, text: str, html: str = "") -> None:
    identity = Identity("1", "Alice", "info@example.org", text, html, is_default=True)
    at_once(desk.personal.put_identity(ALICE, identity))


def test_signatures() -> None:
    desk = Desk()
    signed(desk, "Alice\nInfo")
    drafts = desk.composing.drafts
    blank = at_once(drafts.prepare(desk.alice, Opening(), Writing(), PLAIN))
    assert blank.writing.sender == "info@example.org"
    assert blank.writing.text == "\n\n-- \nAlice\nInfo\n"
    rich = at_once(drafts.prepare(desk.alice, Opening()))
    assert rich.writing.html == (
        "<div><br></div><div><br></div><div>-- <br><div>Alice<br>\nInfo</div></div>"
    )
    signed(desk, "", "<p>Alice <script>x</script></p>")
    blank = at_once(drafts.prepare(desk.alice, Opening(), Writing(), PLAIN))
    assert blank.writing.text == "\n\n-- \nAlice\n"
    other = Writing(sender="alice+x@example.org")
    blank = at_once(drafts.prepare(desk.alice, Opening(), other, PLAIN))
    assert (blank.writing.sender, blank.writing.text) == ("alice+x@example.org", "")
    draft = desk.send(desk.begin(evolve(HELLO, sender="info@example.org")))
    assert desk.messages("Sent")[0]["From"] == "Alice <info@example.org>"
    assert draft.writing.sender == "info@example.org"


def test_an_answer() -> None:
    desk = Desk()
    answer = prepared(desk, Purpose.REPLY, RICH_LETTER)
    writing = answer.writing
    assert (writing.to, writing.cc) == ('"Jörg" <joerg@example.net>', "")
    assert writing.subject == "Re: Pläne"
    assert (
        writing.text
        == "\n\nOn 1 January, Jörg <joerg@example.net> wrote:\n> One line\n"
    )
    assert answer.in_reply_to == "<2@example.net>"
    assert answer.references == (
        "<0@example.net>",
        "<1@example.net>",
        "<2@example.net>",
    )
    assert answer.files == ()


def test_an_answer_to_all() -> None:
    answer = prepared(Desk(), Purpose.REPLY_ALL, RICH_LETTER)
    assert answer.writing.to == '"Jörg" <joerg@example.net>, sales@example.org'
    assert answer.writing.cc == "bob@example.org"


def test_a_rich_answer_takes_pictures_along() -> None:
    desk = Desk()
    answer = prepared(desk, Purpose.REPLY, RICH_LETTER, RICH)
    assert '<blockquote type="cite"><p>One line <img src="cid:pic@x"></p>' in (
        answer.writing.html
    )
    assert [(file.name, file.is_within) for file in answer.files] == [
        ("attachment", True)
    ]


QUOTES = [
    (
        QuotePosition.ABOVE,
        "On 1 January, Jörg <joerg@example.net> wrote:\n> One line\n\n",
    ),
    (QuotePosition.NONE, ""),
]


@pytest.mark.parametrize(("position", "text"), QUOTES)
def test_where_quotes_stand(position: QuotePosition, text: str) -> None:
    desk = Desk()
    preferences = evolve(PLAIN.preferences, quote_position=position)
    manner = evolve(PLAIN, preferences=preferences)
    assert prepared(desk, Purpose.REPLY, RICH_LETTER, manner).writing.text == text
    rich = evolve(RICH, preferences=Preferences(quote_position=position))
    answer = prepared(desk, Purpose.REPLY, RICH_LETTER, rich)
    assert ("blockquote" in answer.writing.html) == bool(text)
    assert bool(answer.files) == bool(text)


SIGNED = "-- \nAlice"
QUOTED = "On 1 January, Jörg <joerg@example.net> wrote:\n> One line"


@pytest.mark.parametrize(
    ("position", "line", "text"),
    [
        (QuotePosition.BELOW, 0, f"Yes\n\nno\n\n{SIGNED}\n\n{QUOTED}"),
        (QuotePosition.ABOVE, 1, f"{QUOTED}\n\nYes\n\nno\n\n{SIGNED}"),
        (QuotePosition.NONE, 0, f"Yes\n\nno\n\n{SIGNED}"),
    ],
)
def test_one_line_stays_empty_around_what_is_typed(
    position: QuotePosition, line: int, text: str
) -> None:
    """In the plain text, too; the editor makes each line as the one it begins with."""
    desk = Desk()
    identity = Identity("1", "", ALICE, "Alice", is_default=True)
    at_once(desk.personal.put_identity(ALICE, identity))
    rich = evolve(RICH, preferences=Preferences(quote_position=position))
    html = prepared(desk, Purpose.REPLY, RICH_LETTER, rich).writing.html
    empty = "<div><br></div>"
    parts = html.split(empty)
    typed = f"<div>Yes</div>{empty}<div>no</div>"
    ends = empty.join(parts[: line + 1]), empty.join(parts[line + 1 :])
    assert richtext.to_text(typed.join(ends)) == text


def test_an_answer_is_from_the_address_that_was_written_to() -> None:
    desk = Desk()
    for number, address in enumerate((ALICE, "sales@example.org")):
        identity = Identity(str(number), "", address, is_default=not number)
        at_once(desk.personal.put_identity(ALICE, identity))
    octets = RICH_LETTER.replace(b"Alice <alice@example.org>, ", b"")
    answer = prepared(desk, Purpose.REPLY, octets)
    assert answer.writing.sender == "sales@example.org"


def test_a_forward() -> None:
    desk = Desk()
    forward = prepared(desk, Purpose.FORWARD, RICH_LETTER)
    assert forward.writing.subject == "Fwd: Pläne"
    assert "From: Jörg <joerg@example.net>\nDate: 1 January\n" in forward.writing.text
    assert [(file.name, file.kind) for file in forward.files] == [
        ("attachment", "image/png"),
        ("Pläne.pdf", "application/pdf"),
        ("invite.ics", "text/calendar"),
        ("message.eml", "message/rfc822"),
        ("nöte.txt", "text/plain"),
        ("text.html", "text/html"),
    ]
    rich = prepared(desk, Purpose.FORWARD, RICH_LETTER, RICH)
    assert "Forwarded message" in rich.writing.html


def test_files_come_along_with_a_forward() -> None:
    desk = Desk()
    original = desk.receive(RICH_LETTER)
    draft = desk.begin(HELLO, Opening(Purpose.FORWARD, original))
    assert [(file.number, file.name, file.size) for file in draft.files] == [
        (1, "attachment", 3),
        (2, "Pläne.pdf", 4),
        (3, "invite.ics", 15),
        (4, "message.eml", 19),
        (5, "nöte.txt", 6),
        (6, "text.html", 8),
    ]
    assert draft.next_file == 7
    _, content = at_once(desk.composing.drafts.file(ALICE, draft.id, 2))
    assert at_once(all_octets(content)) == b"%PDF"
    [shown] = desk.messages("Drafts")
    assert len(list(shown.iter_attachments())) == 6


def test_a_forward_as_a_file() -> None:
    desk = Desk()
    forward = prepared(desk, Purpose.FORWARD_ATTACHED, RICH_LETTER)
    assert (forward.writing.text, forward.files) == ("", ())
    draft = desk.begin(HELLO, forward.opening)
    [file] = draft.files
    assert (file.name, file.kind) == ("Pläne.eml", "message/rfc822")
    desk.send(draft)
    [sent] = desk.messages("Sent")
    [part] = sent.iter_attachments()
    assert part.get_content()["Message-ID"] == "<2@example.net>"


def test_a_copy_and_a_draft_of_another_program() -> None:
    desk = Desk()
    copy = prepared(desk, Purpose.AS_NEW, RICH_LETTER)
    assert copy.writing.to == '"Alice" <alice@example.org>, sales@example.org'
    assert (copy.writing.text, copy.writing.html) == ("One line\n-- \nJ", "")
    assert (copy.in_reply_to, copy.references) == ("", ())
    edit = prepared(desk, Purpose.EDIT, RICH_LETTER, RICH)
    assert edit.writing.html.startswith("<p>One line")
    assert edit.in_reply_to == "<1@example.net>"
    assert edit.references == ("<0@example.net>", "<1@example.net>")


def test_files_of_the_original_that_are_too_large() -> None:
    """What was typed is kept, and it is said that they did not come along."""
    desk = Desk(settings=ComposingSettings(message_size=20))
    opening = Opening(Purpose.FORWARD, desk.receive(RICH_LETTER))
    drafts = desk.composing.drafts
    saved = at_once(drafts.save(desk.alice, drafts.next_id(), HELLO, 0, opening))
    assert isinstance(saved.problem, FilesTooLarge)
    kept = at_once(drafts.open(ALICE, saved.draft.id))
    assert (kept.writing, kept.files) == (HELLO, ())
    assert desk.subjects("Drafts") == ["Hello"]


def test_an_original_that_goes_while_somebody_types() -> None:
    desk = Desk()
    drafts = desk.composing.drafts
    opening = Opening(Purpose.REPLY, "M99")
    saved = at_once(drafts.save(desk.alice, drafts.next_id(), HELLO, 0, opening))
    assert isinstance(saved.problem, NoSuchDraft)
    assert (saved.draft.writing, saved.draft.opening) == (HELLO, Opening())
    assert desk.send(saved.draft).state is DraftState.HELD


class _Full(MemoryDrafts):
    """Files fit in no more."""

    async def begin_file(self, account: object, id: DraftId, number: int) -> Any:
        raise StorageFull


def test_a_disk_that_is_full_while_files_come_along() -> None:
    desk = Desk(drafts=_Full())
    original = desk.receive(RICH_LETTER)
    with pytest.raises(StorageFull):
        desk.begin(HELLO, Opening(Purpose.FORWARD, original))
    assert list(at_once(desk.drafts.drafts(ALICE))) == []


def test_an_original_that_is_gone() -> None:
    desk = Desk()
    drafts = desk.composing.drafts
    with pytest.raises(NoSuchDraft):
        at_once(drafts.prepare(desk.alice, Opening(Purpose.REPLY, "M99")))
    work = MailboxName("Work")
    at_once(desk.store.create(ALICE, work))
    original = desk.receive(RICH_LETTER, mailbox="Work")
    summary = at_once(desk.store.conversations.message(ALICE, original))
    assert summary is not None
    at_once(desk.store.delete(ALICE, work))
    assert at_once(find(desk.store, DirectLanes(), ALICE, summary)) is None


def test_large_originals() -> None:
    desk = Desk()
    octets = b"Subject: x\r\n\r\n" + b"a line of text\r\n" * 200_000
    answer = prepared(desk, Purpose.REPLY, octets)
    assert answer.writing.text.count("\n") > 1000
    assert len(answer.writing.text) < 800_000
    assert text_of(desk.messages("INBOX")[0])


def test_html_alone() -> None:
    octets = b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Hi</p><p>you</p>"
    answer = prepared(Desk(), Purpose.REPLY, octets)
    assert answer.writing.text == "\n\n? wrote:\n> Hi\n>\n> you\n"


NAMES = [
    ("a.txt", "a.txt"),
    ("/etc/passwd", "passwd"),
    ("C:\\x\\b.txt", "b.txt"),
    (" . ", ""),
    ("a\r\nb\x00c", "a b c"),
    ("gpj.\u202eexe", "gpj. exe"),
    ("x" * 200 + ".pdf", "x" * 146 + ".pdf"),
    ("x" * 200, "x" * 150),
    ("x." + "y" * 200, "x"),
]


@pytest.mark.parametrize(("given", "kept"), NAMES)
def test_names_of_files(given: str, kept: str) -> None:
    assert file_name(given) == kept


@anything
@given(garbage)
def test_anything_is_understood(octets: bytes) -> None:
    found = understand(octets)
    for file in found.files:
        assert sum(map(len, file.pieces(octets))) == file.size
    assert "<script" not in found.original.html.lower()
