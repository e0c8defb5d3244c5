"""Templates: what stays, what is put in, and what cannot be smuggled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import encodedword, header, mime
from mailkit.model.address import Address
from mailkit.model.path import Path
from mailkit.services.sendings.errors import BadRow, BadTemplate
from mailkit.services.sendings.template import Merged, Template

AUTHOR = Address.of("news", "example.org")
BOB = Path("bob", "example.net")
SIMPLE = "Subject: Hello {{ name }}\n\nHello {{ name }}\n"
BOTH = """\
{# for the spring #}
From: News & Co <news@example.org>
To: "{{ name }}" <{{ email }}>
Subject: Hello
Date: yesterday
X-Sort: {{ name }}
MIME-Version: 1.0
Content-Language: de
Content-Type: multipart/related; type="multipart/alternative"; boundary=a

--a
Content-Type: multipart/alternative; boundary=b

--b

plain {{ name }}
--b
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<p>{{ name }} =C3=A4</p>
--b--
--a
Content-Type: image/png
Content-ID: <logo>
Content-Transfer-Encoding: base64

AAAA
--a--
"""


def merge(text: str, **values: str) -> Merged:
    values.setdefault("email", "bob@example.net")
    return Template.read(text).merge(values, AUTHOR, BOB)


def test_a_simple_one() -> None:
    merged = merge(SIMPLE, name="Bob")
    assert merged.fields == (
        b"From: news@example.org\r\nSubject: Hello Bob\r\nTo: bob@example.net\r\n"
    )
    assert merged.body == (
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\nHello Bob\r\n"
    )
    assert merged.subject == "Hello Bob"


def test_parts() -> None:
    merged = merge(BOTH, name="<Bob> & Ann")
    octets = merged.fields + merged.body
    assert header.first(octets, b"Date") is None
    assert header.first(octets, b"Content-Language") == b"de"
    assert header.first(octets, b"X-Sort") == b"<Bob> & Ann"
    assert header.first(octets, b"To") == b'"<Bob> & Ann" <bob@example.net>'
    root = mime.scan(octets)
    assert (b"type", b"multipart/alternative") in root.parameters
    alternative, image = root.parts
    plain, html = alternative.parts
    assert octets[plain.body : plain.end] == b"plain <Bob> & Ann\r\n"
    text = octets[html.body : html.end]
    assert text == b"<p>&lt;Bob&gt; &amp; Ann =C3=A4</p>\r\n"
    assert octets[image.start : image.end] == (
        b"Content-Type: image/png\r\nContent-ID: <logo>\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAAA"
    )


def test_line_ends_and_marks_of_windows() -> None:
    merged = merge("\ufeff" + SIMPLE.replace("\n", "\r\n"), name="Bob")
    assert merged.body.endswith(b"\r\n\r\nHello Bob\r\n")


def test_a_field_that_is_empty_is_left_out() -> None:
    merged = merge("Subject: x\nX-Y: {{ name }}\n\n", name="")
    assert b"X-Y" not in merged.fields


def test_charsets_of_encoded_parts() -> None:
    text = (
        "Subject: x\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n"
    )
    assert merge(text).body.endswith(b"\r\n\r\nGr=C3=BC=C3=9Fe\r\n")


BAD = [
    ("", "the template has no Subject"),
    ("Hello\n\nworld\n", "the template begins with fields"),
    ("Subject: x\nHello world\n\ntext", "the template begins with fields"),
    ("From: news@example.org\n\nx", "the template has no Subject"),
    ("Subject: x\nsubject: y\n\nx", "subject is there twice"),
    ("Subject: x\nBcc: {{ email }}\n\nx", "Bcc: each recipient gets"),
    ("Subject: x\nList-Unsubscribe: <x:y>\n\nx", "we write that one"),
    ("Subject: x\nResent-To: a@b\n\nx", "nothing is sent again"),
    ("From:\n a@b.test\nSubject: {{ x\n\nx", "line 3 (Subject): "),
    ("{# a\nb #}\n\nSubject: {{ x\n\nx", "line 4 (Subject): "),
    ("Subject: x\n\na\n{% if %}", "line 4 (text/plain): "),
    (
        "{# why #}\nSubject: x\nContent-Type: multipart/alternative; boundary=a\n\n"
        "--a\n\nx\n--a\nContent-Type: text/html\n\n<p>\n{{ x\n--a--\n",
        "line 12 (text/html): ",
    ),
    ("Subject: x\nContent-Type: multipart/mixed; boundary=a\n\nx", "has no parts"),
    ("Subject: x\nContent-Type: image/png\n\nx", "the template has no text"),
    ("Subject: x\nContent-Type: text/plain; charset=x\n\nx", "charset=utf-8"),
    (
        "Subject: x\nContent-Type: multipart/mixed; boundary=a\n\n--a\nX: {{ y }}\n\n",
        "in the header of a part",
    ),
    (
        "Subject: x\nContent-Type: multipart/mixed; boundary=a\n\n--a\nX: ä\n\n",
        "is not ASCII",
    ),
    ("Subject: x\n\n{{ " + "[" * 3000 + " }}", "line 3 (text/plain): Recursion"),
    ("Subject: x\n\n{{ " + "9" * 5000 + " }}", "line 3 (text/plain): ValueError"),
    (
        "Subject: x\n\n" + "{% for a in b %}" * 30 + "{% endfor %}" * 30,
        "line 3 (text/plain): SyntaxError, too many",
    ),
]


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_templates_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        Template.read(text)
    assert problem in str(caught.value)


def test_columns_that_are_missing() -> None:
    template = Template.read(SIMPLE + "{{ age }} {{ range(3) }}")
    template.check_columns(["name", "age", "email"])
    with pytest.raises(BadTemplate, match=r"asks for \{\{ age \}\}, \{\{ name \}\}"):
        template.check_columns(["email", "city"])


BAD_ROWS = [
    (SIMPLE, "Bob\r\nBcc: eve@example.net", "Subject has a line end"),
    (SIMPLE, "Bob\nX", "Subject has a line end"),
    ("Subject: x\nTo: {{ name }}\n\n", "eve@example.net", "To is eve@example.net"),
    (
        "Subject: x\nTo: {{ name }} <{{ email }}>\n\n",
        "Eve <eve@example.net>,",
        "To is not one address",
    ),
    ("Subject: x\nFrom: {{ name }}\n\n", "eve@example.net", "From is eve@example.net"),
    ("Subject: x\nFrom: {{ name }}\n\n", "Eve", "From is not one address"),
    ("Subject: x\n\n{{ 1 / 0 }}{{ name }}", "Bob", "division"),
    ("Subject: x\n\n{{ name.nothing }}", "Bob", "nothing"),
    ("Subject: x\n\n{{ name.__class__.__mro__ }}", "Bob", "the template says"),
    ("Subject: x\n\n{{ name + 1 }}", "Bob", "the template says"),
    ("Subject: x\n\n{{ name }}", "\udc80", "no character"),
]


@pytest.mark.parametrize(("text", "name", "problem"), BAD_ROWS)
def test_rows_that_make_no_message(text: str, name: str, problem: str) -> None:
    with pytest.raises(BadRow) as caught:
        merge(text, name=name)
    assert problem in str(caught.value)


def test_other_addresses() -> None:
    text = "Subject: x\nReply-To: {{ name }} <shop@bücher.example>\n\n"
    merged = merge(text, name="Größer")
    value = header.first(merged.fields, b"Reply-To")
    assert value is not None
    assert encodedword.decode(value) == "Größer <shop@xn--bcher-kva.example>"


@given(st.text(max_size=100))
def test_whatever_is_put_in_stays_in_its_place(name: str) -> None:
    """It becomes no field, no part, no markup."""
    plain = merge(BOTH, name="Bob")
    try:
        merged = merge(BOTH, name=name)
    except BadRow:
        return
    octets = merged.fields + merged.body
    names = [field for _, field, _ in header.scan(merged.fields)]
    expected = [field for _, field, _ in header.scan(plain.fields)]
    assert [one for one in expected if one != b"X-Sort"] == [
        one for one in names if one != b"X-Sort"
    ]
    root = mime.scan(octets)
    assert [len(part.parts) for part in root.parts] == [2, 0]
    html = root.parts[0].parts[1]
    assert octets[html.body : html.end].count(b"<") == 2


@given(st.text())
def test_anything_is_a_template_or_a_problem(text: str) -> None:
    try:
        template = Template.read("Subject: x\n" + text)
        template.merge({}, AUTHOR, BOB)
    except (BadTemplate, BadRow) as error:
        assert str(error)
