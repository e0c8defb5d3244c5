"""What the index keeps of a message, whole messages against files."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given

from mailkit.formats import header, mime, rendered, section, validation
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, message, octets

GOLDEN = Path(__file__).parent.parent / "golden"
LETTERS = sorted(GOLDEN.glob("*.eml"))
STRANGERS = Path(__file__).parents[2] / ".." / "shared" / "data"


def shown(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")


def outline(text: bytes) -> dict[str, object]:
    """Show what is kept of a message as JSON can hold it."""
    kept = rendered.render(text)
    findings = validation.examine(text, utf8=False)
    return {
        "envelope": shown(kept.envelope),
        "body": shown(kept.body),
        "bodystructure": shown(kept.bodystructure),
        "preview": shown(kept.preview),
        "header_fields": shown(kept.header_fields).splitlines(),
        "sent_date": kept.sent_date and kept.sent_date.isoformat(),
        "message_id": shown(kept.message_id),
        "thread_root": shown(kept.thread_root),
        "subject": kept.subject,
        "parts": dict(parts(text, mime.scan(text))),
        "findings": [finding.check.name for finding in findings],
    }


def parts(text: bytes, root: mime.Part) -> Iterator[tuple[str, list[int]]]:
    """List header start, body start, end and decoded size by part number."""
    waiting: list[tuple[mime.Part, tuple[int, ...]]] = [(root, ())]
    while waiting:
        entity, numbers = waiting.pop(0)
        children = entity.parts if entity.is_multipart else [entity]
        for number, child in enumerate(children, 1):
            path = (*numbers, number)
            assert section.locate(root, path) is child
            size = section.binary_size(text, root, path)
            assert size is not None
            yield ".".join(map(str, path)), [child.start, child.body, child.end, size]
            if child.is_multipart:
                waiting.append((child, path))
            elif child.parts:
                waiting.append((child.parts[0], path))


@pytest.mark.parametrize("letter", LETTERS, ids=lambda path: path.stem)
def test_goldens(letter: Path) -> None:
    text = letter.read_bytes().replace(b"\n", b"\r\n")
    found = outline(text)
    expected = letter.with_suffix(".json")
    if os.environ.get("MAILKIT_ACCEPT") == "1":
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(expected.read_text())


@pytest.mark.parametrize("letter", LETTERS, ids=lambda path: path.stem)
def test_line_ends_change_nothing_but_sizes(letter: Path) -> None:
    bare = letter.read_bytes()
    found, other = outline(bare), outline(bare.replace(b"\n", b"\r\n"))
    for key in ("message_id", "thread_root", "subject", "sent_date", "envelope"):
        assert found[key] == other[key]
    assert found["preview"] == other["preview"]


def test_goldens_are_there() -> None:
    assert len(LETTERS) >= 12


def test_the_usual_fields_answer_a_fetch() -> None:
    text = message("From: a@b", "X-Odd: no", "to: c@d", "References: <1@a>", "", "x")
    kept = rendered.render(text)
    assert kept.header_fields == b"From: a@b\r\nto: c@d\r\nReferences: <1@a>\r\n"
    names = {b"to", b"references", b"date"}
    assert names <= rendered.KEPT_FIELDS
    assert header.select(kept.header_fields, names) == section.header_fields(
        text, mime.scan(text), (), names
    )


def test_a_last_field_without_line_end_gets_one() -> None:
    assert rendered.render(b"A: x\r\nFrom: a@b").header_fields == b"From: a@b\r\n"


def test_topmost_fields_count() -> None:
    kept = rendered.render(
        message(
            "Subject: =?utf-8?q?=C3=A9?=",
            "Subject: two",
            "Date: Fri, 20 Nov 2026 10:00:00 +0000",
            "Date: x",
            "Message-ID: <1@a>",
            "In-Reply-To: <0@a>",
        )
    )
    assert kept.subject == "é"
    assert kept.sent_date == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert kept.message_id == b"<1@a>"
    assert kept.thread_root == b"<0@a>"


def test_a_message_that_answers_nothing_is_its_own_root() -> None:
    kept = rendered.render(message("Message-ID: <1@a>"))
    assert kept.thread_root == b"<1@a>"
    assert rendered.render(b"").thread_root == b""


def test_the_preview_is_a_string_of_imap() -> None:
    assert rendered.render(b'\r\nA "quoted" word').preview == b'"A \\"quoted\\" word"'
    assert rendered.render("\r\né".encode()).preview == b"{2}\r\n\xc3\xa9"
    assert rendered.render(b"").preview == b'""'


def test_limits_hold() -> None:
    text = message(*["To: a@b"] * 100, "Subject: late")
    kept = rendered.render(text, Limits(fields=10))
    assert kept.subject == ""
    assert kept.envelope.count(b'"a"') == 10


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    kept = rendered.render(text)
    assert kept.envelope.startswith(b"(")
    names = rendered.KEPT_FIELDS
    assert header.select(kept.header_fields, names) == section.header_fields(
        text, mime.scan(text), (), names
    )


def strangers() -> list[bytes]:
    """Gather messages that nobody of this project wrote."""
    if not (STRANGERS / "mime").is_dir():
        pytest.skip("../shared/data is missing")
    found = [path.read_bytes() for path in (STRANGERS / "mime").rglob("*.txt")]
    for archive in sorted((STRANGERS / "spam").glob("*.tar.xz"))[:1]:
        with tarfile.open(archive) as members:
            for member in members:
                file = members.extractfile(member)
                if file is not None:
                    found.append(file.read())
                if len(found) > 300:
                    break
    return found


def test_messages_of_strangers() -> None:
    letters = strangers()
    for letter in letters:
        text = letter.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found = outline(text)
        assert found["envelope"]
        assert rendered.render(letter).subject == found["subject"]
