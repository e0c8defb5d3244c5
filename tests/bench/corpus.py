"""Test messages like those that people get, the same for every server and run."""

from __future__ import annotations

import math
import random
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

_TEXT = (
    "the of and to in that is for it as was with be by on not he his but at are this "
    "have from or had an they which one you were all her she there would their we him "
    "been has when who will no more if out so up said what its about than into them "
    "can only other time new some could these two may first then do any like now over "
    "project meeting invoice schedule report budget server release update customer "
    "contract deadline review question answer document attached please regards thanks "
    "tomorrow monday office account payment order shipping address phone number ticket "
    "design draft proposal agenda minutes quarter revenue travel hotel flight booking "
    "database backup restore network certificate password security policy training"
)
WORDS = _TEXT.split()
_FIRST = "Anna Bob Carla David Elena Frank Grace Hugo Irene Jan Karin Luis Maria"
_LAST = "Smith Müller Garcia Nakamura Rossi Kowalski Jensen Dubois Novák Silva"
FIRST, LAST = _FIRST.split(), _LAST.split()
DOMAINS = ("example.com", "example.org", "mail.example.net", "lists.example.org")
FIRST_DATE = datetime(2024, 1, 1, tzinfo=UTC)


def date_of(number: int) -> datetime:
    """When the message with this number was sent: one every 53 minutes."""
    return FIRST_DATE + timedelta(minutes=53 * number)


def message(number: int) -> bytes:
    """
    A message of 1 to 50 KiB: sizes log-normal, and the structures of real mail.

    Four in ten are plain text; the others HTML, both beside each other, with
    attachments, or a message that was forwarded.
    """
    chance = random.Random(f"message {number}")
    size = math.exp(chance.gauss(math.log(6000), 1.0))
    head = _head(chance, number)
    left = max(300, int(min(50 * 1024, max(1024, size))) - len(head))
    return head.encode() + _body(chance, left).encode()


def short(number: int) -> bytes:
    """Plain text of 4 KiB with the header of such a `message`."""
    chance = random.Random(f"short {number}")
    head = _head(chance, number)
    return (head + _part(chance, 4096 - len(head))).encode()


@cache
def _prose_of(size: int, variant: int) -> bytes:
    return _prose(random.Random(f"fixed {size} {variant}"), size).encode()


def fixed(size: int, number: int, recipient: str) -> bytes:
    """A plain message of about so many octets, for the deliveries."""
    head = (
        "From: Sender <sender@example.com>\r\n"
        f"To: <{recipient}>\r\nSubject: bench {number}\r\n"
        f"Date: {_dated(number)}\r\nMessage-ID: <b{number}.{size}@example.com>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    prose = _prose_of(size, number % 8)[: max(0, size - len(head) - 2)]
    return head + prose.rsplit(b"\r\n", 1)[0] + b"\r\n"


def _dated(number: int) -> str:
    return f"{date_of(number):%a, %d %b %Y %H:%M:%S} +0000"


def _person(chance: random.Random) -> str:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    name = f"{first} {last}"
    if not name.isascii():
        name = f"=?utf-8?B?{b64encode(name.encode()).decode()}?="
    local_part = f"{first}.{last}".lower().encode("ascii", "ignore").decode()
    return f"{name} <{local_part}@{chance.choice(DOMAINS)}>"


def _head(chance: random.Random, number: int) -> str:
    domain = chance.choice(DOMAINS)
    lines = [f"Return-Path: <bounce-{number}@{domain}>"]
    lines += [
        f"Received: from mx{hop}.{domain} (mx{hop}.{domain} [192.0.2.{hop}])\r\n"
        f"\tby mail{hop}.example.net with ESMTPS id {chance.randrange(1 << 40):X};\r\n"
        f"\t{_dated(number)}"
        for hop in range(chance.randint(1, 4))
    ]
    if chance.random() < 0.6:
        signature = b64encode(chance.randbytes(256)).decode()
        lines.append(
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s1;"
            "\r\n\th=From:To:Subject:Date:Message-ID;\r\n\tb="
            + "\r\n\t ".join(signature[i : i + 64] for i in range(0, 344, 64))
        )
    subject = " ".join(chance.choices(WORDS, k=chance.randint(2, 8))).capitalize()
    is_answer = chance.random() < 0.3
    if chance.random() < 0.12:
        subject = f"=?utf-8?Q?Gr=C3=BC=C3=9Fe=3A_?= {subject}"
    lines += [
        f"Date: {_dated(number)}",
        f"From: {_person(chance)}",
        "To: Somebody <somebody@example.org>",
        f"Subject: {'Re: ' if is_answer else ''}{subject}",
        f"Message-ID: <{chance.randrange(1 << 60):x}.{number}@{domain}>",
        "MIME-Version: 1.0",
    ]
    if chance.random() < 0.3:
        people = [_person(chance) for _ in range(chance.randint(1, 6))]
        lines.append("Cc: " + ",\r\n ".join(people))
    if is_answer:
        before = [f"<{chance.randrange(1 << 60):x}@{domain}>" for _ in range(3)]
        lines.append(f"In-Reply-To: {before[-1]}")
        lines.append("References: " + "\r\n ".join(before))
    if chance.random() < 0.2:
        lines.append(f"List-Id: <dev.{domain}>")
    return "\r\n".join(lines) + "\r\n"


def _prose(chance: random.Random, size: int) -> str:
    lines: list[str] = []
    length = 0
    while length < size:
        line = ""
        while len(line) < 64:
            line += chance.choice(WORDS) + " "
        lines.append(line.strip().capitalize() + ".")
        length += len(lines[-1]) + 2
        if chance.random() < 0.15:
            lines.append("")
    return "\r\n".join(lines) + "\r\n"


def _part(chance: random.Random, size: int, kind: str = "plain") -> str:
    text = _prose(chance, size)
    if kind == "html":
        text = "<html><body><p>\r\n" + text + "</p></body></html>\r\n"
    return f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{text}"


def _attachment(chance: random.Random, size: int) -> str:
    name = f"{chance.choice(WORDS)}-{chance.randrange(999)}.pdf"
    octets = b64encode(chance.randbytes(max(60, size * 3 // 4))).decode()
    lines = "\r\n".join(octets[i : i + 76] for i in range(0, len(octets), 76))
    return (
        f'Content-Type: application/pdf; name="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n{lines}\r\n'
    )


def _multipart(chance: random.Random, kind: str, parts: list[str]) -> str:
    boundary = f"=_{chance.randrange(1 << 48):012x}"
    inner = "".join(f"--{boundary}\r\n{part}" for part in parts)
    return (
        f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'
        f"This is a multi-part message in MIME format.\r\n{inner}--{boundary}--\r\n"
    )


def _body(chance: random.Random, size: int) -> str:
    """From the Content-Type on."""
    kind = chance.random()
    if kind < 0.40:
        return _part(chance, size)
    if kind < 0.50:
        return _part(chance, size, "html")
    both = [_part(chance, size // 3), _part(chance, size // 2, "html")]
    if kind < 0.75:
        return _multipart(chance, "alternative", both)
    if kind < 0.96:
        count = chance.randint(1, 3)
        small = [_part(chance, 300), _part(chance, 500, "html")]
        return _multipart(
            chance,
            "mixed",
            [_multipart(chance, "alternative", small)]
            + [_attachment(chance, max(200, size // count)) for _ in range(count)],
        )
    forwarded = (
        "Content-Type: message/rfc822\r\n\r\n"
        f"From: {_person(chance)}\r\nSubject: forwarded\r\n{_part(chance, size)}"
    )
    return _multipart(chance, "mixed", [_part(chance, 200), forwarded])
