"""Arguments of SMTP commands: valid beside invalid, and whatever else may come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.envelope import (
    BodyType,
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS
from mailkit.protocols.smtp.parse import (
    BadArgument,
    read_base64,
    read_hello,
    read_path,
    read_recipient,
    read_sender,
    read_xtext,
    write_xtext,
)

LONG = "a" * 64


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("<>", NULL_PATH),
        ("<a@b>", Path("a", "b")),
        (" <a@b>", Path("a", "b")),
        ("<A.b+c@Example.ORG>", Path("A.b+c", "Example.ORG")),
        ("<a..b.@docomo.example>", Path("a..b.", "docomo.example")),
        ("<!#$%&'*+-/=?^_`{|}~@b>", Path("!#$%&'*+-/=?^_`{|}~", "b")),
        ('<"a b"@c>', Path("a b", "c")),
        ('<"a\\"b\\\\"@c>', Path('a"b\\', "c")),
        ('<"a@b>"@c>', Path("a@b>", "c")),
        ("<@x,@y.z:a@b>", Path("a", "b")),
        ("<a@[192.0.2.1]>", Path("a", "[192.0.2.1]")),
        ("<a@[IPv6:2001:db8::1]>", Path("a", "[IPv6:2001:db8::1]")),
        ("<дейв@пример.example>", Path("дейв", "пример.example")),
        (f"<{LONG}@b>", Path(LONG, "b")),
        ("<a@xn--e1afmkfd.example>", Path("a", "xn--e1afmkfd.example")),
        ("<a@a_b.example>", Path("a", "a_b.example")),
    ],
)
def test_paths(text: str, path: Path) -> None:
    assert read_path(text, DEFAULT_LIMITS) == (path, "")
    assert read_path(text + " X", DEFAULT_LIMITS) == (path, " X")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b",
        "<a@b",
        "a@b>",
        "<a>",
        "<@b>",
        "<a@>",
        "<a b@c>",
        "<a@b c>",
        "<a@b>x",
        "<a@b>>",
        "<<a@b>>",
        "<a@-b>",
        "<a@b->",
        "<a@b..c>",
        "<a@b.>",
        "<a@[b>",
        "<a@[]>",
        '<""@b>',
        '<"a@b>',
        "<@x:>",
        "<@x a@b>",
        "<a@b,c@d>",
        f"<{LONG}a@b>",
        f"<{'д' * 33}@b>",
        f"<a@{'b.' * 128}b>",
        "<a@b\u0085c>",
        "<a\u2028b@c>",
    ],
)
def test_no_paths(text: str) -> None:
    with pytest.raises(BadArgument) as refused:
        read_path(text, DEFAULT_LIMITS)
    assert refused.value.reply.status == "5.1.3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SenderParameters()),
        (" ", SenderParameters()),
        (" SIZE=0", SenderParameters(size=0)),
        (" size=12345678901234567890", SenderParameters(size=12345678901234567890)),
        ("  BODY=8bitmime", SenderParameters(body=BodyType.EIGHT_BIT)),
        (" BODY=7BIT SMTPUTF8 ", SenderParameters(smtputf8=True)),
        (" BODY=BINARYMIME", SenderParameters(body=BodyType.BINARY)),
        (" RET=full ENVID=a+2Bb", SenderParameters(ret="FULL", envid="a+b")),
        (" AUTH=<>", SenderParameters(auth="<>")),
        (" AUTH=e+3Dmc2@example.com", SenderParameters(auth="e=mc2@example.com")),
        (" HOLDFOR=999999999", SenderParameters(hold_for=999_999_999)),
        (" HOLDUNTIL=1970-01-01T00:01Z", SenderParameters(hold_until=60.0)),
        (" HOLDUNTIL=1970-01-01T01:00:01.5+01:00", SenderParameters(hold_until=1.5)),
        (" requiretls", SenderParameters(require_tls=True)),
    ],
)
def test_sender_parameters(text: str, expected: SenderParameters) -> None:
    assert read_sender(f"<a@b>{text}", DEFAULT_LIMITS) == (Path("a", "b"), expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" FOO", 555),
        (" FOO=1", 555),
        (" NOTIFY=NEVER", 555),
        (" SIZE=", 501),
        (" SIZE=-1", 501),
        (" SIZE=123456789012345678901", 501),
        (" SIZE=\u0661", 501),
        (" BODY", 501),
        (" RET", 501),
        (" RET=FULL RET=FULL", 501),
        (f" ENVID={'a' * 101}", 501),
        (" ENVID=a=b", 501),
        (" ENVID=a+0a", 501),
        (" ENVID=a+0A", 501),
        (" ENVID=a+FF", 501),
        (" SMTPUTF8=1", 501),
        (" AUTH", 501),
        (f" AUTH={'a' * 501}", 501),
        (" HOLDFOR", 501),
        (" HOLDFOR=0", 501),
        (" HOLDFOR=01", 501),
        (" HOLDFOR=1000000000", 501),
        (" HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00Z", 501),
        (" HOLDUNTIL", 501),
        (" HOLDUNTIL=2026-01-01", 501),
        (" HOLDUNTIL=2026-13-01T00:00Z", 501),
        (" REQUIRETLS=1", 501),
        (" -A=1", 501),
        (" A,B", 501),
    ],
)
def test_no_sender_parameters(text: str, code: int) -> None:
    with pytest.raises(BadArgument) as refused:
        read_sender(f"<a@b>{text}", DEFAULT_LIMITS)
    assert refused.value.reply.code == code
    assert refused.value.reply.status == "5.5.4"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("<a@b>", Path("a", "b"), RecipientParameters()),
        ("<postMaster>", Path("postMaster", ""), RecipientParameters()),
        (
            "<Postmaster> NOTIFY=NEVER",
            Path("Postmaster", ""),
            RecipientParameters(frozenset({Notify.NEVER})),
        ),
        (
            "<a@b> NOTIFY=delay,SUCCESS ORCPT=RFC822;a+40b",
            Path("a", "b"),
            RecipientParameters(
                frozenset({Notify.DELAY, Notify.SUCCESS}), "rfc822;a@b"
            ),
        ),
        (
            "<a@b> ORCPT=utf-8;дейв@пример.example",
            Path("a", "b"),
            RecipientParameters(orcpt="utf-8;дейв@пример.example"),
        ),
    ],
)
def test_recipients(text: str, path: Path, expected: RecipientParameters) -> None:
    assert read_recipient(text, DEFAULT_LIMITS, smtputf8=False) == (path, expected)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("<>", "5.1.3"),
        ("<alice>", "5.1.3"),
        ("<postmaster>x", "5.1.3"),
        ("<a@b> SIZE=1", "5.5.4"),
        ("<a@b> NOTIFY", "5.5.4"),
        ("<a@b> NOTIFY=", "5.5.4"),
        ("<a@b> NOTIFY=NEVER,DELAY", "5.5.4"),
        ("<a@b> NOTIFY=DELAY,DELAY", "5.5.4"),
        ("<a@b> ORCPT=a@b", "5.5.4"),
        (f"<a@b> ORCPT=rfc822;{'a' * 500}", "5.5.4"),
        ("<д@b>", "5.6.7"),
        ("<a@д>", "5.6.7"),
    ],
)
def test_no_recipients(text: str, status: str) -> None:
    with pytest.raises(BadArgument) as refused:
        read_recipient(text, DEFAULT_LIMITS, smtputf8=False)
    assert refused.value.reply.status == status


def test_smtputf8_lets_utf8_in() -> None:
    path, _ = read_recipient("<д@е>", DEFAULT_LIMITS, smtputf8=True)
    assert path == Path("д", "е")
    path, said = read_sender("<д@е> SMTPUTF8", DEFAULT_LIMITS)
    assert said.smtputf8
    with pytest.raises(BadArgument):
        read_sender("<д@е>", DEFAULT_LIMITS)


@pytest.mark.parametrize("text", ["a", " a ", "[192.0.2.1]", "-._~!", "x" * 255])
def test_hellos(text: str) -> None:
    assert read_hello(text, DEFAULT_LIMITS) == text.strip()


@pytest.mark.parametrize("text", ["", " ", "a b", "д", "x" * 256])
def test_no_hellos(text: str) -> None:
    with pytest.raises(BadArgument) as refused:
        read_hello(text, DEFAULT_LIMITS)
    assert refused.value.reply.code == 501


@pytest.mark.parametrize("text", [b"=AAA", b"AAA=BBB", b"AAA", b"A A=", b"AAAA=", b"$"])
def test_no_base64(text: bytes) -> None:
    """The strictness that RFC 4954 §4 asks for."""
    with pytest.raises(BadArgument):
        read_base64(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cf", "Cs"])))
def test_xtext_goes_round(text: str) -> None:
    """RFC 3461 §4."""
    if text.isprintable():
        assert read_xtext(write_xtext(text)) == text


PIECES = st.sampled_from(
    [*'<>@:,"\\ =+;[].-a\0д', "SIZE=1", "BODY=7BIT", "NOTIFY=NEVER", "ORCPT=a;b", "+41"]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_garbage_is_read_or_refused(text: str) -> None:
    for read in (
        lambda: read_sender(text, DEFAULT_LIMITS),
        lambda: read_recipient(text, DEFAULT_LIMITS, smtputf8=True),
        lambda: read_hello(text, DEFAULT_LIMITS),
        lambda: read_xtext(text),
    ):
        try:
            read()
        except BadArgument as refused:
            assert 500 <= refused.reply.code < 600
