"""What the expressions of a template cannot make: texts and numbers without end."""

from __future__ import annotations

import pytest

from mailkit.model.address import Address
from mailkit.model.path import Path
from mailkit.services.sendings import sandbox
from mailkit.services.sendings.errors import BadRow
from mailkit.services.sendings.template import Template

AUTHOR = Address.of("news", "example.org")
BOB = Path("bob", "example.net")


def body(text: str) -> bytes:
    template = Template.read(f"Subject: x\n\n{text}\n")
    return template.merge({"name": "Bob"}, AUTHOR, BOB).body


LONG = "a text has more than"
LARGE = "a number has more than 10000 bits"
TOO_MUCH = [
    ('{{ "a" * 10**10 }}', LONG),
    ("{{ 10**10 * name }}", LONG),
    ("{{ [0] * 10**10 }}", LONG),
    ("{{ (name,) * 10**10 }}", LONG),
    ("{{ 10 ** (10 ** 10) }}", LARGE),
    ("{{ (-10) ** (10 ** 10) }}", LARGE),
    ("{{ 2 ** 6000 * 2 ** 6000 }}", LARGE),
    (
        "{% set it = namespace(text=name) %}{% for n in range(99) %}"
        "{% set it.text = it.text + it.text %}{% endfor %}",
        LONG,
    ),
    ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "recursion"),
]


@pytest.mark.parametrize(("text", "problem"), TOO_MUCH)
def test_too_much(text: str, problem: str) -> None:
    with pytest.raises(BadRow, match=f"^the template says: .*{problem}"):
        body(text)


MADE = [
    ("{{ name * 3 }}{{ 2 * name }}{{ name * -1 }}", b"BobBobBobBobBob"),
    ("{{ 2 ** 10 }} {{ 3 * 4 }} {{ 1 + 2 }} {{ 1.5 * 2 }}", b"1024 12 3 3.0"),
    ("{{ 2 ** -1 }} {{ 0 ** 10000000 }} {{ 1 ** 10000000 }}", b"0.5 0 1"),
    ('{{ name + "!" }} {{ ([1] + [2]) | length }}', b"Bob! 2"),
    ("{{ (2 ** 9999) > 1 }}", b"True"),
]


@pytest.mark.parametrize(("text", "made"), MADE)
def test_what_is_asked_for_in_earnest(text: str, made: bytes) -> None:
    assert body(text).rstrip().endswith(b"\r\n\r\n" + made)


@pytest.mark.parametrize(
    "text", ["{{ name + 1 }}", '{{ "a" ** 2 }}', "{{ nobody * 2 }}"]
)
def test_mistakes_are_told_as_ever(text: str) -> None:
    with pytest.raises(BadRow, match=r"^the template says: "):
        body(text)


@pytest.mark.parametrize(
    "text",
    [
        "{% for n in range(1001) %}x{% endfor %}",
        "{% set all %}{% for n in range(1001) %}x{% endfor %}{% endset %}{{ all[0] }}",
        "{% macro all() %}{% for n in range(1001) %}x{% endfor %}{% endmacro %}"
        "{{ all()[0] }}",
        "{{ 'x' * 1001 }}",
        "{{ 'x' * 600 }}{{ 'x' * 600 }}",
    ],
)
def test_what_is_rendered_has_an_end(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(sandbox, "LONGEST_TEXT", 1000)
    with pytest.raises(BadRow, match="a text has more than 1000 characters"):
        body(text)
    assert body("{{ 'x' * 999 }}").count(b"x") > 900
