"""Tables of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.services.sendings.errors import BadRow, BadSending
from mailkit.services.sendings.rows import read_address, read_rows

GOOD = [
    ("email,name\nbob@example.net,Bob\n", {"email": "bob@example.net", "name": "Bob"}),
    ("Name;E-Mail\nBob;bob@example.net", {"name": "Bob", "e_mail": "bob@example.net"}),
    ("to\tx y\nbob@example.net\t 1 \n\n", {"to": "bob@example.net", "x_y": "1"}),
    (
        'email,name\r\n"bob@example.net","B\r\nC"\r\n',
        {"email": "bob@example.net", "name": "B\r\nC"},
    ),
    (  # as spreadsheets save a table that had more rows once
        "email;name\r\n;\r\nbob@example.net;B\r\n ; \r\n",
        {"email": "bob@example.net", "name": "B"},
    ),
]


@pytest.mark.parametrize(("text", "values"), GOOD)
def test_a_row(text: str, values: dict[str, str]) -> None:
    [row] = read_rows(text).rows
    assert dict(row.values) == values
    assert str(row.path) == "bob@example.net"


BAD = [
    ("", "line 1: no column is called email; there are none"),
    ("email,\n", "line 1: expects a name for each column"),
    ("email,email\n", "line 1: expects a name for each column"),
    ("name|x\nBob\n", "line 1: no column is called email; there are name_x"),
    ("email\n", "there are no rows"),
    ("email,name\nbob@example.net\n", "line 2: 1 columns instead of 2"),
    ("email\nbob\n", "line 2: 'bob' is not an address"),
    ("email\nbob@\n", "line 2: 'bob@' is not an address"),
    ("email\nbob@192.0.2.1\n", "line 2: 'bob@192.0.2.1' is not an address"),
    ("email\n<bob@example.net>\n", "is not an address"),
    ("email\npostmaster\n", "is not an address"),
    ('email\nbob@example.net> "\n', "is not an address"),
    (
        "email\nbob@example.net\nBob@EXAMPLE.net\n",
        "line 3: Bob@example.net is in line 2 already",
    ),
    ('email,name\n"bob@example.net"x,1\n', "line 2: ',' expected"),
    (
        'email,name\na@example.net,A\n"bob@example.net,1\nc@example.net,C\n',
        "line 3: a cell begins with a quotation mark, and does not end",
    ),
    (
        'email,name\n\n"bob@example.net,B\nc@example.net,C\n"d@example.net",D\n',
        "line 3: a cell begins with a quotation mark, and does not end",
    ),
    ('email,name\n"bob@example.net', "line 2: a cell begins with a quotation mark"),
]


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(BadSending) as caught:
        read_rows(text)
    assert problem in str(caught.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    rows = "".join(f"nobody{number}\n" for number in range(30))
    with pytest.raises(BadSending) as caught:
        read_rows("email\n" + rows)
    assert len(caught.value.problems) == 30
    assert "and 10 more" in str(caught.value)


def test_domains_are_as_dns_has_them() -> None:
    assert str(read_address(" Bob@Bücher.example ")) == "Bob@xn--bcher-kva.example"
    assert str(read_address("größe@example.net")) == "größe@example.net"
    assert str(read_address("bob@[192.0.2.1]")) == "bob@[192.0.2.1]"
    with pytest.raises(BadRow):
        read_address("")


@given(st.text())
def test_anything_is_rows_or_a_problem(text: str) -> None:
    try:
        read_rows("email\n" + text)
    except BadSending as error:
        assert error.problems
